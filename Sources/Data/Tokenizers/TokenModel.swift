/// The model of a pipeline: words to ids.
enum TokenModel: Sendable {
    case bpe(BPEModel)

    var vocabulary: TokenTable {
        switch self {
        case .bpe(let model): model.vocabulary
        }
    }

    /// Appends the ids of one word.
    @inline(__always)
    func encode(_ word: UnsafeBufferPointer<UInt8>, with merger: inout SymbolMerger, to output: inout [Int32]) {
        switch self {
        case .bpe(let model): model.encode(word, with: &merger, to: &output)
        }
    }

    /// Reads the `model` of a tokenizer.json.
    init(_ part: TokenizerPart) throws {
        let type = try part["type"]?.string() ?? (part["merges"] == nil ? "(without a type)" : "BPE")
        switch type {
        case "BPE": self = .bpe(try BPEModel(part))
        default: throw part.unsupported(type)
        }
    }

    /// The vocabulary in the order of ids, as it stands in a tokenizer.json.
    var vocabularyJSON: OrderedJSON {
        let vocabulary = vocabulary
        return .object(
            (0..<Int32(vocabulary.bound)).compactMap { id in
                vocabulary.bytes(of: id).map {
                    OrderedJSON.Member(key: String(decoding: $0, as: UTF8.self), value: .integer(Int(id)))
                }
            })
    }
}
