/// BERT's normalizer: cleans text, separates ideographs, strips accents and converts to lower case.
struct BertNormalizer: Sendable, Equatable {
    /// Removes control characters, NUL and U+FFFD, and replaces all white space by spaces.
    var cleansText = true
    /// Puts spaces around ideographs.
    var separatesIdeographs = true
    /// Decomposes characters and removes nonspacing marks.
    var stripsAccents = true
    /// Converts to lower case.
    var lowersCase = true

    init(cleansText: Bool = true, separatesIdeographs: Bool = true, stripsAccents: Bool, lowersCase: Bool) {
        self.cleansText = cleansText
        self.separatesIdeographs = separatesIdeographs
        self.stripsAccents = stripsAccents
        self.lowersCase = lowersCase
    }

    /// Reads a BertNormalizer. If `strip_accents` is not set, accents are stripped if case is lowered.
    init(_ part: TokenizerPart) throws {
        cleansText = try part.required("clean_text").bool()
        separatesIdeographs = try part.required("handle_chinese_chars").bool()
        lowersCase = try part.required("lowercase").bool()
        stripsAccents = try part.flag("strip_accents", default: lowersCase)
    }

    /// Normalises the text in place.
    func apply(to text: inout NormalizedText) {
        if cleansText || separatesIdeographs { clean(&text) }
        if stripsAccents, text.bytes.contains(where: { $0 >= 0x80 }) {
            UnicodeForm.decomposed.apply(to: &text)
            text.rewriteScalars { value, bytes, output in
                if value < 0x80 || !UnicodeClass.of(value).contains(.nonspacingMark) {
                    output.append(contentsOf: bytes)
                }
            }
        }
        if lowersCase { Lowercase.apply(to: &text) }
    }

    /// Cleans the text and separates ideographs.
    private func clean(_ text: inout NormalizedText) {
        text.rewriteScalars { value, bytes, output in
            if cleansText {
                switch value {
                case 0x09, 0x0A, 0x0D: return output.append(0x20)
                case 0x20..<0x7F: return output.append(UInt8(truncatingIfNeeded: value))
                case 0xFFFD: return
                default:
                    let classes = UnicodeClass.of(value)
                    if classes.contains(.control) { return }
                    if classes.contains(.space) { return output.append(0x20) }
                }
            }
            if separatesIdeographs, Self.isIdeograph(value) {
                output.append(0x20)
                output.append(contentsOf: bytes)
                output.append(0x20)
            } else {
                output.append(contentsOf: bytes)
            }
        }
    }

    /// Whether a scalar is in one of the ideograph blocks that BERT separates.
    ///
    /// The last extension block starts at U+2B920 in Hugging Face `tokenizers` (in Unicode, at U+2B820).
    private static func isIdeograph(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
            0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
