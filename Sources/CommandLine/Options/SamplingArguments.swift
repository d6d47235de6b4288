public import ArgumentParser
public import Study

/// How responses are drawn.
public struct SamplingArguments: SettingsOptions {
    public typealias Values = SamplingSettings

    @Option(help: "Maximum number of tokens of a response.")
    public var maxNewTokens = Self.defaults.maxNewTokens
    @Option(help: "Sampling temperature. Logits are divided by it.")
    public var temperature = Self.defaults.temperature
    @Option(
        help: """
            Number of most probable tokens to sample from. 0 means all. Default: 0; with --reference-compatible 50 outside of PPO, as in \
            the original.
            """)
    public var topK: Int?
    @Option(
        help: """
            Probability mass to sample from. Only the most probable tokens whose probabilities add up to this number are sampled from \
            (nucleus sampling).
            """)
    public var topP = Self.defaults.topP
    @Option(
        help: """
            Least probability relative to the top token. Only tokens with at least this share of the most probable token's probability are \
            sampled from (min-p). Default: all.
            """)
    public var minP: Float?

    @Option(
        help: .yesNo(
            """
            Sample responses. Otherwise they are decoded greedily. Default: true when sampling, false in evaluations of training.
            """))
    public var doSample: Bool?
    @Option(
        help: """
            Maximum number of responses sampled at the same time. Fewer need less memory for keys and values, and more time. Default: 64; \
            128 for best-of-N and simulated preferences.
            """)
    public var maxActiveResponses: Int?

    public init() {}

    /// Other names of options.
    public static let aliases = ["generation-max-new-tokens": "max-new-tokens"]

    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["max-new-tokens": "48"]
}
