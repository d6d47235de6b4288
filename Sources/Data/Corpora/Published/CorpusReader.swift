public import Formats

/// Reads a data set split by split, as a stream: only the rows that are wanted are kept.
public struct CorpusReader<Row: CorpusRow>: Sendable {
    /// The file of each split.
    public var files: SplitFiles
    /// Which rows make which split.
    public var selection: SplitSelection
    /// What happens to a row that breaks the format.
    public var onBadRow: BadRowPolicy
    /// Fields that count as empty texts where they are missing.
    public var mayLack: Set<String>
    /// Which rows belong to the set at all; nil for every row. The selection sees only those.
    public var accepts: (@Sendable (Row) -> Bool)?
    /// How a row is made of its fields.
    public var decode: RowFile<Row>.RowDecoder
    /// The shapes among which those of the files' rows are found, in place of `decode`; nil for what `decode` reads.
    public var shapes: [RowShape]?

    /// A reader; nothing is opened yet.
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

    /// The rows of splits.
    public struct Splits: Sendable {
        /// The wanted rows.
        public var rows: [String: [Row]] = [:]
        /// How many rows each split of the files that were read has, kept or not.
        public var sizes: [String: Int] = [:]
        /// How many rows were read and left out.
        public var counts = RowCounts()
        /// The shape of each file's rows, by its split, where it was looked for.
        public internal(set) var shapes: [String: String] = [:]
        /// Which of the values that make rows out of distribution some row has.
        package internal(set) var valuesFound: Set<String> = []
        /// Splits that the set has files of, in whose place are those that a structure makes.
        package internal(set) var replaced: [String] = []
        /// Why splits are empty in whose files every row is bad.
        package internal(set) var reasons: [String: String] = [:]
        /// Splits that the set has, too, and that nobody asked for.
        package var unread: Set<String> = []

        /// The rows of one split.
        /// - Throws: `DataError.unknownSplit`; `emptySplit` if it has no row.
        public func rows(of split: String) throws -> [Row] {
            guard let rows = rows[split] else {
                throw DataError.unknownSplit(
                    split, available: SummaryCorpus.splitNames.filter { self.rows[$0] != nil || unread.contains($0) })
            }
            guard !rows.isEmpty else { throw DataError.emptySplit(split, reason: reasons[split] ?? "no row of its file belongs to it") }
            return rows
        }
    }

    /// Reads the files of the wanted splits.
    ///
    /// - Parameters:
    ///   - wanted: The splits whose rows are kept; nil for all. One that the set has no file for is left out.
    ///   - limit: How many rows of a split are kept, from the first; nil for all.
    /// - Throws: `DataError`: as `RowFile.readEach`; `emptySplit` and `invalidIndex` of a selection.
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
                let reason = "none of its rows is sound: \(counts)"
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

    /// An index of rows by the numbers that a scorer gives them, for a structured split.
    ///
    /// - Parameters:
    ///   - keeping: Which rows are inside.
    ///   - batchSize: How many rows the scorer gets at once.
    ///   - scorer: One score for each row of a batch, such as the probability of a positive sentiment.
    /// - Throws: `DataError`; `DataError.invalidSetting` if the scorer gives another number of scores; whatever it throws.
    public func index(
        keeping: SplitIndex.Keeping = .highest(share: 0.5), batchSize: Int = 64, scorer: ([Row]) throws -> [Double]
    ) throws -> SplitIndex {
        try SplitIndex(scores: scores(batchSize: batchSize, scorer: scorer), keeping: keeping)
    }

    /// The numbers that a scorer gives the rows of each split, in their order; −∞ for rows that are left out.
    ///
    /// - Parameters: as those of ``index(keeping:batchSize:scorer:)``.
    /// - Throws: as ``index(keeping:batchSize:scorer:)``.
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
                        "the scorer gave \(new.count) scores for \(batch.count) rows", expected: "one for each row")
                }
                for (entry, score) in zip(batch, new) {
                    // a row that was left out has the lowest score
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

    /// The file of a split, with all its parts.
    private func file(of split: String) -> RowFile<Row>? {
        var column: String?
        if case .structured(.column(let name, _)) = selection { column = name }
        return files.rows(of: split, onBadRow: onBadRow, mayLack: mayLack, decode: decode, shapes: shapes, column: column)
    }

    private func count(_ file: RowFile<Row>) throws -> Int {
        guard let accepts else { return try file.count() }
        var count = 0
        try file.readEach { row, _ in if accepts(row) { count += 1 } }
        return count
    }

    /// A structure makes its own out-of-distribution splits; stored ones are not read beside it.
    private func readsFile(of split: String) -> Bool {
        guard case .structured = selection else { return true }
        return !split.hasPrefix("ood_") && !split.hasPrefix("full_")
    }

    /// The splits that the file of a split gives rows to.
    private func splits(madeOf split: String) -> Set<String> {
        guard case .structured = selection else { return [split] }
        return [split, "ood_" + split, "full_" + split]
    }

    /// A full split without a file of its own is made of its two parts.
    private func parts(of split: String) -> [String] {
        guard split.hasPrefix("full_"), files.files[split] == nil else { return [split] }
        if case .structured = selection { return [split] }
        let base = String(split.dropFirst("full_".count))
        return [base, "ood_" + base]
    }
}
