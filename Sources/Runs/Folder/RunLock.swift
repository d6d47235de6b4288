internal import Formats
internal import Foundation

/// The right to write into a run folder, held by one process at a time.
///
/// It is the kernel's lock on the file `.lock`, so it ends with its owner, also when that is killed. The file names
/// the owner for the message that a second process gets.
final class RunLock {
    static var fileName: String { ".lock" }
    private let descriptor: Descriptor
    private var isOwner = false

    /// Takes the lock.
    /// - Throws: `RunFolderError.inUse` with the owner's pid; `FileError.cannotCreate`.
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

    /// Whether a file of the lock's name is one that a run left: empty, or with nothing but the name of an owner.
    static func isOwn(_ path: String) throws -> Bool {
        let content = try Descriptor.content(of: path, followingLinks: false)
        return content.isEmpty || String(decoding: content, as: UTF8.self).wholeMatch(of: /[^\n]{1,200} \(process [0-9]+\)\n/) != nil
    }

    deinit {
        // one that was refused leaves the owner's name where it is
        guard isOwner else { return }
        try? descriptor.truncate(to: 0)
        descriptor.unlock()
    }
}
