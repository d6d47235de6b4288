internal import Formats
internal import Foundation

/// How long the growing files of a run were when a checkpoint was written, and the checksums of what they held, `lengths.json` in it.
struct FileLengths: Codable, Equatable {
    static var fileName: String { "lengths.json" }

    var metrics: UInt64 = 0
    /// By table name.
    var tables: [String: UInt64] = [:]
    /// CRC-64/XZ of the metrics up to their length, as 16 hexadecimal digits. Checkpoints of earlier versions have none: their lines are
    /// taken as they are found.
    var metricsChecksum: String?
    /// The same of the tables, by name.
    var tableChecksums: [String: String]?

    /// - Throws: `FileError.damaged`; `.unreadable`.
    static func read(from folder: URL) throws -> FileLengths {
        let path = folder.appendingPathComponent(fileName).path
        let content = try FolderChecksums.written(fileName, in: folder) {
            try Descriptor.content(of: path, limit: 64 << 20, followingLinks: false)
        }
        guard let lengths = try? JSONDecoder().decode(FileLengths.self, from: Foundation.Data(content)) else {
            throw FileError.damaged(path: folder.path, problem: "\(fileName) is not what was written")
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
