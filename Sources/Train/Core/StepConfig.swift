/// How every method takes optimiser steps, and what is due behind them.
public struct StepConfig: Codable, Sendable, Equatable {
    /// The most tokens that are in memory at once; a batch is cut into parts of at most this many. It changes memory, not results.
    public var tokensPerPass = 1024
    /// Whether the backward pass runs trained layers again instead of keeping their intermediate results: less memory, a second
    /// forward pass through them, the same weights.
    public var recomputesLayers = false
    /// The optimiser.
    public var optimizer = AdamConfig()
    /// The learning rate's course.
    public var schedule = Schedule()
    /// Steps between two lines of metrics.
    public var logSteps = 25
    /// Steps between two evaluations; nil evaluates at the end only.
    public var evaluationSteps: Int?
    /// Steps between two checkpoints; nil leaves them to the caller.
    public var checkpointSteps: Int?
    /// Decides the order of what is learned from, what is sampled and what is dropped.
    public var seed: UInt64 = 42
    /// How many batches with numbers that are not finite are passed over, without a change of the weights, before the run stops.
    public var skippedBatches = 0

    /// The values of the paper's code for training on examples.
    public init() {}

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try optimizer.validate()
        try Settings.require(schedule.warmupSteps >= 0, "the number of warm-up steps", schedule.warmupSteps, "it must not be negative")
        try Settings.require((0...1).contains(schedule.warmupShare), "the warm-up's share", schedule.warmupShare, "it must be in 0...1")
        try Settings.require(tokensPerPass > 0, "the tokens of a pass", tokensPerPass, "they must be above 0")
        try Settings.require(skippedBatches >= 0, "the number of bad batches", skippedBatches, "it must not be negative")
        for (name, steps) in [("logging", logSteps), ("evaluation", evaluationSteps ?? 1), ("checkpoint", checkpointSteps ?? 1)] {
            try Settings.require(steps > 0, "the \(name) interval", steps, "it must be above 0")
        }
    }

    /// The scheduled learning rate of an optimiser step (from 0) of so many.
    func learningRate(step: Int, total: Int) -> Double { optimizer.learningRate * schedule.factor(step: step, total: total) }
}

/// Settings of optimiser steps among others, read and set as if they were the whole's own: `config.seed` is `config.steps.seed`.
@dynamicMemberLookup
public protocol StepSettings {
    /// The settings that every method has.
    var steps: StepConfig { get set }
}

extension StepSettings {
    /// A setting of ``steps``.
    public subscript<Value>(dynamicMember path: WritableKeyPath<StepConfig, Value>) -> Value {
        get { steps[keyPath: path] }
        set { steps[keyPath: path] = newValue }
    }
}

/// Checks of settings.
enum Settings {
    static func require(_ ok: Bool, _ name: String, _ value: some CustomStringConvertible, _ rule: String) throws {
        guard ok else { throw TrainingError.invalidSetting(name: name, value: value.description, rule: rule) }
    }

    /// A setting that may be absent, and is above 0 where it is not.
    static func requirePositive(_ value: Int?, _ name: String) throws {
        try require(value.map { $0 > 0 } ?? true, name, value ?? 0, "it must be above 0")
    }
}
