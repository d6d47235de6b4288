public import Eval
public import Models

/// The settings of reward-model training. Those of the loop are read and set as if they were its own: `config.batchSize`.
@dynamicMemberLookup
public struct RewardConfig: Codable, Sendable, Equatable {
    /// The settings that every method has; an example is a pair.
    public var loop: LoopConfig
    /// What stays as it is.
    public var freezing: Freezing
    /// What the square of a pair's summed scores adds to its loss; see ``RewardLoss/loss(scores:choices:weight:centering:)``.
    public var centering: Double
    /// The pairs that the normalisation is measured on.
    public var normalisationPairs: Int
    /// Where scores are read.
    public var position: ScorePosition
    /// Whether a tie predicts answer 0, as in the original; else it is half right.
    public var tiesPredictZero = false

    /// Settings; what is left out has the value of the paper's code.
    public init(
        epochs: Double = 1, maxSteps: Int? = nil, batchSize: Int = 8, tokensPerPass: Int = 1024,
        optimizer: AdamConfig = AdamConfig(learningRate: 5e-5), schedule: Schedule = Schedule(),
        freezing: Freezing = Freezing(), logSteps: Int = 25, evaluationSteps: Int? = nil, checkpointSteps: Int? = nil,
        centering: Double = 0, normalisationPairs: Int = 500,
        position: ScorePosition = .lastToken, seed: UInt64 = 42, recomputesLayers: Bool = false, dropsOut: Bool = true
    ) {
        loop = LoopConfig()
        (loop.epochs, loop.maxSteps, loop.batchSize, loop.tokensPerPass) = (epochs, maxSteps, batchSize, tokensPerPass)
        (loop.optimizer, loop.schedule, loop.seed) = (optimizer, schedule, seed)
        (loop.logSteps, loop.evaluationSteps, loop.checkpointSteps) = (logSteps, evaluationSteps, checkpointSteps)
        (loop.recomputesLayers, loop.dropsOut) = (recomputesLayers, dropsOut)
        self.freezing = freezing
        self.centering = centering
        self.normalisationPairs = normalisationPairs
        self.position = position
    }

    /// A setting of the loop.
    public subscript<Value>(dynamicMember path: WritableKeyPath<LoopConfig, Value>) -> Value {
        get { loop[keyPath: path] }
        set { loop[keyPath: path] = newValue }
    }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try loop.validate()
        try Settings.require((0...1).contains(freezing.fraction), "the frozen share", freezing.fraction, "it must be in 0...1")
        try Settings.require(centering >= 0, "the centering coefficient", centering, "it must not be below 0")
        try Settings.require(
            normalisationPairs > 0, "the number of pairs for the normalisation", normalisationPairs, "it must be above 0")
    }
}
