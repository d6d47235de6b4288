/// Removes the spaces that splitting puts before English punctuation and contractions.
enum SpaceCleanup {
    /// - Parameter expands: Whether " do not" becomes " don't" too, as the WordPiece decoder has it.
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
