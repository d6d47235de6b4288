import Foundation

/// The programs that were built beside the tests.
enum Programs {
    /// The folder that the test bundle and the programs were built into.
    private static var binaries: URL {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
    }

    /// Runs a program to its end.
    /// - Parameter columns: the width of the terminal.
    static func run(_ program: String, _ arguments: [String], columns: Int = 80) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = Self.binaries.appendingPathComponent(program)
        process.arguments = arguments
        // help is as wide as the terminal
        process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "\(columns)"]) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // help and errors fit a pipe's buffer, so one can be read after the other
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, complaint)
    }
}
