public import Data
import Eval
import Formats
public import Models

/// The trainer of a reward model on pairs of answers. It leaves the head unnormalised, so that the caller can save the trained
/// model first and then call ``Trainer/normalise()``.
public typealias RewardTrainer = Trainer<RewardObjective>

extension Trainer where Method == RewardObjective {
    /// Creates a trainer.
    /// - Parameters:
    ///   - model: the model to train.
    ///   - config: the settings.
    ///   - comparisons: the training pairs.
    ///   - evaluations: named sets of held-out comparisons.
    ///   - collective: the ranks that train together. Default: this process alone.
    ///   - handler: receives progress and metrics.
    /// - Throws: ``TrainingError`` for invalid settings, without pairs, or for a pair that does not fit the model.
    public convenience init(
        _ model: RewardModel, config: RewardConfig, comparisons: [TokenisedComparison],
        evaluations: [(name: String, comparisons: [TokenisedComparison])] = [], collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try RewardObjective(model, config: config, evaluations: evaluations)
        guard !comparisons.isEmpty else { throw TrainingError.noExamples("the set of comparisons") }
        try objective.check(comparisons)
        try self.init(objective, config: config.loop, examples: comparisons, collective: collective, handler: handler)
    }

    /// The model that is trained.
    public var model: RewardModel { objective.model }
    /// The settings.
    public var config: RewardConfig { objective.config }
    /// The results of the last evaluation, by set.
    public var lastEvaluation: [String: RewardEvaluation] { objective.lastEvaluation }

    /// Evaluates a set that is not evaluated during training, and reports `<name>_accuracy` and the other results.
    /// - Returns: the scores of answers 0 and 1 of every pair, alternating.
    /// - Throws: errors of the handler; ``CollectiveError`` when another rank fails.
    @discardableResult
    public func evaluate(_ set: [TokenisedComparison], name: String) throws -> [Float] {
        let scores = try scores(of: set, part: "evaluation of \(name)")
        try collective.together {
            try handler(.measured(step: step, values: objective.evaluation(of: scores, set).values(prefix: "\(name)_")))
        }
        return scores
    }

    /// The scores of a set's pairs, two per pair, without reporting metrics.
    /// - Parameters:
    ///   - set: the pairs.
    ///   - part: the label of progress lines.
    /// - Throws: errors of the handler; ``CollectiveError`` when another rank fails.
    package func scores(of set: [TokenisedComparison], part: String = "scores") throws -> [Float] {
        try collective.reporting(part, set.count, unit: "pair", to: handler) {
            try objective.scores(set, among: collective, progress: $0)
        }
    }

    /// Measures the scores of random training pairs and composes their normalisation into the head. If the scores are equal up to
    /// rounding, the head is left unchanged.
    /// - Returns: the mean and standard deviation of the scores before normalisation, and whether the head was normalised.
    /// - Throws: `DataError.invalidSetting` when the number of pairs is 0; errors of the handler; ``CollectiveError`` when another rank
    ///   fails.
    public func normalise() throws -> RewardNormalisation {
        var draw = try BatchOrder(
            seed: config.seed &+ 1, count: examples.count, batchSize: min(examples.count, config.normalisationPairs))
        let pairs = draw.next().map { examples[$0] }
        try collective.together { try handler(.noted("scoring \(Counted(pairs.count, "training pair")) for the normalisation")) }
        return try model.head.normalise(by: objective.evaluation(of: scores(of: pairs, part: "normalisation"), pairs))
    }
}
