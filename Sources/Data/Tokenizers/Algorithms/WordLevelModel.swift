/// The WordLevel model: every word is one token, or unknown.
struct WordLevelModel: Sendable {
    let vocabulary: TokenTable
    /// The token for words without a token. If it is not in the vocabulary, such words are dropped.
    let unknown: Int32?
    /// Notes about the model's files, for the user.
    var notes: [String] = []

    /// Reads the `model` of a `tokenizer.json`.
    init(_ part: TokenizerPart) throws {
        (vocabulary, notes) = try TokenTable.read(part.required("vocab"))
        let token = try part.required("unk_token").string()
        unknown = vocabulary.id(of: token)
        if unknown == nil {
            notes.append("\(part.file): model: the unknown token \"\(token)\" is not in the vocabulary; words without a token are dropped")
        }
    }

    /// Appends the token ID of one word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, to output: inout [Int32]) {
        if let id = vocabulary.id(of: word) ?? unknown { output.append(id) }
    }
}
