/// Lengths of texts and of token rows.
public enum Lengths {
    /// Number of words: maximal runs of scalars that are not white space.
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

    /// Number of Unicode scalars (code points).
    public static func scalars(in text: String) -> Int {
        text.unicodeScalars.count
    }

    /// Number of ids that are not padding; all of them where `padding` is nil.
    public static func tokens(in ids: [Int32], padding: Int32?) -> Int {
        guard let padding else { return ids.count }
        return ids.reduce(0) { $1 == padding ? $0 : $0 + 1 }
    }
}
