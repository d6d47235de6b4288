public import ArgumentParser
public import Study

/// How responses are drawn.
public struct SamplingArguments: SettingsOptions {
    public typealias Values = SamplingSettings

    @Option(help: "Tokens of a response at most.")
    public var maxNewTokens = Self.defaults.maxNewTokens
    @Option(help: "Divides the logits before a token is drawn.")
    public var temperature = Self.defaults.temperature
    @Option(
        help:
            "Only the k most probable tokens are drawn from; 0, the default, for all (the original: 50 outside of PPO)."
    )
    public var topK: Int?
    @Option(help: "Only the most probable tokens that reach this probability together are drawn from.")
    public var topP = Self.defaults.topP
    @Option(
        help: "Only tokens with at least this share of the most probable token's probability are drawn from (min-p); all unless given.")
    public var minP: Float?

    @Option(
        help: .yesNo(
            "Whether responses are drawn at random, or greedily; unless given drawn when sampling, and greedy in evaluations of training."
        ))
    public var doSample: Bool?

    public init() {}

    /// Other names of options.
    public static let aliases = ["generation-max-new-tokens": "max-new-tokens"]

    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["max-new-tokens": "48"]
}
