package import Diversity
import Foundation
package import Train

/// A reward for responses that differ from the other responses to their prompt.
public struct DiversityRewardSettings: Settings {
    /// none, multiply (the score times how much a response differs: DARLING) or add (plus `diversityRewardWeight` times it).
    public var diversityReward = "none"
    /// How much a response differs, 0 to 1: ngrams (1 − mean cosine of n-gram counts with the others), embeddings (the same of sentence
    /// embeddings) or entailment (share of the others that do not mean the same: each entails the other).
    public var diversityMeasure = "ngrams"
    /// embeddings: the folder of a sentence encoder; entailment: that of a classifier of natural language inference.
    public var diversityModel: String?
    /// What is added for a response that has nothing in common with the others.
    public var diversityRewardWeight = 1.0

    /// The defaults.
    public init() {}

    private static let ways = ["none", "multiply", "add"]
    private static let measures = ["ngrams", "embeddings", "entailment"]

    /// Whether there is one.
    var isGiven: Bool { SettingName.canonical(diversityReward) != "none" }

    /// Whether scores are multiplied.
    var multiplies: Bool { SettingName.canonical(diversityReward) == "multiply" }

    public func validate() throws {
        for (option, value, words) in [
            ("--diversity-reward", diversityReward, Self.ways), ("--diversity-measure", diversityMeasure, Self.measures),
        ] where !words.contains(SettingName.canonical(value)) {
            throw InvalidSetting("\(option) is '\(value)'; it takes \(words.joined(separator: ", "))")
        }
        guard abs(diversityRewardWeight) <= 1e30 else {
            throw InvalidSetting("--diversity-reward-weight is \(diversityRewardWeight); it takes a number of at most 1e30")
        }
        let needsModel = SettingName.canonical(diversityMeasure) != "ngrams"
        guard !needsModel || diversityModel != nil else {
            throw InvalidSetting("--diversity-measure \(diversityMeasure) needs the folder of its model, --diversity-model")
        }
        guard needsModel || diversityModel == nil else {
            throw InvalidSetting("--diversity-model is for --diversity-measure embeddings or entailment")
        }
        let usual = DiversityRewardSettings()
        guard !multiplies || diversityRewardWeight == usual.diversityRewardWeight else {
            throw InvalidSetting("--diversity-reward-weight is for --diversity-reward add")
        }
        guard isGiven || (diversityMeasure, diversityRewardWeight) == (usual.diversityMeasure, usual.diversityRewardWeight) else {
            throw InvalidSetting("--diversity-measure and --diversity-reward-weight belong to --diversity-reward, which is none")
        }
    }

    /// The reward, with its model loaded; nil for none.
    /// - Throws: what loading throws.
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

    /// A score times, or plus a weight times, how much each response differs from the others.
    package static func reward(_ measure: AnswerDiversity, multiplies: Bool, weight: Double) -> GroupReward {
        GroupReward("diversity by \(measure.name)") { scores, texts in
            zip(scores, try measure.values(texts)).map { score, difference in
                multiplies ? score * difference : score + weight * difference
            }
        }
    }
}
