internal import Formats

/// The pattern of a Split: a plain text, one of the regular expressions that are written out as scanners here, or another one.
enum SplitPattern: Sendable, Equatable {
    case text([UInt8])
    case gpt2
    case tiktoken(TiktokenPattern)
    /// Any other expression of characters, sets and repetitions.
    case characters(CharacterPattern)

    /// Reads `{"String": "…"}` or `{"Regex": "…"}`.
    ///
    /// - Throws: `TokenizerError.unsupported`, naming the expression, if it is none that ``CharacterPattern`` reads; `malformed` if it is
    ///   longer than any that tokenizers have.
    init(_ part: TokenizerPart) throws {
        if let text = part["String"] {
            let bytes = Array(try text.string().utf8)
            if bytes.isEmpty { throw text.fault("an empty pattern") }
            self = .text(bytes)
            return
        }
        let expression = try part.required("Regex")
        let text = try expression.string()
        guard text.utf8.count <= Self.lengthLimit else {
            throw expression.fault(
                "an expression of \(text.utf8.count) bytes (\(OneLine.quoted(text, limit: 40))); at most \(Self.lengthLimit) are supported")
        }
        if let known = Self.known[text] {
            self = known
        } else if let pattern = CharacterPattern(text) {
            self = .characters(pattern)
        } else {
            throw expression.unsupported(text)
        }
    }

    /// The longest expression in bytes; those of published tokenizers have a few hundred.
    private static let lengthLimit = 4096

    /// The known expressions. Possessive forms match the same here: what follows them never gives anything back.
    private static let known: [String: SplitPattern] = {
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

    /// Splits every piece.
    func split(_ pieces: inout Pieces, _ behavior: SplitBehavior, inverted: Bool) {
        pieces.split { bytes, range, output in
            // The matches of the expressions cover the text, so to isolate them is to take them as they are.
            let keepsMatches = behavior == .isolated || behavior == .removed && inverted
            switch self {
            case .gpt2 where keepsMatches: GPT2Pattern.split(bytes, range, &output)
            case .tiktoken(let pattern) where keepsMatches: pattern.split(bytes, range, &output)
            default:
                var collector = SplitCollector(behavior)
                forEachStretch(of: bytes, range) { stretch, isMatch in
                    collector.add(stretch, isMatch: isMatch != inverted, to: &output)
                }
                collector.finish(&output)
            }
        }
    }

    /// Calls `body` with the matches and what lies between them, in order.
    private func forEachStretch(
        of bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>, Bool) -> Void
    ) {
        var matches: [Range<Int>] = []
        switch self {
        case .gpt2: GPT2Pattern.split(bytes, range, &matches)
        case .tiktoken(let pattern): pattern.split(bytes, range, &matches)
        case .characters(let pattern): pattern.forEachMatch(in: bytes, range) { matches.append($0) }
        case .text(let pattern):
            let text = UnsafeBufferPointer(rebasing: bytes[..<range.upperBound])
            pattern.withUnsafeBufferPointer { pattern in
                var position = range.lowerBound
                while let match = ByteSearch.first(pattern, in: text, from: position) {
                    position = match + pattern.count
                    matches.append(match..<position)
                }
            }
        }
        var done = range.lowerBound
        for match in matches {
            if done < match.lowerBound { body(done..<match.lowerBound, false) }
            body(match, true)
            done = match.upperBound
        }
        if done < range.upperBound { body(done..<range.upperBound, false) }
    }
}
