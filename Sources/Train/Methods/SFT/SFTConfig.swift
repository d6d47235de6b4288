public import Models

/// The settings of supervised fine-tuning, as the paper's code has them unless set. Those of the loop are read and set as if they were its
/// own: `config.batchSize`.
public struct SFTConfig: LoopSettings, Codable, Sendable, Equatable {
    /// The settings that every method has.
    public var loop = LoopConfig()
    /// What stays as it is.
    public var freezing = Freezing()
    /// Examples whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target tokens of a
    /// step.
    public var microBatchSize: Int?
    /// Examples of an evaluation whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target
    /// tokens of a set.
    public var evaluationBatchSize: Int?
    /// What a prompt token's loss weighs beside a target token's 1. Above 0 the model also learns to write prompts, which helps one
    /// that begins from nothing; fine-tuning leaves it at 0.
    public var promptLossWeight = 0.0

    /// The values of the paper's code.
    public init() {}

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.requirePositive(microBatchSize, "the micro-batch")
        try Settings.require(promptLossWeight >= 0, "the prompts' weight", promptLossWeight, "it must not be negative")
    }
}
