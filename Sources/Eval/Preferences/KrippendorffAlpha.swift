/// Krippendorff's α: the agreement of any number of annotators, corrected for chance. It is 1 for perfect agreement, 0 for
/// agreement at chance level and negative below that.
///
/// After Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011): α = 1 − observed / expected disagreement, computed
/// from the coincidence matrix. Units with a single value and missing values are ignored.
public enum KrippendorffAlpha {
    /// The level of measurement, which defines the distance of two values.
    public enum Level: String, Codable, Sendable, CaseIterable {
        /// 0 for equal values, 1 for different ones.
        case nominal
        /// The square of the number of values ranked between the two, including half of those equal to either.
        case ordinal
        /// The square of their difference.
        case interval
    }

    /// The α of annotators' values.
    ///
    /// - Parameters:
    ///   - units: for each unit, such as a task, the values that annotators assigned, in any order. All values must be finite.
    ///   - level: the level of measurement.
    /// - Returns: nil if α is undefined, that is, if no unit has two values or all paired values are equal.
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

    /// The squared distance of two values, given by their indices into the sorted values.
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
