public import Formats
public import Foundation

/// What is wanted of a data set.
public struct CorpusRequest: Sendable {
    /// Decides what is drawn: the posts of a generated set, or which rows of an unsplit one make which split.
    public var seed: UInt64
    /// The folder in which published sets have folders of their names.
    public var parent: URL
    /// Which of the published sets, where a name means several.
    public var set: PublishedSet
    /// Files that take the place of the set's own, by split.
    public var files: [String: URL]
    /// The splits whose rows are kept; nil for all.
    public var wanted: [String]?
    /// What becomes of the set's own splits.
    public var selection: SplitSelection
    /// What happens to a row of a file that breaks the format.
    public var onBadRow: BadRowPolicy
    /// How many rows of `train` are kept of a set in files, from the first; nil for all.
    public var maximumTrain: Int?
    /// The shapes that rows of files may have, where the set does not read them in its own way. One alone is the shape that they must have.
    public var shapes: [RowShape]

    /// All rows of the set as it is; see the properties.
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

/// A kind of data set: a name, and how its rows are made or read.
///
/// A catalogue is an array of kinds; a caller appends its own:
///
///     let tickets = CorpusFormat("tickets", in: folder) { record, id in
///         SummaryExample(id: id, subreddit: "", title: try record.text("subject"), post: try record.text("body"), summary: …)
///     }
///     let corpus = try CorpusFormat.named("tickets", in: CorpusFormat.builtIn + [tickets]).read().corpus
public struct CorpusFormat: Sendable {
    /// The name by which it is chosen.
    public let name: String
    private let rows: Rows

    private enum Rows: Sendable {
        case made(@Sendable (CorpusRequest) throws -> SummaryCorpus)
        case stored(Stored)
    }

    /// Where the files of a set are, and how their rows are read.
    struct Stored: Sendable {
        /// The folder of the posts, the comparisons or the news, in the folder of all published sets.
        var folder: @Sendable (_ set: PublishedSet, _ parent: URL) throws -> URL
        /// How a row is made of its fields; nil for rows of any known shape.
        var decode: RowFile<SummaryExample>.RowDecoder?
        /// Which comparisons belong to the set, unless told otherwise.
        var batches = BatchFilter.any
        /// Whether that cannot be told otherwise.
        var fixesBatches = false
        /// Whether there are comparisons in a folder of their own; otherwise the rows say what they are.
        var hasComparisons = false
    }

    /// A set that is made or read as a whole: in memory, by a service, from files of a format of one's own.
    ///
    /// Selections (random and structured subsets) are made of what the closure returns.
    public init(_ name: String, make: @escaping @Sendable (CorpusRequest) throws -> SummaryCorpus) {
        self.name = name
        rows = .made(make)
    }

    /// A folder with one file for each split (`train.jsonl`, `ood_test.csv.gz`, …), whose rows have fields of their own.
    /// - Parameter row: Makes an example of a row; `RowProblem` for one that breaks the format.
    public init(_ name: String, in folder: URL, row: @escaping RowFile<SummaryExample>.RowDecoder) {
        self.init(name, Stored(folder: { _, _ in folder }, decode: row))
    }

    init(_ name: String, _ stored: Stored) {
        self.name = name
        rows = .stored(stored)
    }

    private var stored: Stored? {
        if case .stored(let stored) = rows { stored } else { nil }
    }

    /// Whether its rows are made rather than read from files; it has no comparisons then.
    public var isMade: Bool { stored == nil }

    /// The folder of one of its sets; nil where rows are made.
    /// - Throws: `FormatError.unreadable` where a published set is not there.
    public func folder(of set: PublishedSet, in parent: URL) throws -> URL? { try stored?.folder(set, parent) }

    /// The files of one of its sets.
    /// - Parameter named: Files that take the place of the set's own.
    /// - Returns: nil where rows are made and no file is named.
    /// - Throws: `DataError` as `SplitFiles.init(in:)` and ``folder(of:in:)``.
    public func files(of set: PublishedSet, in parent: URL, replacing named: [String: URL] = [:]) throws -> SplitFiles? {
        guard let folder = try folder(of: set, in: parent) else { return named.isEmpty ? nil : SplitFiles(named) }
        var files = try SplitFiles(in: folder)
        files.files.merge(named) { _, new in new }
        return files
    }

