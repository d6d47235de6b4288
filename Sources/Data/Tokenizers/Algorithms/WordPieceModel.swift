/// WordPiece: a word is its longest beginning that is a token, then the longest beginning of the rest, and so on.
///
/// Follows the model "WordPiece" of Hugging Face tokenizers.
struct WordPieceModel: Sendable {
    let vocabulary: TokenTable
    /// The token for words that cannot be put together.
    let unknown: Int32
    /// Stands before tokens that do not begin a word.
    let continuingPrefix: [UInt8]
    /// Longer words are unknown.
    let characterLimit: Int
    /// The length of the longest token.
    private let longest: Int
    /// What people should know of the file that the model came from.
    var notes: [String] = []

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

    /// Reads the `model` of a tokenizer.json.
    init(_ part: TokenizerPart) throws {
        let (vocabulary, notes) = try TokenTable.read(part.required("vocab"))
        let limit = try part.required("max_input_chars_per_word")
        // taking words apart costs their length times that of the longest token, squared
        guard try limit.count() <= Self.greatestLimit else {
            throw limit.fault("\(try limit.count()); at most \(Self.greatestLimit) are supported")
        }
        try self.init(
            vocabulary: vocabulary, unknownToken: part.required("unk_token").string(),
            continuingPrefix: part.required("continuing_subword_prefix").string(),
            characterLimit: limit.count(), file: part.file)
        self.notes = notes
        if longest > Self.lengthLimit {
            throw part.fault("a token of \(longest) bytes; a WordPiece vocabulary may have \(Self.lengthLimit)")
        }
    }

    private static let greatestLimit = 10_000
    private static let lengthLimit = 1024

    /// This model with other settings.
    func with(prefix: String, characterLimit: Int, unknownToken: String, file: String) throws -> WordPieceModel {
        var model = try WordPieceModel(
            vocabulary: vocabulary, unknownToken: unknownToken, continuingPrefix: prefix, characterLimit: characterLimit, file: file)
        model.notes = notes
        return model
    }

    /// Appends the ids of one word.
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

    private func longestToken(_ word: UnsafeBufferPointer<UInt8>, from start: Int) -> (id: Int32, end: Int)? {
        let prefix = start > 0 ? continuingPrefix : []
        var end = min(word.count, start + max(0, longest - prefix.count))
        let candidate = prefix + word[start..<end]
        return candidate.withUnsafeBufferPointer { candidate in
            while end > start {
                // Only whole characters are tokens.
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
