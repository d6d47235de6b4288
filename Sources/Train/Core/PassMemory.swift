package import Tensor

/// A linear model of the memory that a forward or backward pass takes for intermediate results, in bytes as a function of tokens.
///
/// It is fitted to two small measured passes. So it covers every model family, freezing and operation without tables.
package struct PassMemory: Sendable, Equatable {
    /// The bytes of a pass apart from its tokens.
    package var fixed: Double
    /// The bytes per token.
    package var perToken: Double

    /// A model with these numbers.
    package init(fixed: Double, perToken: Double) { (self.fixed, self.perToken) = (fixed, perToken) }

    /// The line through two measured passes; a constant, the larger number, if both have the same length or the longer one takes less.
    package init(small: (tokens: Int, bytes: Int), large: (tokens: Int, bytes: Int)) {
        guard large.tokens > small.tokens, large.bytes > small.bytes else {
            self.init(fixed: Double(max(0, small.bytes, large.bytes)), perToken: 0)
            return
        }
        let slope = Double(large.bytes - small.bytes) / Double(large.tokens - small.tokens)
        self.init(fixed: max(0, Double(large.bytes) - slope * Double(large.tokens)), perToken: slope)
    }

    /// The memory of passes that do not occur.
    package static let none = PassMemory(small: (0, 0), large: (0, 0))

    /// The bytes of a pass with this many tokens.
    package func bytes(tokens: Int) -> Double { fixed + perToken * Double(tokens) }

    /// Measures two passes: one with the item of median length, and one with up to four copies of it. What a first pass creates and
    /// keeps, such as packed copies of weights, is not part of it: ``WeightMemory`` counts those.
    ///
    /// If `limit` allows no copies, the smaller pass has the shortest item. If that is more than half as long, the two passes are too
    /// close to tell the slope: bytes are then taken as proportional to tokens, which is not too little for longer passes.
    ///
    /// The result is the same each time: bytes are counted with ``Allocator/greatestPeakBytes(during:)``.
    ///
    /// - Parameters:
    ///   - items: the items that passes are made of.
    ///   - length: the number of tokens of an item.
    ///   - limit: the maximum number of tokens of a pass.
    ///   - beyond: bytes that are counted elsewhere, such as the gradients.
    ///   - pass: runs a pass, and clears what it leaves behind.
    package static func measured<Item>(
        _ items: [Item], length: (Item) -> Int, limit: Int, beyond: Int = 0, _ pass: ([Item]) -> Void
    ) -> PassMemory {
        let sorted = items.sorted { length($0) < length($1) }
        guard let shortest = sorted.first else { return .none }
        let item = sorted[sorted.count / 2]
        let copies = max(1, min(4, limit / max(1, length(item))))
        func tokens(_ part: [Item]) -> Int { max(1, part.reduce(0) { $0 + length($1) }) }
        func measure(_ part: [Item]) -> (tokens: Int, bytes: Int) {
            (tokens(part), max(0, Allocator.greatestPeakBytes { pass(part) } - beyond))
        }
        let (small, large) = ([copies > 1 ? item : shortest], Array(repeating: item, count: copies))
        pass([item])
        guard 2 * tokens(small) <= tokens(large) else {
            let only = measure(large)
            return PassMemory(fixed: 0, perToken: Double(only.bytes) / Double(only.tokens))
        }
        return PassMemory(small: measure(small), large: measure(large))
    }
}

