public import Data
import Eval
public import Models
public import Tensor

/// The objective of a reward model: for every pair, −log σ(preferred score − other score) (``RewardLoss``).
public final class RewardObjective: Objective {
    /// The model that is trained.
    public let model: RewardModel
    /// The settings.
    public let config: RewardConfig
    let evaluations: [(name: String, comparisons: [TokenisedComparison])]

    /// The results of the last evaluation, by set.
    public private(set) var lastEvaluation: [String: RewardEvaluation] = [:]

    /// Creates an objective and freezes the model's parameters according to the settings.
    /// - Parameters:
    ///   - model: the model to train.
    ///   - config: the settings.
    ///   - evaluations: named sets of held-out comparisons.
    /// - Throws: ``TrainingError`` for invalid settings, or a pair that does not fit the model.
    public init(
        _ model: RewardModel, config: RewardConfig, evaluations: [(name: String, comparisons: [TokenisedComparison])] = []
    ) throws {
        try config.validate()
        self.model = model
        self.config = config
        self.evaluations = evaluations
        try check(evaluations.flatMap(\.comparisons))
        config.freezing.apply(to: model.decoder, isRewardModel: true)
    }

    /// Checks that the pairs have tokens and fit the model's context.
    func check(_ comparisons: [TokenisedComparison]) throws {
        for pair in comparisons {
            for (side, summary) in pair.summaries.enumerated() {
                guard !summary.isEmpty else { throw TrainingError.noTokens("answer \(side) of comparison \(pair.id)") }
                try model.decoder.check(pair.prompt + summary, id: pair.id)
            }
        }
    }

    /// The label of progress lines: `reward model`.
    public var stage: String { "reward model" }
    /// The parameters of the decoder and the head.
    public var parameters: [Parameter] { model.decoder.parameters + model.head.parameters }
    /// Whether the configuration of the decoder has dropout.
    public var hasDropout: Bool { !model.decoder.dropout.isNone }
    /// The names of the accumulated loss and weight in a snapshot: `loss` and `pairs`.
    public var sumNames: (loss: String, weight: String) { ("loss", "pairs") }
    private static let right = "right"
    /// The ID of the pair, for error messages.
    public func id(of pair: TokenisedComparison) -> String { pair.id }
    /// The number of tokens of the prompt and both answers.
    public func tokens(of pair: TokenisedComparison) -> Int { pair.count }
    /// The number of rows of a pair in a pass. The prompt counts twice if scores are not read at the last token.
    public func rows(of pair: TokenisedComparison) -> Int { pair.count + (config.position == .lastToken ? 0 : pair.prompt.count) }

    /// The loss of a pass over some pairs of a batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    public func loss(of pass: Pass<TokenisedComparison>, on tape: Tape) throws -> PassLoss {
        let part = pass.examples
        let scores = RewardLoss.scores(model, part, position: config.position, on: tape, dropout: pass.dropout)
        let loss = RewardLoss.loss(
            scores: scores, choices: part.map(\.choice), weight: 1 / Float(pass.batch.count), centering: Float(config.centering))
        guard loss.item.isFinite else {
            throw TrainingError.notFinite(
                scores.nonFiniteCount > 0 ? "a score" : "the loss", step: pass.step, in: model.decoder, model.head,
                ids: part.flatMap { pair in pair.summaries.map { _ in pair.id } },
                sequences: part.flatMap { pair in pair.summaries.map { pair.prompt + $0 } })
        }
        return PassLoss(loss, sums: [Self.right: evaluation(of: scores.values, part).accuracy * Double(part.count)])
    }

    /// The metrics of the steps since the last log line: loss and accuracy.
    public func metrics(of sums: LossSums) -> [String: Double] {
        ["loss": sums.meanLoss, "accuracy": (sums.extra[Self.right] ?? 0) / sums.weight]
    }

    /// The number of samples seen, and the progress of the run in percent.
    public func progress(step: Int, of total: Int) -> [String: Double] {
        [
            "total_samples_seen": Double(step * config.batchSize),
            "percent_progress": 100 * Double(step) / Double(total),
        ]
    }

    /// The metrics of every evaluation set: `<name>_accuracy` and the other results of ``RewardEvaluation``.
    public func evaluate() throws -> [String: Double] { try evaluate(among: LocalCollective()) }

    /// The metrics of every evaluation set. Each rank scores a share of each set.
    public func evaluate(among collective: any Collective) throws -> [String: Double] {
        try evaluate(among: collective, reporting: { _ in })
    }

    /// The metrics of every evaluation set, with progress.
    public func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for (name, set) in evaluations where !set.isEmpty {
            let scores = try collective.reporting("evaluation of \(name)", set.count, unit: "pair", to: handler) {
                try self.scores(set, among: collective, progress: $0)
            }
            let result = evaluation(of: scores, set)
            lastEvaluation[name] = result
            values.merge(result.values(prefix: "\(name)_")) { $1 }
        }
        return values
    }

    func scores(
        _ set: [TokenisedComparison], among collective: any Collective, progress: PartProgressHandler = { _, _ in }
    ) throws -> [Float] {
        try collective.sharing(set, tokens: \.count) { share in
            try RewardLoss.scores(model, share, tokensPerPass: config.tokensPerPass * 2, position: config.position) { done, tokens in
                try collective.estimating(share.count, of: set.count, progress, done, tokens)
            }
        }.flatMap { $0 }
    }

    func evaluation(of scores: [Float], _ set: [TokenisedComparison]) -> RewardEvaluation {
        RewardEvaluation(scores: scores, choices: set.map(\.choice), tiesPredictZero: config.tiesPredictZero)
    }
}

extension RewardLoss {
    /// The scores of answers 0 and 1 of every pair, alternating, in passes of at most `tokensPerPass` tokens.
    /// - Parameter progress: called after each pass with the numbers of pairs and tokens so far.
    static func scores(
        _ model: RewardModel, _ comparisons: [TokenisedComparison], tokensPerPass: Int, position: ScorePosition,
        progress: PartProgressHandler
    ) throws -> [Float] {
        var all: [Float] = []
        try Packing.forEachPart(of: comparisons, tokensPerPass: tokensPerPass, length: \.count, progress: progress) { part in
            all += scores(model, part, position: position).values
        }
        return all
    }
}
