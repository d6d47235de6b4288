import Tensor

/// The bytes that a pass through a model takes for its intermediate results, as a line over its tokens.
///
/// The line goes through two small passes that were measured, so it follows whatever the model's family, its freezing and the operations
/// save for the backward pass, and needs no table of them.
package struct PassMemory: Sendable, Equatable {
    /// What a pass takes however short it is.
    package var fixed: Double
    /// What every token adds.
    package var perToken: Double

    /// The line through two passes; a flat one when both have the same length.
    package init(small: (tokens: Int, bytes: Int), large: (tokens: Int, bytes: Int)) {
        let slope = Double(large.bytes - small.bytes) / Double(max(1, large.tokens - small.tokens))
        perToken = max(0, slope)
        fixed = max(0, Double(large.bytes) - perToken * Double(large.tokens))
    }

    /// Of passes that do not happen.
    package static let none = PassMemory(small: (0, 0), large: (0, 0))

    /// The bytes of a pass of so many tokens.
    package func bytes(tokens: Int) -> Double { fixed + perToken * Double(tokens) }

    /// Measures passes over parts of some items: one item of middle length, and as many of it as make about four times that.
    ///
    /// - Parameters:
    ///   - limit: the tokens of the largest pass; nothing longer is measured.
    ///   - beyond: bytes that are counted elsewhere, the gradients.
    ///   - pass: runs a pass; whatever it leaves must be cleared by it.
    package static func measured<Item>(
        _ items: [Item], length: (Item) -> Int, limit: Int, beyond: Int = 0, _ pass: ([Item]) -> Void
    ) -> PassMemory {
        let sorted = items.sorted { length($0) < length($1) }
        guard !sorted.isEmpty else { return .none }
        let item = sorted[sorted.count / 2]
        let tokens = max(1, length(item))
        let copies = max(1, min(4, limit / tokens))
        func measure(_ count: Int) -> Int {
            let part = Array(repeating: item, count: count)
            return max(0, Allocator.shared.peakBytes { pass(part) } - beyond)
        }
        // what the first pass makes and keeps, such as packed copies of weights, belongs to every later one, too
        let first = measure(1)
        let (small, large) = (measure(1), measure(copies))
        var line = PassMemory(small: (tokens, small), large: (copies * tokens, large))
        line.fixed += Double(max(0, first - small))
        return line
    }
}

/// The memory that training takes, part by part, in bytes.
package struct TrainingMemory: Sendable, Equatable {
    /// Weights of all models, and whatever else tensors hold before the first step.
    package var weights = 0
    /// The optimiser's moments.
    package var optimizer = 0
    /// The gradients of everything that is trained.
    package var gradients = 0
    /// The largest pass with gradients.
    package var training = PassMemory.none
    /// The largest pass without.
    package var evaluation = PassMemory.none
    /// The tokens of the largest pass with gradients.
    package var trainingTokens = 0
    /// The tokens of the largest pass without.
    package var evaluationTokens = 0
    /// Keys, values and logits of what is sampled in one call.
    package var caches = 0
    /// Trunk states that are kept from sampling to the end of a step.
    package var states = 0

    /// Nothing yet.
    package init() {}

    /// What is held before the first pass of a trainer with this optimiser.
    init(of optimizer: Adam) {
        let memory = optimizer.memory
        weights = Allocator.shared.bytesInUse + optimizer.mappedBytes - memory.moments
        (self.optimizer, gradients) = memory
    }

    /// Weights, moments and gradients.
    package var fixed: Int { weights + optimizer + gradients }

    /// Intermediate results of the largest pass.
    package var activations: Int {
        max(
            trainingTokens > 0 ? Int(training.bytes(tokens: trainingTokens)) : 0,
            evaluationTokens > 0 ? Int(evaluation.bytes(tokens: evaluationTokens)) - gradients : 0, 0)
    }

    /// The most that tensors take at any moment: learning and sampling are not at the same time.
    package var peak: Int { fixed + states + max(activations, caches) }

    /// The most tokens of a pass with gradients for which everything fits into `bytes`; nil when none does.
    package func trainingTokens(fitting bytes: Int) -> Int? {
        let room = Double(bytes - fixed - states) - training.fixed
        guard room > 0, training.perToken > 0 else { return nil }
        return Int(room / training.perToken)
    }
}

extension Adam {
    /// The bytes of the moments, and of the gradients when all have arrived.
    package var memory: (moments: Int, gradients: Int) {
        let bytes = parameters.reduce(0) { $0 + Allocator.capacity(for: $1.value.count * 4) }
        return (2 * bytes, bytes)
    }

    /// The bytes of trained weights that are still those of a mapped file: the first step makes them memory of their own.
    package var mappedBytes: Int {
        parameters.reduce(0) { $0 + ($1.value.storage.isView ? Allocator.capacity(for: $1.value.count * 4) : 0) }
    }
}
