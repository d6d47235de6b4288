import Runs
public import Eval
internal import Formats
public import Foundation

/// The result of a pipeline: what SFT, PPO and best-of-N did to quality and diversity, in and out of distribution.
/// `summary.json` is this value, `summary.md` and the table on the terminal are made from it.
public struct Summary: Codable, Equatable, Sendable {
    /// Seconds of wall-clock time per stage.
    public struct Seconds: Codable, Equatable, Sendable {
        /// One number per stage; nil where a run of it does not say. 0 of a policy where there is none.
        public var sft, rm, ppo, bon: Double?
        /// Of this comparison, and of the whole: of all stages that say how long they took.
        public var diversity, total: Double
        /// Of direct preference optimisation; nil where there is none.
        public var preference: Double?

        /// The values by name.
        public init(
            sft: Double?, rm: Double?, ppo: Double?, bon: Double?, diversity: Double, total: Double, preference: Double? = nil
        ) {
            (self.sft, self.rm, self.ppo, self.bon, self.diversity, self.total) = (sft, rm, ppo, bon, diversity, total)
            self.preference = preference
        }
    }

    /// Losses of supervised fine-tuning in nats per token of the summaries; nil for what was not measured.
    public struct Supervised: Codable, Equatable, Sendable {
        /// Of the untrained model.
        public var firstLoss: Double?
        /// Of the last step.
        public var lastLoss: Double?
        /// On prompts like those of training.
        public var validationLoss: Double?
        /// On topics or sections that training never saw.
        public var oodValidationLoss: Double?

        enum CodingKeys: String, CodingKey {
            case firstLoss = "first_loss"
            case lastLoss = "last_loss"
            case validationLoss = "validation_loss"
            case oodValidationLoss = "ood_validation_loss"
        }

        /// The values by name.
        public init(firstLoss: Double?, lastLoss: Double?, validationLoss: Double?, oodValidationLoss: Double?) {
            self.firstLoss = firstLoss
            self.lastLoss = lastLoss
            self.validationLoss = validationLoss
            self.oodValidationLoss = oodValidationLoss
        }
    }

    /// Shares of held-out pairs that the reward model orders as labelled; nil for what was not measured.
    public struct RewardModel: Codable, Equatable, Sendable {
        /// On prompts like those of training.
        public var accuracyID: Double?
        /// Out of distribution.
        public var accuracyOOD: Double?

        enum CodingKeys: String, CodingKey {
            case accuracyID = "accuracy_id"
            case accuracyOOD = "accuracy_ood"
        }

        /// The values by name.
        public init(accuracyID: Double?, accuracyOOD: Double?) {
            self.accuracyID = accuracyID
            self.accuracyOOD = accuracyOOD
        }
    }

    /// What one system writes for the prompts of one distribution. Intervals are 95 % bootstrap intervals.
    public struct Scores: Codable, Equatable, Sendable {
        /// Of the reward model.
        public var reward: Interval
        /// ROUGE-L F against the reference.
        public var rougeL: Interval
        /// The hidden score that the preferences were made from.
        public var gold: Interval
        /// Mean length of a response in tokens.
        public var lengthTokens: Double
        /// Share of responses that end in end-of-sequence.
        public var eosShare: Double
        /// Mean KL divergence of a response from the SFT model, in nats.
        public var kl: Double
        /// Expectation-adjusted distinct n-grams among the responses to one input.
        public var perInputEAD: Interval
        /// The same over one response to each input.
        public var acrossInputEAD: Interval
        /// One minus the mean cosine of the embeddings of responses to one input; nil without an encoder.
        public var perInputEmbedding: Interval?
        /// The same over one response to each input.
        public var acrossInputEmbedding: Interval?
        /// How many responses lack a column of their table and are left out of what is made of it, by column; nil where none does.
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

        /// The values by name.
        public init(
            reward: Interval, rougeL: Interval, gold: Interval, lengthTokens: Double, eosShare: Double, kl: Double,
            perInputEAD: Interval, acrossInputEAD: Interval, perInputEmbedding: Interval? = nil,
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

    /// One system in and out of distribution.
    public struct System: Codable, Equatable, Sendable {
        /// In distribution.
        public var id: Scores
        /// Out of distribution.
        public var ood: Scores

        /// The values by name.
        public init(id: Scores, ood: Scores) {
            self.id = id
            self.ood = ood
        }
    }

    /// The systems that are compared.
    public struct Systems: Codable, Equatable, Sendable {
        /// The supervised model.
        public var sft: System
        /// The policy after PPO or a relative; nil where there is none.
        public var ppo: System?
        /// What that is called where it is not PPO, by its advantages: GRPO, RLOO …
        public var ppoName: String?
        /// The best of N samples of the supervised model.
        public var bon: System
        /// The policy after direct preference optimisation; nil where there is none.
        public var preference: System?
        /// What that is called, by its loss: DPO, IPO, KTO …
        public var preferenceName: String?

        enum CodingKeys: String, CodingKey {
            case sft, ppo, bon, preference
            case ppoName = "ppo_name"
            case preferenceName = "preference_name"
        }

        /// The values by name.
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

        /// Those that there are, with their names, in the order of tables and pictures.
        var named: [(name: String, system: System)] {
            [("SFT", sft), (ppoName ?? "PPO", ppo), (preferenceName ?? "DPO", preference), ("best-of-N", bon)].compactMap { name, system in
                system.map { (name, $0) }
            }
        }
    }

    /// The data set's name.
    public var dataset: String
    /// How long each stage took.
    public var seconds: Seconds
    /// Supervised fine-tuning.
    public var sft: Supervised
    /// Reward modelling.
    public var rm: RewardModel
    /// What is compared.
    public var systems: Systems

    /// The values by name.
    public init(dataset: String, seconds: Seconds, sft: Supervised, rm: RewardModel, systems: Systems) {
        self.dataset = dataset
        self.seconds = seconds
        self.sft = sft
        self.rm = rm
        self.systems = systems
    }

    /// Reads `summary.json` of a folder.
    /// - Throws: `FileError.missing` or `.damaged`.
    public static func read(from folder: URL) throws -> Summary {
        let url = folder.appendingPathComponent("summary.json")
        let content = Foundation.Data(try Descriptor.content(of: url.path))
        do {
            return try JSONDecoder().decode(Summary.self, from: content)
        } catch {
            throw FileError.damaged(path: url.path, problem: "it does not have the shape of a summary")
        }
    }

    /// Writes `summary.json`, `summary.md` and the picture `summary.svg` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite` before anything is written.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "summary", markdown: markdown, svg: SummaryPicture(summary: self).svg, to: folder)
    }

    /// The text of `summary.json`.
    /// - Throws: `ResultError.notFinite` with the path of the first number that JSON cannot hold.
    public func json() throws -> String {
        try ResultJSON.text(of: self)
    }
}
