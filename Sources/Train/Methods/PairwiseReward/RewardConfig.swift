public import Eval
public import Models

/// The settings of reward-model training, as the paper's code has them unless set. Those of the loop are read and set as if they were its
/// own: `config.batchSize`.
public struct RewardConfig: LoopSettings, Codable, Sendable, Equatable {
    /// The settings that every method has; an example is a pair, and a batch has 8 of them unless set.
    public var loop = LoopConfig()
    /// What stays as it is.
    public var freezing = Freezing()
    /// What the square of a pair's summed scores adds to its loss; see ``RewardLoss/loss(scores:choices:weight:centering:)``.
    public var centering = 0.0
    /// The pairs that the normalisation is measured on.
    public var normalisationPairs = 500
    /// Where scores are read.
    public var position = ScorePosition.lastToken
    /// Whether a tie predicts answer 0, as in the original; else it is half right.
    public var tiesPredictZero = false

    /// The values of the paper's code.
    public init() { loop.batchSize = 8 }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(centering >= 0, "the centering coefficient", centering, "it must not be below 0")
        try Settings.require(
            normalisationPairs > 0, "the number of pairs for the normalisation", normalisationPairs, "it must be above 0")
    }
}