/// The memory of tensors in training, part by part, in bytes.
package struct TrainingMemory: Sendable, Equatable {
    /// The weights of all models in allocated blocks, and all other tensors that exist before the first step.
    package var weights = 0
    /// The frozen matrices that another format would make smaller: a part of ``weights``, ``mapped`` and ``packed``.
    package var frozen = 0
    /// The pages of mapped files whose weights passes read again and again. They are no blocks of the allocator.
    package var mapped = 0
    /// The packed copies of weights that products in bf16 precision make and keep.
    package var packed = 0
    /// What the first passes make and keep besides packed copies, such as the tables of rotary positions.
    package var tables = 0
    /// The optimiser's moments.
    package var optimizer = 0
    /// The shapes of the trained parameters.
    package var trained: [Shape] = []
    /// The gradients of all trained parameters, or of those that exist at once if the only pass of each step frees them.
    package var gradients = 0
    /// Whether the only pass of each step updates the weights and frees the gradients. Smaller passes would be several in a step.
    package var freesGradients = false
    /// Whether each step has one pass.
    package var hasOnePass = false
    /// The memory of passes with gradients.
    package var training = PassMemory.none
    /// The memory of passes without gradients.
    package var evaluation = PassMemory.none
    /// The tokens of the largest pass with gradients.
    package var trainingTokens = 0
    /// The tokens of the largest pass without gradients.
    package var evaluationTokens = 0
    /// The keys, values and logits while sampling.
    package var caches = 0
    /// ``caches`` with smaller numbers of responses that are sampled at the same time, the largest number first.
    package var fewerActive: [ActiveResponses] = []
    /// The copies of the largest weight that an optimiser's step makes if it is held in a narrow format.
    package var update = 0
    /// What the exchange of gradients with other ranks takes during a backward pass.
    package var exchange = 0
    /// The shapes of the parameters whose gradients this rank sums.
    package var owned: [Shape] = []
    /// The trunk states that are kept from sampling to the end of a step.
    package var states = 0

    /// The caches with a number of responses that are sampled at the same time.
    package struct ActiveResponses: Sendable, Equatable {
        /// The number of responses.
        package var responses: Int
        /// The bytes of ``TrainingMemory/caches``.
        package var caches: Int

        /// A number of responses and the bytes of their caches.
        package init(responses: Int, caches: Int) { (self.responses, self.caches) = (responses, caches) }
    }

    /// An estimate with all parts 0.
    package init() {}

    /// Counts the caches of sampling, also with fewer responses at the same time: a half, a quarter and so on, down to one.
    /// - Parameters:
    ///   - active: the maximum number of responses that are sampled at the same time.
    ///   - bytes: the bytes of the caches with such a number.
    mutating func countCaches(active: Int, _ bytes: (Int) -> Int) {
        caches = bytes(active)
        fewerActive = sequence(first: active / 2) { $0 / 2 }.prefix { $0 > 0 }.map { ActiveResponses(responses: $0, caches: bytes($0)) }
    }

    /// The memory that is in use before the first pass of a trainer with this optimiser.
    init(of optimizer: Adam) {
        let memory = optimizer.memory
        weights = Allocator.shared.bytesInUse + optimizer.mappedBytes - memory.moments
        (self.optimizer, gradients) = memory
        trained = optimizer.parameters.map(\.value.shape)
        update = optimizer.updateBytes
        (exchange, owned) = (optimizer.shares.exchangeBytes, optimizer.ownShapes)
    }

    /// Counts the gradients that exist at once.
    /// - Parameter batch: the tokens of the largest batch of a step. If they fit into a pass, each step has one.
    mutating func count(_ config: StepConfig, batch: Int) {
        hasOnePass = batch <= config.tokensPerPass
        freesGradients = config.optimizer.appliesInBackward && hasOnePass
        gradients = gradientBytes(as: config.gradientFormat, freed: freesGradients)
        if exchange > 0 { exchange += sumBytes(as: config.gradientFormat) }
    }

    /// The bytes that sums over the ranks take in addition to gradients, because they are floats: those of the owned parameters.
    package func sumBytes(as format: GradientFormat) -> Int {
        guard format != .f32 else { return 0 }
        return owned.reduce(0) { $0 + Allocator.capacity(for: 4 * $1.count) - format.byteCount(of: $1) }
    }

    /// The bytes of the gradients that exist at once: as floats, those of two parameters, and the others in the format in which they
    /// are kept.
    /// - Parameters:
    ///   - format: the format in which gradients are kept.
    ///   - freed: whether the only pass of each step updates the weights. Then none is kept, but one at a time is rounded.
    package func gradientBytes(as format: GradientFormat, freed: Bool) -> Int {
        let floats = trained.map { Allocator.capacity(for: 4 * $0.count) }
        guard freed || format != .f32 else { return floats.reduce(0, +) }
        let rounded = format == .f32 ? [] : trained.map(format.byteCount)
        return min(floats.reduce(0, +), 2 * (floats.max() ?? 0) + (freed ? rounded.max() ?? 0 : rounded.reduce(0, +)))
    }

    /// What an optimiser of a kind keeps of the trained parameters, in bytes.
    package func moments(of kind: OptimizerKind) -> Int { trained.reduce(0) { $0 + kind.momentBytes(of: $1) } }

    /// Weights, their packed copies, tables, moments and gradients.
    package var fixed: Int { weights + packed + tables + optimizer + gradients }

    /// Intermediate results of the largest pass, and what travels to other ranks during it.
    package var activations: Int {
        max(
            trainingTokens > 0 ? Int(training.bytes(tokens: trainingTokens)) + exchange : 0,
            evaluationTokens > 0 ? Int(evaluation.bytes(tokens: evaluationTokens)) - gradients : 0, 0)
    }

    /// The peak memory of tensors in allocated blocks. Passes, sampling and steps of the optimiser do not overlap.
    package var peak: Int { fixed + states + max(activations, caches, update) }

    /// The maximum number of tokens of a pass with gradients with which everything fits into `bytes`; nil if not even an empty
    /// pass fits.
    package func trainingTokens(fitting bytes: Int) -> Int? {
        let room = Double(bytes - fixed - states - exchange) - training.fixed
        guard room > 0, training.perToken > 0 else { return nil }
        return Int(room / training.perToken)
    }
}

extension Adam {
    /// The bytes of this rank's moments, and of the gradients of all parameters.
    package var memory: (moments: Int, gradients: Int) {
        let shapes = parameters.map(\.value.shape)
        return (
            ownShapes.reduce(0) { $0 + config.kind.momentBytes(of: $1) },
            shapes.reduce(0) { $0 + Allocator.capacity(for: $1.count * 4) }
        )
    }

    /// The bytes of trained weights that are still views of a memory-mapped file. The first step copies them into memory.
    package var mappedBytes: Int {
        parameters.reduce(0) {
            $0 + ($1.value.storage.isView && $1.masterFormat == .f32 ? Allocator.capacity(for: $1.value.count * 4) : 0)
        }
    }

    /// The bytes that a step takes for a moment: floats of the largest weight that is held in bfloat16, and its next value.
    var updateBytes: Int {
        let held = parameters.filter { $0.masterFormat == .bf16 }.map(\.value.count).max() ?? 0
        return held == 0 ? 0 : Allocator.capacity(for: 4 * held) + Allocator.capacity(for: 2 * held)
    }
}

extension TrainingMemory {
    /// Adds what the weights of all models take besides blocks that were allocated before the passes.
    /// - Parameters:
    ///   - weights: the weights, as they were before the passes were measured.
    ///   - created: the bytes of what the measured passes created and kept.
    ///   - packing: the weights of which products keep packed copies.
    package mutating func add(_ weights: WeightMemory, created: Int, packing: PackedCopies = .all) {
        self.weights += weights.copied
        mapped = weights.bytes(packing: packing).mapped
        packed = weights.unpacked(packing: packing)
        tables = max(created - packed, 0)
        frozen = weights.frozen()
    }
}
