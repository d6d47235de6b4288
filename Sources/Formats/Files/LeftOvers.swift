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

    /// The name that a temporary one stands for; nil for any other name.
    package static func target(of name: String) -> String? { parse(name)?.target }

    /// Removes what dead writers left in a folder; a replaced folder whose successor is missing gets its name back.
    /// - Parameter target: Only left-overs of this name; all when nil.
    package static func remove(in folder: URL, of target: String? = nil) throws {
        for name in try Folder.namesIfPresent(in: folder.path) ?? [] {
            guard let found = parse(name), target == nil || found.target == target else { continue }
            let path = folder.appendingPathComponent(name).path
            // a link, a named pipe or a device with such a name is nobody's left-over
            guard let kind = try FileStatus.of(path, followingLinks: false)?.kind, kind == .file || kind == .folder else { continue }
            guard let file = try absentIfMissing({ try Descriptor(reading: path, followingLinks: false) }),
                try isOwnerless(file)
            else { continue }
            let complete = folder.appendingPathComponent(found.target).path
            if found.kind == replaced, try FileStatus.of(complete, followingLinks: false) == nil {
                guard rename(path, complete) == 0 else { throw FileError.cannotWrite(path: complete, .last) }
            } else {
                try removeTree(path)
            }
        }
    }

    /// Whether a temporary name has no living writer. Where files cannot be locked at all, nobody can say.
    private static func isOwnerless(_ file: borrowing Descriptor) throws -> Bool {
        do {
            return try file.lock()
        } catch FileError.cannotWrite(_, let reason) where [ENOTSUP, ENOLCK, ENOSYS, EINVAL, EBADF].contains(reason.code) {
            return false
        }
    }

    /// What `open` gives; nil when the file has gone in the meantime.
    private static func absentIfMissing(_ open: () throws -> Descriptor) throws -> Descriptor? {
        do {
            return try open()
        } catch FileError.missing {
            return nil
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
