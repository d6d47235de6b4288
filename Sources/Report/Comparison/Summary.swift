import Runs
public import Eval
internal import Formats
public import Foundation

/// The result of comparing the systems of a pipeline: quality and diversity in and out of distribution. `summary.json` encodes
/// this value; `summary.md` and the table on the terminal are made from it.
public struct Summary: Codable, Equatable, Sendable {
    /// Wall-clock time per stage, in seconds.
    public struct Seconds: Codable, Equatable, Sendable {
        /// The time of each stage; nil if a run of that stage did not record its time. `ppo` is 0 if there is no policy.
        public var sft, rm, ppo, bon: Double?
        /// The time of this comparison (`diversity`), and the total of all stages that recorded their time.
        public var diversity, total: Double
        /// The time of direct preference optimisation; nil if there is none.
        public var preference: Double?

        /// Creates the value from its parts.
        public init(
            sft: Double?, rm: Double?, ppo: Double?, bon: Double?, diversity: Double, total: Double, preference: Double? = nil
        ) {
            (self.sft, self.rm, self.ppo, self.bon, self.diversity, self.total) = (sft, rm, ppo, bon, diversity, total)
            self.preference = preference
        }
    }

    /// Losses of supervised fine-tuning, in nats per token of the summaries; nil if not measured.
    public struct Supervised: Codable, Equatable, Sendable {
        /// The first validation loss, before training.
        public var firstLoss: Double?
        /// The training loss of the last step.
        public var lastLoss: Double?
        /// The last validation loss in distribution.
        public var validationLoss: Double?
        /// The last validation loss out of distribution, on topics or sections that training never saw.
        public var oodValidationLoss: Double?

        enum CodingKeys: String, CodingKey {
            case firstLoss = "first_loss"
            case lastLoss = "last_loss"
            case validationLoss = "validation_loss"
            case oodValidationLoss = "ood_validation_loss"
        }

        /// Creates the value from its parts.
        public init(firstLoss: Double?, lastLoss: Double?, validationLoss: Double?, oodValidationLoss: Double?) {
            self.firstLoss = firstLoss
            self.lastLoss = lastLoss
            self.validationLoss = validationLoss
            self.oodValidationLoss = oodValidationLoss
        }
    }

    /// Accuracy of the reward model: the fraction of held-out pairs that it orders as labelled, from 0 to 1; nil if not
    /// measured.
    public struct RewardModel: Codable, Equatable, Sendable {
        /// In distribution.
        public var accuracyID: Double?
        /// Out of distribution.
        public var accuracyOOD: Double?

        enum CodingKeys: String, CodingKey {
            case accuracyID = "accuracy_id"
            case accuracyOOD = "accuracy_ood"
        }

        /// Creates the value from its parts.
        public init(accuracyID: Double?, accuracyOOD: Double?) {
            self.accuracyID = accuracyID
            self.accuracyOOD = accuracyOOD
        }
    }

    /// The scores of one system on the prompts of one distribution. Intervals are 95 % bootstrap intervals over prompts.
    public struct Scores: Codable, Equatable, Sendable {
        /// Mean reward from the reward model.
        public var reward: Interval
        /// Mean ROUGE-L F1 against the reference (stemmed), from 0 to 1; nil without references.
        public var rougeL: Interval?
        /// Mean gold score, the hidden score from which the preferences were made. See `GoldScore`. Nil without
        /// references.
        public var gold: Interval?
        /// Mean length of a response in tokens.
        public var lengthTokens: Double
        /// Fraction of responses that end with the end-of-sequence token, from 0 to 1.
        public var eosShare: Double
        /// Mean KL divergence of a response from the reference model, in nats; for best-of-N, the KL divergence of selecting
        /// among N samples; 0 if the table has none.
        public var kl: Double
        /// Expectation-adjusted distinct n-grams (EAD) among the responses to one input, averaged over inputs; nil where no
        /// input has two responses.
        public var perInputEAD: Interval?
        /// EAD over sets with one response to each input; nil for a single input.
        public var acrossInputEAD: Interval?
        /// One minus the mean cosine similarity of the embeddings of responses to one input; nil without an encoder.
        public var perInputEmbedding: Interval?
        /// One minus the mean cosine similarity over sets with one response to each input; nil without an encoder.
        public var acrossInputEmbedding: Interval?
        /// Number of responses that lack a column and are left out of the numbers made from it, by column; nil if there are
        /// none.
        public var leftOut: [String: Int]?

