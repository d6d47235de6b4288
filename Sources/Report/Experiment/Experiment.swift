import Runs
public import Eval
public import Foundation

/// The result of an experiment: quality and diversity of SFT, best-of-N and PPO at several KL weights, in and out of
/// distribution, over several seeds. `experiment.json` encodes this value; `experiment.md` and the table on the terminal are
/// made from it.
public struct Experiment: Codable, Equatable, Sendable {
    /// A mean over seeds and prompts with its 95 % interval (`CrossedMean`), and the value of each seed.
    public struct Estimate: Codable, Equatable, Sendable {
        /// The mean.
        public var mean: Double
        /// The ends of the interval.
        public var low, high: Double
        /// The value of every seed, in the order of ``Experiment/seeds``.
        public var seeds: [Double]

        /// Creates an estimate from an interval and the values of the seeds.
        public init(_ interval: Interval, seeds: [Double]) {
            (mean, low, high) = (interval.mean, interval.low, interval.high)
            self.seeds = seeds
        }
    }

    /// A measured quantity. Raw values are the keys in `experiment.json`.
    public enum Metric: String, Codable, CaseIterable, Sendable, CodingKeyRepresentable {
        /// Reward from the seed's reward model.
        case reward
        /// ROUGE-L F1 against the reference (stemmed), from 0 to 1.
        case rougeL = "rouge_l"
        /// Gold score, the hidden score from which the preferences were made. See `GoldScore`.
        case gold
        /// Fraction of pairs in which the gold score prefers the response to one of the base, from 0 to 1; a tie counts half.
        /// Only in studies of methods.
        case winRate = "win_rate"
        /// KL divergence of a response from the reference model, in nats; for best-of-N, the KL divergence of selecting among N
        /// samples.
        case kl
        /// Length of a response, in tokens.
        case lengthTokens = "length_tokens"
        /// Fraction of responses that end with the end-of-sequence token, from 0 to 1.
        case eosShare = "eos_share"
        /// Expectation-adjusted distinct n-grams (EAD) among the responses to one prompt.
        case perInputEAD = "per_input_ead"
        /// EAD over sets with one response to each prompt.
        case acrossInputEAD = "across_input_ead"
        /// One minus the mean cosine similarity of the embeddings of responses to one prompt.
        case perInputEmbedding = "per_input_embedding"
        /// One minus the mean cosine similarity over sets with one response to each prompt.
        case acrossInputEmbedding = "across_input_embedding"

        /// The metrics that are measured for each row of a table separately.
        static let ofRows: [Metric] = [.reward, .rougeL, .lengthTokens, .eosShare]

        /// The range of possible values.
        var range: MetricRange {
            switch self {
            case .rougeL, .eosShare, .winRate: .share
            case .lengthTokens, .perInputEAD, .acrossInputEAD: .notNegative
            case .perInputEmbedding, .acrossInputEmbedding: MetricRange(least: 0, greatest: 2)
            case .gold: MetricRange(greatest: 1)
            case .reward, .kl: .unbounded
            }
        }

        /// The title of the metric's column.
        public var title: String {
            switch self {
            case .reward: "reward"
            case .rougeL: "ROUGE-L"
            case .gold: "gold"
            case .winRate: "win rate"
            case .kl: "KL"
            case .lengthTokens: "tokens"
            case .eosShare: "eos"
            case .perInputEAD: "per-input EAD"
            case .acrossInputEAD: "across-input EAD"
            case .perInputEmbedding: "per-input embedding"
            case .acrossInputEmbedding: "across-input embedding"
            }
        }
    }

    /// A metric of a model in and out of distribution, and the difference.
    public struct Pair: Codable, Equatable, Sendable {
        /// In distribution.
        public var id: Estimate
        /// Out of distribution.
        public var ood: Estimate
        /// In distribution minus out of distribution, for each seed.
        public var gap: Estimate

        /// Creates the value from its parts.
        public init(id: Estimate, ood: Estimate, gap: Estimate) {
            self.id = id
            self.ood = ood
            self.gap = gap
        }
    }

    /// One system. Metrics that were not measured are absent.
    public struct System: Codable, Equatable, Sendable {
        /// `SFT`, `best-of-N`, or `PPO` with its label.
        public var name: String
        /// Metrics in distribution.
        public var id: [Metric: Estimate]
        /// Metrics out of distribution.
        public var ood: [Metric: Estimate]
        /// The generalisation gap: in-distribution minus out-of-distribution values.
        public var gap: [Metric: Estimate]
        /// The difference to SFT, for the same seeds and prompts; empty for SFT itself.
        public var changeID, changeOOD: [Metric: Estimate]

        enum CodingKeys: String, CodingKey {
            case name, id, ood, gap
            case changeID = "change_id"
            case changeOOD = "change_ood"
        }
    }

    /// The name of the data set.
    public var dataset: String
    /// The names of the seeds.
    public var seeds: [String]
    /// The total time of all runs, in seconds.
    public var seconds: Double
    /// Validation loss of SFT, in nats per token of the summaries; nil if it was not measured out of distribution.
    public var supervisedLoss: Pair?
    /// Accuracy of the reward model: the fraction of held-out pairs that it orders as labelled, from 0 to 1; nil if not
    /// measured out of distribution.
    public var rewardModelAccuracy: Pair?
    /// SFT, then best-of-N, then the PPO policies.
    public var systems: [System]
    /// Responses left out of some numbers because a table lacks a column; nil if there are none.
    public var leftOut: [String]?

    enum CodingKeys: String, CodingKey {
        case dataset, seeds, seconds, systems
        case leftOut = "left_out"
        case supervisedLoss = "supervised_loss"
        case rewardModelAccuracy = "reward_model_accuracy"
    }

    /// Writes `experiment.json` and `experiment.md` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite`, before anything is written, for NaN or Inf.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "experiment", markdown: markdown, to: folder)
    }
}
