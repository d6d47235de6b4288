public import Data
public import Models

/// Supervised fine-tuning of a decoder on prompts with reference answers.
public typealias SFTTrainer = Trainer<SFTObjective>

extension Trainer where Method == SFTObjective {
    /// A trainer.
    /// - Parameters:
    ///   - examples: what is trained on; every target has at least one token.
    ///   - evaluations: named sets whose mean loss is measured.
    ///   - validTokens: ids at and above it have no token.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for settings without meaning, no examples, or an example that the model has no room for.
    public convenience init(
        _ decoder: any TransformerDecoder, config: SFTConfig, examples: [TokenisedExample],
        evaluations: [(name: String, examples: [TokenisedExample])] = [], validTokens: Int? = nil,
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try SFTObjective(decoder, config: config, evaluations: evaluations, validTokens: validTokens)
        guard !examples.isEmpty else { throw TrainingError.noExamples("the training split") }
        try objective.check(examples)
        try self.init(objective, config: config.loop, examples: examples, handler: handler)
    }

    /// The model that is being trained.
    public var decoder: any TransformerDecoder { objective.decoder }
    /// The settings.
    public var config: SFTConfig { objective.config }
    /// The losses of the last evaluation.
    public var lastEvaluation: [String: Double] { objective.lastEvaluation }

    /// Measures a set that is no part of the evaluations during training: `<name>_loss`.
    /// - Throws: what the handler throws.
    public func evaluate(_ set: [TokenisedExample], name: String) throws {
        guard !set.isEmpty else { return }
        try handler(.measured(step: step, values: ["\(name)_loss": objective.loss(of: set)]))
    }
}
