public import Formats

/// Streams a data set split by split, keeping only the wanted rows in memory.
public struct CorpusReader<Row: CorpusRow>: Sendable {
    /// The files of each split.
    public var files: SplitFiles
    /// How the set's own splits are subset or rearranged.
    public var selection: SplitSelection
    /// What to do with a row that is invalid.
    public var onBadRow: BadRowPolicy
    /// Fields that are optional; a missing one is read as an empty text.
    public var mayLack: Set<String>
    /// Which rows belong to the set; nil for all. The selection is applied to these rows only.
    public var accepts: (@Sendable (Row) -> Bool)?
    /// Decodes a row.
    public var decode: RowFile<Row>.RowDecoder
    /// The row shapes to detect, instead of using `decode`; nil to use `decode`.
    public var shapes: [RowShape]?

    /// Creates a reader. Opens no file yet.
    public init(
        _ files: SplitFiles, selection: SplitSelection = .all, onBadRow: BadRowPolicy = .fail,
        mayLack: Set<String> = [], accepts: (@Sendable (Row) -> Bool)? = nil,
        decode: @escaping RowFile<Row>.RowDecoder = { try Row($0, defaultID: $1) }, shapes: [RowShape]? = nil
    ) {
        self.files = files
        self.selection = selection
        self.onBadRow = onBadRow
        self.mayLack = mayLack
        self.accepts = accepts
        self.decode = decode
        self.shapes = shapes
    }

    /// The rows read, by split.
    public struct Splits: Sendable {
        /// The wanted rows, by split.
        public var rows: [String: [Row]] = [:]
        /// The number of rows in each split that was read, including rows that were not kept.
        public var sizes: [String: Int] = [:]
        /// How many rows were read and skipped.
        public var counts = RowCounts()
        /// The detected shape of each file's rows, by the file's split; empty where shapes were not detected.
        public internal(set) var shapes: [String: String] = [:]
        /// Which of the column values that make a row out of distribution occur in some row.
        package internal(set) var valuesFound: Set<String> = []
        /// The set's own splits that were not read because a structured selection makes its own out-of-distribution
        /// splits.
        package internal(set) var replaced: [String] = []
        /// Why a split is empty, for splits of which every row is invalid.
        package internal(set) var reasons: [String: String] = [:]
        /// The set's splits that were not requested.
        package var unread: Set<String> = []

        /// The rows of one split.
        /// - Throws: `DataError.unknownSplit` if the split was not read, `emptySplit` if it has no rows.
        public func rows(of split: String) throws -> [Row] {
            guard let rows = rows[split] else {
                throw DataError.unknownSplit(
                    split, available: SummaryCorpus.splitNames.filter { self.rows[$0] != nil || unread.contains($0) })
            }
            guard !rows.isEmpty else { throw DataError.emptySplit(split, reason: reasons[split] ?? "no row of the file belongs to it") }
            return rows
        }
    }

    /// Reads the files of the wanted splits.
    ///
    /// - Parameters:
    ///   - wanted: The splits whose rows are kept; nil for all. Splits without a file are ignored.
    ///   - limit: The maximum number of rows of a split to keep, from the first; nil for all.
    /// - Throws: What `RowFile.readEach` throws, and `DataError.emptySplit` or `invalidIndex` from the selection.
    public func read(_ wanted: [String]? = nil, limit: @escaping (String) -> Int? = { _ in nil }) throws -> Splits {
        let kept = wanted.map { Set($0.flatMap(parts)) }
        var result = Splits()
        for split in SummaryCorpus.splitNames {
            guard let file = self.file(of: split) else { continue }
            guard readsFile(of: split) else {
                result.replaced.append(split)
                continue
            }
            if let kept, kept.isDisjoint(with: splits(madeOf: split)) {
                result.unread.formUnion(splits(madeOf: split))
                continue
            }
            let count = SplitSorter<Row>.needsCount(split, selection) ? try self.count(file) : 0
            var sorter = SplitSorter<Row>(split: split, selection: selection, wanted: kept, limit: limit, count: count)
            let (counts, shape) = try file.readEach { row, _, number in
                guard accepts?(row) ?? true else { return }
                sorter.take(row, number: number)
                if case .structured(.column(_, let outside)) = selection, let value = row.columnValue, outside.contains(value) {
                    result.valuesFound.insert(value)
                }
            }
            result.shapes[split] = shape
            if counts.read == 0, counts.skipped > 0 {
                let reason = "all of its rows are invalid: \(counts)"
                if case .structured = selection { throw DataError.emptySplit(split, reason: reason) }
                result.reasons[split] = reason
            }
            try sorter.finish(rowCount: counts.read + counts.skipped)
            result.rows.merge(sorter.rows) { _, new in new }
            result.sizes.merge(sorter.sizes) { _, new in new }
            result.counts = result.counts + counts
        }
        return result
    }

