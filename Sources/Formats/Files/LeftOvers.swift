package import Foundation

/// Names for incomplete files and folders, and the cleanup of those whose writer has died.
///
/// The temporary name of `model` is `.model.partial-<pid>-<n>` in the same folder. Its writer holds the kernel's lock on it, so a
/// temporary file that can be locked has no writer and may be removed, whatever process has the ID in its name.
package enum LeftOvers {
    static let partial = "partial"
    /// The kind of a complete folder that is being replaced. Cleanup moves it back if its successor is missing.
    static let replaced = "replaced"

    /// The temporary path number `attempt` beside `url`.
    static func path(beside url: URL, _ kind: String, attempt: Int) -> String {
        url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(kind)-\(getpid())-\(attempt)").path
    }

    /// The target and the kind of a temporary name; nil for other names.
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

    /// The final name that belongs to a temporary name; nil for other names.
    package static func target(of name: String) -> String? { parse(name)?.target }

    /// Removes what writers that have died left in a folder. A replaced folder whose successor is missing is moved back.
    /// - Parameters:
    ///   - folder: The folder to clean up.
    ///   - target: Only remove leftovers of this name; nil removes all.
    /// - Throws: ``FileError``.
    package static func remove(in folder: URL, of target: String? = nil) throws {
        for name in try Folder.namesIfPresent(in: folder.path) ?? [] {
            guard let found = parse(name), target == nil || found.target == target else { continue }
            let path = folder.appendingPathComponent(name).path
            // a link, a named pipe or a device is never a leftover
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

    /// Whether a temporary file has no living writer. False if the file system does not support locks.
    private static func isOwnerless(_ file: borrowing Descriptor) throws -> Bool {
        do {
            return try file.lock()
        } catch FileError.cannotWrite(_, let reason) where [ENOTSUP, ENOLCK, ENOSYS, EINVAL, EBADF].contains(reason.code) {
            return false
        }
    }

    /// Returns the result of `open`, or nil if the file has disappeared.
    private static func absentIfMissing(_ open: () throws -> Descriptor) throws -> Descriptor? {
        do {
            return try open()
        } catch FileError.missing {
            return nil
        }
    }

    /// Removes a file, or a folder with all of its contents. Symbolic links are removed, not followed.
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
