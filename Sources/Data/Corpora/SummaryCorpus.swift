public import Formats
public import Foundation

/// A summarisation data set, divided into splits.
///
/// Split names: `train`, `validation`, `test` (in distribution); `ood_train`, `ood_validation`, `ood_test` (out of
/// distribution); `full_train`, `full_validation`, `full_test` (both). On disk, it is a folder with one file per split
/// (JSON Lines; a JSON array, CSV and gzip are read as well) and, if written by ``write(to:)``, `corpus.json` with the
/// name and the prompt format.
public struct SummaryCorpus: Sendable, Equatable {
    /// The name of the set in reports.
    public var name: String
    /// The examples by split name.
    public var splits: [String: [SummaryExample]]
    /// How a post becomes a prompt. An example's own format takes precedence.
    public var format: PromptFormat
    /// The total number of rows of splits that may be in memory only in part.
    public var sizes: [String: Int]
    /// Splits that the set has on disk but that were not read.
    package private(set) var unread: Set<String> = []
    /// The detected shape of the rows of each split's file, by split; empty where shapes were not detected.
    public private(set) var shapes: [String: String] = [:]
    /// Which of the column values that make a row out of distribution occur in some row.
    package private(set) var valuesFound: Set<String> = []
    /// Why a split is empty, for splits of which every row is invalid.
    private var reasons: [String: String] = [:]
    /// The set's own splits that were replaced by those of a structured selection.
    package private(set) var replaced: [String] = []

    /// Creates a corpus from examples in memory.
    public init(
        name: String, splits: [String: [SummaryExample]], format: PromptFormat = .tldr, sizes: [String: Int] = [:]
    ) {
        self.name = name
        self.splits = splits
        self.format = format
        self.sizes = sizes
    }

    /// Creates a corpus from one array per split. Empty arrays make no split.
    public init(
        name: String, train: [SummaryExample], validation: [SummaryExample] = [], test: [SummaryExample] = [],
        oodTrain: [SummaryExample] = [], oodValidation: [SummaryExample] = [], oodTest: [SummaryExample] = [],
        format: PromptFormat = .tldr
    ) {
        let lists = [
            "train": train, "validation": validation, "test": test, "ood_train": oodTrain, "ood_validation": oodValidation,
            "ood_test": oodTest,
        ]
        self.init(name: name, splits: lists.filter { !$0.value.isEmpty }, format: format)
    }

    /// All valid split names, in the order of reports.
    public static let splitNames = [
        "train", "validation", "test", "ood_train", "ood_validation", "ood_test", "full_train", "full_validation",
        "full_test",
    ]

    /// The splits that have examples, in the order of reports.
    public var availableSplits: [String] {
        Self.splitNames.filter { (try? examples(in: $0)) != nil }
    }

    /// The examples of one split. A `full_` split that is not stored is the in-distribution split followed by the
    /// out-of-distribution one.
    /// - Throws: `DataError.unknownSplit`, or `DataError.emptySplit` if the split has no examples.
    public func examples(in split: String) throws -> [SummaryExample] {
        var examples = splits[split]
        if examples == nil, split.hasPrefix("full_") {
            let part = String(split.dropFirst("full_".count))
            if let inside = splits[part], let outside = splits["ood_" + part] { examples = inside + outside }
        }
        guard let examples else {
            throw DataError.unknownSplit(split, available: Self.splitNames.filter { splits[$0] != nil || unread.contains($0) })
        }
        guard !examples.isEmpty else {
            throw DataError.emptySplit(split, reason: reasons[split] ?? "the corpus \"\(name)\" has no examples in it")
        }
        return examples
    }

    /// The number of examples of each stored split, one split per line, for display.
    public var counts: String {
        Self.splitNames.compactMap { name in (sizes[name] ?? splits[name]?.count).map { "\(name): \($0)" } }
            .joined(separator: "\n")
    }

