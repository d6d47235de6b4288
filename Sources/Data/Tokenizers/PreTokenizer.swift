/// Cuts normalised text into the words that the model tokenises one by one.
indirect enum PreTokenizer: Sendable, Equatable {
    /// Spells bytes in the byte alphabet, after splitting by GPT-2's pattern where `usesPattern`.
    case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
    case sequence([PreTokenizer])

    /// Reads the `pre_tokenizer` of a tokenizer.json.
    init(_ part: TokenizerPart) throws {
        let type = try part.required("type").string()
        switch type {
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: try part.required("add_prefix_space").bool(),
                usesPattern: try part.flag("use_regex", default: true))
        case "Sequence":
            self = .sequence(try part.required("pretokenizers").elements().map { try PreTokenizer($0) })
        default: throw part.unsupported(type)
        }
    }

    func apply(to pieces: inout Pieces) {
        switch self {
        case .byteLevel(let addsPrefixSpace, let usesPattern):
            if addsPrefixSpace {
                pieces.rewrite { bytes, range, _, output in
                    if bytes[range.lowerBound] != UInt8(ascii: " ") { output.append(UInt8(ascii: " ")) }
                    output.append(contentsOf: bytes[range])
                }
            }
            if usesPattern { pieces.split(GPT2Pattern.split) }
            ByteAlphabet.encoded.withUnsafeBufferPointer { alphabet in
                pieces.rewrite { bytes, range, _, output in
                    for byte in bytes[range] {
                        let pair = alphabet[Int(byte)]
                        output.append(UInt8(truncatingIfNeeded: pair))
                        if pair > 0xFF { output.append(UInt8(pair >> 8)) }
                    }
                }
            }
        case .sequence(let elements):
            for element in elements { element.apply(to: &pieces) }
        }
    }
}
