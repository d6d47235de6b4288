public import Data
internal import Formats
public import Foundation

/// The tables of a run, `tables/<name>.jsonl`: prompts, responses and related numbers, one row per line.
public final class Tables {
    /// The name of the folder of tables in a run folder.
    public static var folderName: String { "tables" }

    private let folder: URL
    private var files: [String: AppendOnlyFile] = [:]

    /// The tables of the run in a folder. Nothing is created before the first row is written.
    init(inRun folder: URL) {
        self.folder = folder.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// Appends rows to a table, which is created with its first row.
    /// - Throws: `RunFolderError.invalidName`; `FileError`; `RowProblem` for NaN or Inf. No row is written then.
    public func append(_ rows: [SampleRow], to table: String) throws {
        try RunFolderError.checkName(table)
        var text = ""
        for row in rows { text += try JSONLines<SampleRow>.line(row) + "\n" }
        if !text.isEmpty { try file(of: table).append(text) }
    }

    /// The sorted names of a run's tables.
    /// - Throws: `FileError.unreadable`.
    public static func names(inRun folder: URL) throws -> [String] {
        let path = folder.appendingPathComponent(folderName).path
        return try (Folder.namesIfPresent(in: path) ?? [])
            .filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.map { String($0.dropLast(suffix.count)) }.sorted()
    }

    /// Reads a table of a run.
    /// - Throws: `RunFolderError.unknownTable` with the existing names; `FormatError` for an invalid line.
    public static func read(_ table: String, inRun folder: URL) throws -> [SampleRow] {
        let known = try names(inRun: folder)
        guard known.contains(table) else {
            throw RunFolderError.unknownTable(table, path: folder.path, known: known)
        }
        return try JSONLines<SampleRow>(file(of: table, inRun: folder)).read()
    }

    /// The file of a table.
    package static func file(of table: String, inRun folder: URL) -> URL {
        url(of: table, in: folder.appendingPathComponent(folderName, isDirectory: true))
    }

    /// Checks that a table starts with the rows that it had when the run's newest checkpoint was written. Skipped if the
    /// checkpoint has no record of the table. Nothing is written.
    /// - Parameters:
    ///   - table: The name of the table.
    ///   - folder: The run folder.
    ///   - isWhole: Whether the table must not contain more rows, as in a finished run whose last checkpoint follows its last
    ///     row.
    /// - Throws: `RunFolderError.shortened`, `.changedLines` or `.grown`; `FileError`.
    package static func check(_ table: String, inRun folder: URL, isWhole: Bool = false) throws {
        var known = try rewritten(inRun: folder)
        if known?.tables[table] == nil {
            known = try Checkpoints.list(inRun: folder).last.flatMap { try? FileLengths.read(from: $0.url) }
        }
        guard let lengths = known, let length = lengths.tables[table] else { return }
        let file = file(of: table, inRun: folder)
        let crc = try AppendOnlyFile.checksum(of: file, first: length)
        guard let checksum = lengths.tableChecksums?[table] else { return }
        guard crc.digits == checksum else { throw RunFolderError.changedLines(path: file.path, bytes: length) }
        if isWhole, let bytes = try FileStatus.of(file)?.length, bytes > length {
            throw RunFolderError.grown(path: file.path, bytes: bytes, expected: length)
        }
    }

    /// Records the content of a finished run's table after it has been rewritten with an additional column.
    /// ``check(_:inRun:isWhole:)`` then uses this record.
    /// - Throws: `FileError`.
    package static func noteRewritten(_ table: String, inRun folder: URL) throws {
        let file = file(of: table, inRun: folder)
        guard let bytes = try FileStatus.of(file)?.length else { throw FileError.missing(path: file.path) }
        var lengths = try rewritten(inRun: folder) ?? FileLengths()
        lengths.tables[table] = bytes
        lengths.tableChecksums = try (lengths.tableChecksums ?? [:])
            .merging([table: AppendOnlyFile.checksum(of: file, first: bytes).digits]) { $1 }
        try lengths.write(to: folder.appendingPathComponent(folderName, isDirectory: true))
    }

    /// The record of rewritten tables; nil if there is none.
    private static func rewritten(inRun folder: URL) throws -> FileLengths? {
        let tables = folder.appendingPathComponent(folderName, isDirectory: true)
        guard try FileStatus.of(tables.appendingPathComponent(FileLengths.fileName)) != nil else { return nil }
        return try FileLengths.read(from: tables)
    }

    /// The length of every table in bytes, by name, to be stored in a checkpoint.
    func lengths() throws -> [String: UInt64] {
        var lengths: [String: UInt64] = [:]
        for name in try Self.names(inRun: folder.deletingLastPathComponent()) {
            lengths[name] = try file(of: name).length()
        }
        return lengths
    }

    /// The checksum of every table, by name, to be stored in a checkpoint.
    func checksums() throws -> [String: String] {
        var checksums: [String: String] = [:]
        for name in try Self.names(inRun: folder.deletingLastPathComponent()) {
            checksums[name] = try file(of: name).checksum()
        }
        return checksums
    }

    /// Checks that all tables start with the rows that a checkpoint recorded.
    /// - Throws: `RunFolderError.shortened` or `.changedLines`.
    func check(_ lengths: [String: UInt64], checksums: [String: String]) throws {
        let existing = try Self.names(inRun: folder.deletingLastPathComponent())
        for (name, length) in lengths.sorted(by: { $0.key < $1.key }) {
            guard existing.contains(name) else {
                throw RunFolderError.shortened(path: Self.url(of: name, in: folder).path, bytes: 0, expected: length)
            }
            try file(of: name).check(length: length, checksum: checksums[name])
        }
    }

    func synchronise() throws {
        for file in files.values { try file.synchronise() }
        if !files.isEmpty { try Descriptor.synchronise(folder: folder.path) }
    }

    /// Truncates the tables to the lengths recorded in a checkpoint. Tables without a recorded length are deleted.
    /// - Throws: `RunFolderError.shortened`.
    func cut(to lengths: [String: UInt64]) throws {
        let existing = try Self.names(inRun: folder.deletingLastPathComponent())
        for name in Set(existing).union(lengths.keys).sorted() {
            if let length = lengths[name] {
                guard existing.contains(name) else {
                    let path = Self.url(of: name, in: folder).path
                    throw RunFolderError.shortened(path: path, bytes: 0, expected: length)
                }
                try file(of: name).cut(to: length)
            } else {
                files[name] = nil
                try LeftOvers.removeTree(Self.url(of: name, in: folder).path)
            }
        }
    }

    private func file(of table: String) throws -> AppendOnlyFile {
        if let file = files[table] { return file }
        if mkdir(folder.path, 0o755) != 0 && errno != EEXIST {
            throw FileError.cannotCreate(path: folder.path, .last)
        }
        let file = try AppendOnlyFile(Self.url(of: table, in: folder))
        files[table] = file
        return file
    }

    private static var suffix: String { ".jsonl" }

    private static func url(of table: String, in folder: URL) -> URL {
        folder.appendingPathComponent(table + suffix)
    }
}
