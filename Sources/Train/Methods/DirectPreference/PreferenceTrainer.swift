public import Data
public import Models

/// The trainer for direct preference optimisation on pairs of answers.
public typealias PreferenceTrainer = Trainer<PreferenceObjective>

extension Trainer where Method == PreferenceObjective {
    /// Creates a trainer.
    /// - Parameters:
    ///   - policy: the policy to train.
    ///   - config: the settings.
    ///   - pairs: the training pairs. If the loss has a reference, they need the reference's log-probabilities; see
    ///     ``ReferenceLogProbs``.
    ///   - evaluations: named sets of held-out pairs.
    ///   - collective: the ranks that train together. Default: this process alone.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for invalid settings, without pairs, or for a pair that does not fit the policy.
    public convenience init(
        _ policy: any TransformerDecoder, config: PreferenceConfig, pairs: [PreferencePair],
        evaluations: [(name: String, pairs: [PreferencePair])] = [], collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try PreferenceObjective(policy, config: config, evaluations: evaluations)
        guard !pairs.isEmpty else { throw TrainingError.noExamples("the set of comparisons") }
        try objective.check(pairs)
        try self.init(objective, config: config.loop, examples: pairs, collective: collective, handler: handler)
    }

    /// The policy that is trained.
    public var policy: any TransformerDecoder { objective.policy }
    /// The settings.
    public var config: PreferenceConfig { objective.config }
}

/// Computes a reference model's log-probabilities of pairs of answers, once, before the first step.
public struct ReferenceLogProbs {
    private let reference: any TransformerDecoder
    private let config: PreferenceConfig

    /// The log-probabilities of a reference model, summed as the settings say.
    public init(_ reference: any TransformerDecoder, config: PreferenceConfig) {
        self.reference = reference
        self.config = config
    }

    /// Pairs with the reference's log-probabilities, if the loss has a reference. Each prompt is read once for both answers.
    /// - Parameters:
    ///   - comparisons: the comparisons, one for each pair.
    ///   - weights: the weights of the pairs' losses. Default: those of the comparisons.
    ///   - progress: called with the number of pairs done.
    /// - Throws: ``TrainingError/noTokens(_:)`` for a prompt or an answer without tokens; errors of `progress`.
    public func pairs(
        _ comparisons: [TokenisedComparison], weights: [Double]? = nil, progress: (Int) throws -> Void = { _ in }
    ) throws -> [PreferencePair] {
        for pair in comparisons {
            guard !pair.prompt.isEmpty else { throw TrainingError.noTokens("the prompt of comparison \(pair.id)") }
            guard pair.summaries.allSatisfy({ !$0.isEmpty }) else { throw TrainingError.noTokens("an answer of comparison \(pair.id)") }
        }
        var pairs = comparisons.enumerated().map { PreferencePair($0.element, weight: weights?[$0.offset]) }
        guard config.loss.comparison == .reference else { return pairs }
        let scorer = TokenScorer(decoder: reference, temperature: 1, validTokens: config.validTokens ?? reference.shape.vocabularySize)
        var done = 0
        for part in Packing.parts(Array(pairs.indices), tokensPerPass: 2 * config.tokensPerPass, length: { pairs[$0].comparison.count }) {
            let pass = PairPass(part.map { pairs[$0] }, withPrompts: false)
            let numbers = scorer(pass.pass).logProbs.values
            for (index, places) in zip(part, pass.places) {
                let pair = pairs[index]
                let weights = TokenWeights(chosen: pair.chosen.count, rejected: pair.rejected.count, excess: config.excessTokenWeight)
                pairs[index].reference = (weights.sum(numbers[places.chosen]), weights.sum(numbers[places.rejected]))
            }
            done += part.count
            try progress(done)
        }
        return pairs
    }
}
