public import Data
import Eval
public import Models

/// Training of a reward model on pairs of answers. It leaves the head as it was trained: the caller may save that first and then call
/// ``Trainer/normalise()``.
public typealias RewardTrainer = Trainer<RewardObjective>

extension Trainer where Method == RewardObjective {
    /// A trainer; `evaluations` are named sets of held-out comparisons.
    /// - Throws: ``TrainingError`` for settings without meaning, no pairs, or a pair that the model has no room for.
    public convenience init(
        _ model: RewardModel, config: RewardConfig, comparisons: [TokenisedComparison],
        evaluations: [(name: String, comparisons: [TokenisedComparison])] = [], handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try RewardObjective(model, config: config, evaluations: evaluations)
        guard !comparisons.isEmpty else { throw TrainingError.noExamples("the set of comparisons") }
        try objective.check(comparisons)
        try self.init(objective, config: config.loop, examples: comparisons, handler: handler)
    }

    /// The model that is being trained.
    public var model: RewardModel { objective.model }
    /// The settings.
    public var config: RewardConfig { objective.config }
    /// The results of the last evaluation by set.
    public var lastEvaluation: [String: RewardEvaluation] { objective.lastEvaluation }

    /// Measures a set that is no part of the evaluations during training: `<name>_accuracy` and so on.
    /// - Returns: the scores of answer 0 and 1 of every pair, in turn.
    /// - Throws: what the handler throws.
    @discardableResult
    public func evaluate(_ set: [TokenisedComparison], name: String) throws -> [Float] {
        let scores = objective.scores(set)
        try handler(.measured(step: step, values: objective.evaluation(of: scores, set).values(prefix: "\(name)_")))
        return scores
    }

    /// The scores of a set's pairs, two for each, without measuring anything.
    package func scores(of set: [TokenisedComparison]) -> [Float] { objective.scores(set) }

    /// Measures the scores of a number of random training pairs and composes their normalisation into the head, unless they are all
    /// equal up to rounding: then the head stays as it is.
    /// - Returns: the mean and deviation of the scores before, and whether the head has been normalised by them.
    /// - Throws: `DataError.invalidSetting` when no pair is asked for.
    public func normalise() throws -> RewardNormalisation {
        var draw = try BatchOrder(
            seed: config.seed &+ 1, count: examples.count, batchSize: min(examples.count, config.normalisationPairs))
        let pairs = draw.next().map { examples[$0] }
        return model.head.normalise(by: objective.evaluation(of: objective.scores(pairs), pairs))
    }
}
