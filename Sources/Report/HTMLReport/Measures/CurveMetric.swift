package import Runs
import Data

/// The content of one panel of learning curves: a metric during training, and its values in evaluations.
package struct CurveMetric: Sendable {
    /// The title above the panel.
    package var title: String
    /// The axis label, usually with the unit, for a stage.
    package var unit: @Sendable (RunStage) -> String
    /// The name of the training metric in `metrics.jsonl`.
    package var name: String
    /// The names of the evaluation metrics after the name of a split and an underscore, in order of preference.
    package var evaluated: [String] = []

    /// Whether the value is set by a schedule or controller, so that it is not smoothed.
    package var isExact = false

    /// Creates a metric with the same unit in all stages.
    package init(_ title: String, _ unit: String, _ name: String, evaluated: [String] = [], isExact: Bool = false) {
        (self.title, self.unit, self.name, self.evaluated) = (title, { _ in unit }, name, evaluated)
        self.isExact = isExact
    }

    /// The metrics that are drawn, in the order of the page.
    package static let all: [CurveMetric] = {
        var loss = CurveMetric("Loss", "loss", "loss", evaluated: ["loss"])
        loss.unit = { $0 == .supervised ? "nats per token" : $0 == .rewardModel || $0 == .preference ? "nats per pair" : "loss" }
        return [
            loss,
            CurveMetric("Accuracy", "share of pairs ranked correctly", "accuracy", evaluated: ["accuracy"]),
            CurveMetric("Reward", "score per response", "mean_score", evaluated: ["score"]),
            CurveMetric("Reward with penalties", "reward per response", "mean_total_reward"),
            CurveMetric("Implied reward of chosen", "β · log-ratio", "rewards_chosen", evaluated: ["rewards_chosen"]),
            CurveMetric("Implied reward of rejected", "β · log-ratio", "rewards_rejected", evaluated: ["rewards_rejected"]),
            CurveMetric("Margin", "chosen minus rejected", "margin", evaluated: ["margin"]),
            CurveMetric("KL", "nats per response", "kl_sequence", evaluated: ["kl", "average_kl_div"]),
            CurveMetric("KL coefficient", "per nat", "kl_coef", isExact: true),
            CurveMetric("Entropy", "nats per token", "entropy", evaluated: ["average_token_entropy"]),
            CurveMetric("Length", "tokens per response", "mean_response_tokens", evaluated: ["length", "response_tokens"]),
            CurveMetric("Completed responses", "share", "end_share", evaluated: ["end_share"]),
            CurveMetric("Policy loss", "loss", "policy_loss"),
            CurveMetric("Value loss", "loss", "baseline_loss"),
            CurveMetric("Explained variance of values", "share", "explained_variance"),
            CurveMetric("Clipped policy ratios", "share of tokens", "clipped_policy_fraction"),
            CurveMetric("Clipped values", "share of tokens", "clipped_value_fraction"),
            CurveMetric("Gradient norm", "before clipping", "gradient_norm"),
            CurveMetric("Learning rate", "per step", "learning_rate", isExact: true),
        ]
    }()

    /// The names of this metric's evaluations that a run has, in the order of the splits.
    func evaluations(among names: Set<String>) -> [(name: String, split: String)] {
        SummaryCorpus.splitNames.flatMap { split in
            evaluated.map { (name: "\(split)_\($0)", split: split) }.filter { names.contains($0.name) }.prefix(1)
        }
    }
}
