import Formats

/// The model of a tokenizer pipeline: maps words to token IDs.
enum TokenModel: Sendable {
    /// Byte-pair encoding.
    case bpe(BPEModel)
    /// WordPiece, as in BERT.
    case wordPiece(WordPieceModel)
    /// Unigram, as in SentencePiece.
    case unigram(UnigramModel)
    /// One token per word.
    case wordLevel(WordLevelModel)

    /// The vocabulary of the model.
    var vocabulary: TokenTable {
        switch self {
        case .bpe(let model): model.vocabulary
        case .wordPiece(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        case .wordLevel(let model): model.vocabulary
        }
    }

    /// Working memory of the models, reused between words.
    struct Scratch {
        var merger = SymbolMerger()
        var lattice = UnigramModel.Lattice()
    }

    var isWordPiece: Bool { if case .wordPiece = self { true } else { false } }

    /// Notes about the model's files, for the user.
    var notes: [String] {
        switch self {
        case .bpe(let model): model.notes
        case .wordPiece(let model): model.notes
        case .unigram(let model): model.notes
        case .wordLevel(let model): model.notes
        }
    }

    /// Appends the token IDs of one word.
    @inline(__always)
    func encode(_ word: UnsafeBufferPointer<UInt8>, with scratch: inout Scratch, to output: inout [Int32]) {
        switch self {
        case .bpe(let model): model.encode(word, with: &scratch.merger, to: &output)
        case .wordPiece(let model): model.encode(word, to: &output)
        case .unigram(let model): model.encode(word, with: &scratch.lattice, to: &output)
        case .wordLevel(let model): model.encode(word, to: &output)
        }
    }

    /// Splits words further where that does not change their IDs, so that the parts can be cached.
    func cut(_ pieces: inout Pieces) {
        if case .bpe(let model) = self, let boundaries = model.boundaries { pieces.split(boundaries.split) }
    }

    /// Reads the `model` of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError.unsupported` for an unknown model type.
    init(_ part: TokenizerPart) throws {
        switch try part["type"]?.string() ?? Self.untypedModel(part) {
        case "BPE": self = .bpe(try BPEModel(part))
        case "WordPiece": self = .wordPiece(try WordPieceModel(part))
        case "Unigram": self = .unigram(try UnigramModel(part))
        case "WordLevel": self = .wordLevel(try WordLevelModel(part))
        case let type: throw part.unsupported(type)
        }
    }

    /// The type of a model in an older file, which does not state it.
    private static func untypedModel(_ part: TokenizerPart) -> String {
        if part["merges"] != nil { return "BPE" }
        if part["max_input_chars_per_word"] != nil { return "WordPiece" }
        if part["vocab"]?.json.array != nil { return "Unigram" }
        return part["unk_token"] == nil ? "(without a type)" : "WordLevel"
    }

    /// The vocabulary in the order of IDs, as in a `tokenizer.json`.
    var vocabularyJSON: JSONValue {
        if case .unigram(let model) = self { return model.vocabularyJSON }
        let vocabulary = vocabulary
        func member(_ token: some Collection<UInt8>, _ id: Int32) -> JSONValue.Member {
            JSONValue.Member(String(decoding: token, as: UTF8.self), .integer(Int(id)))
        }
        return .object(
            (0..<Int32(vocabulary.bound)).compactMap { id in vocabulary.bytes(of: id).map { member($0, id) } }
                + vocabulary.furtherSpellings.map { member($0.token, $0.id) })
    }
}
