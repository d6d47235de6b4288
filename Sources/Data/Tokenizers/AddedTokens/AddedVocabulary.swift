/// A token that is matched in the text itself, before the model is applied.
struct AddedToken: Sendable, Equatable {
    /// The ID of the token.
    var id: Int32
    /// The text of the token.
    var content: String
    /// Matches only if no word character is adjacent to it (`single_word`).
    var isSingleWord = false
    /// Absorbs white space to its left (`lstrip`).
    var stripsLeft = false
    /// Absorbs white space to its right (`rstrip`).
    var stripsRight = false
    /// Is matched in the normalised text, in its own normalised form, rather than in the original text.
    var isNormalized = false
    /// Is omitted when decoding without special tokens.
    var isSpecial = false
}

/// The added tokens of a tokenizer, and the search for them.
///
/// If several tokens match, the leftmost match is taken, and of these the longest, as in Hugging Face `tokenizers`.
struct AddedVocabulary: Sendable {
    /// How a token is decoded.
    struct Spelling: Sendable, Equatable {
        /// The text of the token; its normalised form, if it is matched in normalised text.
        var bytes: [UInt8]
        /// Whether it is omitted when special tokens are skipped.
        var isSpecial: Bool
    }

    let tokens: [AddedToken]
    private let spellings: [Int32: Spelling]
    private var given = ByteTrie()
    private var normalized = ByteTrie()
    /// Whether special tokens that occur in a text are treated as ordinary text.
    private let splitsSpecialTokens: Bool

    /// This vocabulary without the tokens whose IDs are `bound` or greater.
    func dropping(from bound: Int, normalize: ([UInt8]) -> [UInt8]) -> AddedVocabulary {
        AddedVocabulary(tokens.filter { $0.id < bound }, splitsSpecialTokens: splitsSpecialTokens, normalize: normalize)
    }

    /// Creates a vocabulary.
    /// - Parameters:
    ///   - tokens: The added tokens.
    ///   - splitsSpecialTokens: Whether special tokens that occur in a text are treated as ordinary text.
    ///   - normalize: The tokenizer's normalizer.
    init(_ tokens: [AddedToken], splitsSpecialTokens: Bool = false, normalize: ([UInt8]) -> [UInt8]) {
        self.tokens = tokens.filter { !$0.content.isEmpty }
        self.splitsSpecialTokens = splitsSpecialTokens
        let special = Set(self.tokens.filter(\.isSpecial).map { Array($0.content.utf8) })
        var spellings: [Int32: Spelling] = [:]
        for (index, token) in self.tokens.enumerated() {
            var bytes = Array(token.content.utf8)
            if token.isNormalized {
                bytes = normalize(bytes)
                normalized.insert(bytes, value: Int32(index))
            } else {
                given.insert(bytes, value: Int32(index))
            }
            // Hugging Face `tokenizers` looks the normalised form up among the special tokens, and so does this.
            spellings[token.id] = Spelling(bytes: bytes, isSpecial: special.contains(bytes))
        }
        self.spellings = spellings
    }

    /// The spelling of an added token; nil if the ID is not one.
    subscript(id: Int32) -> Spelling? { spellings[id] }

    /// Splits `text` at added tokens and calls `body` for every part in order, with the token's ID if the part is one.
    func split(
        _ text: UnsafeBufferPointer<UInt8>, normalized isNormalized: Bool, _ body: (Range<Int>, Int32?) -> Void
    ) {
        let trie = isNormalized ? normalized : given
        var done = 0
        var position = 0
        while !trie.isEmpty, let (match, value) = trie.firstMatch(in: text, from: position) {
            position = match.upperBound
            let token = tokens[Int(value)]
            if splitsSpecialTokens, token.isSpecial { continue }
            if token.isSingleWord, touchesWord(text, match) { continue }
            var (start, end) = (match.lowerBound, match.upperBound)
            if token.stripsLeft {
                while start > done {
                    let (scalar, length) = UTF8Scan.scalarBefore(text, start)
                    if !UnicodeClass.of(scalar).contains(.space) { break }
                    start -= length
                }
            }
            if token.stripsRight {
                while end < text.count {
                    let (scalar, length) = UTF8Scan.scalar(text, end)
                    if !UnicodeClass.of(scalar).contains(.space) { break }
                    end += length
                }
            }
            // White space that an earlier token absorbed may contain the start of a later token.
            start = max(start, done)
            if done < start { body(done..<start, nil) }
            body(start..<max(start, end), token.id)
            done = max(start, end)
        }
        if done < text.count { body(done..<text.count, nil) }
    }

    /// Whether a word character is adjacent to a match.
    private func touchesWord(_ text: UnsafeBufferPointer<UInt8>, _ match: Range<Int>) -> Bool {
        if match.lowerBound > 0,
            UnicodeClass.of(UTF8Scan.scalarBefore(text, match.lowerBound).value).contains(.word)
        {
            return true
        }
        return match.upperBound < text.count
            && UnicodeClass.of(UTF8Scan.scalar(text, match.upperBound).value).contains(.word)
    }
}
