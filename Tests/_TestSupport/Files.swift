public import Formats
public import Foundation

extension URL {
    /// Writes `text` as a file of this folder and gives its place.
    public func adding(_ name: String, _ text: String) throws -> URL {
        try adding(name, bytes: Array(text.utf8))
    }

    /// Writes `bytes` as a file of this folder and gives its place.
    public func adding(_ name: String, bytes: [UInt8]) throws -> URL {
        let file = appendingPathComponent(name)
        try Foundation.Data(bytes).write(to: file)
        return file
    }
}

/// The error that `body` throws, as one of a file.
public func formatError(_ body: () throws -> Void) -> FormatError? {
    do {
        try body()
        return nil
    } catch {
        return error as? FormatError
    }
}
