/// Assigns the rows of one file to the splits that a selection makes of it, row by row.
struct SplitSorter<Row: CorpusRow> {
    /// The split of the file.
    let split: String
    /// The rows of the wanted splits, up to their limits.
    private(set) var rows: [String: [Row]] = [:]
    /// The number of rows in each split, kept or not.
    private(set) var sizes: [String: Int] = [:]

    private let way: Way
    private let wanted: Set<String>?
    private let limit: (String) -> Int?
    private var taken = 0
    /// For random subsets: the drawn rows in ascending order with their positions in the subset, and the row at each
    /// position.
    private var draws: [(row: Int, place: Int)] = []
    private var places: [Row?] = []
    private var cursor = 0
    private var numbers = 0

    private enum Way {
        case whole, drawn
        case divided(StructuredSubset)
    }

    /// Whether the number of rows must be known before the first row.
    static func needsCount(_ split: String, _ selection: SplitSelection) -> Bool {
        if case .random = selection { RandomSubset.splits.contains(split) } else { false }
    }

    /// Creates a sorter.
    /// - Parameters:
    ///   - split: The split of the file.
    ///   - selection: The selection to apply.
    ///   - wanted: The splits whose rows are kept; nil for all.
    ///   - limit: The maximum number of rows of a split to keep; nil for all.
    ///   - count: The number of rows to come; required if `needsCount` returns true.
    init(
        split: String, selection: SplitSelection, wanted: Set<String>? = nil,
        limit: @escaping (String) -> Int? = { _ in nil },
        count: Int = 0
    ) {
        self.split = split
        self.wanted = wanted
        self.limit = limit
        switch selection {
        case .random(let subset) where Self.needsCount(split, selection):
            way = .drawn
            let drawn = subset.rows(of: count)
            sizes[split] = drawn.count
            let kept = wanted?.contains(split) ?? true ? min(drawn.count, limit(split) ?? .max) : 0
            draws = drawn.prefix(kept).enumerated().map { (row: $0.element, place: $0.offset) }
                .sorted { ($0.row, $0.place) < ($1.row, $1.place) }
            places = Array(repeating: nil, count: kept)
        case .structured(let structure) where ["train", "validation", "test"].contains(split):
            way = .divided(structure)
            for name in ["", "ood_", "full_"] {
                sizes[name + split] = 0
                if wanted?.contains(name + split) ?? true { rows[name + split] = [] }
            }
        default:
            way = .whole
            sizes[split] = 0
            if wanted?.contains(split) ?? true { rows[split] = [] }
        }
    }

    /// Processes the next row.
    /// - Parameter number: The row's number in the file, from 0.
    mutating func take(_ row: Row, number: Int) {
        numbers = max(numbers, number + 1)
        switch way {
        case .whole: add(row, to: split)
        case .drawn:
            while cursor < draws.count, draws[cursor].row == taken {
                places[draws[cursor].place] = row
                cursor += 1
            }
        case .divided(let structure):
            add(row, to: structure.isInside(row, number: number, split: split) ? split : "ood_" + split)
            add(row, to: "full_" + split)
        }
        taken += 1
    }

    /// Completes the splits at the end of the file.
    /// - Parameter rowCount: The number of rows in the file, including invalid ones.
    /// - Throws: `DataError.emptySplit` if a wanted part of a divided split has no rows; `invalidIndex` if an index
    ///   does not fit the file.
    mutating func finish(rowCount: Int? = nil) throws {
        switch way {
        case .whole: break
        case .drawn: if !places.isEmpty || wanted?.contains(split) ?? true { rows[split] = places.compactMap { $0 } }
        case .divided(let structure):
            if case .sentiment(let index) = structure { try index.check(split: split, rowCount: rowCount ?? numbers) }
            for (name, quantity) in [(split, "no row"), ("ood_" + split, "every row")]
            where sizes[name] == 0 && wanted?.contains(name) ?? true {
                let reason = taken == 0 ? "\"\(split)\" has no row" : "\(quantity) of \"\(split)\" has \(structure)"
                throw DataError.emptySplit(name, reason: reason)
            }
        }
    }

    /// Counts a row of a split, and keeps it if it is wanted and within the limit.
    private mutating func add(_ row: Row, to name: String) {
        sizes[name, default: 0] += 1
        guard wanted?.contains(name) ?? true else { return }
        if let limit = limit(name), rows[name, default: []].count >= limit { return }
        rows[name, default: []].append(row)
    }
}
