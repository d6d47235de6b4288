public import Foundation

/// Turns text into token ids and back.
///
/// Ids are `0 ..< vocabularySize`. A special token that the files do not name is `nil`: absence is never expressed by
/// an id, so a padding id of 0 is as good as any other.
public protocol Tokenizer: Sendable {
    /// One more than the largest id, added tokens included.
    var vocabularySize: Int { get }
    /// The token that begins a sequence, if the files name one.
    var beginOfSequence: Int32? { get }
    /// The token that ends a sequence, if the files name one.
    var endOfSequence: Int32? { get }
    /// The padding token, if the files name one.
    var padding: Int32? { get }
    /// The token for text that has no other token, if the files name one.
    var unknown: Int32? { get }

    /// The ids of a text.
    ///
    /// - Parameter addingSpecialTokens: Whether the tokens that the tokenizer puts around every text (such as a begin
    ///   of sequence) are added. Special tokens that are spelled out in the text are recognised either way.
    func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32]

    /// The special tokens that `encode` puts behind every text when they are wanted; most tokenizers put none there.
    var closingTokens: [Int32] { get }

    /// The text of ids. Ids without a token are left out; bytes that are not UTF-8 become U+FFFD.
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String

    /// What people should know of the files that the tokenizer came from, a line each: where they contradict each other, and what then
    /// counts.
    var notes: [String] { get }

    /// This tokenizer for a model that has so many rows in its embedding.
    ///
    /// Tokens that were added and have no row are left out: a padding token is rarely asked for. `nil` if a token without a row could
    /// be: one of the vocabulary, the end of a sequence, or one that is put around texts.
    func fitted(to rows: Int) -> (any Tokenizer)?

    /// The chat template among the tokenizer's files, with the special tokens that it may ask for; nil if there is none.
    /// - Throws: `DataError.chat` for a template that cannot be read, or several without one for every purpose.
    func chatTemplate() throws -> ChatTemplate?

    /// A template from elsewhere, with this tokenizer's special tokens.
    /// - Throws: `DataError.chat`.
    func chatTemplate(_ source: String, name: String) throws -> ChatTemplate

    /// This tokenizer with another chat template among its files.
    func keeping(_ template: ChatTemplate) -> any Tokenizer

    /// Which tokens of a text overlap ranges of it, in code points; nil if the tokenizer cannot tell where its tokens stand.
    func trainedTokens(of ids: [Int32], text: String, in spans: [Range<Int>]) -> [Bool]?

    /// Writes `tokenizer.json`, `tokenizer_config.json` and `special_tokens_map.json`, as Transformers reads them, and
    /// the vocabulary files that the tokenizer came from.
    ///
    /// - Throws: `FileError`.
    func save(to folder: URL) throws
}

extension Tokenizer {
    /// None.
    public func chatTemplate() throws -> ChatTemplate? { nil }
    /// The template, with no special tokens.
    public func chatTemplate(_ source: String, name: String) throws -> ChatTemplate { try ChatTemplate(source, name: name) }
    /// Itself.
    public func keeping(_ template: ChatTemplate) -> any Tokenizer { self }
    /// Not known.
    public func trainedTokens(of ids: [Int32], text: String, in spans: [Range<Int>]) -> [Bool]? { nil }

    /// Nothing.
    public var notes: [String] { [] }

    /// This tokenizer, if every id has a row.
    public func fitted(to rows: Int) -> (any Tokenizer)? { vocabularySize <= rows ? self : nil }

    /// What stands behind a sample text once special tokens are added to it.
    public var closingTokens: [Int32] {
        let bare = encode("a", addingSpecialTokens: false)
        let full = encode("a", addingSpecialTokens: true)
        guard full.count > bare.count else { return [] }
        let begin = (0...full.count - bare.count).first { full[$0...].starts(with: bare) }
        return begin.map { Array(full[($0 + bare.count)...]) } ?? []
    }

    /// The ids of a text that goes on: with the special tokens in front of it, and without the end of sequence that some tokenizers put
    /// behind every text (a template `$A </s>`, `add_eos_token`), nor what they put behind that.
    public func encodeOpening(_ text: String) -> [Int32] {
        let ids = encode(text, addingSpecialTokens: true)
        let closing = closingTokens
        guard let end = endOfSequence, let first = closing.firstIndex(of: end), ids.suffix(closing.count) == closing[...]
        else { return ids }
        return ids.dropLast(closing.count - first)
    }
}
