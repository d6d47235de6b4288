public import Data
public import Tensor

/// Everything that the next step of a trainer depends on besides the weights. Random streams need no place in it: each is derived from
/// the seed and the number of the step.
public struct TrainerSnapshot {
    /// Steps done.
    public var step: Int
    /// Optimiser steps done.
    public var optimizerSteps: Int
    /// Tokens processed.
    public var tokens: Int
    /// The position in the data.
    public var order: BatchOrder
    /// Sums and coefficients that carry over.
    public var numbers: [String: Double] = [:]
    /// The optimiser's moments.
    public var tensors: [String: Tensor]

    /// One of ``numbers`` that counts something; 0 where it is absent or no count.
    func count(_ name: String) -> Int { Self.count(numbers[name] ?? 0) }

    /// A number as a count: 0 for what is none.
    static func count(_ number: Double) -> Int {
        (0...0x1p53).contains(number) ? Int(number) : 0
    }

    /// Refuses a snapshot of other data or another seed, and numbers that no run comes to.
    func check(order own: BatchOrder) throws {
        let counts = 0...(1 << 53)
        guard counts.contains(step), counts.contains(optimizerSteps), counts.contains(tokens),
            counts.contains(order.epoch)
        else { throw TrainingError.stateMismatch("its counts of steps and tokens are out of range") }
        guard order.seed == own.seed, order.count == own.count, order.batchSize == own.batchSize else {
            throw TrainingError.stateMismatch("it was saved with other data, another batch size or another seed")
        }
    }
}
