/// Rewrites the text between added tokens before it is split into words.
indirect enum Normalizer: Sendable, Equatable {
    /// Applies a Unicode normalization form.
    case unicode(UnicodeForm)
    /// Converts to lower case.
    case lowercase
    /// Removes all combining marks.
    case stripAccents
    /// Applies BERT's normalizer.
    case bert(BertNormalizer)
    /// Inserts a prefix before every non-empty text.
    case prepend([UInt8])
    /// Replaces all matches of a pattern.
    case replace(TextPattern, content: [UInt8])
    /// Removes white space at the ends.
    case strip(left: Bool, right: Bool)
    /// Spells bytes in the byte-level alphabet.
    case byteLevel
    /// Applies SentencePiece's precompiled rules.
    case precompiled(PrecompiledMap)
    /// Applies the normalizer "Nmt".
    case nmt
    /// Applies normalizers in order.
    case sequence([Normalizer])

    /// Reads the `normalizer` of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError.unsupported` for an unknown type or pattern.
    init(_ part: TokenizerPart) throws {
        let type = try part.required("type").string()
        switch type {
        case "NFC": self = .unicode(.composed)
        case "NFD": self = .unicode(.decomposed)
        case "NFKC": self = .unicode(.compatibilityComposed)
        case "NFKD": self = .unicode(.compatibilityDecomposed)
        case "Lowercase": self = .lowercase
        case "StripAccents": self = .stripAccents
        case "BertNormalizer": self = .bert(try BertNormalizer(part))
        case "Prepend": self = .prepend(Array(try part.required("prepend").string().utf8))
        case "Replace":
            let (pattern, content) = try part.replacement()
            self = .replace(pattern, content: content)
        case "Strip":
            self = .strip(
                left: try part.required("strip_left").bool(), right: try part.required("strip_right").bool())
        case "ByteLevel": self = .byteLevel
        case "Precompiled": self = .precompiled(try PrecompiledMap(part))
        case "Nmt": self = .nmt
        case "Sequence":
            self = .sequence(try part.required("normalizers").elements().map { try Normalizer($0) })
        default: throw part.unsupported(type)
        }
    }

    /// Whether the last step spells bytes in the byte-level alphabet.
    var spellsBytes: Bool {
        switch self {
        case .byteLevel: true
        case .sequence(let elements): elements.last?.spellsBytes ?? false
        default: false
        }
    }

    /// Normalises the text in place.
    func apply(to text: inout NormalizedText) {
        switch self {
        case .unicode(let form): form.apply(to: &text)
        case .lowercase: Lowercase.apply(to: &text)
        case .stripAccents:
            text.rewriteScalars { value, bytes, output in
                if value < 0x80 || !UnicodeClass.of(value).contains(.mark) { output.append(contentsOf: bytes) }
            }
        case .bert(let normalizer): normalizer.apply(to: &text)
        case .prepend(let prefix):
            if !text.bytes.isEmpty { text.prepend(prefix) }
        case .replace(let pattern, let content):
            text.replace(pattern, with: content)
        case .strip(let left, let right): Self.strip(&text, left: left, right: right)
        case .byteLevel:
            text.rewrite { bytes, output in ByteAlphabet.spell(bytes, to: &output) }
        case .precompiled(let map): map.apply(to: &text)
        case .nmt: Nmt.apply(to: &text)
        case .sequence(let elements):
            for element in elements { element.apply(to: &text) }
        }
    }

    /// Removes white space at the ends of a text.
    private static func strip(_ text: inout NormalizedText, left: Bool, right: Bool) {
        let range = text.bytes.withUnsafeBufferPointer { bytes in
            var (start, end) = (0, bytes.count)
            while left, start < end {
                let (value, length) = UTF8Scan.scalar(bytes, start)
                if !UnicodeClass.of(value).contains(.space) { break }
                start += length
            }
            while right, end > start {
                let (value, length) = UTF8Scan.scalarBefore(bytes, end)
                if !UnicodeClass.of(value).contains(.space) { break }
                end -= length
            }
            return start..<end
        }
        text.keep(range)
    }
}

extension TokenizerPart {
    /// The pattern and the replacement of a Replace: `{"pattern": {"String": "a"}, "content": "b"}`.
    func replacement() throws -> (pattern: TextPattern, content: [UInt8]) {
        (try TextPattern(required("pattern")), Array(try required("content").string().utf8))
    }
}
