/// A token that is found in the text itself, before the model sees it.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    var content: String
    /// Matches only where no word character touches it.
    var isSingleWord = false
    /// Takes the whitespace before it along.
    var stripsLeft = false
    /// Takes the whitespace behind it along.
    var stripsRight = false
    /// Is searched in the normalised text, in its own normalised form, rather than in the text as given.
    var isNormalized = false
    /// Is left out when decoding without special tokens.
    var isSpecial = false
}

/// The added tokens of a tokenizer, and the search for them.
///
/// Of the tokens that match at the leftmost place the longest is taken, as in Hugging Face tokenizers.
struct AddedVocabulary: Sendable {
    /// How a token is decoded.
    struct Spelling: Sendable, Equatable {
        /// The text of a token; of one that is searched in normalised text, its normalised form.
        var bytes: [UInt8]
        /// Whether it is left out when special tokens are.
        var isSpecial: Bool
    }

    let tokens: [AddedToken]
    private let spellings: [Int32: Spelling]
    private var given = ByteTrie()
    private var normalized = ByteTrie()
    /// Whether special tokens that are spelled out in a text are text.
    private let splitsSpecialTokens: Bool

    /// This vocabulary without the tokens whose ids are `bound` or greater.
    func dropping(from bound: Int, normalize: ([UInt8]) -> [UInt8]) -> AddedVocabulary {
        AddedVocabulary(tokens.filter { $0.id < bound }, splitsSpecialTokens: splitsSpecialTokens, normalize: normalize)
    }

    /// - Parameters:
    ///   - splitsSpecialTokens: Whether special tokens that are spelled out in a text are text.
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
            // The reference looks for the normalised form among the special tokens, so we do.
            spellings[token.id] = Spelling(bytes: bytes, isSpecial: special.contains(bytes))
        }
        self.spellings = spellings
    }

    /// The spelling of an id that is an added token's.
    subscript(id: Int32) -> Spelling? { spellings[id] }

    /// Cuts `text` at added tokens and calls `body` for every part in order, with the id where it is such a token.
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
            // Whitespace that an earlier token took may hold the start of a later one.
            start = max(start, done)
            if done < start { body(done..<start, nil) }
            body(start..<max(start, end), token.id)
            done = max(start, end)
        }
        if done < text.count { body(done..<text.count, nil) }
    }

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
