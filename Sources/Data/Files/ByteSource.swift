import Files
import Foundation

/// The bytes of a file, or of what a command prints, in chunks: memory use does not depend on the length.
///
/// Files that begin with the gzip mark are read through `gzip -dc`, whatever their name.
final class ByteSource {
    /// Bytes asked for at once.
    static let chunk = 1 << 18

    private var descriptor: Int32
    private var process: Process?
    private var pipe: Pipe?
    private var errorPipe: Pipe?
    private let name: String

    /// Opens a file, plain or gzip.
    /// - Throws: `DataError.unreadable`.
    init(file url: URL) throws {
        name = url.path
        descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError.unreadable(path: name, reason: SystemError.last.description) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            closeDescriptor()
            throw DataError.unreadable(path: name, reason: "it is a folder, a file was expected")
        }
        var mark: [UInt8] = [0, 0]
        if pread(descriptor, &mark, 2, 0) == 2, mark == [0x1f, 0x8b] {
            closeDescriptor()
            try start(["/usr/bin/env", "gzip", "-dc", "--", name])
        }
    }

    /// Starts a command and reads what it prints. The arguments are passed as they are; no shell sees them.
    /// - Throws: `DataError.commandFailed`.
    init(command: [String]) throws {
        name = command.joined(separator: " ")
        descriptor = -1
        try start(command)
    }

    deinit { close() }

    /// Appends the next chunk to `buffer`.
    /// - Returns: False at the end.
    /// - Throws: `DataError.unreadable`, or `commandFailed` if the command ended with an error.
    func read(into buffer: inout [UInt8]) throws -> Bool {
        guard descriptor >= 0 else { return false }
        let used = buffer.count
        buffer.reserveCapacity(used + Self.chunk)
        var got = 0
        var failure: String?
        buffer.append(
            contentsOf: [UInt8](unsafeUninitializedCapacity: Self.chunk) { space, count in
                repeat {
                    got = Foundation.read(descriptor, space.baseAddress, Self.chunk)
                } while got < 0 && errno == EINTR
                if got < 0 { failure = SystemError.last.description }
                count = max(0, got)
            })
        if let failure { throw DataError.unreadable(path: name, reason: failure) }
        if got == 0 {
            try finish()
            return false
        }
        return true
    }

    /// Stops reading. A command that is still writing is left to end by itself on its closed pipe.
    func close() {
        closeDescriptor()
        process?.waitUntilExit()
        process = nil
    }

    private func start(_ command: [String]) throws {
        let process = Process()
        let pipe = Pipe()
        let errorPipe = Pipe()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = errorPipe
        do {
            try process.run()
        } catch {
            throw DataError.commandFailed(command: command.joined(separator: " "), reason: "it cannot be started")
        }
        self.process = process
        self.pipe = pipe
        self.errorPipe = errorPipe
        descriptor = pipe.fileHandleForReading.fileDescriptor
    }

    private func finish() throws {
        guard let process else {
            closeDescriptor()
            return
        }
        // The commands that run here print a line or two of errors, far less than a pipe holds.
        let message = try? errorPipe?.fileHandleForReading.readToEnd()
        close()
        guard process.terminationStatus == 0 else {
            let text = String(decoding: message ?? Data(), as: UTF8.self)
            let line = text.split(separator: "\n").last.map(String.init) ?? "exit code \(process.terminationStatus)"
            throw DataError.commandFailed(command: (process.arguments ?? []).joined(separator: " "), reason: line)
        }
    }

    private func closeDescriptor() {
        guard descriptor >= 0 else { return }
        if let pipe {
            try? pipe.fileHandleForReading.close()
        } else {
            _ = Foundation.close(descriptor)
        }
        descriptor = -1
    }
}
