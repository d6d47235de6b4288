/// A property that divides every split into in-distribution and out-of-distribution rows.
public enum StructuredSubset: Sendable, Equatable {
    /// In distribution: posts of one subreddit.
    case subreddit(String)
    /// In distribution: posts of at most this many words, counted like the original implementation: as pieces between
    /// single spaces. Empty pieces between adjacent spaces count, newlines do not separate, and the title is not
    /// counted.
    case length(words: Int)
    /// In distribution: the rows whose numbers an index lists.
    case sentiment(SplitIndex)
    /// Out of distribution: the rows whose value in a column is one of the given ones.
    case column(String, outside: Set<String>)

    /// The subreddits that the original implementation divides by.
    public static let subreddits = ["relationship_advice", "AskReddit", "relationships", "tifu", "dating_advice"]
    /// The default maximum length of an in-distribution post, in words.
    public static let defaultLength = 245

    /// Creates a structure from its option name: one of the subreddits, `subreddit:NAME`, `length`, `length:WORDS`, or
    /// `sentiment`.
    /// - Parameters:
    ///   - name: The option name.
    ///   - index: Reads the index for `sentiment`.
    /// - Throws: `DataError.invalidSetting` for an unknown name; whatever `index` throws.
    public init(name: String, index: () throws -> SplitIndex) throws {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("length", nil): self = .length(words: Self.defaultLength)
        case ("length", let words?):
            guard let words = Int(words), words > 0 else {
                throw DataError.invalidSetting(
                    "the structure is \"\(name)\"", expected: "a positive number of words, such as length:245")
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

    /// Whether a row is in distribution.
    /// - Parameters:
    ///   - row: The row.
    ///   - number: The row's number in its file, from 0.
    ///   - split: The split of the file: `train`, `validation` or `test`.
    public func isInside(_ row: some CorpusRow, number: Int, split: String) -> Bool {
        switch self {
        case .subreddit(let name): row.subreddit.utf8.elementsEqual(name.utf8)
        case .length(let words): Self.words(in: row.post) <= words
        case .sentiment(let index): index.contains(number, split: split)
        case .column(let name, let outside): !outside.contains(Self.value(of: row, in: name) ?? "")
        }
    }

    /// The value of a row in a column; nil if it is not known.
    static func value(of row: some CorpusRow, in column: String) -> String? {
        row.columnValue ?? (column == "subreddit" ? row.subreddit : nil)
    }

    /// The number of pieces between single spaces: the number of spaces plus one.
    public static func words(in text: String) -> Int { text.utf8.count { $0 == 0x20 } + 1 }
}

extension StructuredSubset: CustomStringConvertible {
    /// What an in-distribution row has, as the completion of "no row has …".
    public var description: String {
        switch self {
        case .subreddit(let name): "the subreddit \"\(name)\""
        case .length(let words): "at most \(words) words"
        case .sentiment: "a place in the index"
        case .column(let name, let outside):
            "a \"\(name)\" other than \(outside.sorted().prefix(8).map { "\"\($0)\"" }.joined(separator: ", "))\(outside.count > 8 ? ", …" : "")"
        }
    }
}

/// Which rows of a set's own splits are used, and how they are divided.
public enum SplitSelection: Sendable, Equatable {
    /// All rows.
    case all
    /// A random subset of `train` and `validation`.
    case random(RandomSubset)
    /// `train`, `validation` and `test` keep their in-distribution rows; `ood_…` holds the others, and `full_…` holds
    /// all in their original order.
    case structured(StructuredSubset)
}
