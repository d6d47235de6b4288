public import Models

/// The settings of supervised fine-tuning.
public struct SFTConfig: Codable, Sendable, Equatable {
    /// Passes over the training examples.
    public var epochs: Double
    /// Stops after this many optimiser steps, when it is set.
    public var maxSteps: Int?
    /// Examples of one optimiser step.
    public var batchSize: Int
    /// The most tokens that are in memory at once; a batch is cut into parts of at most this many. It changes memory, not results.
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
    /// Steps between two checkpoints; nil saves at the end only.
    public var checkpointSteps: Int?
    /// Examples whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target tokens of a
    /// step.
    public var microBatchSize: Int?
    /// Examples of an evaluation whose mean loss is taken before the mean over them, as the original does; nil for one mean over all target
    /// tokens of a set.
    public var evaluationBatchSize: Int?
    /// What a prompt token's loss weighs beside a target token's 1. Above 0 the model also learns to write prompts, which helps one
    /// that begins from nothing; fine-tuning leaves it at 0.
    public var promptLossWeight: Double
    /// Decides the order of the examples.
    public var seed: UInt64
    /// How many batches with numbers that are not finite are passed over, without a change of the weights, before the run stops.
    public var skippedBatches = 0

    /// Settings; what is left out has the value of the paper's code.
    public init(
        epochs: Double = 1, maxSteps: Int? = nil, batchSize: Int = 16, tokensPerPass: Int = 1024,
        optimizer: AdamConfig = AdamConfig(learningRate: 5e-5), schedule: Schedule = Schedule(),
        freezing: Freezing = Freezing(), logSteps: Int = 25, evaluationSteps: Int? = nil, checkpointSteps: Int? = nil,
        promptLossWeight: Double = 0, microBatchSize: Int? = nil, seed: UInt64 = 42, recomputesLayers: Bool = false, dropsOut: Bool = true
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
        self.promptLossWeight = promptLossWeight
        self.microBatchSize = microBatchSize
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
        try Settings.require(
            microBatchSize.map { $0 > 0 } ?? true, "the micro-batch", microBatchSize ?? 0, "it must be above 0")
        try Settings.require(tokensPerPass > 0, "the tokens of a pass", tokensPerPass, "they must be above 0")
        try Settings.require(
            (0...1).contains(freezing.fraction), "the frozen share", freezing.fraction, "it must be in 0...1")
        try Settings.require(promptLossWeight >= 0, "the prompts' weight", promptLossWeight, "it must not be negative")
        try Settings.require(skippedBatches >= 0, "the number of bad batches", skippedBatches, "it must not be negative")
        try Settings.requireIntervals(log: logSteps, evaluation: evaluationSteps, checkpoint: checkpointSteps)
    }

    /// The optimiser steps of a run over `examples` examples.
    public func totalSteps(examples: Int) -> Int {
        let perEpoch = (examples + batchSize - 1) / batchSize
        return maxSteps ?? max(1, Int((Double(perEpoch) * epochs).rounded()))
    }
}

/// Checks of settings.
enum Settings {
    static func require(_ ok: Bool, _ name: String, _ value: some CustomStringConvertible, _ rule: String) throws {
        guard ok else { throw TrainingError.invalidSetting(name: name, value: value.description, rule: rule) }
    }

    /// A rise of the learning rate that lies within a run.
    static func require(_ schedule: Schedule) throws {
        try require(schedule.warmupSteps >= 0, "the number of warm-up steps", schedule.warmupSteps, "it must not be negative")
        try require((0...1).contains(schedule.warmupShare), "the warm-up's share", schedule.warmupShare, "it must be in 0...1")
    }

    /// Steps between two lines of metrics, evaluations and checkpoints.
    static func requireIntervals(log: Int, evaluation: Int?, checkpoint: Int?) throws {
        for (name, steps) in [("logging", log), ("evaluation", evaluation ?? 1), ("checkpoint", checkpoint ?? 1)] {
            try require(steps > 0, "the \(name) interval", steps, "it must be above 0")
        }
    }
}
