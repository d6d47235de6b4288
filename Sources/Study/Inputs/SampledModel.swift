import Formats
package import Foundation
import Runs

/// The model that a run of samples has drawn from, as the run's options name it.
package struct SampledModel {
    /// Its name or path at that time.
    package let named: String
    /// Where it is: there still, or beside the samples where the folders have moved together; nil where neither is.
    package let folder: URL?

    /// The model of a run of samples; nil where its options name none. What was chosen among stored samples was drawn by the run that has them.
    package init?(ofSamples run: URL) throws {
        guard let run = try Self.drawingRun(of: run) else { return nil }
        guard case .string(let name)? = try Self.option("model_name", of: run), !name.isEmpty else { return nil }
        (named, folder) = (name, try Self.find(name, beside: run))
    }

    /// Whether the model is the result of a run or one of its checkpoints, or a copy of that result; nil where it is not to be found.
    package func isResult(of run: URL) throws -> Bool? {
        guard let folder else { return nil }
        let (own, other) = (Self.realPath(folder), Self.realPath(run))
        if own == other || own.hasPrefix(other + "/") { return true }
        return try Self.areCopies(folder, run)
    }

    /// Whether the model belongs to a run, so that it is known for certain what was sampled from.
    package var isRun: Bool {
        get throws {
            guard let folder else { return false }
            let parent = folder.lastPathComponent == "final" ? folder.deletingLastPathComponent() : folder
            return try (try? RunConfiguration.read(inRun: parent)) != nil && RunFolder.isFinished(parent)
        }
    }

    /// The folder `seed-…` of a study that the model is in where that is another one than the samples are to be of, by the names alone.
    /// A study that was moved or copied has the same model in a folder of its own.
    package func foreignSeed(than runs: URL) throws -> String? {
        let path = URL(fileURLWithPath: named, isDirectory: true).standardizedFileURL
        let seed = path.deletingLastPathComponent().lastPathComponent
        guard seed.hasPrefix("seed-"), seed != runs.lastPathComponent else { return nil }
        let own = runs.appendingPathComponent(path.lastPathComponent, isDirectory: true)
        guard try FileStatus.of(own) != nil else { return seed }
        guard try FileStatus.of(path) != nil else { return nil }
        return try Self.realPath(path) == Self.realPath(own) || Self.areCopies(path, own) ? nil : seed
    }

    /// The run that drew the samples of a run: itself, or the one that has the stored samples that it chose among; nil where that is not there.
    package static func drawingRun(of samples: URL) throws -> URL? {
        var (run, steps) = (samples, 0)
        while case .string(let source)? = try Self.option("samples_from", of: run) {
            guard let next = try Self.find(source, beside: run), steps < 16 else { return nil }
            (run, steps) = (next, steps + 1)
        }
        return run
    }

    static func option(_ name: String, of run: URL) throws -> OptionValue? { try RunConfiguration.read(inRun: run)?.options[name] }

    static func find(_ name: String, beside run: URL) throws -> URL? {
        let direct = URL(fileURLWithPath: name, isDirectory: true)
        let beside = run.deletingLastPathComponent().appendingPathComponent(direct.lastPathComponent, isDirectory: true)
        return try [direct, beside].first { try FileStatus.of($0) != nil }
    }

    static func realPath(_ url: URL) -> String { url.resolvingSymlinksInPath().standardizedFileURL.path }

    /// Whether two folders of runs or models hold a result with the same files.
    static func areCopies(_ first: URL, _ second: URL) throws -> Bool {
        func checksums(_ folder: URL) throws -> [UInt8]? {
            for place in [folder.appendingPathComponent("final", isDirectory: true), folder] {
                let file = place.appendingPathComponent(FolderChecksums.fileName)
                if try FileStatus.of(file)?.kind == .file { return try Descriptor.content(of: file.path, limit: 64 << 20) }
            }
            return nil
        }
        guard let own = try checksums(first), let other = try checksums(second) else { return false }
        return own == other
    }
}
