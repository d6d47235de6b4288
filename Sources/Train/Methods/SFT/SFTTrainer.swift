public import Data
public import Models

/// The trainer for supervised fine-tuning of a decoder on prompts with reference answers.
public typealias SFTTrainer = Trainer<SFTObjective>

extension Trainer where Method == SFTObjective {
    /// Creates a trainer.
    /// - Parameters:
    ///   - decoder: the model to train.
    ///   - config: the settings.
    ///   - examples: the training examples; every target needs at least one token.
    ///   - evaluations: named sets whose mean loss is measured.
    ///   - validTokens: the number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of
    ///     the model.
    ///   - collective: the ranks that train together. Default: this process alone.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for invalid settings, without examples, or for an example that does not fit the model.
    public convenience init(
        _ decoder: any TransformerDecoder, config: SFTConfig, examples: [TokenisedExample],
        evaluations: [(name: String, examples: [TokenisedExample])] = [], validTokens: Int? = nil,
        collective: any Collective = LocalCollective(), handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try SFTObjective(decoder, config: config, evaluations: evaluations, validTokens: validTokens)
        guard !examples.isEmpty else { throw TrainingError.noExamples("the training split") }
        try objective.check(examples)
        try self.init(objective, config: config.loop, examples: examples, collective: collective, handler: handler)
    }

    /// The model that is trained.
    public var decoder: any TransformerDecoder { objective.decoder }
    /// The settings.
    public var config: SFTConfig { objective.config }
    /// The losses of the last evaluation, by name.
    public var lastEvaluation: [String: Double] { objective.lastEvaluation }

    /// Evaluates a set that is not evaluated during training, and reports `<name>_loss`.
    /// - Throws: errors of the handler; ``CollectiveError`` when another rank fails.
    public func evaluate(_ set: [TokenisedExample], name: String) throws {
        guard !set.isEmpty else { return }
        let loss = try collective.reporting("evaluation of \(name)", set.count, unit: "example", to: handler) {
            try objective.loss(of: set, among: collective, progress: $0)
        }
        try collective.together { try handler(.measured(step: step, values: ["\(name)_loss": loss])) }
    }
}
