/// A property of rows that divides every split into rows inside the training distribution and rows outside of it.
public enum StructuredSubset: Sendable, Equatable {
    /// Inside: posts of one subreddit.
    case subreddit(String)
    /// Inside: posts of at most so many words, counted as the original does: pieces between single spaces. Runs of spaces
    /// give empty pieces, which count; newlines do not split; the title does not count.
    case length(words: Int)
    /// Inside: the rows that an index lists by number.
    case sentiment(SplitIndex)
    /// Outside: the rows that have one of some texts in a column.
    case column(String, outside: Set<String>)

    /// The subreddits that the original divides by.
    public static let subreddits = ["relationship_advice", "AskReddit", "relationships", "tifu", "dating_advice"]
    /// The longest post inside the distribution, in words.
    public static let defaultLength = 245

    /// A structure by the name that options have for it: one of the subreddits, `subreddit:NAME`, `length`, `length:WORDS`,
    /// or `sentiment`.
    /// - Parameter index: Reads the index of `sentiment`.
    /// - Throws: `DataError.invalidSetting`; whatever `index` throws.
    public init(name: String, index: () throws -> SplitIndex) throws {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("length", nil): self = .length(words: Self.defaultLength)
        case ("length", let words?):
            guard let words = Int(words), words > 0 else {
                throw DataError.invalidSetting(
                    "the structure is \"\(name)\"", expected: "a number of words, as in length:245")
            }
            self = .length(words: words)
        case ("sentiment", nil): self = .sentiment(try index())
        case ("subreddit", let subreddit?) where !subreddit.isEmpty: self = .subreddit(subreddit)
        case (let subreddit, nil) where Self.subreddits.contains(subreddit): self = .subreddit(subreddit)
        default:
            throw DataError.invalidSetting(
                "the structure is \"\(name)\"",
                expected:
                    "one of \(Self.subreddits.joined(separator: ", ")), subreddit:NAME, length, length:WORDS, sentiment"
            )
        }
    }

    /// Whether a row is inside the distribution.
    /// - Parameters:
    ///   - number: The row's number in its file, from 0.
    ///   - split: The file's split: `train`, `validation` or `test`.
    public func isInside(_ row: some CorpusRow, number: Int, split: String) -> Bool {
        switch self {
        case .subreddit(let name): row.subreddit.utf8.elementsEqual(name.utf8)
        case .length(let words): Self.words(in: row.post) <= words
        case .sentiment(let index): index.contains(number, split: split)
        case .column(let name, let outside): !outside.contains(Self.value(of: row, in: name) ?? "")
        }
    }

    /// What a row has in a column; nil where it says nothing.
    static func value(of row: some CorpusRow, in column: String) -> String? {
        row.columnValue ?? (column == "subreddit" ? row.subreddit : nil)
    }

    /// The number of pieces between single spaces: one more than there are spaces.
    public static func words(in text: String) -> Int { text.utf8.count { $0 == 0x20 } + 1 }
}

extension StructuredSubset: CustomStringConvertible {
    /// What a row inside has, as the end of "no row has …".
    public var description: String {
        switch self {
        case .subreddit(let name): "the subreddit \"\(name)\""
        case .length(let words): "at most \(words) words"
        case .sentiment: "a place in the index"
        case .column(let name, let outside):
            "another \"\(name)\" than \(outside.sorted().prefix(8).map { "\"\($0)\"" }.joined(separator: ", "))\(outside.count > 8 ? ", …" : "")"
        }
    }
}

/// Which rows of a set's own splits are used, and what else becomes of them.
public enum SplitSelection: Sendable, Equatable {
    /// Every row.
    case all
    /// A share of `train` and `validation`.
    case random(RandomSubset)
    /// `train`, `validation` and `test` become the rows inside; `ood_…` holds those outside, `full_…` all in their order.
    case structured(StructuredSubset)
}
