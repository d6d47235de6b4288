internal import Foundation

/// The standard output of a command, read in chunks.
final class CommandOutput {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    private let command: [String]

    /// Starts a command. Arguments are passed without a shell.
    /// - Throws: `FormatError.commandFailed`.
    init(_ command: [String]) throws {
        self.command = command
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw FormatError.commandFailed(command: command.joined(separator: " "), reason: "it cannot be started")
        }
    }

    deinit {
        try? output.fileHandleForReading.close()
        process.waitUntilExit()
    }

    /// Appends the next chunk to `buffer`; appends nothing at the end.
    /// - Throws: `FormatError.unreadable`; `commandFailed` if the command failed.
    func read(into buffer: inout [UInt8]) throws {
        do {
            if let bytes = try output.fileHandleForReading.read(upToCount: ByteSource.chunk), !bytes.isEmpty {
                buffer += bytes
                return
            }
        } catch {
            throw FormatError.unreadable(path: command.joined(separator: " "), reason: error.localizedDescription)
        }
        // the commands that run here print only a few lines of errors, which fit into the pipe's buffer
        let message = try? errors.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        let (status, reason) = (process.terminationStatus, process.terminationReason)
        guard status == 0, reason == .exit else {
            let text = String(decoding: message ?? Data(), as: UTF8.self)
            let end = reason == .exit ? "exit code \(status)" : "signal \(status)"
            throw FormatError.commandFailed(
                command: command.joined(separator: " "), reason: text.split(separator: "\n").last.map(String.init) ?? end)
        }
    }
}
