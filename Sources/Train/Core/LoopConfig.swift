/// The settings that every method of training on examples has.
public struct LoopConfig: Codable, Sendable, Equatable {
    /// Passes over the examples.
    public var epochs = 1.0
    /// Stops after this many optimiser steps, when it is set.
    public var maxSteps: Int?
    /// Examples of one optimiser step.
    public var batchSize = 16
    /// The most tokens that are in memory at once; a batch is cut into parts of at most this many. It changes memory, not results.
    public var tokensPerPass = 1024
    /// Whether the backward pass runs trained layers again instead of keeping their intermediate results: less memory, a second
    /// forward pass through them, the same weights.
    public var recomputesLayers = false
    /// Whether numbers are dropped at the rates of the model's configuration (``TransformerDecoder/dropout``); evaluations never drop any.
    public var dropsOut = true
    /// The optimiser.
    public var optimizer = AdamConfig(learningRate: 5e-5)
    /// The learning rate's course.
    public var schedule = Schedule()
    /// Steps between two lines of metrics.
    public var logSteps = 25
    /// Steps between two evaluations; nil evaluates at the end only.
    public var evaluationSteps: Int?
    /// Steps between two checkpoints; nil leaves them to the caller.
    public var checkpointSteps: Int?
    /// Decides the order of the examples, and what is dropped.
    public var seed: UInt64 = 42
    /// How many batches with numbers that are not finite are passed over, without a change of the weights, before the run stops.
    public var skippedBatches = 0

    /// The values of the paper's code.
    public init() {}

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try optimizer.validate()
        try Settings.require(schedule)
        try Settings.require(
            (0...1e6).contains(epochs) && epochs > 0, "the number of epochs", epochs, "it must be above 0 and at most 1000000")
        try Settings.require(maxSteps.map { $0 > 0 } ?? true, "the number of steps", maxSteps ?? 0, "it must be above 0")
        try Settings.require(batchSize > 0, "the batch size", batchSize, "it must be above 0")
        try Settings.require(tokensPerPass > 0, "the tokens of a pass", tokensPerPass, "they must be above 0")
        try Settings.require(skippedBatches >= 0, "the number of bad batches", skippedBatches, "it must not be negative")
        try Settings.requireIntervals(log: logSteps, evaluation: evaluationSteps, checkpoint: checkpointSteps)
    }

    /// The optimiser steps of a run over so many examples.
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
