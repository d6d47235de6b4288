internal import Formats
internal import Foundation

/// The lengths and checksums of a run's append-only files at a checkpoint, stored in the checkpoint as `lengths.json`.
struct FileLengths: Codable, Equatable {
    static var fileName: String { "lengths.json" }

    /// The length of `metrics.jsonl` in bytes.
    var metrics: UInt64 = 0
    /// The length of each table in bytes, by name.
    var tables: [String: UInt64] = [:]
    /// The CRC-64/XZ of the metrics up to their length, as 16 hexadecimal digits. Nil in checkpoints of earlier versions, whose
    /// lines are not verified.
    var metricsChecksum: String?
    /// The CRC-64/XZ of each table up to its length, by name.
    var tableChecksums: [String: String]?

    /// Reads `lengths.json` of a checkpoint.
    /// - Throws: `FileError.damaged`; `.unreadable`.
    static func read(from folder: URL) throws -> FileLengths {
        let path = folder.appendingPathComponent(fileName).path
        let content = try FolderChecksums.written(fileName, in: folder) {
            try Descriptor.content(of: path, limit: 64 << 20, followingLinks: false)
        }
        guard let lengths = try? JSONDecoder().decode(FileLengths.self, from: Foundation.Data(content)) else {
            throw FileError.damaged(path: folder.path, problem: "\(fileName) is not valid")
        }
        return lengths
    }

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try String(decoding: encoder.encode(self), as: UTF8.self)
        try AtomicFile.write(text + "\n", to: folder.appendingPathComponent(Self.fileName))
    }
}
