public import Models

/// The settings that every method of training on examples has. Those of its steps are read and set as if they were its own: `loop.seed`.
public struct LoopConfig: StepSettings, Codable, Sendable, Equatable {
    /// Passes over the examples.
    public var epochs = 1.0
    /// Stops after this many optimiser steps, when it is set.
    public var maxSteps: Int?
    /// Examples of one optimiser step.
    public var batchSize = 16
    /// Whether numbers are dropped at the rates of the model's configuration (``TransformerDecoder/dropout``); evaluations never drop any.
    public var dropsOut = true
    /// How steps are taken.
    public var steps = StepConfig()

    /// The values of the paper's code.
    public init() {}

    /// Checks that the numbers make sense.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try steps.validate()
        try Settings.require(
            (0...1e6).contains(epochs) && epochs > 0, "the number of epochs", epochs, "it must be above 0 and at most 1000000")
        try Settings.requirePositive(maxSteps, "the number of steps")
        try Settings.require(batchSize > 0, "the batch size", batchSize, "it must be above 0")
    }

    /// The optimiser steps of a run over so many examples.
    public func totalSteps(examples: Int) -> Int {
        let perEpoch = (examples + batchSize - 1) / batchSize
        return maxSteps ?? max(1, Int((Double(perEpoch) * epochs).rounded()))
    }
}

/// Settings of the loop among those of a method, read and set as if they were the method's own: `config.batchSize` is
/// `config.loop.batchSize`.
@dynamicMemberLookup
public protocol LoopSettings {
    /// The settings that every method of training on examples has.
    var loop: LoopConfig { get set }
    /// What stays as it is.
    var freezing: Freezing { get set }
}

extension LoopSettings {
    /// A setting of ``loop``, or of its steps.
    public subscript<Value>(dynamicMember path: WritableKeyPath<LoopConfig, Value>) -> Value {
        get { loop[keyPath: path] }
        set { loop[keyPath: path] = newValue }
    }

    /// Checks the loop and the freezing.
    func validateLoop() throws {
        try loop.validate()
        try freezing.validate()
    }
}

extension Freezing {
    func validate() throws {
        try Settings.require((0...1).contains(fraction), "the frozen share", fraction, "it must be in 0...1")
    }
}
