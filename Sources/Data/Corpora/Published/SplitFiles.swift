import Formats
public import Foundation

/// The files of a data set, one or several per split.
public struct SplitFiles: Sendable, Equatable {
    /// The file of each split, by split name; the first shard if there are several.
    public var files: [String: URL]
    /// The folder in which the files were found, for messages.
    public var folder: URL?
    /// All shards of the splits that have several, in order; the first of them is also in `files`.
    private var shards: [String: [URL]] = [:]

    /// Creates a value from individual files, by split name.
    public init(_ files: [String: URL]) {
        self.files = files
    }

    /// Alternative names of splits in published sets.
    private static let otherNames = ["validation": ["valid", "val", "dev"]]

    /// Finds the files of a folder: `train.jsonl`, `validation.csv.gz`, `ood_test.json` and so on. The case of the
    /// extension is ignored. `valid`, `val` and `dev` mean `validation`. A split may be sharded:
    /// `train-00000-of-00003.jsonl` and so on.
    /// - Throws: `FormatError.unreadable` if the folder cannot be read; `ambiguousSplit` if two files hold one split;
    ///   `missingShards` if a shard is missing; `missingSplit` if there is no file of any split; `FormatError.badFile`
    ///   for a shard whose number is too large.
    public init(in folder: URL) throws {
        let found = try DataFolder.names(in: folder, expecting: "one file per split")
        let endings = RowFormat.fileExtensions.flatMap { ["." + $0, "." + $0 + ".gz"] }
        var files: [String: URL] = [:]
        var shards: [String: [URL]] = [:]
        for split in SummaryCorpus.splitNames {
            let prefix = ["ood_", "full_"].first { split.hasPrefix($0) } ?? ""
            let base = String(split.dropFirst(prefix.count))
            let names = ([base] + (Self.otherNames[base] ?? [])).map { prefix + $0 }
            let matches = found.filter { file in
                names.contains { name in file.hasPrefix(name) && endings.contains(file.dropFirst(name.count).lowercased()) }
            }
            let parts = found.compactMap { file -> (shard: Shard, file: String)? in
                guard let shard = Shard(file: folder.appendingPathComponent(file)), names.contains(shard.name) else { return nil }
                return (shard, file)
            }
            guard matches.count <= 1, matches.isEmpty || parts.isEmpty else {
                throw DataError.ambiguousSplit(split, files: matches + parts.map(\.file))
            }
            if let match = matches.first { files[split] = folder.appendingPathComponent(match) }
            if let whole = try Self.whole(parts, split: split, folder: folder) {
                files[split] = whole.first
                shards[split] = whole
            }
        }
        guard !files.isEmpty else { throw DataError.missingSplit("train", folder: folder.path, found: found) }
        (self.files, self.folder, self.shards) = (files, folder, shards)
    }

    /// The shards of a split, in order; nil if there are none.
    /// - Throws: `FormatError.badFile`, `DataError.ambiguousSplit`, or `DataError.missingShards`.
    private static func whole(_ parts: [(shard: Shard, file: String)], split: String, folder: URL) throws -> [URL]? {
        guard let first = parts.first?.shard else { return nil }
        if let beyond = parts.first(where: { $0.shard.index >= $0.shard.count }) {
            let count = beyond.shard.count
            throw FormatError.badFile(
                path: folder.appendingPathComponent(beyond.file).path,
                reason: "the file name says part \(beyond.shard.index) of \(count), but parts are numbered "
                    + (count > 0 ? "from 0 to \(count - 1)" : "from 0, and there is at least one") + "; rename or remove the file")
        }
        let names = parts.map(\.file)
        guard parts.allSatisfy({ $0.shard.name == first.name && $0.shard.count == first.count && $0.shard.width == first.width }),
            Set(parts.map(\.shard.index)).count == parts.count
        else { throw DataError.ambiguousSplit(split, files: names) }
        let there = Set(parts.map(\.shard.index))
        guard there.count == first.count else {
            throw DataError.missingShards(
                split, folder: folder.path, names: (0..<first.count).lazy.filter { !there.contains($0) }.prefix(8).map(first.stem),
                count: first.count - there.count)
        }
        return parts.sorted { $0.shard.index < $1.shard.index }.map { folder.appendingPathComponent($0.file) }
    }

    /// All files of a split, in reading order.
    public func parts(of split: String) -> [URL] {
        guard let file = files[split] else { return [] }
        // if the split's file was replaced, the shards no longer apply
        if let parts = shards[split], parts.first == file { return parts }
        return [file]
    }

    /// The number of shards in the split that a file belongs to, judged by its name; nil for a file that is not one of
    /// several shards.
    package static func partCount(of file: URL) -> Int? {
        guard let shard = Shard(file: file), shard.count > 1, shard.index < shard.count else { return nil }
        return shard.count
    }

    /// A reader of a split's rows; nil if the split has no file.
    func rows<Row>(
        of split: String, onBadRow: BadRowPolicy, mayLack: Set<String>, decode: @escaping RowFile<Row>.RowDecoder, shapes: [RowShape]?,
        column: String? = nil
    ) -> RowFile<Row>? {
        let parts = parts(of: split)
        guard let first = parts.first else { return nil }
        var file = RowFile<Row>(first, onBadRow: onBadRow, mayLack: mayLack, decode: decode, shapes: shapes, column: column)
        file.furtherParts = Array(parts.dropFirst())
        return file
    }

    /// Whether the rows are comparisons, judged by the first row of the first file: true if a shape decodes it as a
    /// comparison, or if it has `choice` or a list `chosen`.
    /// - Throws: `DataError` if the file cannot be read.
    public func holdComparisons(_ shapes: [RowShape] = RowShape.builtIn) throws -> Bool {
        guard let file = SummaryCorpus.splitNames.compactMap({ files[$0] }).first else { return false }
        let reader = try RecordReader(file, limit: 1 << 24)
        while let entry = try reader.next() {
            guard case .record(let record) = entry else { continue }
            return shapes.contains { $0.comparison != nil && $0.recognises(record) }
                || ((try? record.has("choice") || record.holdsList("chosen")) ?? false)
        }
        return false
    }

    /// The file of a split.
    /// - Throws: `DataError.missingSplit` if the split has no file.
    public func file(of split: String) throws -> URL {
        guard let file = files[split] else {
            throw DataError.missingSplit(
                split, folder: folder?.path ?? "the list of files",
                found: files.sorted { $0.key < $1.key }.map(\.value.lastPathComponent))
        }
        return file
    }
}
