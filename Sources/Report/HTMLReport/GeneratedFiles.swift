internal import Formats
internal import Foundation
import Runs
import Study

/// Checks that a report does not overwrite files that it did not make.
enum GeneratedFiles {
    /// Checks that an existing page was made by this program, which names itself in the page's `generator` meta element.
    /// - Throws: `InvalidSetting` for another file or a folder; `FileError`.
    static func checkPage(_ url: URL) throws {
        guard let status = try FileStatus.of(url) else { return }
        guard status.kind == .file else {
            throw InvalidSetting("--output \(url.path) is \(status.kind.description); expected a file, such as report.html")
        }
        let begin = try FileHandle(forReadingFrom: url).read(upToCount: 4096) ?? Foundation.Data()
        guard String(decoding: begin, as: UTF8.self).contains(HTMLPage.generator) else {
            throw InvalidSetting("--output \(url.path) exists and was not written by rlhf-report html; choose another name, or move it")
        }
    }

    /// Checks that an output is not in the folder of a run that is shown.
    /// - Throws: `InvalidSetting` if it is.
    static func checkOutside(_ url: URL, option: String, runs: [URL]) throws {
        let path = realPath(url)
        for run in runs {
            let folder = realPath(run)
            guard path != folder, !path.hasPrefix(folder + "/") else {
                throw InvalidSetting(
                    "\(option) \(url.path) is inside the run folder \(run.path), which reports do not change; choose another place")
            }
        }
    }

    /// A path without symbolic links. The file itself need not exist.
    private static func realPath(_ url: URL) -> String {
        let url = url.standardizedFileURL
        let parent = url.deletingLastPathComponent().resolvingSymlinksInPath()
        return parent.appendingPathComponent(url.lastPathComponent).resolvingSymlinksInPath().path
    }
}
