package import Diversity
import Foundation
package import Train

/// A reward for responses that differ from the other responses to their prompt.
public struct DiversityRewardSettings: Settings {
    /// How diversity enters the reward: none, multiply (the score times the diversity: DARLING) or add (the score plus
    /// `diversityRewardWeight` times the diversity).
    public var diversityReward = "none"
    /// The diversity of a response, from 0 to 1: ngrams (1 − mean cosine similarity of n-gram counts to the other responses),
    /// embeddings (the same with sentence embeddings) or entailment (the share of the other responses with another meaning; two
    /// responses mean the same if each entails the other).
    public var diversityMeasure = "ngrams"
    /// The folder of the measure's model: for embeddings a sentence encoder, for entailment a classifier for natural language
    /// inference.
    public var diversityModel: String?
    /// The amount that add gives to a response that has nothing in common with the others.
    public var diversityRewardWeight = 1.0

    /// The defaults.
    public init() {}

    private static let ways = ["none", "multiply", "add"]
    private static let measures = ["ngrams", "embeddings", "entailment"]

    /// Whether there is a diversity reward.
    var isGiven: Bool { SettingName.canonical(diversityReward) != "none" }

    /// Whether the score is multiplied by the diversity.
    var multiplies: Bool { SettingName.canonical(diversityReward) == "multiply" }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        for (option, value, words) in [
            ("--diversity-reward", diversityReward, Self.ways), ("--diversity-measure", diversityMeasure, Self.measures),
        ] where !words.contains(SettingName.canonical(value)) {
            throw InvalidSetting("\(option) is '\(value)'; expected \(words.joined(separator: ", "))")
        }
        guard abs(diversityRewardWeight) <= 1e30 else {
            throw InvalidSetting("--diversity-reward-weight is \(diversityRewardWeight); expected a number from -1e30 to 1e30")
        }
        let needsModel = SettingName.canonical(diversityMeasure) != "ngrams"
        guard !needsModel || diversityModel != nil else {
            throw InvalidSetting("--diversity-measure \(diversityMeasure) needs a model; give its folder with --diversity-model")
        }
        guard needsModel || diversityModel == nil else {
            throw InvalidSetting("--diversity-model has no effect without --diversity-measure embeddings or entailment")
        }
        let usual = DiversityRewardSettings()
        guard !multiplies || diversityRewardWeight == usual.diversityRewardWeight else {
            throw InvalidSetting("--diversity-reward-weight has no effect without --diversity-reward add")
        }
        guard isGiven || (diversityMeasure, diversityRewardWeight) == (usual.diversityMeasure, usual.diversityRewardWeight) else {
            throw InvalidSetting("--diversity-measure and --diversity-reward-weight have no effect with --diversity-reward none")
        }
    }

    /// The diversity reward, with its model loaded; nil for none.
    /// - Throws: errors of loading the model.
    func load(note: (String) -> Void) throws -> GroupReward? {
        guard isGiven else { return nil }
        let option = "--diversity-model"
        let measure: AnswerDiversity
        switch SettingName.canonical(diversityMeasure) {
        case "embeddings":
            let folder = try EncoderFolder.sentences(diversityModel ?? "", option: option)
            let encoder = try FolderSentenceEncoder(folder, rememberedBytes: 0)
            encoder.notes.forEach { note("\(folder.path): \($0)") }
            measure = .embeddings(encoder)
        case "entailment":
            let folder = try EncoderFolder.entailment(diversityModel ?? "", option: option)
            let model = try FolderEntailmentModel(folder)
            model.notes.forEach { note("\(folder.path): \($0)") }
            measure = .entailment(model)
        default: measure = .ngrams()
        }
        return Self.reward(measure, multiplies: multiplies, weight: diversityRewardWeight)
    }

    /// A reward for a group of responses: each score times its response's diversity, or plus `weight` times it.
    package static func reward(_ measure: AnswerDiversity, multiplies: Bool, weight: Double) -> GroupReward {
        GroupReward("diversity by \(measure.name)") { scores, texts in
            zip(scores, try measure.values(texts)).map { score, difference in
                multiplies ? score * difference : score + weight * difference
            }
        }
    }
}
