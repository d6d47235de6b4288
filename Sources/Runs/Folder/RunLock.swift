internal import Formats
internal import Foundation

/// An exclusive lock on a run folder for writing.
///
/// It is a kernel lock (`flock`) on the file `.lock`, so it ends with its owner, even if that is killed. The file contains the
/// owner's name for the error message of a second process.
final class RunLock {
    static var fileName: String { ".lock" }
    private let descriptor: Descriptor
    private var isOwner = false

    /// Takes the lock.
    /// - Throws: `RunFolderError.inUse` with the owner's process ID; `FileError.cannotCreate`.
    init(_ folder: URL, program: String) throws {
        let path = folder.appendingPathComponent(Self.fileName).path
        descriptor = try Descriptor(creatingFile: path, O_RDWR)
        guard try descriptor.lock() else {
            let owner = (try? Descriptor.content(of: path, limit: 1000, followingLinks: false))
                .map { String(decoding: $0, as: UTF8.self) }?
                .trimmingCharacters(in: .whitespacesAndNewlines)
            throw RunFolderError.inUse(path: folder.path, owner: owner?.isEmpty == false ? owner : nil)
        }
        isOwner = true
        try descriptor.truncate(to: 0)
        let owner = [UInt8]("\(program) (process \(getpid()))\n".utf8)
        try owner.withUnsafeBytes { bytes in try descriptor.write(bytes) }
    }

    /// Whether a file with the lock's name was written by a run: it is empty or contains only an owner's name.
    static func isOwn(_ path: String) throws -> Bool {
        let content = try Descriptor.content(of: path, followingLinks: false)
        return content.isEmpty || String(decoding: content, as: UTF8.self).wholeMatch(of: /[^\n]{1,200} \(process [0-9]+\)\n/) != nil
    }

    deinit {
        // if the lock was not obtained, keep the owner's name
        guard isOwner else { return }
        try? descriptor.truncate(to: 0)
        descriptor.unlock()
    }
}
