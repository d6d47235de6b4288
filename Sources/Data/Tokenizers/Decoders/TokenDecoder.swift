/// Converts the spellings of tokens back to text.
indirect enum TokenDecoder: Sendable, Equatable {
    /// Joins all tokens and decodes them from the byte-level alphabet. A token with other characters is kept unchanged.
    case byteLevel
    /// Converts the replacement character back to spaces.
    case metaspace(Metaspace)
    /// Inserts a space before every token except the first and those that continue a word.
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    /// Decodes tokens such as `<0x0A>` to bytes.
    case byteFallback
    /// Joins all tokens.
    case fuse
    /// Removes a character from the start and the end of every token, at most `start` and `stop` times.
    case strip(UInt32, start: Int, stop: Int)
    /// Replaces matches of a pattern in every token.
    case replace(TextPattern, content: [UInt8])
    /// Replaces the end-of-word suffix by a space; in the last token, removes it.
    case bpe(suffix: [UInt8])
    /// Removes repeated tokens and padding. If `cleansUp` is true, also removes spaces before punctuation and replaces
    /// the delimiter by a space.
    case ctc(padding: [UInt8], delimiter: [UInt8], cleansUp: Bool)
    /// Applies decoders in order.
    case sequence([TokenDecoder])

    /// Reads the `decoder` of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError.unsupported` for an unknown type or pattern.
    init(_ part: TokenizerPart) throws {
        let type = try part.required("type").string()
        switch type {
        case "ByteLevel": self = .byteLevel
        case "Metaspace": self = .metaspace(try Metaspace(part))
        case "WordPiece":
            self = .wordPiece(
                prefix: Array(try part.required("prefix").string().utf8),
                cleansUp: try part.required("cleanup").bool())
        case "ByteFallback": self = .byteFallback
        case "Fuse": self = .fuse
        case "Strip":
            self = .strip(
                try part.required("content").scalar().value, start: try part.required("start").count(),
                stop: try part.required("stop").count())
        case "Replace":
            let (pattern, content) = try part.replacement()
            self = .replace(pattern, content: content)
        case "BPEDecoder":
            let suffix = try part.required("suffix")
            self = .bpe(suffix: Array(try suffix.string().utf8))
            if try suffix.string().isEmpty { throw suffix.fault("the suffix is empty") }
        case "CTC":
            let delimiter = try part.required("word_delimiter_token")
            self = .ctc(
                padding: Array(try part.required("pad_token").string().utf8), delimiter: Array(try delimiter.string().utf8),
                cleansUp: try part.required("cleanup").bool())
            if try delimiter.string().isEmpty { throw delimiter.fault("the delimiter is empty") }
        case "Sequence": self = .sequence(try part.required("decoders").elements().map { try TokenDecoder($0) })
        default: throw part.unsupported(type)
        }
    }

    /// Decodes the tokens in place.
    func apply(to tokens: inout [[UInt8]]) {
        switch self {
        case .byteLevel:
            var text: [UInt8] = []
            for token in tokens { text.append(contentsOf: ByteAlphabet.decoded(token) ?? token) }
            tokens = [text]
        case .metaspace(let metaspace): metaspace.decode(&tokens)
        case .wordPiece(let prefix, let cleansUp):
            for index in tokens.indices {
                if index > 0 {
                    if tokens[index].starts(with: prefix) {
                        tokens[index].removeFirst(prefix.count)
                    } else {
                        tokens[index].insert(UInt8(ascii: " "), at: 0)
                    }
                }
                if cleansUp { SpaceCleanup.apply(to: &tokens[index], expands: true) }
            }
        case .byteFallback: tokens = ByteFallback.joined(tokens)
        case .fuse: tokens = [Array(tokens.joined())]
        case .strip(let character, let start, let stop):
            for index in tokens.indices { Self.strip(character, start, stop, &tokens[index]) }
        case .replace(let pattern, let content):
            for index in tokens.indices {
                tokens[index] = pattern.replacing(with: content, in: tokens[index])
            }
        case .bpe(let suffix):
            for index in tokens.indices {
                let space: [UInt8] = index == tokens.count - 1 ? [] : [UInt8(ascii: " ")]
                tokens[index] = ByteSearch.replacing(suffix, with: space, in: tokens[index])
            }
        case .ctc(let padding, let delimiter, let cleansUp):
            var previous: [UInt8]?
            tokens = tokens.compactMap { token in
                defer { previous = token }
                if token == previous { return nil }
                var text = ByteSearch.replacing(padding, with: [], in: token)
                if cleansUp {
                    SpaceCleanup.apply(to: &text, expands: true)
                    text = ByteSearch.replacing(delimiter, with: [UInt8(ascii: " ")], in: text)
                }
                return text.isEmpty ? nil : text
            }
        case .sequence(let elements):
            for element in elements { element.apply(to: &tokens) }
        }
    }

    /// Removes a character from both ends of a token, up to the given counts.
    private static func strip(_ character: UInt32, _ start: Int, _ stop: Int, _ token: inout [UInt8]) {
        let range = token.withUnsafeBufferPointer { bytes in
            var (first, last) = (0, bytes.count)
            var count = 0
            while count < start, first < last {
                let (value, length) = UTF8Scan.scalar(bytes, first)
                if value != character { break }
                first += length
                count += 1
            }
            count = 0
            while count < stop, last > first {
                let (value, length) = UTF8Scan.scalarBefore(bytes, last)
                if value != character { break }
                last -= length
                count += 1
            }
            return first..<last
        }
        if range.count < token.count { token = Array(token[range]) }
    }
}
