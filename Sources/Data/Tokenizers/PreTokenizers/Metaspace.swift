/// Replaces spaces by a visible character and, if `splits` is true, starts a word at each of them.
struct Metaspace: Sendable, Equatable {
    /// Whether the character is inserted before a piece that does not start with it.
    enum PrependScheme: String, Sendable {
        /// Only before the start of the text.
        case first
        case never, always
    }

    /// The visible character, in UTF-8.
    var replacement: [UInt8]
    /// When the character is inserted before a piece.
    var prependScheme: PrependScheme
    /// Whether a word starts at each of the characters.
    var splits: Bool

    /// Reads a Metaspace, in the current format or the older one with `add_prefix_space` and `str_rep`.
    init(_ part: TokenizerPart) throws {
        replacement = Array(String(Character(try part.required("replacement").scalar())).utf8)
        splits = try part.flag("split", default: true)
        if let text = part["str_rep"], try Array(text.string().utf8) != replacement {
            throw text.fault("it must equal \"replacement\"")
        }
        let adds = try part["add_prefix_space"]?.bool()
        if let scheme = part["prepend_scheme"] {
            let name = try scheme.string()
            guard let known = PrependScheme(rawValue: name) else { throw scheme.unsupported(name) }
            if adds == false, known != .never { throw scheme.fault("\"\(name)\" contradicts add_prefix_space") }
            prependScheme = known
        } else {
            prependScheme = adds == false ? .never : .always
        }
    }

    /// Applies the replacement to pieces in place.
    func apply(to pieces: inout Pieces) {
        pieces.rewrite { bytes, range, startsText, output in
            let text = UnsafeBufferPointer(rebasing: bytes[range])
            let prepends = prependScheme == .always || prependScheme == .first && startsText
            if prepends, text[0] != UInt8(ascii: " "), !text.starts(with: replacement) {
                output.append(contentsOf: replacement)
            }
            ByteSearch.replace([UInt8(ascii: " ")], with: replacement, in: text, to: &output)
        }
        if splits {
            TextPattern.text(replacement).split(&pieces, .mergedWithNext, inverted: false)
        }
    }

    /// Converts the character back to spaces. In the first token it is removed if it may have been inserted there.
    func decode(_ tokens: inout [[UInt8]]) {
        for index in tokens.indices {
            let space: [UInt8] = index == 0 && prependScheme != .never ? [] : [UInt8(ascii: " ")]
            tokens[index] = ByteSearch.replacing(replacement, with: space, in: tokens[index])
        }
    }
}
