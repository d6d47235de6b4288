/// A random subset of a training or validation split, of a given percentage.
///
/// Each split has a separate generator `PCG64(seed: percent)`, so its subset depends only on its number of rows and on the
/// percentage.
public struct RandomSubset: Codable, Sendable, Equatable {
    /// How rows are drawn.
    public enum Drawing: String, Codable, Sendable, CaseIterable {
        /// Each row at most once: the first rows of a random permutation.
        case withoutReplacement
        /// The original implementation's way, bit for bit: independent draws, so that some rows occur several times and
        /// others never (10 % of 116,722 rows: 11,672 draws, 11,107 different rows).
        case withReplacement
    }

    /// The percentage of rows, 1 to 100, which is also the seed. The original implementation uses 10 and 50.
    public let percent: Int
    /// How rows are drawn.
    public let drawing: Drawing

    /// Creates a subset.
    /// - Throws: `DataError.invalidSetting` if the percentage is not in 1...100.
    public init(percent: Int, drawing: Drawing = .withoutReplacement) throws {
        guard (1...100).contains(percent) else {
            throw DataError.invalidSetting(
                "the random subset is \(percent) %", expected: "1 to 100 (the original implementation uses 10 and 50)")
        }
        self.percent = percent
        self.drawing = drawing
    }

    /// The splits of which a subset is drawn; other splits are not reduced.
    public static let splits = ["train", "validation"]

    /// The row numbers of the subset, from 0, in the order in which they were drawn.
    /// - Parameter count: The number of rows in the split, at most 2³².
    public func rows(of count: Int) -> [Int] {
        let wanted = count * percent / 100
        guard wanted > 0 else { return [] }
        var generator = PCG64(seed: UInt64(percent))
        switch drawing {
        case .withReplacement: return (0..<wanted).map { _ in generator.below(count) }
        case .withoutReplacement: return Array(generator.permutation(count).prefix(wanted))
        }
    }
}
