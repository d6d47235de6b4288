import Formats
import Foundation

/// A file that has its name when it is complete, and the error where it cannot be written.
func useFormats() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try AtomicFile.write("whole", to: file)
    let content = try String(contentsOf: file, encoding: .utf8)
    precondition(content == "whole")
    do {
        try AtomicFile.write("x", to: file.appendingPathComponent("inside-a-file"))
        preconditionFailure("a file is no folder")
    } catch FileError.cannotCreate(_, let reason) {
        precondition(reason == SystemError(code: ENOTDIR))
    }
}
