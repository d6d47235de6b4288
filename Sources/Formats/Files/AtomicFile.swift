public import Foundation

/// A file that appears under its name only when it is complete.
///
/// Bytes are written to a temporary file in the same folder. `commit` syncs it, renames it and syncs the folder, so that after a
/// crash at any time the name refers either to the old content or to the new content. A file that is not committed leaves nothing
/// behind; if the process is killed, the next writer of the same name removes the temporary file.
public final class AtomicFile {
    /// The final path of the file.
    public let url: URL
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var isPending = true
    private static var bufferLimit: Int { 1 << 18 }

    /// Opens a temporary file beside `url`.
    /// - Throws: `FileError.cannotCreate`; `.cannotReplace` if the path is a symbolic link, a folder, a named pipe or a device.
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
    /// - Throws: `FileError.cannotWrite`; the file at `url` is then unchanged.
    public func write(_ bytes: some Sequence<UInt8>) throws {
        precondition(isPending, "AtomicFile.write after commit or discard")
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferLimit { try flush() }
    }

    /// Appends bytes. Large buffers are written without a copy.
    /// - Throws: `FileError.cannotWrite`; the file at `url` is then unchanged.
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

    /// Syncs the file and moves it to `url`.
    /// - Throws: `FileError.cannotWrite`; the file at `url` is then unchanged unless the sync of its folder failed.
    public func commit() throws {
        precondition(isPending, "AtomicFile.commit after commit or discard")
        try flush()
        try named { try descriptor.synchronise() }
        guard rename(descriptor.path, url.path) == 0 else { throw FileError.cannotWrite(path: url.path, .last) }
        isPending = false
        try Descriptor.synchronise(folder: url.deletingLastPathComponent().path)
    }

    /// Deletes the temporary file without changing `url`.
    public func discard() {
        if isPending { unlink(descriptor.path) }
        isPending = false
    }

    /// Writes a whole file atomically, as UTF-8.
    /// - Throws: `FileError.cannotCreate`, `.cannotReplace` or `.cannotWrite`.
    public static func write(_ text: String, to url: URL) throws {
        try write(text.utf8, to: url)
    }

    /// Writes a whole file atomically.
    /// - Throws: `FileError.cannotCreate`, `.cannotReplace` or `.cannotWrite`.
    public static func write(_ bytes: some Sequence<UInt8>, to url: URL) throws {
        let file = try AtomicFile(url)
        try file.write(bytes)
        try file.commit()
    }

    private func flush() throws {
        try named { try buffer.withUnsafeBytes { bytes in try descriptor.write(bytes) } }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Runs `body` and reports errors with the final path instead of the temporary one.
    private func named(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch FileError.cannotWrite(_, let reason) {
            throw FileError.cannotWrite(path: url.path, reason)
        }
    }

    /// A new locked temporary file. It retries if another process removes the file between creation and lock.
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
