/// Deals the rows of one file to the splits that a selection makes of it, row by row.
struct SplitSorter<Row: CorpusRow> {
    /// The file's own split.
    let split: String
    /// Rows of wanted splits, cut to their limits.
    private(set) var rows: [String: [Row]] = [:]
    /// All rows that belong to each split, kept or not.
    private(set) var sizes: [String: Int] = [:]

    private let way: Way
    private let wanted: Set<String>?
    private let limit: (String) -> Int?
    private var taken = 0
    /// Random subsets: draws by ascending row, and the row at each place.
    private var draws: [(row: Int, place: Int)] = []
    private var places: [Row?] = []
    private var cursor = 0
    private var numbers = 0

    private enum Way {
        case whole, drawn
        case divided(StructuredSubset)
    }

    /// Whether the number of rows must be known before the first of them is taken.
    static func needsCount(_ split: String, _ selection: SplitSelection) -> Bool {
        if case .random = selection { RandomSubset.splits.contains(split) } else { false }
    }

    /// - Parameters:
    ///   - wanted: The splits whose rows are kept; nil for all.
    ///   - limit: How many rows of a split are kept; nil for all.
    ///   - count: How many rows will come; needed where `needsCount` says so.
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

    /// Takes the next row.
    /// - Parameter number: Its number in the file, from 0.
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

    /// Ends the file.
    /// - Parameter rowCount: How many rows the file has, bad ones included.
    /// - Throws: `DataError.emptySplit` for a wanted part of a divided split without a row; `invalidIndex` if an index does
    ///   not fit the file.
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

    private mutating func add(_ row: Row, to name: String) {
        sizes[name, default: 0] += 1
        guard wanted?.contains(name) ?? true else { return }
        if let limit = limit(name), rows[name, default: []].count >= limit { return }
        rows[name, default: []].append(row)
    }
}
