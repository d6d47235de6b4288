public import ArgumentParser
public import Study

/// A reward for responses that differ from the other responses to their prompt.
public struct DiversityRewardOptions: SettingsOptions {
    public typealias Values = DiversityRewardSettings

    @Option(
        help: """
            Effect of diversity on rewards. One of none, multiply (the score times the diversity of a response: DARLING; for scores of at \
            least 0) or add (the score plus --diversity-reward-weight times the diversity).
            """)
    public var diversityReward = Self.defaults.diversityReward
    @Option(
        help: """
            Measure of the diversity of a response. The diversity is from 0 to 1: ngrams (1 − mean cosine similarity of n-gram counts to \
            the other responses to the prompt), embeddings (the same with sentence embeddings) or entailment (the share of the other \
            responses with another meaning; two responses mean the same if each entails the other).
            """)
    public var diversityMeasure = Self.defaults.diversityMeasure
    @Option(
        help: """
            Folder of the model of the diversity measure. For embeddings a sentence encoder, for entailment a classifier for natural \
            language inference. Default: none.
            """, completion: .directory)
    public var diversityModel: String?
    @Option(
        help: """
            Weight of the diversity with add. It is the amount that --diversity-reward add gives to a response that has nothing in common \
            with the others.
            """)
    public var diversityRewardWeight = Self.defaults.diversityRewardWeight

    public init() {}
}
