package import Foundation

/// A file that appears under its name only when it is complete: written under a temporary name beside it, synced,
/// renamed.
///
/// Without `commit()` nothing remains.
package final class AtomicFile {
    package let url: URL
    private let temporaryPath: String
    private var descriptor: Int32

    package init(_ url: URL) throws {
        self.url = url
        let folder = url.deletingLastPathComponent().path
        let process = getpid()
        for attempt in 0..<1000 {
            let path = "\(folder)/.\(url.lastPathComponent).partial-\(process)-\(attempt)"
            let opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            if opened >= 0 {
                temporaryPath = path
                descriptor = opened
                return
            }
            guard errno == EEXIST else { break }
        }
        throw CheckpointError.unwritable(file: url.path, reason: systemMessage())
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporaryPath)
    }

    /// Appends bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(descriptor >= 0, "write after commit")
        var rest = bytes
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw CheckpointError.unwritable(file: url.path, reason: systemMessage())
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }

    /// Syncs the file and gives it its name, replacing a file of that name.
    package func commit() throws {
        precondition(descriptor >= 0, "commit after commit")
        guard fsync(descriptor) == 0, rename(temporaryPath, url.path) == 0 else {
            throw CheckpointError.unwritable(file: url.path, reason: systemMessage())
        }
        close(descriptor)
        descriptor = -1
        try Self.syncFolder(url.deletingLastPathComponent())
    }

    /// Writes a whole file in one go.
    package static func write(_ bytes: [UInt8], to url: URL) throws {
        let file = try AtomicFile(url)
        try file.write(bytes)
        try file.commit()
    }

    /// Makes renames in a folder last over a power cut.
    package static func syncFolder(_ folder: URL) throws {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CheckpointError.unwritable(file: folder.path, reason: systemMessage())
        }
        defer { close(descriptor) }
        // Some file systems cannot sync a folder (EINVAL); the rename is then as durable as they make it.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw CheckpointError.unwritable(file: folder.path, reason: systemMessage())
        }
    }
}
