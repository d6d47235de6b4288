internal import Files
internal import Foundation

/// How long the growing files of a run were when a checkpoint was written, `lengths.json` in it.
struct FileLengths: Codable, Equatable {
    static var fileName: String { "lengths.json" }

    var metrics: UInt64 = 0
    /// By table name.
    var tables: [String: UInt64] = [:]

    /// - Throws: `FileError.damaged`.
    static func read(from folder: URL) throws -> FileLengths {
        guard let content = try? Foundation.Data(contentsOf: folder.appendingPathComponent(fileName)),
            let lengths = try? JSONDecoder().decode(FileLengths.self, from: content)
        else { throw FileError.damaged(path: folder.path, problem: "\(fileName) is missing or unreadable") }
        return lengths
    }

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try String(decoding: encoder.encode(self), as: UTF8.self)
        try AtomicFile.write(text + "\n", to: folder.appendingPathComponent(Self.fileName))
    }
}
