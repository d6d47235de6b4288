import Foundation

/// A file that appears under its name only when it is complete: written beside it, synced, renamed.
final class AtomicFile {
    private let target: String
    private let temporary: String
    private var descriptor: Int32
    private var isPending = true
    private var buffer: [UInt8] = []

    /// Opens a hidden file beside `url`.
    /// - Throws: `DataError.unwritable`.
    init(_ url: URL) throws {
        target = url.path
        temporary =
            url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).partial").path
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            isPending = false
            throw DataError.unwritable(path: target, reason: ByteSource.lastError())
        }
    }

    deinit { abandon() }

    /// Appends bytes.
    func write(_ bytes: some Sequence<UInt8>) throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 18 { try flush() }
    }

    /// Makes the file appear under its name.
    func commit() throws {
        try flush()
        guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw failure() }
        isPending = false
        close(descriptor)
        descriptor = -1
    }

    private func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                Foundation.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func failure() -> DataError {
        let error = DataError.unwritable(path: target, reason: ByteSource.lastError())
        abandon()
        return error
    }

    private func abandon() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        if isPending { unlink(temporary) }
    }
}
