public import Eval
public import Models

/// The settings of reward-model training.
public struct RewardConfig: Codable, Sendable, Equatable {
    /// Passes over the training pairs.
    public var epochs: Double
    /// Stops after this many optimiser steps, when it is set.
    public var maxSteps: Int?
    /// Pairs of one optimiser step.
    public var batchSize: Int
    /// The most tokens in memory at once; it changes memory, not results.
    public var tokensPerPass: Int
    /// Whether the backward pass runs trained layers again instead of keeping their intermediate results: less memory, a second
    /// forward pass through them, the same weights.
    public var recomputesLayers: Bool
    /// Whether numbers are dropped at the rates of the model's configuration (``Decoder/dropout``); evaluations never drop any.
    public var dropsOut: Bool
    /// The optimiser.
    public var optimizer: AdamConfig
    /// The learning rate's course.
    public var schedule: Schedule
    /// What stays as it is.
    public var freezing: Freezing
    /// Steps between two lines of metrics.
    public var logSteps: Int
    /// Steps between two evaluations; nil evaluates at the end only.
    public var evaluationSteps: Int?
    /// Steps between two checkpoints; nil leaves them to the caller.
    public var checkpointSteps: Int?
    /// What the square of a pair's summed scores adds to its loss; see ``RewardLoss/loss(scores:choices:weight:centering:)``.
    public var centering: Double
    /// Whether the caller of ``RewardTrainer/run(checkpoint:shouldSave:shouldStop:)`` is to normalise the head afterwards, so that scores have mean
    /// 0 and deviation 1 on training pairs.
    public var normalises: Bool
    /// The pairs that the normalisation is measured on.
    public var normalisationPairs: Int
    /// Where scores are read.
    public var position: ScorePosition
    /// Decides the order of the pairs.
    public var seed: UInt64
    /// How many batches with numbers that are not finite are passed over, without a change of the weights, before the run stops.
    public var skippedBatches = 0
    /// Whether a tie predicts answer 0, as in the original; else it is half right.
    public var tiesPredictZero = false

    /// Settings; what is left out has the value of the paper's code.
    public init(
        epochs: Double = 1, maxSteps: Int? = nil, batchSize: Int = 8, tokensPerPass: Int = 1024,
        optimizer: AdamConfig = AdamConfig(learningRate: 5e-5), schedule: Schedule = Schedule(),
        freezing: Freezing = Freezing(), logSteps: Int = 25, evaluationSteps: Int? = nil, checkpointSteps: Int? = nil,
        centering: Double = 0, normalises: Bool = true, normalisationPairs: Int = 500,
        position: ScorePosition = .lastToken, seed: UInt64 = 42, recomputesLayers: Bool = false, dropsOut: Bool = true
    ) {
        self.epochs = epochs
        self.maxSteps = maxSteps
        self.batchSize = batchSize
        self.tokensPerPass = tokensPerPass
        self.optimizer = optimizer
        self.schedule = schedule
        self.freezing = freezing
        self.logSteps = logSteps
        self.evaluationSteps = evaluationSteps
        self.checkpointSteps = checkpointSteps
        self.centering = centering
        self.normalises = normalises
        self.normalisationPairs = normalisationPairs
        self.position = position
        self.seed = seed
        self.recomputesLayers = recomputesLayers
        self.dropsOut = dropsOut
    }

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try optimizer.validate()
        try Settings.require(schedule)
        try Settings.require(
            (0...1e6).contains(epochs) && epochs > 0, "the number of epochs", epochs, "it must be above 0 and at most 1000000")
        try Settings.require(
            maxSteps.map { $0 > 0 } ?? true, "the number of steps", maxSteps ?? 0, "it must be above 0")
        try Settings.require(batchSize > 0, "the batch size", batchSize, "it must be above 0")
        try Settings.require(tokensPerPass > 0, "the tokens of a pass", tokensPerPass, "they must be above 0")
        try Settings.require(
            (0...1).contains(freezing.fraction), "the frozen share", freezing.fraction, "it must be in 0...1")
        try Settings.require(centering >= 0, "the centering coefficient", centering, "it must not be below 0")
        try Settings.require(
            normalisationPairs > 0, "the number of pairs for the normalisation", normalisationPairs,
            "it must be above 0")
        try Settings.require(skippedBatches >= 0, "the number of bad batches", skippedBatches, "it must not be negative")
        try Settings.requireIntervals(log: logSteps, evaluation: evaluationSteps, checkpoint: checkpointSteps)
    }
}
