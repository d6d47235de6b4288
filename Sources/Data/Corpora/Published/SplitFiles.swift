public import Foundation

/// The files of a data set, one for each split.
public struct SplitFiles: Sendable, Equatable {
    /// Split name → file.
    public var files: [String: URL]
    /// The folder that they were found in, for messages.
    public var folder: URL?

    /// Files that are given one by one.
    public init(_ files: [String: URL]) {
        self.files = files
    }

    /// Other names of splits in published sets.
    private static let otherNames = ["validation": ["valid", "val", "dev"]]

    /// Finds the files of a folder: `train.jsonl`, `validation.csv.gz`, `ood_test.json` and so on, the ending in any case; `valid`, `val` and `dev`
    /// mean `validation`.
    /// - Throws: `FormatError.unreadable`; `ambiguousSplit` if two files hold one split; `missingSplit` if there is none.
    public init(in folder: URL) throws {
        let found = try DataFolder.names(in: folder, expecting: "one file for each split")
        let endings = RowFormat.fileExtensions.flatMap { ["." + $0, "." + $0 + ".gz"] }
        var files: [String: URL] = [:]
        for split in SummaryCorpus.splitNames {
            let prefix = ["ood_", "full_"].first { split.hasPrefix($0) } ?? ""
            let base = String(split.dropFirst(prefix.count))
            let names = ([base] + (Self.otherNames[base] ?? [])).map { prefix + $0 }
            let matches = found.filter { file in
                names.contains { name in file.hasPrefix(name) && endings.contains(file.dropFirst(name.count).lowercased()) }
            }
            guard matches.count <= 1 else { throw DataError.ambiguousSplit(split, files: matches) }
            if let match = matches.first { files[split] = folder.appendingPathComponent(match) }
        }
        guard !files.isEmpty else { throw DataError.missingSplit("train", folder: folder.path, found: found) }
        self.files = files
        self.folder = folder
    }

    /// Whether the rows are comparisons: whether the first row of the first file has a `choice`.
    /// - Throws: `DataError` if the file cannot be read.
    public func holdComparisons() throws -> Bool {
        guard let file = SummaryCorpus.splitNames.compactMap({ files[$0] }).first else { return false }
        let reader = try RecordReader(file, limit: 1 << 24)
        while let entry = try reader.next() {
            if case .record(let record) = entry { return (try? record.has("choice") || record.holdsList("chosen")) ?? false }
        }
        return false
    }

    /// The file of a split.
    /// - Throws: `DataError.missingSplit`.
    public func file(of split: String) throws -> URL {
        guard let file = files[split] else {
            throw DataError.missingSplit(
                split, folder: folder?.path ?? "the list of files",
                found: files.sorted { $0.key < $1.key }.map(\.value.lastPathComponent))
        }
        return file
    }
}
