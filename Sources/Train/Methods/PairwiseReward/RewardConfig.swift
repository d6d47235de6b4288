public import Eval
public import Models

/// The settings of reward-model training. Default: the values of the paper's code. The settings of ``loop`` can be accessed
/// directly: `config.batchSize`.
public struct RewardConfig: LoopSettings, Codable, Sendable, Equatable {
    /// The settings of the training loop. An example is a pair. Default: batches of 8 pairs.
    public var loop = LoopConfig()
    /// The parameters that are frozen.
    public var freezing = Freezing()
    /// The weight of the squared sum of a pair's scores in the loss; see ``RewardLoss/loss(scores:choices:weight:centering:)``.
    public var centering = 0.0
    /// The number of pairs on which the normalisation is measured.
    public var normalisationPairs = 500
    /// Where scores are read.
    public var position = ScorePosition.lastToken
    /// Whether a tie predicts answer 0, as in the original code. Otherwise it counts as half correct.
    public var tiesPredictZero = false

    /// The values of the paper's code.
    public init() { loop.batchSize = 8 }

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(centering >= 0, "the centering coefficient", centering, "it must not be below 0")
        try Settings.require(
            normalisationPairs > 0, "the number of pairs for the normalisation", normalisationPairs, "it must be above 0")
    }
}
