import Data
public import Models
public import Tensor

/// The objective of direct preference optimisation on pairs: a ``PreferenceLoss`` of the policy's log-probabilities of the better
/// and the worse answer.
///
/// A loss depends on the model only through the two log-probabilities of a pair, so its gradient with respect to every token's
/// log-probability is known in closed form (``PairNumber``). The model is differentiated through Σ gradient · log p.
public final class PreferenceObjective: Objective {
    /// The policy that is trained.
    public let policy: any TransformerDecoder
    /// The settings.
    public let config: PreferenceConfig
    let evaluations: [(name: String, pairs: [PreferencePair])]

    /// Creates an objective and freezes the policy's parameters according to the settings.
    /// - Parameters:
    ///   - policy: the policy to train.
    ///   - config: the settings.
    ///   - evaluations: named sets of held-out pairs.
    /// - Throws: ``TrainingError`` for invalid settings, or a pair that does not fit the policy.
    public init(
        _ policy: any TransformerDecoder, config: PreferenceConfig, evaluations: [(name: String, pairs: [PreferencePair])] = []
    ) throws {
        try config.validate()
        self.policy = policy
        self.config = config
        self.evaluations = evaluations
        try check(evaluations.flatMap(\.pairs))
        config.freezing.apply(to: policy, isRewardModel: false)
    }

    /// Checks that the pairs fit the policy's context, have tokens, and have the reference's log-probabilities if the loss needs
    /// them.
    func check(_ pairs: [PreferencePair]) throws {
        for pair in pairs {
            let comparison = pair.comparison
            guard !comparison.prompt.isEmpty else { throw TrainingError.noTokens("the prompt of comparison \(comparison.id)") }
            for (side, answer) in comparison.summaries.enumerated() {
                guard !answer.isEmpty else { throw TrainingError.noTokens("answer \(side) of comparison \(comparison.id)") }
                try policy.check(comparison.prompt + answer, id: comparison.id)
            }
            precondition(
                config.loss.comparison != .reference || pair.reference != nil,
                "comparison \(comparison.id) has no log-probabilities of the reference model, which \(config.loss.name) needs")
        }
    }

    /// The label of progress lines: the name of the method, such as `dpo` or `simpo`.
    public var stage: String { config.loss.method }
    /// The policy's parameters.
    public var parameters: [Parameter] { policy.parameters }
    /// Whether the configuration of the policy has dropout.
    public var hasDropout: Bool { !policy.dropout.isNone }
    /// The names of the accumulated loss and weight in a snapshot: `loss` and `pairs`.
    public var sumNames: (loss: String, weight: String) { ("loss", "pairs") }
    /// The ID of the pair, for error messages.
    public func id(of pair: PreferencePair) -> String { pair.comparison.id }
    /// The number of tokens of the prompt and both answers.
    public func tokens(of pair: PreferencePair) -> Int { pair.comparison.count }

