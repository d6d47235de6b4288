public import Foundation

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a temporary name in the same folder. `commit` syncs them, renames the file and syncs the folder, so
/// that after a crash at any moment the name holds either the old content or the new one. A file that is never
/// committed leaves nothing behind; if the process is killed, the next writer of the same name clears up.
public final class AtomicFile {
    /// The name that the file will have.
    public let url: URL
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var isPending = true
    private static var bufferLimit: Int { 1 << 18 }

    /// Opens a temporary file beside `url`.
    /// - Throws: `FileError.cannotCreate`; `.cannotReplace` where a link, a folder, a named pipe or a device has the name.
    public init(_ url: URL) throws {
        self.url = url
        try FileError.creating(url.path) {
            if let kind = try FileStatus.of(url.path, followingLinks: false)?.kind, kind != .file {
                throw FileError.cannotReplace(path: url.path, kind: kind.description)
            }
            try LeftOvers.remove(in: url.deletingLastPathComponent(), of: url.lastPathComponent)
        }
        descriptor = try Self.open(beside: url)
    }

    deinit { discard() }

    /// Appends bytes.
    /// - Throws: `FileError.cannotWrite`; the name is then untouched.
    public func write(_ bytes: some Sequence<UInt8>) throws {
        precondition(isPending, "AtomicFile.write after commit or discard")
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferLimit { try flush() }
    }

    /// Appends bytes; many at once are not copied on their way.
    /// - Throws: `FileError.cannotWrite`; the name is then untouched.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(isPending, "AtomicFile.write after commit or discard")
        guard bytes.count >= Self.bufferLimit else {
            buffer.append(contentsOf: bytes)
            if buffer.count >= Self.bufferLimit { try flush() }
            return
        }
        try flush()
        try named { try descriptor.write(bytes) }
    }

    /// Appends text as UTF-8.
    /// - Throws: `FileError.cannotWrite`.
    public func write(_ text: String) throws {
        try write(text.utf8)
    }

    /// Gives the file its name, on the disk.
    /// - Throws: `FileError.cannotWrite`; the name is then untouched.
    public func commit() throws {
        precondition(isPending, "AtomicFile.commit after commit or discard")
        try flush()
        try named { try descriptor.synchronise() }
        guard rename(descriptor.path, url.path) == 0 else { throw FileError.cannotWrite(path: url.path, .last) }
        isPending = false
        try Descriptor.synchronise(folder: url.deletingLastPathComponent().path)
    }

    /// Gives up; nothing remains.
    public func discard() {
        if isPending { unlink(descriptor.path) }
        isPending = false
    }

    /// Writes a whole file.
    /// - Throws: `FileError.cannotCreate` or `.cannotWrite`.
    public static func write(_ text: String, to url: URL) throws {
        try write(text.utf8, to: url)
    }

    /// Writes a whole file.
    /// - Throws: `FileError.cannotCreate` or `.cannotWrite`.
    public static func write(_ bytes: some Sequence<UInt8>, to url: URL) throws {
        let file = try AtomicFile(url)
        try file.write(bytes)
        try file.commit()
    }

    private func flush() throws {
        try named { try buffer.withUnsafeBytes { bytes in try descriptor.write(bytes) } }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Errors speak of the file, not of its temporary name.
    private func named(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch FileError.cannotWrite(_, let reason) {
            throw FileError.cannotWrite(path: url.path, reason)
        }
    }

    /// A new locked file; another process that clears up may take a name away between its creation and its lock.
    private static func open(beside url: URL) throws -> Descriptor {
        var attempt = 0
        while true {
            let path = LeftOvers.path(beside: url, LeftOvers.partial, attempt: attempt)
            attempt += 1
            do {
                let file = try Descriptor(creating: path, O_WRONLY | O_EXCL)
                if file.isClaimed { return file }
            } catch FileError.cannotCreate(_, let reason) {
                guard reason.code == EEXIST, attempt < 10_000 else {
                    throw FileError.cannotCreate(path: url.path, reason)
                }
            }
        }
    }
}
