import Formats

/// The model of a pipeline: words to ids.
enum TokenModel: Sendable {
    case bpe(BPEModel)
    case wordPiece(WordPieceModel)
    case unigram(UnigramModel)
    case wordLevel(WordLevelModel)

    var vocabulary: TokenTable {
        switch self {
        case .bpe(let model): model.vocabulary
        case .wordPiece(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        case .wordLevel(let model): model.vocabulary
        }
    }

    /// What models need while they work, kept between words.
    struct Scratch {
        var merger = SymbolMerger()
        var lattice = UnigramModel.Lattice()
    }

    var isWordPiece: Bool { if case .wordPiece = self { true } else { false } }

    /// What people should know of the files that the model came from.
    var notes: [String] {
        switch self {
        case .bpe(let model): model.notes
        case .wordPiece(let model): model.notes
        case .unigram(let model): model.notes
        case .wordLevel(let model): model.notes
        }
    }

    /// Appends the ids of one word.
    @inline(__always)
    func encode(_ word: UnsafeBufferPointer<UInt8>, with scratch: inout Scratch, to output: inout [Int32]) {
        switch self {
        case .bpe(let model): model.encode(word, with: &scratch.merger, to: &output)
        case .wordPiece(let model): model.encode(word, to: &output)
        case .unigram(let model): model.encode(word, with: &scratch.lattice, to: &output)
        case .wordLevel(let model): model.encode(word, to: &output)
        }
    }

    /// Cuts words further where that does not change their ids, so that the parts can be remembered.
    func cut(_ pieces: inout Pieces) {
        if case .bpe(let model) = self, let boundaries = model.boundaries { pieces.split(boundaries.split) }
    }

    /// Reads the `model` of a tokenizer.json.
    ///
    /// - Throws: `TokenizerError.unsupported` for models that are not here.
    init(_ part: TokenizerPart) throws {
        switch try part["type"]?.string() ?? Self.untypedModel(part) {
        case "BPE": self = .bpe(try BPEModel(part))
        case "WordPiece": self = .wordPiece(try WordPieceModel(part))
        case "Unigram": self = .unigram(try UnigramModel(part))
        case "WordLevel": self = .wordLevel(try WordLevelModel(part))
        case let type: throw part.unsupported(type)
        }
    }

    /// The type of a model in an older file, which does not say.
    private static func untypedModel(_ part: TokenizerPart) -> String {
        if part["merges"] != nil { return "BPE" }
        if part["max_input_chars_per_word"] != nil { return "WordPiece" }
        if part["vocab"]?.json.array != nil { return "Unigram" }
        return part["unk_token"] == nil ? "(without a type)" : "WordLevel"
    }

    /// The vocabulary in the order of ids, as it stands in a tokenizer.json.
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
