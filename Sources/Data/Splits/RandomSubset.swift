/// A random share of a training or validation split.
///
/// The generator is `PCG64(seed: percent)`, seeded anew for every split, so that a split's subset depends on its number of
/// rows and on the percentage alone.
public struct RandomSubset: Codable, Sendable, Equatable {
    /// How rows are drawn.
    public enum Drawing: String, Codable, Sendable, CaseIterable {
        /// Each row at most once: the first rows of a random order.
        case withoutReplacement
        /// The original's way, bit for bit: independent draws, so that some rows come twice and others never (10 % of
        /// 116,722 rows are 11,672 draws of 11,107 rows).
        case withReplacement
    }

    /// The percentage, and the seed. The original has 10 and 50.
    public let percent: Int
    /// How rows are drawn.
    public let drawing: Drawing

    /// - Throws: `DataError.invalidSetting` unless the percentage is in 1...100.
    public init(percent: Int, drawing: Drawing = .withoutReplacement) throws {
        guard (1...100).contains(percent) else {
            throw DataError.invalidSetting(
                "the random subset is \(percent) %", expected: "1 to 100; the original has 10 and 50")
        }
        self.percent = percent
        self.drawing = drawing
    }

    /// The splits that a subset is drawn of; all others stay whole.
    public static let splits = ["train", "validation"]

    /// The numbers of the chosen rows, in the order of the draws.
    /// - Parameter count: How many rows there are, at most 2³².
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