    /// Reads or makes the posts.
    /// - Returns: The corpus, and how many rows of files were read and skipped.
    /// - Throws: `DataError`, and what the format itself throws.
    public func read(_ request: CorpusRequest = CorpusRequest()) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        if case .made(let make) = rows, request.files.isEmpty {
            return (try make(request).checked().selecting(request.selection), RowCounts())
        }
        guard let files = try files(of: request.set, in: request.parent, replacing: request.files) else {
            throw FormatError.unreadable(path: name, reason: "this data set has no files")
        }
        return try read(files, request)
    }

    /// The same from files that are known already.
    public func read(_ files: SplitFiles, _ request: CorpusRequest) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        try SummaryCorpus.load(
            files, wanted: request.wanted, selection: request.selection, onBadRow: request.onBadRow, mayLack: mayLack(request.set),
            decode: decode, shapes: shapes(request.shapes), limit: { $0 == "train" ? request.maximumTrain : nil })
    }

    /// A reader of the posts in files, row by row.
    public func reader(
        _ files: SplitFiles, set: PublishedSet, onBadRow: BadRowPolicy = .fail, shapes: [RowShape] = RowShape.builtIn
    ) -> CorpusReader<SummaryExample> {
        CorpusReader(files, onBadRow: onBadRow, mayLack: mayLack(set), decode: decode, shapes: self.shapes(shapes))
    }

    /// Files that take the place of a made set's rows have the published fields, or those of a shape.
    private var decode: RowFile<SummaryExample>.RowDecoder {
        if let decode = stored?.decode { return decode }
        return { try SummaryExample($0, defaultID: $1) }
    }

    /// The shapes that rows may have; nil where the set reads them in its own way.
    private func shapes(_ shapes: [RowShape]) -> [RowShape]? { stored?.decode == nil ? shapes : nil }

    /// A set of prompts has posts without summaries.
    private func mayLack(_ set: PublishedSet) -> Set<String> { set == .queries ? ["summary"] : [] }

    /// Whether the files hold comparisons of summaries.
    /// - Throws: `DataError` if they cannot be read.
    public func holdsComparisons(_ files: SplitFiles, shapes: [RowShape] = RowShape.builtIn) throws -> Bool {
        if stored?.hasComparisons ?? false { return true }
        return try files.holdComparisons(shapes)
    }

    /// Which comparisons of its files belong to the set.
    /// - Parameter chosen: What the caller wants, where the set leaves it open.
    public func batches(_ chosen: BatchFilter? = nil) -> BatchFilter {
        guard let stored, !stored.fixesBatches else { return self.stored?.batches ?? chosen ?? .any }
        return chosen ?? stored.batches
    }
}

extension CorpusFormat {
    /// The built-in sets.
    public static let builtIn = [generated, instructions, debian, summarisation, cnndm]

    /// Short posts of an invented forum, see ``GeneratedPosts``.
    public static let generated = CorpusFormat("generated") { try GeneratedPosts(seed: $0.seed).corpus() }
    /// Instructions whose answers can be checked, two in sequence out of distribution; see ``GeneratedInstructions``.
    public static let instructions = CorpusFormat("instructions") { try GeneratedInstructions(seed: $0.seed).corpus() }
    /// The package descriptions in this machine's apt lists, see ``PackageDescriptions``.
    public static let debian = CorpusFormat("debian") { try PackageDescriptions(seed: $0.seed).corpus() }
    /// Reddit posts with summaries, and comparisons of summaries of them; see ``PublishedSet``.
    public static let summarisation = CorpusFormat(
        "summarisation",
        Stored(folder: { set, parent in try set.folder(in: parent) }, batches: .excluding("cnndm"), hasComparisons: true))
    /// News with summaries, and comparisons of summaries of them.
    public static let cnndm = CorpusFormat(
        "cnndm",
        Stored(
            folder: { set, parent in try (set == .preferences ? PublishedSet.feedback : .news).folder(in: parent) },
            batches: .containing("cnndm"), fixesBatches: true, hasComparisons: true))

    /// A folder with one file for each split, whose rows have the published fields.
    public static func folder(_ url: URL) -> CorpusFormat {
        CorpusFormat(url.lastPathComponent, Stored(folder: { _, _ in url }))
    }

    /// The format of a name; a name that none of them has is that of a folder.
    public static func named(_ name: String, in formats: [CorpusFormat] = builtIn) -> CorpusFormat {
        formats.first { $0.name == name } ?? .folder(URL(fileURLWithPath: name, isDirectory: true))
    }
}
