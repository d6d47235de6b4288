/// The WordPiece model: repeatedly takes the longest prefix of the rest of a word that is a token.
///
/// Follows the model "WordPiece" of Hugging Face `tokenizers`.
struct WordPieceModel: Sendable {
    let vocabulary: TokenTable
    /// The token for words that cannot be composed of tokens.
    let unknown: Int32
    /// The prefix of tokens that continue a word, usually `##`.
    let continuingPrefix: [UInt8]
    /// The maximum length of a word, in characters; longer words are unknown.
    let characterLimit: Int
    /// The length of the longest token, in bytes.
    private let longest: Int
    /// Notes about the model's files, for the user.
    var notes: [String] = []

    /// Creates a model from its parts.
    /// - Throws: `TokenizerError.malformed` if the unknown token is not in the vocabulary.
    init(
        vocabulary: TokenTable, unknownToken: String, continuingPrefix: String, characterLimit: Int, file: String
    ) throws {
        guard let unknown = vocabulary.id(of: unknownToken) else {
            throw TokenizerError.malformed(
                file: file, line: nil, reason: "the unknown token \"\(unknownToken)\" is not in the vocabulary")
        }
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.continuingPrefix = Array(continuingPrefix.utf8)
        self.characterLimit = characterLimit
        longest = (0..<Int32(vocabulary.bound)).reduce(0) { max($0, vocabulary.bytes(of: $1)?.count ?? 0) }
    }

    /// Reads the `model` of a `tokenizer.json`.
    init(_ part: TokenizerPart) throws {
        let (vocabulary, notes) = try TokenTable.read(part.required("vocab"))
        let limit = try part.required("max_input_chars_per_word")
        // segmenting a word takes time in proportion to its length and the square of the longest token's length
        guard try limit.count() <= Self.greatestLimit else {
            throw limit.fault("it is \(try limit.count()); at most \(Self.greatestLimit) is supported")
        }
        try self.init(
            vocabulary: vocabulary, unknownToken: part.required("unk_token").string(),
            continuingPrefix: part.required("continuing_subword_prefix").string(),
            characterLimit: limit.count(), file: part.file)
        self.notes = notes
        if longest > Self.lengthLimit {
            throw part.fault("a token has \(longest) bytes; at most \(Self.lengthLimit) are supported for WordPiece")
        }
    }

    private static let greatestLimit = 10_000
    private static let lengthLimit = 1024

    /// This model with other settings.
    /// - Throws: `TokenizerError.malformed` if the unknown token is not in the vocabulary.
    func with(prefix: String, characterLimit: Int, unknownToken: String, file: String) throws -> WordPieceModel {
        var model = try WordPieceModel(
            vocabulary: vocabulary, unknownToken: unknownToken, continuingPrefix: prefix, characterLimit: characterLimit, file: file)
        model.notes = notes
        return model
    }

    /// Appends the token IDs of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, to output: inout [Int32]) {
        var characters = 0
        for byte in word where byte & 0xC0 != 0x80 { characters += 1 }
        if characters > characterLimit { return output.append(unknown) }
        let before = output.count
        var start = 0
        while start < word.count {
            guard let (id, end) = longestToken(word, from: start) else {
                output.removeSubrange(before...)
                return output.append(unknown)
            }
            output.append(id)
            start = end
        }
    }

    /// The longest token that starts at a position of a word, and where it ends.
    private func longestToken(_ word: UnsafeBufferPointer<UInt8>, from start: Int) -> (id: Int32, end: Int)? {
        let prefix = start > 0 ? continuingPrefix : []
        var end = min(word.count, start + max(0, longest - prefix.count))
        let candidate = prefix + word[start..<end]
        return candidate.withUnsafeBufferPointer { candidate in
            while end > start {
                // Tokens end at character boundaries.
                if end == word.count || word[end] & 0xC0 != 0x80,
                    let id = vocabulary.id(
                        of: UnsafeBufferPointer(rebasing: candidate[..<(prefix.count + end - start)]))
                {
                    return (id, end)
                }
                end -= 1
            }
            return nil
        }
    }
}
