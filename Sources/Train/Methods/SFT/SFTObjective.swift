public import Data
public import Models
public import Tensor

/// The loss of supervised fine-tuning: the mean −log p over all target tokens of a batch, however the batch is cut into passes: short
/// answers do not weigh more than long ones.
public final class SFTObjective: Objective {
    /// The model that is being trained.
    public let decoder: any TransformerDecoder
    /// The settings.
    public let config: SFTConfig
    let evaluations: [(name: String, examples: [TokenisedExample])]
    let validTokens: Int?

    /// The losses of the last evaluation.
    public private(set) var lastEvaluation: [String: Double] = [:]

    /// An objective; the decoder's parameters are frozen as the settings say.
    /// - Parameters:
    ///   - evaluations: named sets whose mean loss is measured.
    ///   - validTokens: ids at and above it have no token.
    /// - Throws: ``TrainingError`` for settings without meaning, or an example that the model has no room for.
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

    /// Refuses examples that the model has no room for, or nothing to learn from.
    func check(_ examples: [TokenisedExample]) throws {
        for example in examples {
            try decoder.check(example.prompt + example.target, id: example.id)
            for (part, tokens) in [("prompt", example.prompt), ("target", example.target)] where tokens.isEmpty {
                throw TrainingError.noTokens("the \(part) of example \(example.id)")
            }
        }
    }

    public var stage: String { "sft" }
    public var parameters: [Parameter] { decoder.parameters }
    public var hasDropout: Bool { !decoder.dropout.isNone }
    public var sumNames: (loss: String, weight: String) { ("interval_loss", "interval_targets") }
    public func id(of example: TokenisedExample) -> String { example.id }
    public func tokens(of example: TokenisedExample) -> Int { example.count }
    public func rows(of example: TokenisedExample) -> Int { example.count - 1 }
    /// The target tokens.
    public func weight(of batch: [TokenisedExample]) -> Double { Double(batch.reduce(0) { $0 + $1.target.count }) }

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

    /// `<name>_loss` of every evaluation set.
    public func evaluate() -> [String: Double] {
        lastEvaluation = [:]
        for (name, set) in evaluations where !set.isEmpty { lastEvaluation["\(name)_loss"] = loss(of: set) }
        return lastEvaluation
    }

    func loss(of set: [TokenisedExample]) -> Double {
        SFTLoss.mean(
            decoder, set, batchSize: config.evaluationBatchSize, tokensPerPass: config.tokensPerPass * 2,
            validTokens: validTokens)
    }
}
