import Formats

/// The Unigram model: segments a word into the sequence of tokens with the highest total score.
///
/// Follows the model "Unigram" of Hugging Face `tokenizers`: a character without a token has the lowest score minus 10,
/// and a run of unknown characters becomes one unknown token, or the tokens of its bytes.
struct UnigramModel: Sendable {
    let vocabulary: TokenTable
    /// The log probability of each token, by ID.
    let scores: [Double]
    /// The token for characters without a token. If nil, such characters are dropped.
    let unknown: Int32?
    /// Whether unknown characters become the tokens of their bytes.
    let fallsBackToBytes: Bool
    /// Notes about the model's files, for the user.
    var notes: [String] = []
    private let trie: TokenTrie
    private let unknownScore: Double
    private let byteTokens: [Int32?]

    private static let unknownPenalty = 10.0
    /// The maximum length of a token, in bytes. Encoding may compare this many bytes at every position of a text.
    static let lengthLimit = 1024

    /// Creates a model from its parts.
    /// - Parameters:
    ///   - vocabulary: The vocabulary, with contiguous IDs from 0.
    ///   - scores: One score per ID.
    ///   - unknown: The unknown token, if there is one.
    ///   - fallsBackToBytes: Whether unknown characters become the tokens of their bytes.
    init(vocabulary: TokenTable, scores: [Double], unknown: Int32?, fallsBackToBytes: Bool) {
        self.vocabulary = vocabulary
        self.scores = scores
        self.unknown = unknown
        self.fallsBackToBytes = fallsBackToBytes
        trie = TokenTrie(vocabulary)
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
        byteTokens = (0..<256).map { vocabulary.id(of: ByteFallback.spelling(of: UInt8($0))) }
    }

    /// Reads the `model` of a `tokenizer.json`, whose `vocab` is a list of tokens with scores.
    init(_ part: TokenizerPart) throws {
        let vocab = try part.required("vocab")
        guard let list = vocab.json.array else { throw vocab.fault("expected an array, found \(vocab.json.kind)") }
        if list.isEmpty { throw vocab.fault("the vocabulary is empty") }
        var vocabulary = TokenTable(capacity: list.count)
        var scores: [Double] = []
        scores.reserveCapacity(list.count)
        for (id, pair) in list.enumerated() {
            func fault(_ reason: String) -> TokenizerError {
                .malformed(file: part.file, line: nil, reason: "\(vocab.path)[\(id)]: \(reason)")
            }
            guard let array = pair.array, array.count == 2, let token = array[0].string, let score = array[1].double else {
                throw fault("expected a token and its score")
            }
            guard score.isFinite else { throw fault("the score of \"\(token)\" is NaN or Inf") }
            try Self.insert(Array(token.utf8), id, into: &vocabulary, fault)
            scores.append(score)
        }
        let unknown = try part["unk_id"].map { id in
            guard let value = id.json.integer, vocabulary.bytes(of: Int32(clamping: value)) != nil else {
                throw id.fault("expected the id of a token, 0 to \(list.count - 1)")
            }
            return Int32(value)
        }
        self.init(
            vocabulary: vocabulary, scores: scores, unknown: unknown, fallsBackToBytes: try part.flag("byte_fallback", default: false))
        noteMissingUnknown(part.file)
    }

    /// Adds a token.
    /// - Throws: The error made by `fault` if there are too many tokens, the token is too long, or it is already in the
    ///   vocabulary.
    static func insert(_ token: [UInt8], _ id: Int, into vocabulary: inout TokenTable, _ fault: (String) -> TokenizerError) throws {
        guard TokenizerPart.ids.contains(id) else { throw fault("there are more than \(id) tokens, the supported maximum") }
        guard token.count <= lengthLimit else { throw fault("the token has \(token.count) bytes; at most \(lengthLimit) are supported") }
        guard vocabulary.insert(token, id: Int32(id)) else {
            throw fault("\"\(String(decoding: token, as: UTF8.self))\" appears twice in the vocabulary")
        }
    }