    /// The loss of a pass over some pairs of a batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    public func loss(of pass: Pass<PreferencePair>, on tape: Tape) throws -> PassLoss {
        let pairs = pass.examples
        let (found, logProbs) = measured(pairs, batch: pass.batch, dropout: pass.dropout, on: tape)
        let loss = (logProbs * found.gradient).sum()
        guard found.loss.isFinite, loss.item.isFinite else {
            throw TrainingError.notFinite(
                logProbs.nonFiniteCount > 0 ? "a log-probability" : "the loss", step: pass.step, in: policy,
                ids: pairs.flatMap { [$0.comparison.id, $0.comparison.id] },
                sequences: pairs.flatMap { [$0.comparison.prompt + $0.chosen, $0.comparison.prompt + $0.rejected] })
        }
        return PassLoss(loss, shown: found.loss, sums: found.statistics.sums)
    }

    /// The loss of some pairs of a batch, its gradient with respect to every token's log-probability, and sums for metrics.
    private func measured(
        _ pairs: [PreferencePair], batch: [PreferencePair], dropout: DropoutSource? = nil, on tape: Tape?
    ) -> (found: (loss: Double, gradient: Tensor, statistics: PreferenceStatistics), logProbs: Tensor) {
        let supervised = config.likelihoodWeight
        var pass = PairPass(pairs, withPrompts: supervised > 0 && config.loss.supervisesPrompt)
        let places = pass.places
        pass.drop(dropout)
        let scorer = TokenScorer(decoder: policy, temperature: 1, validTokens: config.validTokens ?? policy.shape.vocabularySize)
        let logProbs = scorer(pass.pass, on: tape).logProbs
        let numbers = logProbs.values
        // every term is normalised by a number of the whole batch
        let count = Double(batch.count)
        let supervisedTokens = Double(
            batch.reduce(0) { $0 + $1.chosen.count + (config.loss.supervisesPrompt ? $1.comparison.prompt.count - 1 : 0) })
        var (loss, gradient, statistics) = (0.0, [Float](repeating: 0, count: numbers.count), PreferenceStatistics())
        for (pair, places) in zip(pairs, places) {
            let (terms, weights) = config.terms(numbers[places.chosen], numbers[places.rejected], reference: pair.reference)
            let value = pair.weight * config.loss.value(terms, config)
            loss += value.value / count
            for (place, index) in zip(places.chosen, 0...) { gradient[place] = Float(value.chosen * weights.weight(index) / count) }
            for (place, index) in zip(places.rejected, 0...) { gradient[place] = Float(value.rejected * weights.weight(index) / count) }
            if supervised > 0 {
                for place in Array(places.prompt) + Array(places.chosen) {
                    loss -= supervised * Double(numbers[place]) / supervisedTokens
                    gradient[place] -= Float(supervised / supervisedTokens)
                }
            }
            statistics.add(terms, config, logProbs: (weights.sum(numbers[places.chosen]), weights.sum(numbers[places.rejected])))
        }
        return ((loss, Tensor(gradient, shape: logProbs.shape), statistics), logProbs)
    }

    // MARK: Metrics

    /// The metrics of the steps since the last log line: loss, accuracy, margin, rewards and log-probabilities.
    public func metrics(of sums: LossSums) -> [String: Double] {
        PreferenceStatistics(sums.extra).values(loss: sums.meanLoss, prefix: "")
    }

    /// The number of samples seen, and the progress of the run in percent.
    public func progress(step: Int, of total: Int) -> [String: Double] {
        ["total_samples_seen": Double(step * config.batchSize), "percent_progress": 100 * Double(step) / Double(total)]
    }

    /// The metrics of every evaluation set: `<name>_loss`, `<name>_accuracy`, margins, rewards and log-probabilities.
    public func evaluate() throws -> [String: Double] { try evaluate(among: LocalCollective()) }

    /// The metrics of every evaluation set. Each rank evaluates a share of each set.
    public func evaluate(among collective: any Collective) throws -> [String: Double] {
        try evaluate(among: collective, reporting: { _ in })
    }

    /// The metrics of every evaluation set, with progress.
    public func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for (name, set) in evaluations where !set.isEmpty {
            values.merge(try evaluation(of: set, name: name, among: collective, reporting: handler)) { $1 }
        }
        return values
    }

    /// The metrics of a set, prefixed with its name. Each rank evaluates a share of the set.
    /// - Parameters:
    ///   - set: the pairs.
    ///   - name: the prefix of the names.
    ///   - collective: the ranks that share the work.
    ///   - handler: receives the progress. Default: none.
    /// - Throws: errors of the handler; ``CollectiveError`` when another rank fails.
    public func evaluation(
        of set: [PreferencePair], name: String, among collective: any Collective,
        reporting handler: @escaping TrainingEventHandler = { _ in }
    ) throws -> [String: Double] {
        let sums = try collective.reporting("evaluation of \(name)", set.count, unit: "pair", to: handler) { progress in
            try collective.sharing(set, tokens: \.comparison.count) { share in
                try evaluationSums(of: share, in: set) { try collective.estimating(share.count, of: set.count, progress, $0, $1) }
            }
        }
        return EvaluationSums(of: sums).values(prefix: "\(name)_")
    }

    /// The metrics of a set, prefixed with its name.
    public func evaluation(of set: [PreferencePair], name: String) -> [String: Double] {
        evaluationSums(of: set, in: set) { _, _ in }.values(prefix: "\(name)_")
    }

    /// The share of some pairs in the metrics of a set.
    private func evaluationSums(
        of pairs: [PreferencePair], in set: [PreferencePair], progress: PartProgressHandler
    ) rethrows -> EvaluationSums {
        var (loss, statistics) = (0.0, PreferenceStatistics())
        try Packing.forEachPart(
            of: pairs, tokensPerPass: 2 * config.tokensPerPass, length: \.comparison.count, progress: progress
        ) { part in
            let found = measured(part, batch: set, on: nil).found
            loss += found.loss
            statistics.add(found.statistics)
        }
        return EvaluationSums(loss: loss, sums: statistics.sums)
    }
}

/// The loss of an evaluation and sums for its other metrics, of all pairs or of a rank's.
struct EvaluationSums: Codable {
    var loss = 0.0
    var sums: [String: Double] = [:]

    init(loss: Double, sums: [String: Double]) { (self.loss, self.sums) = (loss, sums) }

    /// The sums of several ranks.
    init(of parts: [EvaluationSums]) {
        for part in parts {
            loss += part.loss
            sums.merge(part.sums) { $0 + $1 }
        }
    }

    fileprivate func values(prefix: String) -> [String: Double] { PreferenceStatistics(sums).values(loss: loss, prefix: prefix) }
}

/// Sums of the metrics of pairs.
struct PreferenceStatistics {
    private(set) var sums: [String: Double] = [:]

    init(_ sums: [String: Double] = [:]) { self.sums = sums }

    /// Adds a pair. Equal rewards count as half correct.
    mutating func add(_ terms: PairTerms, _ config: PreferenceConfig, logProbs: (chosen: Double, rejected: Double)) {
        let (c, r) = (config.beta * terms.plainChosen.value, config.beta * terms.plainRejected.value)
        let numbers = [
            "pairs_seen": 1, "rewards_chosen": c, "rewards_rejected": r, "accuracy": c > r ? 1 : c < r ? 0 : 0.5,
            "logps_chosen": logProbs.chosen,
            "logps_rejected": logProbs.rejected,
        ]
        sums.merge(numbers) { $0 + $1 }
    }

    mutating func add(_ other: PreferenceStatistics) { sums.merge(other.sums) { $0 + $1 } }

    /// The means over pairs, and the loss.
    func values(loss: Double, prefix: String) -> [String: Double] {
        let count = max(1, sums["pairs_seen"] ?? 0)
        var values = ["\(prefix)loss": loss]
        for (name, sum) in sums where name != "pairs_seen" { values["\(prefix)\(name)"] = sum / count }
        values["\(prefix)margin"] = ((sums["rewards_chosen"] ?? 0) - (sums["rewards_rejected"] ?? 0)) / count
        return values
    }
}
