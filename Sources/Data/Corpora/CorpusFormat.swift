public import Formats
public import Foundation

/// Options for reading or generating a data set.
public struct CorpusRequest: Sendable {
    /// The random seed: determines the posts of a generated set, and how the rows of a set without splits are divided.
    public var seed: UInt64
    /// The parent folder of the published sets; each set has its own subfolder.
    public var parent: URL
    /// Which published set to read, if the format covers several.
    public var set: PublishedSet
    /// Files that replace the set's own, by split.
    public var files: [String: URL]
    /// The splits whose rows are kept; nil for all.
    public var wanted: [String]?
    /// How the set's own splits are subset or rearranged.
    public var selection: SplitSelection
    /// What to do with a row that is invalid.
    public var onBadRow: BadRowPolicy
    /// The maximum number of rows of `train` to keep, from the first; nil for all. Applies to sets read from files.
    public var maximumTrain: Int?
    /// The row shapes to detect in files, for sets without their own row decoder. If the array has one element, all
    /// rows must have that shape.
    public var shapes: [RowShape]

    /// Creates a request. By default it asks for all rows of all splits; see the properties.
    public init(
        seed: UInt64 = 0, parent: URL = URL(fileURLWithPath: "data", isDirectory: true), set: PublishedSet = .posts,
        files: [String: URL] = [:], wanted: [String]? = nil, selection: SplitSelection = .all, onBadRow: BadRowPolicy = .fail,
        maximumTrain: Int? = nil, shapes: [RowShape] = RowShape.builtIn
    ) {
        self.seed = seed
        self.parent = parent
        self.set = set
        self.files = files
        self.wanted = wanted
        self.selection = selection
        self.onBadRow = onBadRow
        self.maximumTrain = maximumTrain
        self.shapes = shapes
    }
}

/// A kind of data set: a name, and how its rows are generated or read.
///
/// A catalogue is an array of formats, to which a caller can append its own:
///
/// ```swift
/// let tickets = CorpusFormat("tickets", in: folder) { record, id in
///     SummaryExample(id: id, subreddit: "", title: try record.text("subject"), post: try record.text("body"), summary: …)
/// }
/// let corpus = try CorpusFormat.named("tickets", in: CorpusFormat.builtIn + [tickets]).read().corpus
/// ```
public struct CorpusFormat: Sendable {
    /// The name that selects the format.
    public let name: String
    private let rows: Rows

    private enum Rows: Sendable {
        case made(@Sendable (CorpusRequest) throws -> SummaryCorpus)
        case stored(Stored)
    }

    /// Where the files of a set are, and how their rows are decoded.
    struct Stored: Sendable {
        /// The folder of one of the sets, given the parent folder of all sets.
        var folder: @Sendable (_ set: PublishedSet, _ parent: URL) throws -> URL
        /// Decodes a row; nil if the shape of the rows is detected.
        var decode: RowFile<SummaryExample>.RowDecoder?
        /// Which comparisons belong to the set by default.
        var batches = BatchFilter.any
        /// Whether `batches` cannot be overridden.
        var fixesBatches = false
        /// Whether the set's comparisons are in a separate folder. If false, the rows themselves show whether they are
        /// comparisons.
        var hasComparisons = false
    }

    /// Creates a format whose corpus is produced as a whole: in memory, by a service, or from files in a custom format.
    ///
    /// Selections (random and structured subsets) are applied to the corpus that the closure returns.
    public init(_ name: String, make: @escaping @Sendable (CorpusRequest) throws -> SummaryCorpus) {
        self.name = name
        rows = .made(make)
    }

    /// Creates a format for a folder with one file per split (`train.jsonl`, `ood_test.csv.gz`, …) and a custom row
    /// decoder.
    /// - Parameters:
    ///   - name: The name that selects the format.
    ///   - folder: The folder of the files.
    ///   - row: Decodes a row; throws `RowProblem` for an invalid row.
    public init(_ name: String, in folder: URL, row: @escaping RowFile<SummaryExample>.RowDecoder) {
        self.init(name, Stored(folder: { _, _ in folder }, decode: row))
    }

    /// Creates a format for a set stored in files.
    init(_ name: String, _ stored: Stored) {
        self.name = name
        rows = .stored(stored)
    }

    private var stored: Stored? {
        if case .stored(let stored) = rows { stored } else { nil }
    }

    /// Whether the rows are generated rather than read from files. Such a set has no comparisons.
    public var isMade: Bool { stored == nil }

    /// The folder of one of the format's sets; nil if its rows are generated.
    /// - Throws: `FormatError.unreadable` if the folder of a published set is missing.
    public func folder(of set: PublishedSet, in parent: URL) throws -> URL? { try stored?.folder(set, parent) }

