/// Removes spaces before English punctuation and contractions that tokenisation introduced.
enum SpaceCleanup {
    /// Applies the rules to a text.
    /// - Parameters:
    ///   - text: The text, as UTF-8.
    ///   - expands: Whether " do not" also becomes " don't", as in the WordPiece decoder.
    static func apply(to text: inout [UInt8], expands: Bool) {
        if !text.contains(UInt8(ascii: " ")) { return }
        for (pattern, content) in expands ? decoderRules : rules {
            text = ByteSearch.replacing(pattern, with: content, in: text)
        }
    }

    private static let rules: [([UInt8], [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    private static let decoderRules: [([UInt8], [UInt8])] =
        rules[..<7] + [(Array(" do not".utf8), Array(" don't".utf8))] + rules[7...]
}
