import Eval

/// Splits a text into sentences: after a run of `.`, `!`, `?` or `…` (with closing quotes or brackets) that is followed by
/// white space or the end of the text, and at every newline. Sentences are trimmed of white space; empty ones are dropped.
public enum SentenceSplitter {
    /// The sentences of `text`, in order.
    public static func sentences(in text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var sentences: [String] = []
        var start = 0
        func end(at end: Int) {
            var first = start
            var last = end
            while first < last, TextRules.isWhitespace(scalars[first]) { first += 1 }
            while last > first, TextRules.isWhitespace(scalars[last - 1]) { last -= 1 }
            if last > first { sentences.append(String(String.UnicodeScalarView(scalars[first..<last]))) }
            start = end
        }
        var i = 0
        while i < scalars.count {
            if scalars[i] == "\n" {
                end(at: i)
            } else if isStop(scalars[i]) {
                while i + 1 < scalars.count, isStop(scalars[i + 1]) || isClosing(scalars[i + 1]) { i += 1 }
                if i + 1 == scalars.count || TextRules.isWhitespace(scalars[i + 1]) { end(at: i + 1) }
            }
            i += 1
        }
        end(at: scalars.count)
        return sentences
    }

    private static func isStop(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "!" || scalar == "?" || scalar == "\u{2026}"
    }

    private static func isClosing(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .closePunctuation, .finalPunctuation: true
        default: scalar == "\"" || scalar == "'"
        }
    }
}
