public import ArgumentParser
public import Study

/// A reward for responses that differ from the other responses to their prompt.
public struct DiversityRewardOptions: SettingsOptions {
    public typealias Values = DiversityRewardSettings

    @Option(
        help: """
            none, multiply (the score times how much a response differs from the others to its prompt: DARLING; for scores of 0 and more) \
            or add (plus --diversity-reward-weight times it).
            """)
    public var diversityReward = Self.defaults.diversityReward
    @Option(
        help: """
            How much a response differs, 0 to 1: ngrams (1 − mean cosine of n-gram counts with the others), embeddings (the same of sentence \
            embeddings) or entailment (share of the others that do not mean the same: each entails the other).
            """)
    public var diversityMeasure = Self.defaults.diversityMeasure
    @Option(
        help: "embeddings: the folder of a sentence encoder; entailment: that of a classifier of natural language inference.",
        completion: .directory)
    public var diversityModel: String?
    @Option(help: "What is added for a response that has nothing in common with the others.")
    public var diversityRewardWeight = Self.defaults.diversityRewardWeight

    public init() {}
}
