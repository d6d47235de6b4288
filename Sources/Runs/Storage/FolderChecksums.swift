internal import Formats
public import Foundation

/// The length and CRC-64 of every file in a folder, stored in the folder as `checksums.json`.
public struct FolderChecksums: Codable, Equatable, Sendable {
    /// The length and checksum of one file.
    public struct Entry: Codable, Equatable, Sendable {
        /// The length in bytes.
        public var bytes: UInt64
        /// The CRC-64/XZ as 16 hexadecimal digits.
        public var crc64: String
    }

    /// The file's name in the folder.
    public static var fileName: String { "checksums.json" }

    /// The entries by relative path, with `/` as the separator.
    public var files: [String: Entry]

    /// Computes the checksums of all files in a folder and its subfolders, except `checksums.json`.
    /// - Throws: `FileError`, also for symbolic links and special files, whose content would not be saved.
    public init(of folder: URL) throws {
        files = [:]
        try add(folder.path, prefix: "")
    }

    /// Writes a folder atomically, with the checksums of its files.
    /// - Throws: `FileError` or an error of `contents`; the new folder is then removed.
    package static func writeFolder(_ url: URL, contents: (URL) throws -> Void) throws {
        try AtomicFolder.write(to: url) { folder in
            try contents(folder)
            try FileError.creating(url.path) { try FolderChecksums(of: folder) }.write(to: folder)
        }
    }

    /// Writes `checksums.json` to the folder.
    /// - Throws: `FileError`.
    public func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = try String(decoding: encoder.encode(self), as: UTF8.self)
        try AtomicFile.write(text + "\n", to: folder.appendingPathComponent(Self.fileName))
    }

    /// Checks all files listed in `checksums.json` against their length and checksum. Other files are ignored.
    /// - Throws: `FileError.damaged` with the first file that differs, and how.
    public static func verify(_ folder: URL) throws {
        let list = folder.appendingPathComponent(fileName)
        let content = try written(fileName, in: folder) { try Descriptor.content(of: list.path, limit: 64 << 20, followingLinks: false) }
        guard let checksums = try? JSONDecoder().decode(Self.self, from: Foundation.Data(content)) else {
            throw FileError.damaged(path: folder.path, problem: "\(fileName) is not valid")
        }
        for (name, expected) in checksums.files.sorted(by: { $0.key < $1.key }) {
            guard isInside(name) else {
                throw FileError.damaged(path: list.path, problem: "it lists \(name), which is outside the folder")
            }
            let file = folder.appendingPathComponent(name)
            let found = try written(name, in: folder) { try Self.entry(of: file.path) }
            guard found.bytes == expected.bytes else {
                throw FileError.damaged(
                    path: folder.path,
                    problem: "\(name) has \(found.bytes) \(Counted.form(found.bytes, "byte", "bytes")), expected \(expected.bytes)")
            }
            guard found == expected else {
                throw FileError.damaged(
                    path: folder.path, problem: "\(name) has checksum \(found.crc64), expected \(expected.crc64)")
            }
        }
    }

    /// Reads a file that a folder must contain. If it is missing or is not a regular file, the folder is damaged. A file that
    /// exists but cannot be read gives a different error, because its content is unknown.
    package static func written<Result>(_ name: String, in folder: URL, _ read: () throws -> Result) throws -> Result {
        do {
            return try read()
        } catch FileError.missing {
            throw FileError.damaged(path: folder.path, problem: "\(name) is missing")
        } catch FileError.notAFile(_, let kind) {
            throw FileError.damaged(path: folder.path, problem: "\(name) is \(kind)")
        }
    }

    private mutating func add(_ folder: String, prefix: String) throws {
        for name in try Folder.names(in: folder) where prefix + name != Self.fileName {
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else { throw FileError.unreadable(path: path, .last) }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try add(path, prefix: prefix + name + "/")
            case S_IFREG: files[prefix + name] = try Self.entry(of: path)
            default: throw FileError.damaged(path: path, problem: "it is neither a file nor a folder")
            }
        }
    }

    private static func entry(of path: String) throws -> Entry {
        let file = try Descriptor(readingFile: path, followingLinks: false)
        var crc = CRC64()
        var bytes: UInt64 = 0
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 64) { buffer in
            while case let count = try file.read(into: buffer), count > 0 {
                crc.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                bytes += UInt64(count)
            }
        }
        let digits = String(crc.value, radix: 16)
        return Entry(bytes: bytes, crc64: String(repeating: "0", count: 16 - digits.count) + digits)
    }

    private static func isInside(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    }
}
