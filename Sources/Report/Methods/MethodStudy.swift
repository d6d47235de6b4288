public import Foundation
import Runs

/// The result of a study of methods: what every method at every strength did to reward, quality and diversity, in and out of distribution, and
/// what the methods cost at equal reward and at equal KL. `methods.json` is this value; `methods.md`, the picture and the table on the terminal
/// are made from it.
public struct MethodStudy: Codable, Equatable, Sendable {
    /// A mean over seeds and prompts with its 95 % interval.
    public typealias Estimate = Experiment.Estimate
    /// What is measured.
    public typealias Metric = Experiment.Metric

    /// One method at one strength. A metric that was not measured is absent.
    public struct System: Codable, Equatable, Sendable {
        /// Its name in `systems.jsonl`.
        public var name: String
        /// The method.
        public var method: String
        /// How strongly it was applied; nil for the base.
        public var strength: String?
        /// The seeds that have it.
        public var seeds: [String]
        /// Mean over the seeds of the seconds that the runs took that make it, beside SFT and reward model; nil where it needs none.
        public var seconds: Double?
        /// Mean over the seeds of the greatest peak of memory of those runs, in bytes; nil where that was not noted.
        public var peakMemory: Double?
        /// On prompts like those of training.
        public var id: [Metric: Estimate]
        /// Out of distribution.
        public var ood: [Metric: Estimate]
        /// The generalisation gap: in minus out of distribution.
        public var gap: [Metric: Estimate]
        /// This system minus the base, of the same seeds on the same prompts; empty for the base.
        public var changeID, changeOOD: [Metric: Estimate]

        enum CodingKeys: String, CodingKey {
            case name, method, strength, seeds, seconds, id, ood, gap
            case peakMemory = "peak_memory"
            case changeID = "change_id"
            case changeOOD = "change_ood"
        }
    }

    /// One method at a reward or a KL, on the line through its strengths from the base.
    public struct Crossing: Codable, Equatable, Sendable {
        /// The method.
        public var method: String
        /// The greatest mean of what is held equal among its strengths.
        public var greatest: Double
        /// The systems that the level lies between, from the weaker to the stronger; nil where the method does not reach it.
        public var between: [String]?
        /// Values there, reward and gold minus those of the base; empty where the level is not reached.
        public var id, ood: [Metric: Estimate]
        /// In minus out of distribution there, of the same.
        public var gap: [Metric: Estimate]
    }

    /// All methods at one reward or KL.
    public struct Level: Codable, Equatable, Sendable {
        /// What is held equal in distribution: reward, minus that of the base, or KL.
        public var quantity: Metric
        /// How much of it.
        public var value: Double
        /// The methods in the manifest's order.
        public var methods: [Crossing]
    }

    /// The name of the data set.
    public var dataset: String
    /// The seeds' names.
    public var seeds: [String]
    /// Validation loss of SFT in nats per token of the summaries; nil if it was not measured out of distribution.
    public var supervisedLoss: Experiment.Pair?
    /// Share of held-out pairs that the reward model orders as labelled; nil if it was not measured out of distribution.
    public var rewardModelAccuracy: Experiment.Pair?
    /// The base first, then the methods in the manifest's order.
    public var systems: [System]
    /// Methods at equal reward, then at equal KL.
    public var levels: [Level]
    /// Systems and seeds that are not there, a line each; nil where nothing is missing.
    public var missing: [String]?
    /// What was left out of some numbers because a table lacks it; nil where nothing was.
    public var leftOut: [String]?

    enum CodingKeys: String, CodingKey {
        case dataset, seeds, systems, levels, missing
        case leftOut = "left_out"
        case supervisedLoss = "supervised_loss"
        case rewardModelAccuracy = "reward_model_accuracy"
    }

    /// Writes `methods.json`, `methods.md` and `methods.svg` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite` before anything is written.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "methods", markdown: markdown, svg: MethodStudyPicture(study: self).svg, to: folder)
    }
}
