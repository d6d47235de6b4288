public import Models

/// The settings of supervised fine-tuning. Default: the values of the paper's code. The settings of ``loop`` can be accessed
/// directly: `config.batchSize`.
public struct SFTConfig: LoopSettings, Codable, Sendable, Equatable {
    /// The settings of the training loop.
    public var loop = LoopConfig()
    /// The parameters that are frozen.
    public var freezing = Freezing()
    /// The micro-batch size: the loss is the mean of the micro-batches' mean losses, as in the original code. nil for one mean
    /// over all target tokens of a step.
    public var microBatchSize: Int?
    /// The batch size of evaluations: the loss is the mean of the batches' mean losses, as in the original code. nil for one mean
    /// over all target tokens of a set.
    public var evaluationBatchSize: Int?
    /// The weight of a prompt token's loss; a target token has weight 1. With a weight above 0 the model also learns to write
    /// prompts, which helps a model trained from scratch. Fine-tuning leaves it at 0.
    public var promptLossWeight = 0.0

    /// The values of the paper's code.
    public init() {}

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.requirePositive(microBatchSize, "the micro-batch")
        try Settings.require(promptLossWeight >= 0, "the prompt loss weight", promptLossWeight, "it must not be negative")
    }
}