        enum CodingKeys: String, CodingKey {
            case reward, gold, kl
            case rougeL = "rouge_l"
            case lengthTokens = "length_tokens"
            case eosShare = "eos_share"
            case perInputEAD = "per_input_ead"
            case acrossInputEAD = "across_input_ead"
            case perInputEmbedding = "per_input_embedding"
            case acrossInputEmbedding = "across_input_embedding"
            case leftOut = "left_out"
        }

        /// Creates the value from its parts.
        public init(
            reward: Interval, rougeL: Interval?, gold: Interval?, lengthTokens: Double, eosShare: Double, kl: Double,
            perInputEAD: Interval?, acrossInputEAD: Interval?, perInputEmbedding: Interval? = nil,
            acrossInputEmbedding: Interval? = nil
        ) {
            self.reward = reward
            self.rougeL = rougeL
            self.gold = gold
            self.lengthTokens = lengthTokens
            self.eosShare = eosShare
            self.kl = kl
            self.perInputEAD = perInputEAD
            self.acrossInputEAD = acrossInputEAD
            self.perInputEmbedding = perInputEmbedding
            self.acrossInputEmbedding = acrossInputEmbedding
        }
    }

    /// The scores of one system, in and out of distribution.
    public struct System: Codable, Equatable, Sendable {
        /// In distribution.
        public var id: Scores
        /// Out of distribution; nil where no such prompts were answered.
        public var ood: Scores?

        /// Creates the value from its parts.
        public init(id: Scores, ood: Scores?) {
            self.id = id
            self.ood = ood
        }
    }

    /// The systems that are compared.
    public struct Systems: Codable, Equatable, Sendable {
        /// The supervised model.
        public var sft: System
        /// The policy trained with PPO or a related method; nil if there is none.
        public var ppo: System?
        /// The name of that method if it is not PPO, such as GRPO or RLOO.
        public var ppoName: String?
        /// The best of N samples of the supervised model.
        public var bon: System
        /// The policy trained with direct preference optimisation; nil if there is none.
        public var preference: System?
        /// The name of the preference loss: DPO, IPO, KTO and so on.
        public var preferenceName: String?

        enum CodingKeys: String, CodingKey {
            case sft, ppo, bon, preference
            case ppoName = "ppo_name"
            case preferenceName = "preference_name"
        }

        /// Creates the value from its parts.
        public init(
            sft: System, ppo: System?, bon: System, preference: System? = nil, preferenceName: String? = nil, ppoName: String? = nil
        ) {
            self.sft = sft
            self.ppo = ppo
            self.ppoName = ppoName
            self.bon = bon
            self.preference = preference
            self.preferenceName = preferenceName
        }

        /// The systems that exist, with their names, in the order of tables and pictures.
        var named: [(name: String, system: System)] {
            [("SFT", sft), (ppoName ?? "PPO", ppo), (preferenceName ?? "DPO", preference), ("best-of-N", bon)].compactMap { name, system in
                system.map { (name, $0) }
            }
        }
    }

    /// The data set's name.
    public var dataset: String
    /// The time of each stage.
    public var seconds: Seconds
    /// Losses of supervised fine-tuning.
    public var sft: Supervised
    /// Accuracy of the reward model.
    public var rm: RewardModel
    /// The scores of the systems.
    public var systems: Systems

    /// Creates the value from its parts.
    public init(dataset: String, seconds: Seconds, sft: Supervised, rm: RewardModel, systems: Systems) {
        self.dataset = dataset
        self.seconds = seconds
        self.sft = sft
        self.rm = rm
        self.systems = systems
    }

    /// Reads `summary.json` from a folder.
    /// - Throws: `FileError.missing` or `.damaged`.
    public static func read(from folder: URL) throws -> Summary {
        let url = folder.appendingPathComponent("summary.json")
        let content = Foundation.Data(try Descriptor.content(of: url.path))
        do {
            return try JSONDecoder().decode(Summary.self, from: content)
        } catch {
            throw FileError.damaged(path: url.path, problem: "it does not have the format of a summary")
        }
    }

    /// Writes `summary.json`, `summary.md` and the picture `summary.svg` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite`, before anything is written, for NaN or Inf.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "summary", markdown: markdown, svg: SummaryPicture(summary: self).svg, to: folder)
    }

    /// The text of `summary.json`.
    /// - Throws: `ResultError.notFinite` with the path of the first NaN or Inf.
    public func json() throws -> String {
        try ResultJSON.text(of: self)
    }
}
