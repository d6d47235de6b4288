public import Foundation

/// Converts text to token IDs and back.
///
/// IDs are `0 ..< vocabularySize`. A special token that the files do not define is `nil`; no ID has the meaning "none",
/// so a padding ID of 0 is valid.
public protocol Tokenizer: Sendable {
    /// The largest ID plus one, including added tokens.
    var vocabularySize: Int { get }
    /// The beginning-of-sequence token, if the files name one.
    var beginOfSequence: Int32? { get }
    /// The end-of-sequence token, if the files name one.
    var endOfSequence: Int32? { get }
    /// The padding token, if the files name one.
    var padding: Int32? { get }
    /// The token for text without another token, if the files name one.
    var unknown: Int32? { get }

    /// Encodes a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - addingSpecialTokens: Whether to add the special tokens that surround every text, such as a
    ///     beginning-of-sequence token. Special tokens that are spelled out in the text are recognised in either case.
    func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32]

    /// The special tokens that `encode` adds after every text if special tokens are requested; often none.
    var closingTokens: [Int32] { get }

    /// Decodes token IDs to text. IDs without a token are skipped; bytes that are not valid UTF-8 become U+FFFD.
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String

    /// Notes about the tokenizer's files for the user, one line each: where the files contradict each other, and which
    /// value is used.
    var notes: [String] { get }

    /// This tokenizer for a model whose embedding has `rows` rows.
    ///
    /// Added tokens without a row are dropped, such as an unused padding token. Returns `nil` if an indispensable token
    /// has no row: one of the model's vocabulary, the end-of-sequence token, or a token that is added around texts.
    func fitted(to rows: Int) -> (any Tokenizer)?

    /// The chat template in the tokenizer's files, with the special tokens as variables; nil if there is none.
    /// - Throws: `DataError.chat` for an invalid template, or several templates without a default.
    func chatTemplate() throws -> ChatTemplate?

    /// A chat template from `source`, with this tokenizer's special tokens as variables.
    /// - Parameters:
    ///   - source: The Jinja template.
    ///   - name: The name of the template in errors.
    /// - Throws: `DataError.chat` if the template is invalid.
    func chatTemplate(_ source: String, name: String) throws -> ChatTemplate

    /// A copy of this tokenizer that has `template` as its only chat template.
    func keeping(_ template: ChatTemplate) -> any Tokenizer

    /// For each token, whether it overlaps one of the given ranges of the text, in code points; nil if the offsets of
    /// the tokens are not known.
    func trainedTokens(of ids: [Int32], text: String, in spans: [Range<Int>]) -> [Bool]?

    /// Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`, which Transformers can read, and
    /// the vocabulary files from which the tokenizer was read.
    ///
    /// - Throws: `FileError`.
    func save(to folder: URL) throws
}

extension Tokenizer {
    /// Default: nil.
    public func chatTemplate() throws -> ChatTemplate? { nil }
    /// Default: the template without special tokens as variables.
    public func chatTemplate(_ source: String, name: String) throws -> ChatTemplate { try ChatTemplate(source, name: name) }
    /// Default: this tokenizer, unchanged.
    public func keeping(_ template: ChatTemplate) -> any Tokenizer { self }
    /// Default: nil, because the offsets of tokens are not known.
    public func trainedTokens(of ids: [Int32], text: String, in spans: [Range<Int>]) -> [Bool]? { nil }

    /// Default: no notes.
    public var notes: [String] { [] }

    /// Default: this tokenizer if every ID has a row, otherwise nil.
    public func fitted(to rows: Int) -> (any Tokenizer)? { vocabularySize <= rows ? self : nil }

    /// Default: the tokens after a sample text when it is encoded with special tokens.
    public var closingTokens: [Int32] {
        let bare = encode("a", addingSpecialTokens: false)
        let full = encode("a", addingSpecialTokens: true)
        guard full.count > bare.count else { return [] }
        let begin = (0...full.count - bare.count).first { full[$0...].starts(with: bare) }
        return begin.map { Array(full[($0 + bare.count)...]) } ?? []
    }

    /// Encodes a text that is to be continued: with the special tokens before it, but without an end-of-sequence token
    /// that the tokenizer adds after every text (a template `$A </s>`, or `add_eos_token`) and anything after that.
    public func encodeOpening(_ text: String) -> [Int32] {
        let ids = encode(text, addingSpecialTokens: true)
        let closing = closingTokens
        guard let end = endOfSequence, let first = closing.firstIndex(of: end), ids.suffix(closing.count) == closing[...]
        else { return ids }
        return ids.dropLast(closing.count - first)
    }
}
