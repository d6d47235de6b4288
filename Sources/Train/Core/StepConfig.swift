/// The settings of optimiser steps and of what follows them, shared by all methods.
public struct StepConfig: Codable, Sendable, Equatable {
    /// The maximum number of tokens per pass; a batch is divided into passes. It changes memory, not results.
    public var tokensPerPass = 1024
    /// Whether the backward pass recomputes the intermediate results of trained layers instead of keeping them. This saves memory
    /// and costs a second forward pass through these layers; the resulting weights are the same.
    public var recomputesLayers = false
    /// The format in which gradients are kept until the weights are updated.
    public var gradientFormat = GradientFormat.f32
    /// The settings of the optimiser.
    public var optimizer = AdamConfig()
    /// The learning-rate schedule.
    public var schedule = Schedule()
    /// The number of steps between two lines of metrics.
    public var logSteps = 25
    /// The number of steps between two evaluations; nil evaluates only at the end.
    public var evaluationSteps: Int?
    /// The number of steps between two checkpoints; nil leaves checkpoints to the caller.
    public var checkpointSteps: Int?
    /// The seed of the order of examples, of sampling and of dropout.
    public var seed: UInt64 = 42
    /// The number of batches with NaN or Inf that are skipped, without a change of the weights, before the run stops.
    public var skippedBatches = 0
    /// How gradients and values travel among ranks.
    package var exchange = ExchangeConfig()

    /// The values of the paper's code for training on examples.
    public init() {}

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try optimizer.validate()
        try Settings.require(schedule.warmupSteps >= 0, "the number of warm-up steps", schedule.warmupSteps, "it must not be negative")
        try Settings.require((0...1).contains(schedule.warmupShare), "the warm-up share", schedule.warmupShare, "it must be in 0...1")
        try Settings.require(tokensPerPass > 0, "the number of tokens per pass", tokensPerPass, "it must be above 0")
        try Settings.require(skippedBatches >= 0, "the limit of skipped batches", skippedBatches, "it must not be negative")
        try Settings.require(
            skippedBatches == 0 || !optimizer.appliesInBackward, "the limit of skipped batches", skippedBatches,
            "it must be 0 where weights are updated in the backward pass, because a bad gradient may be found after the first update")
        for (name, steps) in [("logging", logSteps), ("evaluation", evaluationSteps ?? 1), ("checkpoint", checkpointSteps ?? 1)] {
            try Settings.require(steps > 0, "the \(name) interval", steps, "it must be above 0")
        }
    }

    /// Checks that several processes can train with the settings.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    func check(ranks: Int) throws {
        try Settings.require(
            ranks == 1 || !optimizer.appliesInBackward, "the number of processes", ranks,
            "it must be 1 where weights are updated in the backward pass, before the gradients of all processes are summed")
    }

    /// The scheduled learning rate of an optimiser step (from 0).
    func learningRate(step: Int, total: Int) -> Double { optimizer.learningRate * schedule.factor(step: step, total: total) }
}

/// A configuration that contains a ``StepConfig``. Its settings can be accessed directly: `config.seed` is `config.steps.seed`.
@dynamicMemberLookup
public protocol StepSettings {
    /// The settings of optimiser steps.
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

    /// Checks an optional setting, which must be above 0 if it is given.
    static func requirePositive(_ value: Int?, _ name: String) throws {
        try require(value.map { $0 > 0 } ?? true, name, value ?? 0, "it must be above 0")
    }
}
