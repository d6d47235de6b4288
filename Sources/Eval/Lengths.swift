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

/// Mean, median and every single length of a list of texts or rows.
public struct LengthSummary: Codable, Sendable, Equatable {
    /// Mean length.
    public var mean: Double
    /// Median length.
    public var median: Double
    /// The lengths in the order of the texts.
    public var lengths: [Int]

    /// Summarises `lengths`; nil if there are none.
    public init?(_ lengths: [Int]) {
        let values = lengths.map(Double.init)
        guard let mean = Statistics.mean(of: values), let median = Statistics.median(of: values) else { return nil }
        self.mean = mean
        self.median = median
        self.lengths = lengths
    }
}
