public import Data
internal import Formats
public import Foundation

/// The tables of a run, `tables/<name>.jsonl`: prompts, responses and numbers about them, one row per line.
public final class Tables {
    /// The folder's name in a run folder.
    public static var folderName: String { "tables" }

    private let folder: URL
    private var files: [String: AppendOnlyFile] = [:]

    /// The tables of the run in a folder; nothing is created before the first row.
    init(inRun folder: URL) {
        self.folder = folder.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// Appends rows to a table, which begins to exist with its first row.
    /// - Throws: `RunFolderError.invalidName`; `FileError`; `RowProblem` for a number that is not finite. No part of
    ///   the rows stays then.
    public func append(_ rows: [SampleRow], to table: String) throws {
        try RunFolderError.checkName(table)
        var text = ""
        for row in rows { text += try JSONLines<SampleRow>.line(row) + "\n" }
        if !text.isEmpty { try file(of: table).append(text) }
    }

    /// The names of a run's tables, sorted.
    /// - Throws: `FileError.unreadable`.
    public static func names(inRun folder: URL) throws -> [String] {
        let path = folder.appendingPathComponent(folderName).path
        return try (Folder.namesIfPresent(in: path) ?? [])
            .filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }.map { String($0.dropLast(suffix.count)) }.sorted()
    }

    /// Reads a table of a run.
    /// - Throws: `RunFolderError.unknownTable` with the names that exist; `FormatError` for a line that is no row.
    public static func read(_ table: String, inRun folder: URL) throws -> [SampleRow] {
        let known = try names(inRun: folder)
        guard known.contains(table) else {
            throw RunFolderError.unknownTable(table, path: folder.path, known: known)
        }
        return try JSONLines<SampleRow>(file(of: table, inRun: folder)).read()
    }

    /// Where a table of a run is.
    package static func file(of table: String, inRun folder: URL) -> URL {
        url(of: table, in: folder.appendingPathComponent(folderName, isDirectory: true))
    }

    /// Checks that a table begins with what it held when the run's newest checkpoint was written; nothing is checked where that does not say.
    /// Nothing is written.
    /// - Parameter isWhole: whether it must hold no more than that, as the tables of a finished run whose last checkpoint follows its last row.
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

    /// Notes what a table of a finished run holds now that it has been written anew, with a further column; from then on ``check(_:inRun:isWhole:)``
    /// goes by that.
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

    /// What is noted of tables that were written anew; nil where none was.
    private static func rewritten(inRun folder: URL) throws -> FileLengths? {
        let tables = folder.appendingPathComponent(folderName, isDirectory: true)
        guard try FileStatus.of(tables.appendingPathComponent(FileLengths.fileName)) != nil else { return nil }
        return try FileLengths.read(from: tables)
    }

    /// The length of every table in bytes by name, for a checkpoint.
    func lengths() throws -> [String: UInt64] {
        var lengths: [String: UInt64] = [:]
        for name in try Self.names(inRun: folder.deletingLastPathComponent()) {
            lengths[name] = try file(of: name).length()
        }
        return lengths
    }

    /// The checksum of every table by name, for a checkpoint.
    func checksums() throws -> [String: String] {
        var checksums: [String: String] = [:]
        for name in try Self.names(inRun: folder.deletingLastPathComponent()) {
            checksums[name] = try file(of: name).checksum()
        }
        return checksums
    }

    /// Checks that all tables begin with what they held at a checkpoint.
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

    /// Drops all rows behind lengths that the tables had at a checkpoint; a table without one is removed.
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