    /// The files of one of the format's sets.
    /// - Parameters:
    ///   - set: Which set, if the format covers several.
    ///   - parent: The parent folder of the published sets.
    ///   - named: Files that replace the set's own, by split.
    /// - Returns: nil if rows are generated and `named` is empty.
    /// - Throws: What ``folder(of:in:)`` and `SplitFiles.init(in:)` throw.
    public func files(of set: PublishedSet, in parent: URL, replacing named: [String: URL] = [:]) throws -> SplitFiles? {
        guard let folder = try folder(of: set, in: parent) else { return named.isEmpty ? nil : SplitFiles(named) }
        var files = try SplitFiles(in: folder)
        files.files.merge(named) { _, new in new }
        return files
    }

    /// Reads or generates the set's examples.
    /// - Returns: The corpus, and how many rows of files were read and skipped.
    /// - Throws: `DataError`, and what the format's own closures throw.
    public func read(_ request: CorpusRequest = CorpusRequest()) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        if case .made(let make) = rows, request.files.isEmpty {
            return (try make(request).checked().selecting(request.selection), RowCounts())
        }
        guard let files = try files(of: request.set, in: request.parent, replacing: request.files) else {
            throw FormatError.unreadable(path: name, reason: "this data set takes no data files")
        }
        return try read(files, request)
    }

    /// Reads the set's examples from given files.
    /// - Throws: `DataError`, and what the format's own closures throw.
    public func read(_ files: SplitFiles, _ request: CorpusRequest) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        try SummaryCorpus.load(
            files, wanted: request.wanted, selection: request.selection, onBadRow: request.onBadRow, mayLack: mayLack(request.set),
            decode: decode, shapes: shapes(request.shapes), limit: { $0 == "train" ? request.maximumTrain : nil })
    }

    /// A reader that streams the examples in files row by row.
    public func reader(
        _ files: SplitFiles, set: PublishedSet, onBadRow: BadRowPolicy = .fail, shapes: [RowShape] = RowShape.builtIn
    ) -> CorpusReader<SummaryExample> {
        CorpusReader(files, onBadRow: onBadRow, mayLack: mayLack(set), decode: decode, shapes: self.shapes(shapes))
    }

    /// Decodes a row. Rows of files that replace a generated set have the published fields, or those of a shape.
    private var decode: RowFile<SummaryExample>.RowDecoder {
        if let decode = stored?.decode { return decode }
        return { try SummaryExample($0, defaultID: $1) }
    }

    /// The shapes to detect; nil if the set has its own row decoder.
    private func shapes(_ shapes: [RowShape]) -> [RowShape]? { stored?.decode == nil ? shapes : nil }

    /// The fields that may be missing: a set of prompts has posts without summaries.
    private func mayLack(_ set: PublishedSet) -> Set<String> { set == .queries ? ["summary"] : [] }

    /// Whether the files hold comparisons of summaries.
    /// - Throws: `DataError` if the files cannot be read.
    public func holdsComparisons(_ files: SplitFiles, shapes: [RowShape] = RowShape.builtIn) throws -> Bool {
        if stored?.hasComparisons ?? false { return true }
        return try files.holdComparisons(shapes)
    }

    /// Which comparisons of the files belong to the set.
    /// - Parameter chosen: The caller's choice, which is ignored if the set fixes its own.
    public func batches(_ chosen: BatchFilter? = nil) -> BatchFilter {
        guard let stored, !stored.fixesBatches else { return self.stored?.batches ?? chosen ?? .any }
        return chosen ?? stored.batches
    }
}

extension CorpusFormat {
    /// The built-in formats.
    public static let builtIn = [generated, instructions, debian, summarisation, cnndm]

    /// Short posts of an invented forum; see ``GeneratedPosts``.
    public static let generated = CorpusFormat("generated") { try GeneratedPosts(seed: $0.seed).corpus() }
    /// Instructions whose answers can be checked; out of distribution, two in sequence. See ``GeneratedInstructions``.
    public static let instructions = CorpusFormat("instructions") { try GeneratedInstructions(seed: $0.seed).corpus() }
    /// The package descriptions in this machine's apt lists; see ``PackageDescriptions``.
    public static let debian = CorpusFormat("debian") { try PackageDescriptions(seed: $0.seed).corpus() }
    /// Reddit posts with summaries, and comparisons of summaries; see ``PublishedSet``.
    public static let summarisation = CorpusFormat(
        "summarisation",
        Stored(folder: { set, parent in try set.folder(in: parent) }, batches: .excluding("cnndm"), hasComparisons: true))
    /// News articles with summaries, and comparisons of summaries.
    public static let cnndm = CorpusFormat(
        "cnndm",
        Stored(
            folder: { set, parent in try (set == .preferences ? PublishedSet.feedback : .news).folder(in: parent) },
            batches: .containing("cnndm"), fixesBatches: true, hasComparisons: true))

    /// A folder with one file per split, whose rows have the published fields or a detected shape.
    public static func folder(_ url: URL) -> CorpusFormat {
        CorpusFormat(url.lastPathComponent, Stored(folder: { _, _ in url }))
    }

    /// The format with the given name. A name that no format has is taken as the path of a folder.
    public static func named(_ name: String, in formats: [CorpusFormat] = builtIn) -> CorpusFormat {
        formats.first { $0.name == name } ?? .folder(URL(fileURLWithPath: name, isDirectory: true))
    }
}
