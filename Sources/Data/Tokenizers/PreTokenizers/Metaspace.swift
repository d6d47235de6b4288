/// Writes spaces as a visible character and, if it splits, begins a word at each of them.
struct Metaspace: Sendable, Equatable {
    /// When the character is put before a piece that does not begin with it.
    enum PrependScheme: String, Sendable {
        /// Only before what begins the text.
        case first
        case never, always
    }

    /// The character in UTF-8.
    var replacement: [UInt8]
    var prependScheme: PrependScheme
    var splits: Bool

    /// Reads a Metaspace, of the present form or of the older one with `add_prefix_space` and `str_rep`.
    init(_ part: TokenizerPart) throws {
        replacement = Array(String(Character(try part.required("replacement").scalar())).utf8)
        splits = try part.flag("split", default: true)
        if let text = part["str_rep"], try Array(text.string().utf8) != replacement {
            throw text.fault("differs from the replacement")
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

    /// Writes spaces again; those of the first token are left out if one may have been put there.
    func decode(_ tokens: inout [[UInt8]]) {
        for index in tokens.indices {
            let space: [UInt8] = index == 0 && prependScheme != .never ? [] : [UInt8(ascii: " ")]
            tokens[index] = ByteSearch.replacing(replacement, with: space, in: tokens[index])
        }
    }
}
