import Models
import Tensor

/// The source of dropout masks for the passes of one optimiser step. A mask depends only on the seed, the step and the position
/// in the step. A resumed run therefore uses the same masks, and the division of a step into passes does not matter.
struct DropoutNoise {
    private let random: Philox?
    private var rows = 0

    /// The dropout source of a step (from 0); without dropout, ``next(rows:)`` returns nil.
    init(seed: UInt64, step: Int, isWanted: Bool) {
        random = isWanted ? Philox(seed: seed).split("dropout").split(UInt64(step)) : nil
    }

    /// Leaves out the rows of passes that another rank runs.
    mutating func skip(rows count: Int) { rows += count }

    /// The dropout source of the next pass, which has `count` rows.
    mutating func next(rows count: Int) -> DropoutSource? {
        defer { rows += count }
        return random.map { DropoutSource($0, firstRow: rows) }
    }
}
