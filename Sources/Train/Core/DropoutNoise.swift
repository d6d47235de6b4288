import Models
import Tensor

/// What decides which numbers the passes of one optimiser step drop: a function of seed, step and place in the step alone, so that a run
/// that is resumed goes on with the same zeros, and that it does not matter how a step is cut into passes.
struct DropoutNoise {
    private let random: Philox?
    private var rows = 0

    /// The noise of a step; none where nothing is to be dropped.
    init(seed: UInt64, step: Int, isWanted: Bool) {
        random = isWanted ? Philox(seed: seed).split("dropout").split(UInt64(step)) : nil
    }

    /// That of the next pass, which has so many rows.
    mutating func next(rows count: Int) -> DropoutSource? {
        defer { rows += count }
        return random.map { DropoutSource($0, firstRow: rows) }
    }
}
