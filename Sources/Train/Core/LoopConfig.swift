public import Models

/// The settings of the training loop that all methods of training on examples share. The settings of ``steps`` can be accessed
/// directly: `loop.seed`.
public struct LoopConfig: StepSettings, Codable, Sendable, Equatable {
    /// The number of passes over the examples.
    public var epochs = 1.0
    /// The maximum number of optimiser steps; nil for no limit besides `epochs`.
    public var maxSteps: Int?
    /// The number of examples per optimiser step.
    public var batchSize = 16
    /// Whether training applies dropout at the rates of the model's configuration (`TransformerDecoder.dropout`). Evaluations
    /// never do.
    public var dropsOut = true
    /// The settings of optimiser steps.
    public var steps = StepConfig()

    /// The values of the paper's code.
    public init() {}

    /// Checks the range of every setting.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try steps.validate()
        try Settings.require(
            (0...1e6).contains(epochs) && epochs > 0, "the number of epochs", epochs, "it must be above 0 and at most 1000000")
        try Settings.requirePositive(maxSteps, "the number of steps")
        try Settings.require(batchSize > 0, "the batch size", batchSize, "it must be above 0")
    }

    /// The number of optimiser steps of a run over this many examples.
    public func totalSteps(examples: Int) -> Int {
        let perEpoch = (examples + batchSize - 1) / batchSize
        return maxSteps ?? max(1, Int((Double(perEpoch) * epochs).rounded()))
    }
}

/// The configuration of a method that contains a ``LoopConfig``. Settings of the loop can be accessed directly:
/// `config.batchSize` is `config.loop.batchSize`.
@dynamicMemberLookup
public protocol LoopSettings {
    /// The settings of the training loop.
    var loop: LoopConfig { get set }
    /// The parameters that are frozen.
    var freezing: Freezing { get set }
}

extension LoopSettings {
    /// A setting of ``loop``, or of its steps.
    public subscript<Value>(dynamicMember path: WritableKeyPath<LoopConfig, Value>) -> Value {
        get { loop[keyPath: path] }
        set { loop[keyPath: path] = newValue }
    }

    /// Checks the settings of the loop and of the freezing.
    func validateLoop() throws {
        try loop.validate()
        try freezing.validate()
    }
}

extension Freezing {
    func validate() throws {
        try Settings.require((0...1).contains(fraction), "the fraction of frozen layers", fraction, "it must be in 0...1")
    }
}
