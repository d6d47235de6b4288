import Runs
public import Eval
public import Foundation

/// The result of an experiment: what SFT, best-of-N and PPO at several KL weights did to quality and diversity, in and out of distribution,
/// over several seeds. `experiment.json` is this value; `experiment.md` and the table on the terminal are made from it.
public struct Experiment: Codable, Equatable, Sendable {
    /// A mean over seeds and prompts with its 95 % interval (``CrossedMean``), and what each seed gave.
    public struct Estimate: Codable, Equatable, Sendable {
        /// The estimate.
        public var mean: Double
        /// Ends of the interval.
        public var low, high: Double
        /// The value of every seed, in the order of ``Experiment/seeds``.
        public var seeds: [Double]

        /// An estimate from its interval and the seeds' values.
        public init(_ interval: Interval, seeds: [Double]) {
            (mean, low, high) = (interval.mean, interval.low, interval.high)
            self.seeds = seeds
        }
    }

    /// What is measured. Raw values are the keys of `experiment.json`.
    public enum Metric: String, Codable, CaseIterable, Sendable, CodingKeyRepresentable {
        /// Of the seed's reward model.
        case reward
        /// ROUGE-L F against the reference.
        case rougeL = "rouge_l"
        /// The hidden score that the preferences were made from.
        case gold
        /// How often the hidden judge prefers a response to one of the SFT model, ties half; where methods are compared.
        case winRate = "win_rate"
        /// KL divergence of a response from the SFT model, in nats.
        case kl
        /// Length of a response in tokens.
        case lengthTokens = "length_tokens"
        /// Share of responses that end in end-of-sequence.
        case eosShare = "eos_share"
        /// Expectation-adjusted distinct n-grams among the responses to one prompt.
        case perInputEAD = "per_input_ead"
        /// The same over one response to each prompt.
        case acrossInputEAD = "across_input_ead"
        /// One minus the mean cosine of the embeddings of responses to one prompt.
        case perInputEmbedding = "per_input_embedding"
        /// The same over one response to each prompt.
        case acrossInputEmbedding = "across_input_embedding"

        /// What every row of a table has a value of its own for.
        static let ofRows: [Metric] = [.reward, .rougeL, .lengthTokens, .eosShare]

        /// The numbers that it can have.
        var range: MetricRange {
            switch self {
            case .rougeL, .eosShare, .winRate: .share
            case .lengthTokens, .perInputEAD, .acrossInputEAD: .notNegative
            case .perInputEmbedding, .acrossInputEmbedding: MetricRange(least: 0, greatest: 2)
            case .gold: MetricRange(greatest: 1)
            case .reward, .kl: .unbounded
            }
        }

        /// The title of its column.
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

    /// Numbers of a model in and out of distribution, and in minus out.
    public struct Pair: Codable, Equatable, Sendable {
        /// On prompts or pairs like those of training.
        public var id: Estimate
        /// Out of distribution.
        public var ood: Estimate
        /// In minus out of distribution, seed by seed.
        public var gap: Estimate

        /// The three.
        public init(id: Estimate, ood: Estimate, gap: Estimate) {
            self.id = id
            self.ood = ood
            self.gap = gap
        }
    }

    /// One system. A metric that was not measured is absent.
    public struct System: Codable, Equatable, Sendable {
        /// SFT, best-of-N, or PPO with its label.
        public var name: String
        /// On prompts like those of training.
        public var id: [Metric: Estimate]
        /// Out of distribution.
        public var ood: [Metric: Estimate]
        /// The generalisation gap: in minus out of distribution.
        public var gap: [Metric: Estimate]
        /// This system minus SFT, of the same seeds on the same prompts; empty for SFT.
        public var changeID, changeOOD: [Metric: Estimate]

        enum CodingKeys: String, CodingKey {
            case name, id, ood, gap
            case changeID = "change_id"
            case changeOOD = "change_ood"
        }
    }

    /// The name of the data set.
    public var dataset: String
    /// The seeds' names.
    public var seeds: [String]
    /// Seconds at work in all runs together.
    public var seconds: Double
    /// Validation loss of SFT in nats per token of the summaries; nil if it was not measured out of distribution.
    public var supervisedLoss: Pair?
    /// Share of held-out pairs that the reward model orders as labelled; nil if it was not measured out of distribution.
    public var rewardModelAccuracy: Pair?
    /// SFT first, then best-of-N, then PPO.
    public var systems: [System]
    /// What was left out of some numbers because a table lacks it; nil where nothing was.
    public var leftOut: [String]?

    enum CodingKeys: String, CodingKey {
        case dataset, seeds, seconds, systems
        case leftOut = "left_out"
        case supervisedLoss = "supervised_loss"
        case rewardModelAccuracy = "reward_model_accuracy"
    }

    /// Writes `experiment.json` and `experiment.md` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite` before anything is written.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "experiment", markdown: markdown, to: folder)
    }
}
