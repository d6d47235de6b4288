internal import Formats

/// The pattern of a Split or a Replace: a plain text or a regular expression.
enum TextPattern: Sendable, Equatable {
    /// A plain text, in UTF-8.
    case text([UInt8])
    /// A regular expression.
    case expression(RegularExpression)

    /// Reads `{"String": "…"}` or `{"Regex": "…"}`.
    ///
    /// - Throws: `TokenizerError.unsupported` with the expression and the part of it that is not supported; `malformed`
    ///   if the expression is invalid or too long.
    init(_ part: TokenizerPart) throws {
        if let text = part["String"] {
            let bytes = Array(try text.string().utf8)
            if bytes.isEmpty { throw text.fault("the pattern is empty") }
            self = .text(bytes)
        } else {
            self = .expression(try RegularExpression(part.required("Regex")))
        }
    }

    /// Calls `body` with the non-overlapping matches in a text, from left to right.
    @inline(__always)
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch self {
        case .expression(let expression): expression.forEachMatch(in: text, body)
        case .text(let pattern):
            pattern.withUnsafeBufferPointer { pattern in
                var position = 0
                while let match = ByteSearch.first(pattern, in: text, from: position) {
                    position = match + pattern.count
                    body(match..<position)
                }
            }
        }
    }

    /// Appends `text` to `output`, with every match replaced by `content`.
    func replace(with content: [UInt8], in text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        var done = 0
        forEachMatch(in: text) { match in
            output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done..<match.lowerBound]))
            output.append(contentsOf: content)
            done = match.upperBound
        }
        output.append(contentsOf: UnsafeBufferPointer(rebasing: text[done...]))
    }

    /// The text with every match replaced by `content`.
    func replacing(with content: [UInt8], in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { replace(with: content, in: $0, to: &output) }
        return output
    }
}

/// A compiled regular expression of a `tokenizer.json`.
struct RegularExpression: Sendable, Equatable {
    /// The implementation that finds the matches.
    private enum Engine: Sendable {
        /// Hand-written scanners for the two most common expressions.
        case gpt2
        case tiktoken(TiktokenPattern)
        case characters(CharacterPattern)
        case foundation(FoundationPattern)
    }

    let source: String
    private let engine: Engine
    /// Whether the expression can match the empty text, and so between any two characters.
    let canMatchNothing: Bool

    /// The maximum length of an expression, in bytes. Those of published tokenizers have a few hundred.
    private static let lengthLimit = 4096

    /// Reads and compiles an expression.
    /// - Throws: `TokenizerError.unsupported` or `malformed`.
    init(_ part: TokenizerPart) throws {
        let source = try part.string()
        self.source = source
        guard source.utf8.count <= Self.lengthLimit else {
            throw part.fault(
                "the pattern \(OneLine.quoted(source, limit: 40)) has \(source.utf8.count) bytes; at most \(Self.lengthLimit) are supported"
            )
        }
        if let known = Self.known[source] {
            engine = known
            canMatchNothing = false
            return
        }
        let node: PatternNode
        do {
            node = try PatternParser.parse(source)
        } catch let refusal as PatternParser.Refusal {
            let shown = OneLine.quoted(source, limit: 60)
            if refusal.isMalformed { throw part.fault("\(shown) is not a valid regular expression: \(refusal.reason)") }
            throw part.unsupported("\(refusal.reason) in \(source)")
        }
        canMatchNothing = node.leastLength == 0
        if let pattern = CharacterPattern(node) {
            engine = .characters(pattern)
        } else if let pattern = FoundationPattern(node) {
            engine = .foundation(pattern)
        } else {
            throw part.unsupported(source)
        }
    }

    static func == (left: RegularExpression, right: RegularExpression) -> Bool { left.source == right.source }

    /// Whether Foundation's engine finds the matches.
    var needsFoundation: Bool { if case .foundation = engine { true } else { false } }

    /// Calls `body` with the non-overlapping matches in a text, from left to right.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch engine {
        case .gpt2: GPT2Pattern.forEachMatch(in: text, body)
        case .tiktoken(let pattern): pattern.forEachMatch(in: text, body)
        case .characters(let pattern): pattern.forEachMatch(in: text, body)
        case .foundation(let pattern): pattern.forEachMatch(in: text, body)
        }
    }

    /// The expressions with hand-written scanners.
    private static let known: [String: Engine] = {
        let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
        let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+"#
        return [
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
            #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
            // LLaMA 3.
            contractions + words + #"|\p{N}{1,3}"# + rest: .tiktoken(TiktokenPattern(digits: 3)),
            // Qwen 2.
            contractions + words + #"|\p{N}"# + rest: .tiktoken(TiktokenPattern(digits: 1)),
        ]
    }()
}
