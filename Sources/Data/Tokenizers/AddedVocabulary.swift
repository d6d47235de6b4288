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
    let tokens: [AddedToken]
    private let byID: [Int32: Int]
    private var given = ByteTrie()
    private var normalized = ByteTrie()

    /// - Parameter normalize: The tokenizer's normalizer.
    init(_ tokens: [AddedToken], normalize: ([UInt8]) -> [UInt8]) {
        self.tokens = tokens.filter { !$0.content.isEmpty }
        byID = Dictionary(self.tokens.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { $1 })
        for (index, token) in self.tokens.enumerated() {
            if token.isNormalized {
                normalized.insert(normalize(Array(token.content.utf8)), value: Int32(index))
            } else {
                given.insert(Array(token.content.utf8), value: Int32(index))
            }
        }
    }

    subscript(id: Int32) -> AddedToken? { byID[id].map { tokens[$0] } }

    /// Whether any token is searched in normalised text.
    var searchesNormalizedText: Bool { !normalized.isEmpty }

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

/// A set of byte strings with a search for the leftmost-longest of them.
struct ByteTrie: Sendable {
    private var edges: [UInt64: Int32] = [:]
    private var values: [Int32] = [-1]
    private var begins = [Bool](repeating: false, count: 256)

    var isEmpty: Bool { values.count == 1 }

    /// Adds a byte string; an empty one is ignored, an equal earlier one replaced.
    mutating func insert(_ bytes: [UInt8], value: Int32) {
        guard let first = bytes.first else { return }
        begins[Int(first)] = true
        var node: Int32 = 0
        for byte in bytes {
            let key = UInt64(node) << 8 | UInt64(byte)
            if let child = edges[key] {
                node = child
            } else {
                node = Int32(values.count)
                edges[key] = node
                values.append(-1)
            }
        }
        values[Int(node)] = value
    }

    /// The longest match at the first place at or behind `start` that has one.
    func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (range: Range<Int>, value: Int32)? {
        var position = start
        while position < text.count {
            if begins[Int(text[position])], let (end, value) = longestMatch(in: text, at: position) {
                return (position..<end, value)
            }
            position += 1
        }
        return nil
    }

    /// The longest match that begins at `start`.
    func longestMatch(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (end: Int, value: Int32)? {
        var best: (end: Int, value: Int32)?
        var node: Int32 = 0
        var position = start
        while position < text.count, let child = edges[UInt64(node) << 8 | UInt64(text[position])] {
            node = child
            position += 1
            if values[Int(node)] >= 0 { best = (position, values[Int(node)]) }
        }
        return best
    }
}
