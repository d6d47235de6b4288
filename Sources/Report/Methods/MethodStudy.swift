public import Foundation
import Runs

/// The result of a study of methods: reward, quality and diversity of every method at every strength, in and out of
/// distribution, and the methods compared at equal reward and at equal KL. `methods.json` encodes this value; `methods.md`, the
/// picture and the table on the terminal are made from it.
public struct MethodStudy: Codable, Equatable, Sendable {
    /// A mean over seeds and prompts with its 95 % interval.
    public typealias Estimate = Experiment.Estimate
    /// A measured quantity.
    public typealias Metric = Experiment.Metric

    /// One method at one strength. Metrics that were not measured are absent.
    public struct System: Codable, Equatable, Sendable {
        /// The system's name in `systems.jsonl`.
        public var name: String
        /// The method.
        public var method: String
        /// The strength of the method, such as `β = 0.1`; nil for the base.
        public var strength: String?
        /// The seeds that have this system.
        public var seeds: [String]
        /// Seconds that the system's runs took, excluding SFT and the reward model; mean over seeds. Nil if it needs no runs or
        /// a time is unknown.
        public var seconds: Double?
        /// Peak memory of those runs, in bytes: the maximum over runs, mean over seeds. Nil if it was not recorded.
        public var peakMemory: Double?
        /// Metrics in distribution.
        public var id: [Metric: Estimate]
        /// Metrics out of distribution.
        public var ood: [Metric: Estimate]
        /// The generalisation gap: in-distribution minus out-of-distribution values.
        public var gap: [Metric: Estimate]
        /// The difference to the base, for the same seeds and prompts; empty for the base itself.
        public var changeID, changeOOD: [Metric: Estimate]

        enum CodingKeys: String, CodingKey {
            case name, method, strength, seeds, seconds, id, ood, gap
            case peakMemory = "peak_memory"
            case changeID = "change_id"
            case changeOOD = "change_ood"
        }
    }

    /// One method at a given reward or KL, interpolated on the line through its strengths from the base.
    public struct Crossing: Codable, Equatable, Sendable {
        /// The method.
        public var method: String
        /// The highest mean that the method reaches of the quantity that is held equal.
        public var greatest: Double
        /// The two systems between which the level lies, from weaker to stronger; nil if the method does not reach it.
        public var between: [String]?
        /// Interpolated metrics, with reward and gold relative to the base; empty if the level is not reached.
        public var id, ood: [Metric: Estimate]
        /// Interpolated in-distribution values minus out-of-distribution values.
        public var gap: [Metric: Estimate]
    }

    /// All methods at one level of reward or KL.
    public struct Level: Codable, Equatable, Sendable {
        /// The quantity that is held equal in distribution: reward relative to the base, or KL.
        public var quantity: Metric
        /// The level of that quantity; KL in nats.
        public var value: Double
        /// The methods, in the order of the manifest.
        public var methods: [Crossing]
    }

    /// The name of the data set.
    public var dataset: String
    /// The names of the seeds.
    public var seeds: [String]
    /// Validation loss of SFT, in nats per token of the summaries; nil if it was not measured out of distribution.
    public var supervisedLoss: Experiment.Pair?
    /// Accuracy of the reward model: the fraction of held-out pairs that it orders as labelled, from 0 to 1; nil if not
    /// measured out of distribution.
    public var rewardModelAccuracy: Experiment.Pair?
    /// The base first, then the methods in the order of the manifest.
    public var systems: [System]
    /// The methods at equal reward, then at equal KL.
    public var levels: [Level]
    /// Missing systems and seeds, one line each; nil if nothing is missing.
    public var missing: [String]?
    /// Responses left out of some numbers because a table lacks a column; nil if there are none.
    public var leftOut: [String]?

    enum CodingKeys: String, CodingKey {
        case dataset, seeds, systems, levels, missing
        case leftOut = "left_out"
        case supervisedLoss = "supervised_loss"
        case rewardModelAccuracy = "reward_model_accuracy"
    }

    /// Writes `methods.json`, `methods.md` and `methods.svg` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite`, before anything is written, for NaN or Inf.
    public func write(to folder: URL) throws {
        try ReportFiles.write(self, named: "methods", markdown: markdown, svg: MethodStudyPicture(study: self).svg, to: folder)
    }
}
