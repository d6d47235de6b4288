public import Data

/// The state of a trainer: everything that its next step depends on besides the weights. It holds no state of random generators,
/// because each random stream is derived from the seed and the number of the step.
public struct TrainerSnapshot {
    /// The number of steps done.
    public var step: Int
    /// The number of optimiser steps done.
    public var optimizerSteps: Int
    /// The number of tokens processed.
    public var tokens: Int
    /// The position in the data.
    public var order: BatchOrder
    /// Accumulated sums and adaptive coefficients.
    public var numbers: [String: Double] = [:]
    /// What the optimiser keeps: its moments.
    public var optimizer: OptimizerState

    /// A count among ``numbers``; 0 if it is absent or not a valid count.
    func count(_ name: String) -> Int { Self.count(numbers[name] ?? 0) }

    /// A number as a count; 0 if it is not a valid count.
    static func count(_ number: Double) -> Int {
        (0...0x1p53).contains(number) ? Int(number) : 0
    }

    /// Checks that the snapshot has the same data, batch size and seed, and plausible counts.
    /// - Throws: ``TrainingError/stateMismatch(_:)``.
    func check(order own: BatchOrder) throws {
        let counts = 0...(1 << 53)
        guard counts.contains(step), counts.contains(optimizerSteps), counts.contains(tokens),
            counts.contains(order.epoch)
        else { throw TrainingError.stateMismatch("its counts of steps and tokens are out of range") }
        guard order.seed == own.seed, order.count == own.count, order.batchSize == own.batchSize else {
            throw TrainingError.stateMismatch("it was saved with other data, a different batch size or a different seed")
        }
    }
}
