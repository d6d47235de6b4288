public import Data
public import Models
public import Tensor

/// The objective of supervised fine-tuning: the mean −log p over all target tokens of a batch, independently of the division into
/// passes. Every token has the same weight, so short answers do not weigh more than long ones.
public final class SFTObjective: Objective {
    /// The model that is trained.
    public let decoder: any TransformerDecoder
    /// The settings.
    public let config: SFTConfig
    let evaluations: [(name: String, examples: [TokenisedExample])]
    let validTokens: Int?

    /// The losses of the last evaluation, by name.
    public private(set) var lastEvaluation: [String: Double] = [:]

    /// Creates an objective and freezes the decoder's parameters according to the settings.
    /// - Parameters:
    ///   - decoder: the model to train.
    ///   - config: the settings.
    ///   - evaluations: named sets whose mean loss is measured.
    ///   - validTokens: the number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of
    ///     the model.
    /// - Throws: ``TrainingError`` for invalid settings, or an example that does not fit the model.
    public init(
        _ decoder: any TransformerDecoder, config: SFTConfig,
        evaluations: [(name: String, examples: [TokenisedExample])] = [], validTokens: Int? = nil
    ) throws {
        try config.validate()
        self.decoder = decoder
        self.config = config
        self.evaluations = evaluations
        self.validTokens = validTokens
        try check(evaluations.flatMap(\.examples))
        config.freezing.apply(to: decoder)
    }

    /// Checks that the examples have tokens and fit the model's context.
    func check(_ examples: [TokenisedExample]) throws {
        for example in examples {
            try decoder.check(example.prompt + example.target, id: example.id)
            for (part, tokens) in [("prompt", example.prompt), ("target", example.target)] where tokens.isEmpty {
                throw TrainingError.noTokens("the \(part) of example \(example.id)")
            }
        }
    }

    /// The label of progress lines: `sft`.
    public var stage: String { "sft" }
    /// The decoder's parameters.
    public var parameters: [Parameter] { decoder.parameters }
    /// Whether the configuration of the decoder has dropout.
    public var hasDropout: Bool { !decoder.dropout.isNone }
    /// The names of the accumulated loss and weight in a snapshot: `interval_loss` and `interval_targets`.
    public var sumNames: (loss: String, weight: String) { ("interval_loss", "interval_targets") }
    /// The ID of the example, for error messages.
    public func id(of example: TokenisedExample) -> String { example.id }
    /// The number of tokens of the prompt and the target.
    public func tokens(of example: TokenisedExample) -> Int { example.count }
    /// The number of rows of an example in a pass: one fewer than its tokens, because the last token is only predicted.
    public func rows(of example: TokenisedExample) -> Int { example.count - 1 }
    /// The number of target tokens.
    public func weight(of batch: [TokenisedExample]) -> Double { Double(batch.reduce(0) { $0 + $1.target.count }) }

    /// The loss of a pass over some examples of a batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    public func loss(of pass: Pass<TokenisedExample>, on tape: Tape) throws -> PassLoss {
        let (batch, part) = (pass.batch, pass.examples)
        let result: PassLoss
        if config.promptLossWeight > 0 {
            let targets = batch.reduce(0) { $0 + $1.target.count }
            let prompts = batch.reduce(0) { $0 + $1.prompt.count - 1 }
            let sums = SFTLoss.losses(decoder, part, on: tape, validTokens: validTokens, dropout: pass.dropout)
            result = PassLoss(
                (sums.target + sums.prompt.scaled(by: Float(config.promptLossWeight)))
                    .scaled(by: 1 / Float(Double(targets) + config.promptLossWeight * Double(prompts))),
                shown: Double(sums.target.item) / Double(targets))
        } else {
            let weights = SFTLoss.weights(batch.map(\.target.count), microBatch: config.microBatchSize)
            result = PassLoss(
                SFTLoss.loss(
                    decoder, part, weights: pass.indices.map { weights[$0] }, on: tape, validTokens: validTokens,
                    dropout: pass.dropout))
        }
        guard result.loss.item.isFinite else {
            throw TrainingError.notFinite(
                "the loss", step: pass.step, in: decoder, ids: part.map(\.id), sequences: part.map { $0.prompt + $0.target })
        }
        return result
    }

    /// The loss of every evaluation set, as `<name>_loss`.
    public func evaluate() throws -> [String: Double] { try evaluate(among: LocalCollective()) }

    /// The loss of every evaluation set, as `<name>_loss`. Each rank evaluates a share of each set.
    public func evaluate(among collective: any Collective) throws -> [String: Double] {
        try evaluate(among: collective, reporting: { _ in })
    }

    /// The loss of every evaluation set, as `<name>_loss`, with progress.
    public func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double] {
        lastEvaluation = [:]
        for (name, set) in evaluations where !set.isEmpty {
            lastEvaluation["\(name)_loss"] = try collective.reporting("evaluation of \(name)", set.count, unit: "example", to: handler) {
                try loss(of: set, among: collective, progress: $0)
            }
        }
        return lastEvaluation
    }

    func loss(
        of set: [TokenisedExample], among collective: any Collective, progress: PartProgressHandler = { _, _ in }
    ) throws -> Double {
        let tokensPerPass = config.tokensPerPass * 2
        guard let batches = SFTLoss.batches(of: set, batchSize: config.evaluationBatchSize) else {
            let sums = try collective.sharing(set, tokens: \.count) { share in
                try SFTLoss.sum(decoder, share, tokensPerPass: tokensPerPass, validTokens: validTokens) {
                    try collective.estimating(share.count, of: set.count, progress, $0, $1)
                }
            }
            return sums.reduce(0, +) / Double(max(1, set.reduce(0) { $0 + $1.target.count }))
        }
        let means = try collective.sharing(batches, tokens: { $0.reduce(0) { $0 + $1.count } }) { share in
            let count = share.reduce(0) { $0 + $1.count }
            var (done, tokens) = (0, 0)
            return try share.map { batch in
                let mean = SFTLoss.mean(decoder, batch, tokensPerPass: tokensPerPass, validTokens: validTokens)
                done += batch.count
                tokens += batch.reduce(0) { $0 + $1.count }
                try collective.estimating(count, of: set.count, progress, done, tokens)
                return mean
            }
        }
        return means.joined().reduce(0, +) / Double(batches.count)
    }
}
