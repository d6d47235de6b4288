public import Tensor

/// The settings of ``Adam``. β₁, β₂ and ε default to PyTorch's values; weight decay is off by default.
public struct AdamConfig: Codable, Sendable, Equatable {
    /// The rule of a step.
    public var kind = OptimizerKind.adamw
    /// The peak learning rate, which the schedule scales.
    public var learningRate: Double
    /// The decay rate β₁ of the first moment. In Lion, the weight of the momentum in the direction of a step. Adafactor
    /// does not use it.
    public var beta1 = 0.9
    /// The decay rate β₂ of the second moment. In Lion, the decay rate of the momentum. Adafactor does not use it.
    public var beta2 = 0.999
    /// ε, which is added to the square root of the second moment. Lion and Adafactor do not use it.
    public var epsilon = 1e-8
    /// The decoupled weight decay.
    public var weightDecay = 0.0
    /// The global norm to which gradients are clipped; nil disables clipping.
    public var clipNorm: Double?
    /// Whether each weight is updated in the last backward pass of a step, as soon as its gradient is complete, and the gradient is then
    /// freed. The weights have the same bits. It saves memory where a step has one pass, and needs ``clipNorm`` to be nil.
    public var appliesInBackward = false

    /// Settings with a peak learning rate and a clipping norm; the others have their defaults.
    public init(learningRate: Double = 5e-5, clipNorm: Double? = 1) {
        (self.learningRate, self.clipNorm) = (learningRate, clipNorm)
    }

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        func require(_ ok: Bool, _ name: String, _ value: Double, _ rule: String) throws {
            guard ok else { throw TrainingError.invalidSetting(name: name, value: "\(value)", rule: rule) }
        }
        try require(learningRate > 0 && learningRate.isFinite, "the learning rate", learningRate, "it must be above 0")
        try require((0..<1).contains(beta1), "beta1", beta1, "it must be in [0, 1)")
        try require((0..<1).contains(beta2), "beta2", beta2, "it must be in [0, 1)")
        try require(epsilon > 0, "epsilon", epsilon, "it must be above 0")
        try require(weightDecay >= 0, "the weight decay", weightDecay, "it must not be negative")
        if let clipNorm {
            try require(clipNorm > 0, "the clipping norm", clipNorm, "it must be above 0")
            try require(
                !appliesInBackward, "the clipping norm", clipNorm,
                "it must be unset where weights are updated in the backward pass, before the norm of all gradients is known")
        }
    }
}

/// The AdamW optimiser (Kingma & Ba 2015; Loshchilov & Hutter 2019), or another ``OptimizerKind``, for a list of parameters, with
/// clipping by the global gradient norm.
///
/// In a group of several ranks, each rank keeps the moments of some parameters and updates their values for all (ZeRO-1).
public final class Adam {
    /// The parameters that are optimised: those that were trainable when the optimiser was created.
    public let parameters: [Parameter]
    /// The number of steps taken.
    public internal(set) var stepCount = 0
    /// Σ g² of each parameter's gradient, summed over all ranks, in the last step; before clipping.
    var squares: [Double] = []
    /// The places of the parameters in ``parameters``.
    let places: [ObjectIdentifier: Int]
    /// The step that is being taken in a backward pass; nil outside.
    var running: StepInBackward?
    /// For each parameter, whether any rank had a gradient, if ``sumGradients(during:_:)`` has summed the gradients of the next step.
    var summed: [Bool]?
    /// The exchange of gradients during a backward pass; nil outside.
    var exchange: GradientExchange?
    let config: AdamConfig
    let shares: ParameterShares
    /// The moments of each parameter; nil if another rank keeps them.
    private let moments: [(any Moments)?]
    /// The source of stochastic rounding. Its stream of a step and a parameter is a function of both numbers, so it has no state.
    private let random: Philox

    /// An optimiser for the trainable ones of `parameters`. Duplicates count once.
    /// - Parameters:
    ///   - parameters: the parameters; on all ranks the same ones, with the same values.
    ///   - config: the settings.
    ///   - random: the source of the stochastic rounding of parameters that are held in bfloat16 (`MasterWeights`).
    ///   - collective: the ranks, whose gradients are summed. Default: this process alone.
    public convenience init(
        _ parameters: [Parameter], config: AdamConfig, random: Philox = Philox(seed: 0), collective: any Collective = LocalCollective()
    ) {
        self.init(parameters, config: config, random: random, collective: collective, exchange: ExchangeConfig())
    }