    /// Adds a note if characters without a token are dropped.
    private mutating func noteMissingUnknown(_ file: String) {
        guard unknown == nil, !(fallsBackToBytes && !byteTokens.contains(nil)) else { return }
        notes.append("\(file): model: it defines no unknown token; characters without a token are dropped")
    }

    /// This model with other options.
    func with(unknown: Int32?, fallsBackToBytes: Bool) -> UnigramModel {
        var model = UnigramModel(vocabulary: vocabulary, scores: scores, unknown: unknown, fallsBackToBytes: fallsBackToBytes)
        model.notes = notes
        return model
    }

    /// The vocabulary as in a `tokenizer.json`.
    var vocabularyJSON: JSONValue {
        .array(
            scores.indices.map { id in
                .array([.string(String(decoding: vocabulary.bytes(of: Int32(id)) ?? [], as: UTF8.self)), JSONValue(scores[id])])
            })
    }

    // MARK: Encoding

    /// The best segmentation up to each position of a word; reused between words.
    struct Lattice {
        /// For each position: the score of the best segmentation that ends there, where its last token begins (-1 if
        /// there is none), and that token.
        fileprivate var scores: [Double] = []
        fileprivate var starts: [Int32] = []
        fileprivate var tokens: [Int32] = []

        fileprivate mutating func reset(_ count: Int) {
            scores.removeAll(keepingCapacity: true)
            starts.removeAll(keepingCapacity: true)
            tokens.removeAll(keepingCapacity: true)
            scores.append(contentsOf: repeatElement(0, count: count))
            starts.append(contentsOf: repeatElement(-1, count: count))
            tokens.append(contentsOf: repeatElement(-1, count: count))
        }

        /// Records a segmentation that ends with a token, if it is the best one so far.
        @inline(__always)
        fileprivate mutating func offer(_ score: Double, _ token: Int32, from start: Int, to end: Int) {
            if starts[end] < 0 || score > scores[end] {
                scores[end] = score
                starts[end] = Int32(truncatingIfNeeded: start)
                tokens[end] = token
            }
        }
    }

    /// Appends the token IDs of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, with lattice: inout Lattice, to output: inout [Int32]) {
        precondition(word.count < Int32.max, "a word of more than 2^31 bytes")
        if word.isEmpty { return }
        lattice.reset(word.count + 1)
        var position = 0
        while position < word.count {
            let (_, length) = UTF8Scan.scalar(word, position)
            let here = lattice.scores[position]
            var hasCharacter = false
            trie.forEachToken(in: word, at: position) { id, end in
                lattice.offer(scores[Int(id)] + here, id, from: position, to: end)
                if end == position + length { hasCharacter = true }
            }
            if !hasCharacter { lattice.offer(unknownScore + here, unknown ?? -1, from: position, to: position + length) }
            position += length
        }
        let first = output.count
        // go backwards from the end; treat a run of unknown characters as one
        var end = word.count
        while end > 0 {
            var start = Int(lattice.starts[end])
            let token = lattice.tokens[end]
            guard token < 0 || token == unknown else {
                output.append(token)
                end = start
                continue
            }
            while start > 0, lattice.tokens[start] == token { start = Int(lattice.starts[start]) }
            appendUnknown(UnsafeBufferPointer(rebasing: word[start..<end]), to: &output)
            end = start
        }
        output[first...].reverse()
    }

    /// Appends the IDs for a run of unknown characters, in reverse order: the token with that text, the tokens of its
    /// bytes, or the unknown token.
    private func appendUnknown(_ text: UnsafeBufferPointer<UInt8>, to output: inout [Int32]) {
        if let id = vocabulary.id(of: text) { return output.append(id) }
        if fallsBackToBytes, text.allSatisfy({ byteTokens[Int($0)] != nil }) {
            for byte in text.reversed() { output.append(byteTokens[Int(byte)] ?? -1) }
        } else if let unknown {
            output.append(unknown)
        }
    }
}
