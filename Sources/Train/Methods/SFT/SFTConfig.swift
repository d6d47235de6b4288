public import Models

/// The settings of supervised fine-tuning. Those of the loop are read and set as if they were its own: `config.batchSize`.
@dynamicMemberLookup
public struct SFTConfig: Codable, Sendable, Equatable {
    /// The settings that every method has.
    public var loop: LoopConfig
    /// What stays as it is.
    public var freezing: Freezing
    /// Examples whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target tokens of a
    /// step.
    public var microBatchSize: Int?
    /// Examples of an evaluation whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target
    /// tokens of a set.
    public var evaluationBatchSize: Int?
    /// What a prompt token's loss weighs beside a target token's 1. Above 0 the model also learns to write prompts, which helps one
    /// that begins from nothing; fine-tuning leaves it at 0.
    public var promptLossWeight: Double

    /// Settings; what is left out has the value of the paper's code.
    public init(
        epochs: Double = 1, maxSteps: Int? = nil, batchSize: Int = 16, tokensPerPass: Int = 1024,
        optimizer: AdamConfig = AdamConfig(learningRate: 5e-5), schedule: Schedule = Schedule(),
        freezing: Freezing = Freezing(), logSteps: Int = 25, evaluationSteps: Int? = nil, checkpointSteps: Int? = nil,
        promptLossWeight: Double = 0, microBatchSize: Int? = nil, seed: UInt64 = 42, recomputesLayers: Bool = false, dropsOut: Bool = true
    ) {
        loop = LoopConfig()
        (loop.epochs, loop.maxSteps, loop.batchSize, loop.tokensPerPass) = (epochs, maxSteps, batchSize, tokensPerPass)
        (loop.optimizer, loop.schedule, loop.seed) = (optimizer, schedule, seed)
        (loop.logSteps, loop.evaluationSteps, loop.checkpointSteps) = (logSteps, evaluationSteps, checkpointSteps)
        (loop.recomputesLayers, loop.dropsOut) = (recomputesLayers, dropsOut)
        self.freezing = freezing
        self.promptLossWeight = promptLossWeight
        self.microBatchSize = microBatchSize
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
        try Settings.require(
            microBatchSize.map { $0 > 0 } ?? true, "the micro-batch", microBatchSize ?? 0, "it must be above 0")
        try Settings.require((0...1).contains(freezing.fraction), "the frozen share", freezing.fraction, "it must be in 0...1")
        try Settings.require(promptLossWeight >= 0, "the prompts' weight", promptLossWeight, "it must not be negative")
    }
}
