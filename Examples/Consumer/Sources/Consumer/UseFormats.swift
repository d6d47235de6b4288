import Formats
import Foundation

/// Writes a file atomically, and shows the error if it cannot be written.
func useFormats() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try AtomicFile.write("whole", to: file)
    let content = try String(contentsOf: file, encoding: .utf8)
    precondition(content == "whole")
    do {
        try AtomicFile.write("x", to: file.appendingPathComponent("inside-a-file"))
        preconditionFailure("expected an error, because a file is not a folder")
    } catch FileError.cannotCreate(_, let reason) {
        precondition(reason == SystemError(code: ENOTDIR))
    }
}
