/// How far several people agree, corrected for chance: 1 for full agreement, 0 for what chance would give, below 0 for less than that.
///
/// After Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011): α = 1 − observed / expected disagreement over the table of
/// coincidences. Units with one value, and missing values, count for nothing.
public enum KrippendorffAlpha {
    /// How far two values lie apart.
    public enum Level: String, Codable, Sendable, CaseIterable {
        /// Equal or not.
        case nominal
        /// By how many values lie between them.
        case ordinal
        /// By the square of their difference.
        case interval
    }

    /// The α of values.
    ///
    /// - Parameter units: per unit, such as a task, the values that people gave it, in any order. All values are finite.
    /// - Returns: nil where no unit has two values, or all values that count are the same: α is not defined then.
    public static func alpha(_ units: [[Double]], level: Level) -> Double? {
        let paired = units.filter { $0.count > 1 }
        let values = Set(paired.joined()).sorted()
        guard values.count > 1 else { return nil }
        let places = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
        var coincidences = [[Double]](repeating: [Double](repeating: 0, count: values.count), count: values.count)
        for unit in paired {
            let own = unit.compactMap { places[$0] }
            for i in own.indices {
                for j in own.indices where i != j { coincidences[own[i]][own[j]] += 1 / Double(own.count - 1) }
            }
        }
        let counts = coincidences.map { $0.reduce(0, +) }
        let total = counts.reduce(0, +)
        var (observed, expected) = (0.0, 0.0)
        for i in values.indices {
            for j in values.indices where j > i {
                let distance = distance(i, j, values: values, counts: counts, level: level)
                observed += coincidences[i][j] * distance
                expected += counts[i] * counts[j] * distance
            }
        }
        return 1 - (total - 1) * observed / expected
    }

    /// The square of the distance of two values by their places among the sorted ones.
    private static func distance(_ i: Int, _ j: Int, values: [Double], counts: [Double], level: Level) -> Double {
        switch level {
        case .nominal: return 1
        case .ordinal:
            let between = counts[i...j].reduce(0, +) - (counts[i] + counts[j]) / 2
            return between * between
        case .interval:
            let difference = values[i] - values[j]
            return difference * difference
        }
    }
}