    /// An optimiser whose gradients and values travel as the settings `exchange` say; see the other initialiser.
    package init(
        _ parameters: [Parameter], config: AdamConfig, random: Philox, collective: any Collective, exchange: ExchangeConfig
    ) {
        var seen: Set<ObjectIdentifier> = []
        self.parameters = parameters.filter { $0.isTrainable && seen.insert(ObjectIdentifier($0)).inserted }
        self.config = config
        self.random = random
        places = Dictionary(uniqueKeysWithValues: self.parameters.enumerated().map { (ObjectIdentifier($1), $0) })
        let shares = ParameterShares(self.parameters, among: collective, config: exchange)
        self.shares = shares
        moments = self.parameters.enumerated().map { shares.owns($0.offset) ? config.kind.moments(of: $0.element.value) : nil }
    }

    /// Updates the parameters with their gradients, summed over all ranks, and clears the gradients. Every rank calls it.
    /// - Parameters:
    ///   - learningRate: the scheduled learning rate of this step.
    ///   - examples: the IDs of the examples that produced the gradients, for an error.
    ///   - trainerStep: the step number for an error. Default: the optimiser's own count.
    /// - Returns: the global norm of the gradients before clipping.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` for a gradient with NaN or Inf, before any weight is changed;
    ///   ``CollectiveError`` when the group of ranks is broken.
    @discardableResult
    public func step(learningRate: Double, examples: [String] = [], of trainerStep: Int? = nil) throws -> Double {
        defer { clearGradients() }
        let present = try summed ?? shares.sumGradients()
        // the norm is summed in the order of the parameters, whoever owns them
        squares = try shares.collect(parameters.map { $0.gradient?.sumOfSquares() ?? 0 })
        for (parameter, square) in zip(parameters, squares) {
            guard square.isFinite else {
                throw TrainingError.notFinite(
                    what: "the gradient of \(parameter.name)", step: trainerStep ?? stepCount + 1, examples: examples)
            }
        }
        stepCount += 1
        let step = nextStep(learningRate: learningRate, scale: config.clipNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1)
        for index in parameters.indices { update(index, step) }
        try shares.shareValues(present)
        return norm
    }

    /// The global norm of the gradients of the last step, before clipping.
    var norm: Double { squares.reduce(0, +).squareRoot() }

    /// The hyperparameters of the step ``stepCount``.
    func nextStep(learningRate: Double, scale: Double) -> AdamStep {
        AdamStep(
            learningRate: Float(learningRate), beta1: Float(config.beta1), beta2: Float(config.beta2),
            epsilon: Float(config.epsilon), weightDecay: Float(config.weightDecay), number: stepCount,
            gradientScale: Float(scale))
    }

    /// Updates a parameter, if this rank owns it and it has a gradient, and frees the gradient.
    func update(_ index: Int, _ step: AdamStep) {
        let parameter = parameters[index]
        guard let moments = moments[index], let gradient = parameter.gradient else { return }
        parameter.update(with: random.split(UInt64(stepCount)).split(UInt64(index))) {
            moments.step(step, gradient: gradient.widened(), value: &$0)
        }
        parameter.clearGradient()
    }

    /// Clears all gradients, for example those that a failed step has accumulated.
    public func clearGradients() {
        parameters.forEach { $0.clearGradient() }
        summed = nil
    }

    /// The shapes of the parameters whose moments this rank keeps.
    var ownShapes: [Shape] { parameters.indices.filter(shares.owns).map { parameters[$0].value.shape } }

    /// The moments by name, for a checkpoint. In a group of several ranks, only those that this rank keeps.
    public var state: OptimizerState {
        var state = OptimizerState(kind: config.kind)
        for (parameter, moments) in zip(parameters, moments) { moments?.add(to: &state, name: parameter.name) }
        return state
    }

    /// The moments of all ranks on rank 0, as one process would have them. Every rank calls it; on the other ranks the result holds
    /// only their own moments.
    /// - Throws: ``CollectiveError`` when the group of ranks is broken.
    func gatheredState() throws -> OptimizerState {
        let own = state
        return OptimizerState(
            kind: own.kind, tensors: try shares.collective.gatherOnFirst(own.tensors),
            codes: try shares.collective.gatherOnFirst(own.codes))
    }

    /// Continues from a saved state with the moments of all parameters, of which this rank takes its own.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` when the moments of a parameter are missing, have another shape or are those of
    ///   another kind of optimiser.
    public func restore(_ state: OptimizerState, stepCount: Int) throws {
        try state.check(kind: config.kind)
        for (parameter, moments) in zip(parameters, moments) { try moments?.restore(state, name: parameter.name) }
        self.stepCount = stepCount
    }
}

extension Parameter {
    /// Changes the value. One that is held in bfloat16 is widened for the change, and rounded stochastically after it.
    fileprivate func update(with random: @autoclosure () -> Philox, _ body: (inout Tensor) -> Void) {
        guard masterFormat == .bf16 else { return body(&value) }
        var floats = value.widened()
        body(&floats)
        value = Tensor(shape: floats.shape, narrow: .roundingStochastically(floats, with: random()))
    }
}