    /// Ranks rows by a scorer, to build an index for a structured split.
    ///
    /// - Parameters:
    ///   - keeping: Which rows are in distribution.
    ///   - batchSize: The number of rows passed to the scorer at once.
    ///   - scorer: Returns one score per row of a batch, such as the probability of positive sentiment.
    /// - Throws: `DataError`, including `invalidSetting` if the scorer returns the wrong number of scores, and whatever
    ///   `scorer` throws.
    public func index(
        keeping: SplitIndex.Keeping = .highest(share: 0.5), batchSize: Int = 64, scorer: ([Row]) throws -> [Double]
    ) throws -> SplitIndex {
        try SplitIndex(scores: scores(batchSize: batchSize, scorer: scorer), keeping: keeping)
    }

    /// The scorer's scores of the rows of each split, in row order; −∞ for rows that are skipped or not accepted.
    ///
    /// - Parameters:
    ///   - batchSize: The number of rows passed to the scorer at once.
    ///   - scorer: Returns one score per row of a batch.
    /// - Throws: As ``index(keeping:batchSize:scorer:)``.
    public func scores(batchSize: Int = 64, scorer: ([Row]) throws -> [Double]) throws -> [String: [Double]] {
        var all: [String: [Double]] = [:]
        for split in files.files.keys.sorted() {
            guard let file = file(of: split) else { continue }
            var scores: [Double] = []
            var batch: [(number: Int, row: Row)] = []
            func flush() throws {
                guard !batch.isEmpty else { return }
                let new = try scorer(batch.map(\.row))
                guard new.count == batch.count else {
                    throw DataError.invalidSetting(
                        "the scorer returned \(new.count) scores for \(batch.count) rows", expected: "one score per row")
                }
                for (entry, score) in zip(batch, new) {
                    // a row that was left out gets the lowest score
                    while scores.count < entry.number { scores.append(-.infinity) }
                    scores.append(score)
                }
                batch.removeAll(keepingCapacity: true)
            }
            let counts = try file.readEach { row, _, number in
                guard accepts?(row) ?? true else { return }
                batch.append((number, row))
                if batch.count >= max(1, batchSize) { try flush() }
            }.counts
            try flush()
            while scores.count < counts.read + counts.skipped { scores.append(-.infinity) }
            all[split] = scores
        }
        return all
    }

    /// The file of a split, with all its shards.
    private func file(of split: String) -> RowFile<Row>? {
        var column: String?
        if case .structured(.column(let name, _)) = selection { column = name }
        return files.rows(of: split, onBadRow: onBadRow, mayLack: mayLack, decode: decode, shapes: shapes, column: column)
    }

    /// The number of accepted rows in a file.
    private func count(_ file: RowFile<Row>) throws -> Int {
        guard let accepts else { return try file.count() }
        var count = 0
        try file.readEach { row, _ in if accepts(row) { count += 1 } }
        return count
    }

    /// Whether a split's file is read. A structured selection makes its own out-of-distribution splits, so stored ones
    /// are not read.
    private func readsFile(of split: String) -> Bool {
        guard case .structured = selection else { return true }
        return !split.hasPrefix("ood_") && !split.hasPrefix("full_")
    }

    /// The splits that rows of a split's file can belong to.
    private func splits(madeOf split: String) -> Set<String> {
        guard case .structured = selection else { return [split] }
        return [split, "ood_" + split, "full_" + split]
    }

    /// The splits that make up a split: a `full_` split without its own file is the in-distribution and the
    /// out-of-distribution split.
    private func parts(of split: String) -> [String] {
        guard split.hasPrefix("full_"), files.files[split] == nil else { return [split] }
        if case .structured = selection { return [split] }
        let base = String(split.dropFirst("full_".count))
        return [base, "ood_" + base]
    }
}
