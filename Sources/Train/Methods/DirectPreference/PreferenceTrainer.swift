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
    ///
    /// Several ranks divide the passes among themselves. All of them get all pairs, with the bits of one process.
    /// - Parameters:
    ///   - comparisons: the comparisons, one for each pair.
    ///   - weights: the weights of the pairs' losses. Default: those of the comparisons.
    ///   - collective: the ranks that share the work. Default: this process alone.
    ///   - progress: called with the number of pairs done.
    /// - Throws: ``TrainingError/noTokens(_:)`` for a prompt or an answer without tokens; errors of `progress`;
    ///   ``CollectiveError`` when another rank fails.
    public func pairs(
        _ comparisons: [TokenisedComparison], weights: [Double]? = nil, among collective: any Collective = LocalCollective(),
        progress: (Int) throws -> Void = { _ in }
    ) throws -> [PreferencePair] {
        for pair in comparisons {
            guard !pair.prompt.isEmpty else { throw TrainingError.noTokens("the prompt of comparison \(pair.id)") }
            guard pair.summaries.allSatisfy({ !$0.isEmpty }) else { throw TrainingError.noTokens("an answer of comparison \(pair.id)") }
        }
        var pairs = comparisons.enumerated().map { PreferencePair($0.element, weight: weights?[$0.offset]) }
        guard config.loss.comparison == .reference else { return pairs }
        let scorer = TokenScorer(decoder: reference, temperature: 1, validTokens: config.validTokens ?? reference.shape.vocabularySize)
        var done = 0
        let parts = Packing.parts(Array(pairs.indices), tokensPerPass: 2 * config.tokensPerPass) { pairs[$0].comparison.count }
        let given = pairs
        try collective.inRounds(parts) { part -> [[Double]] in
            let pass = PairPass(part.map { given[$0] }, withPrompts: false)
            let numbers = scorer(pass.pass).logProbs.values
            return zip(part, pass.places).map { index, places in
                let pair = given[index]
                let weights = TokenWeights(chosen: pair.chosen.count, rejected: pair.rejected.count, excess: config.excessTokenWeight)
                return [weights.sum(numbers[places.chosen]), weights.sum(numbers[places.rejected])]
            }
        } each: { part, sums in
            for (index, sums) in zip(part, sums) { pairs[index].reference = (sums[0], sums[1]) }
            done += part.count
            try progress(done)
        }
        return pairs
    }
}
