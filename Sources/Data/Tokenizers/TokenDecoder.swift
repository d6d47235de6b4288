/// Turns the spellings of tokens back into text.
indirect enum TokenDecoder: Sendable, Equatable {
    /// Joins all tokens and reads them in the byte alphabet; a token with other characters stands for itself.
    case byteLevel
    case sequence([TokenDecoder])

    /// Reads the `decoder` of a tokenizer.json.
    init(_ part: TokenizerPart) throws {
        let type = try part.required("type").string()
        switch type {
        case "ByteLevel": self = .byteLevel
        case "Sequence": self = .sequence(try part.required("decoders").elements().map { try TokenDecoder($0) })
        default: throw part.unsupported(type)
        }
    }

    func apply(to tokens: inout [[UInt8]]) {
        switch self {
        case .byteLevel:
            var text: [UInt8] = []
            for token in tokens { text.append(contentsOf: ByteAlphabet.decoded(token) ?? token) }
            tokens = [text]
        case .sequence(let elements):
            for element in elements { element.apply(to: &tokens) }
        }
    }
}
