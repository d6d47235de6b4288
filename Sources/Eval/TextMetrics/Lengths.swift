/// Lengths of texts.
public enum Lengths {
    /// The number of words: maximal runs of code points that are not white space.
    public static func words(in text: String) -> Int {
        var count = 0
        var inside = false
        for scalar in text.unicodeScalars {
            let isSpace = TextRules.isWhitespace(scalar)
            if !isSpace && !inside { count += 1 }
            inside = !isSpace
        }
        return count
    }

    /// The number of Unicode scalars (code points).
    public static func scalars(in text: String) -> Int {
        text.unicodeScalars.count
    }
}
