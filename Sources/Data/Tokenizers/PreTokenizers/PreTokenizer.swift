/// Splits normalised text into the words that the model encodes separately.
indirect enum PreTokenizer: Sendable, Equatable {
    /// Spells bytes in the byte-level alphabet, after splitting by GPT-2's pattern if `usesPattern` is true.
    case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
    /// Replaces spaces by a visible character.
    case metaspace(Metaspace)
    /// Splits into runs of `\w` and runs of neither `\w` nor `\s`.
    case whitespace
    /// Splits at white space, which is removed.
    case whitespaceSplit
    /// Removes white space and separates every punctuation mark.
    case bert
    /// Separates digits, each individually or in runs.
    case digits(individually: Bool)
    /// Splits at punctuation.
    case punctuation(SplitBehavior)
    /// Splits at the matches of a pattern or, if inverted, at the text between them.
    case split(TextPattern, SplitBehavior, inverted: Bool)
    /// Splits where the script changes.
    case scripts(ScriptRuns)
    /// Splits into pieces of a fixed number of characters.
    case fixedLength(Int)
    /// Applies pre-tokenizers in order.
    case sequence([PreTokenizer])

    /// Reads the `pre_tokenizer` of a `tokenizer.json`.
    ///
    /// - Throws: `TokenizerError.unsupported` for an unknown type or pattern.
    init(_ part: TokenizerPart) throws {
        let type = try part.required("type").string()
        switch type {
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: try part.required("add_prefix_space").bool(),
                usesPattern: try part.flag("use_regex", default: true))
        case "Metaspace": self = .metaspace(try Metaspace(part))
        case "Whitespace": self = .whitespace
        case "WhitespaceSplit": self = .whitespaceSplit
        case "BertPreTokenizer": self = .bert
        case "Digits": self = .digits(individually: try part.required("individual_digits").bool())
        case "Punctuation": self = .punctuation(try part["behavior"].map { try SplitBehavior($0) } ?? .isolated)
        case "Split":
            self = .split(
                try TextPattern(part.required("pattern")), try SplitBehavior(part.required("behavior")),
                inverted: try part.required("invert").bool())
        case "CharDelimiterSplit":
            let delimiter = Array(String(Character(try part.required("delimiter").scalar())).utf8)
            self = .split(.text(delimiter), .removed, inverted: false)
        case "UnicodeScripts": self = .scripts(ScriptRuns())
        case "FixedLength":
            let length = try part.required("length")
            guard try length.count() > 0 else { throw length.fault("the length must be at least 1") }
            self = .fixedLength(try length.count())
        case "Sequence":
            self = .sequence(try part.required("pretokenizers").elements().map { try PreTokenizer($0) })
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

    /// Splits and rewrites pieces in place.
    func apply(to pieces: inout Pieces) {
        switch self {
        case .byteLevel(let addsPrefixSpace, let usesPattern):
            if addsPrefixSpace {
                pieces.rewrite { bytes, range, _, output in
                    if bytes[range.lowerBound] != UInt8(ascii: " ") { output.append(UInt8(ascii: " ")) }
                    output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[range]))
                }
            }
            if usesPattern { pieces.split(GPT2Pattern.split) }
            pieces.rewrite { bytes, range, _, output in
                ByteAlphabet.spell(UnsafeBufferPointer(rebasing: bytes[range]), to: &output)
            }
        case .metaspace(let metaspace): metaspace.apply(to: &pieces)
        case .whitespace: pieces.split(ClassRuns.words)
        case .whitespaceSplit:
            pieces.split { ClassRuns.split($0, $1, at: .space, .removed, &$2) }
        case .bert:
            pieces.split { ClassRuns.split($0, $1, at: .space, .removed, &$2) }
            pieces.split { ClassRuns.split($0, $1, at: .punctuation, .isolated, &$2) }
        case .digits(let individually):
            pieces.split { ClassRuns.split($0, $1, at: .number, individually ? .isolated : .contiguous, &$2) }
        case .punctuation(let behavior):
            pieces.split { ClassRuns.split($0, $1, at: .punctuation, behavior, &$2) }
        case .split(let pattern, let behavior, let inverted):
            pattern.split(&pieces, behavior, inverted: inverted)
        case .scripts(let runs): pieces.split(runs.split)
        case .fixedLength(let length):
            pieces.split { bytes, range, output in
                let text = UnsafeBufferPointer(rebasing: bytes[range])
                var (start, position, count) = (0, 0, 0)
                while position < text.count {
                    position += UTF8Scan.scalar(text, position).length
                    count += 1
                    if count == length || position == text.count {
                        output.append(range.lowerBound + start..<range.lowerBound + position)
                        (start, count) = (position, 0)
                    }
                }
            }
        case .sequence(let elements):
            for element in elements { element.apply(to: &pieces) }
        }
    }
}