    /// Reads a folder with one file per split: one that ``write(to:)`` made, or an exported set.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - wanted: The splits whose rows are kept; nil for all. Files of other splits are not read.
    ///   - selection: How the set's own splits are subset or rearranged.
    ///   - onBadRow: What to do with a row that is invalid.
    ///   - mayLack: Fields that are optional; a missing one is read as an empty text.
    ///   - decode: Decodes a row, for sets that do not have the published fields.
    ///   - shapes: The row shapes to detect, instead of using `decode`.
    ///   - limit: The maximum number of rows of a split to keep, from the first; nil for all. `sizes` counts all rows.
    /// - Returns: The corpus, and how many rows were read and skipped.
    /// - Throws: `FormatError.unreadable`, or `badRow` or `malformedFile` with file and line; `DataError.missingSplit`
    ///   if there is no file of any split; `ambiguousSplit`, `missingShards`, `emptySplit` or `invalidIndex`.
    public static func load(
        _ folder: URL, wanted: [String]? = nil, selection: SplitSelection = .all, onBadRow: BadRowPolicy = .fail,
        mayLack: Set<String> = [], decode: @escaping RowFile<SummaryExample>.RowDecoder = { try SummaryExample($0, defaultID: $1) },
        shapes: [RowShape]? = nil, limit: @escaping (String) -> Int? = { _ in nil }
    ) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        let files = try SplitFiles(in: folder)
        return try load(
            files, wanted: wanted, selection: selection, onBadRow: onBadRow, mayLack: mayLack, decode: decode, shapes: shapes, limit: limit)
    }

    /// Reads the given files; otherwise like the function for a folder.
    /// - Throws: As the function for a folder.
    public static func load(
        _ files: SplitFiles, wanted: [String]? = nil, selection: SplitSelection = .all, onBadRow: BadRowPolicy = .fail,
        mayLack: Set<String> = [], decode: @escaping RowFile<SummaryExample>.RowDecoder = { try SummaryExample($0, defaultID: $1) },
        shapes: [RowShape]? = nil, limit: @escaping (String) -> Int? = { _ in nil }
    ) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        let reader = CorpusReader<SummaryExample>(
            files, selection: selection, onBadRow: onBadRow, mayLack: mayLack, decode: decode, shapes: shapes)
        let read = try reader.read(wanted, limit: limit)
        var about = About(name: files.folder?.lastPathComponent ?? "files", promptFormat: .tldr)
        if let file = files.folder?.appendingPathComponent(About.fileName),
            try FileStatus.of(file) != nil
        {
            about = try About(file)
        }
        var corpus = SummaryCorpus(name: about.name, splits: read.rows, format: about.promptFormat, sizes: read.sizes)
        (corpus.unread, corpus.shapes, corpus.valuesFound) = (read.unread, read.shapes, read.valuesFound)
        (corpus.replaced, corpus.reasons) = (read.replaced, read.reasons)
        return (corpus, read.counts)
    }

    /// Reads all splits of a folder unchanged.
    /// - Throws: `FormatError` or `DataError`, as the function with parameters.
    public static func load(_ folder: URL) throws -> SummaryCorpus {
        var corpus = try load(folder, wanted: nil).corpus
        corpus.sizes = [:]
        return corpus
    }

    /// This corpus, after checking split names and IDs.
    /// - Throws: `DataError.invalidSetting` for an unknown split name, or two rows of a split with the same ID.
    public func checked() throws -> SummaryCorpus {
        for (split, examples) in splits.sorted(by: { $0.key < $1.key }) {
            guard Self.splitNames.contains(split) else {
                throw DataError.invalidSetting(
                    "the corpus \"\(name)\" has a split \"\(split)\"", expected: "one of \(Self.splitNames.joined(separator: ", "))")
            }
            var seen: Set<[UInt8]> = []
            if let twice = examples.first(where: { !seen.insert(Array($0.id.utf8)).inserted }) {
                throw DataError.invalidSetting(
                    "the split \"\(split)\" of the corpus \"\(name)\" has two rows with the id \"\(twice.id)\"",
                    expected: "unique ids")
            }
        }
        return self
    }

    /// Applies a selection to this corpus. The out-of-distribution splits of a structured selection replace stored
    /// ones.
    /// - Throws: `DataError.emptySplit`, `invalidIndex`, or `invalidSetting` for a column that the rows do not have.
    public func selecting(_ selection: SplitSelection) throws -> SummaryCorpus {
        var result = self
        result.sizes = [:]
        if case .structured(.column(let column, let outside)) = selection {
            let values = Set(splits.values.joined().compactMap { StructuredSubset.value(of: $0, in: column) })
            guard !values.isEmpty || splits.values.allSatisfy(\.isEmpty) else {
                throw DataError.invalidSetting("the rows of \"\(name)\" have no column \"\(column)\"", expected: "subreddit")
            }
            result.valuesFound = values.intersection(outside)
        }
        if case .structured = selection { result.splits = [:] }
        for split in Self.splitNames {
            guard let examples = splits[split] else { continue }
            if case .structured = selection, split.hasPrefix("ood_") || split.hasPrefix("full_") {
                result.replaced.append(split)
                continue
            }
            var sorter = SplitSorter<SummaryExample>(split: split, selection: selection, count: examples.count)
            for (number, example) in examples.enumerated() { sorter.take(example, number: number) }
            try sorter.finish(rowCount: examples.count)
            result.splits.merge(sorter.rows) { _, new in new }
        }
        return result
    }

    /// This corpus with all rows of another corpus's splits as its out-of-distribution splits.
    public func withOutOfDistribution(_ other: SummaryCorpus) -> SummaryCorpus {
        var result = self
        for split in Self.splitNames where split.hasPrefix("ood_") || split.hasPrefix("full_") {
            result.splits[split] = nil
            result.sizes[split] = nil
            result.unread.remove(split)
        }
        for split in ["train", "validation", "test"] {
            if other.unread.contains(split) { result.unread.insert("ood_" + split) }
            guard let examples = other.splits[split] else { continue }
            result.splits["ood_" + split] = examples.map { example in
                var example = example
                if example.promptFormat == nil, other.format != format { example.promptFormat = other.format }
                return example
            }
            result.sizes["ood_" + split] = other.sizes[split]
            result.reasons["ood_" + split] = other.reasons[split]
        }
        return result
    }

    /// Writes the stored splits to a folder, atomically. An existing corpus in the folder is replaced.
    /// - Throws: `FileError`, or `DataError.unwritable` if `folder` exists and is not a corpus.
    public func write(to folder: URL) throws {
        let status = try FileStatus.of(folder)
        let present = status?.kind == .folder ? try Folder.names(in: folder.path) : []
        if let status, status.kind != .folder || (!present.isEmpty && !present.contains(About.fileName)) {
            throw DataError.unwritable(
                path: folder.path, reason: "it already exists and is not a corpus folder; choose another name")
        }
        let parent = folder.deletingLastPathComponent()
        try Folder.make(parent)
        try AtomicFolder.write(to: folder) { partial in
            for (split, examples) in splits {
                try JSONLines<SummaryExample>(partial.appendingPathComponent(split + ".jsonl")).write(examples)
            }
            try JSONLines<About>(partial.appendingPathComponent(About.fileName))
                .write([About(name: name, promptFormat: format)])
        }
    }

    /// The contents of `corpus.json`.
    private struct About: Codable {
        static let fileName = "corpus.json"
        var name: String
        var promptFormat: PromptFormat

        init(name: String, promptFormat: PromptFormat) {
            self.name = name
            self.promptFormat = promptFormat
        }

        /// Reads one JSON object, on one or several lines.
        init(_ file: URL) throws {
            do {
                let bytes = try Descriptor.content(of: file.path, limit: 1 << 20)
                self = try JSONLines<About>.decode(bytes, with: JSONDecoder())
            } catch let error as FileError {
                throw FormatError(error, reading: file.path)
            } catch let problem as RowProblem {
                throw FormatError.badRow(RowLocation(file: file.path, line: 1), problem)
            }
        }
    }
}
