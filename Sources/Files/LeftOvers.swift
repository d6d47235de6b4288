package import Foundation

/// Names for files that are not complete yet, and what becomes of those whose writer has died.
///
/// The temporary name of `model` is `.model.partial-<pid>-<n>`, beside it. Its writer holds the kernel's lock on it,
/// so a name that can be locked has no writer any more and may be removed, whatever its pid says.
package enum LeftOvers {
    static let partial = "partial"
    /// A complete folder that is being replaced: moved back when its successor never arrived.
    static let replaced = "replaced"

    /// The `attempt`-th temporary path beside `url`.
    static func path(beside url: URL, _ kind: String, attempt: Int) -> String {
        url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(kind)-\(getpid())-\(attempt)").path
    }

    /// Whether a name in a folder is a temporary one, and of what.
    static func parse(_ name: String) -> (target: String, kind: String)? {
        guard name.hasPrefix(".") else { return nil }
        for kind in [partial, replaced] {
            guard let mark = name.range(of: ".\(kind)-", options: .backwards) else { continue }
            let numbers = name[mark.upperBound...].split(separator: "-", omittingEmptySubsequences: false)
            let target = name[name.index(after: name.startIndex)..<mark.lowerBound]
            guard numbers.count == 2, numbers.allSatisfy({ Int($0) != nil }), !target.isEmpty else { continue }
            return (String(target), kind)
        }
        return nil
    }

    /// Removes what dead writers left in a folder; a replaced folder whose successor is missing gets its name back.
    /// - Parameter target: Only left-overs of this name; all when nil.
    package static func remove(in folder: URL, of target: String? = nil) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else { return }
        for name in names.sorted() {
            guard let found = parse(name), target == nil || found.target == target else { continue }
            let path = folder.appendingPathComponent(name).path
            guard let file = try? Descriptor(reading: path), (try? file.lock()) == true else { continue }
            let complete = folder.appendingPathComponent(found.target).path
            if found.kind == replaced, !FileManager.default.fileExists(atPath: complete) {
                guard rename(path, complete) == 0 else { throw FileError.cannotWrite(path: complete, .last) }
            } else {
                try removeTree(path)
            }
        }
    }

    /// Removes a file or folder with all that is in it; links are removed, not followed.
    package static func removeTree(_ path: String) throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            var status = stat()
            if lstat(path, &status) != 0 && errno == ENOENT { return }
            throw FileError.cannotWrite(path: path, SystemError(error))
        }
    }
}
