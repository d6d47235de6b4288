import Files
import Foundation

/// The bytes of a file, of what a command prints, or of memory, in chunks: memory use does not depend on the length.
///
/// Files are regular files: named pipes and devices are refused at once. Those that begin with the gzip mark are read through
/// `gzip -dc`, whatever their name.
final class ByteSource {
    /// Bytes asked for at once.
    static let chunk = 1 << 18

    private var descriptor: Int32
    private var file: FileHandle?
    private var process: Process?
    private var pipe: Pipe?
    private var errorPipe: Pipe?
    private var memory: [UInt8]?
    private let name: String
    private var isCompressed = false

    /// Opens a file, plain or gzip.
    /// - Throws: `DataError.unreadable`.
    init(file url: URL) throws {
        name = url.path
        descriptor = -1
        let opened = try Self.open(url.path)
        var mark: [UInt8] = [0, 0]
        guard pread(opened.fileDescriptor, &mark, 2, 0) == 2, mark == [0x1f, 0x8b] else {
            file = opened
            descriptor = opened.fileDescriptor
            return
        }
        isCompressed = true
        // the file that was opened, not whatever has its name by then
        try start(["/usr/bin/env", "gzip", "-dc"], input: opened)
    }

    /// Gives bytes out that are in memory.
    init(bytes: [UInt8], name: String) {
        self.name = name
        descriptor = -1
        memory = bytes
    }

    /// The whole content of a file, plain or gzip.
    /// - Parameter limit: The most bytes that are taken into memory, unpacked.
    /// - Throws: `DataError.unreadable`; `invalidIndex` for a longer file.
    static func content(of url: URL, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let source = try ByteSource(file: url)
        while try source.read(into: &bytes) {
            guard bytes.count <= limit else {
                throw DataError.invalidIndex(path: url.path, reason: "it is larger than \(limit) bytes")
            }
        }
        return bytes
    }

    private static func open(_ path: String) throws -> FileHandle {
        do {
            let file = try Descriptor(readingFile: path)
            let copy = fcntl(file.number, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw DataError.unreadable(path: path, reason: SystemError.last.description) }
            return FileHandle(fileDescriptor: copy, closeOnDealloc: true)
        } catch let error as FileError {
            throw DataError(error, reading: path)
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
    /// - Throws: `DataError.unreadable`; `damagedArchive` if the file is no sound gzip file; `commandFailed` if a command ended with an
    ///   error, or gzip cannot be run.
    func read(into buffer: inout [UInt8]) throws -> Bool {
        if let memory {
            buffer += memory
            self.memory = nil
            return !memory.isEmpty
        }
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

    private func start(_ command: [String], input: FileHandle = .nullDevice) throws {
        let process = Process()
        let pipe = Pipe()
        let errorPipe = Pipe()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = input
        // what gzip says decides between damage and other failures, so it is said in one language
        if isCompressed { process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 } }
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
        let (status, reason) = (process.terminationStatus, process.terminationReason)
        guard status == 0, reason == .exit else {
            let text = String(decoding: message ?? Data(), as: UTF8.self)
            let line = text.split(separator: "\n").last.map(String.init)
            guard isCompressed else {
                let end = reason == .exit ? "exit code \(status)" : "signal \(status)"
                throw DataError.commandFailed(
                    command: (process.arguments ?? []).joined(separator: " "), reason: line ?? end)
            }
            throw gzipFailure(status: status, isExit: reason == .exit, line: line)
        }
    }

    /// What it means that gzip ended with an error: the file is damaged, unless gzip says that something else is wrong.
    private func gzipFailure(status: Int32, isExit: Bool, line: String?) -> DataError {
        guard isExit else { return .commandFailed(command: "gzip -dc < \(name)", reason: "signal \(status)") }
        if status == 127 {
            return .commandFailed(command: "gzip -dc < \(name)", reason: "gzip is not installed; install it or unpack the file")
        }
        let said = line ?? "exit code \(status)"
        let others = [EIO, ENOMEM, EMFILE, ENFILE, EACCES].map { String(cString: strerror($0)) } + ["memory exhausted", "out of memory"]
        if status == 126 || others.contains(where: said.contains) {
            return .commandFailed(command: "gzip -dc < \(name)", reason: said)
        }
        // "gzip: stdin: unexpected end of file"
        let problem = said.split(separator: ":", omittingEmptySubsequences: true).last.map { $0.drop { $0 == " " } } ?? Substring(said)
        return .damagedArchive(path: name, reason: String(problem))
    }

    private func closeDescriptor() {
        guard descriptor >= 0 else { return }
        if let pipe {
            try? pipe.fileHandleForReading.close()
        } else {
            try? file?.close()
            file = nil
        }
        descriptor = -1
    }
}
