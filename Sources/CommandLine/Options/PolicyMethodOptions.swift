public import ArgumentParser
public import Study

/// Which method of policy optimisation there is: how rewards of responses become advantages, and these a loss.
public struct PolicyMethodOptions: SettingsOptions {
    public typealias Values = PolicyMethodSettings

    @Option(
        help: """
            gae (PPO), vtrace, or without a value head rloo, grpo, reinforce, reinforce++ or remax. Each sets what it was published with: \
            Docs/methods.md. gae unless given, or vtrace with --use-gae-lambda-advantages no.
            """)
    public var advantage: String?
    @Option(help: "Responses to each prompt; 4 for rloo and grpo, else 1, unless given.")
    public var numGenerations: Int?
    @Option(
        help:
            "grpo: what advantages are divided by: group (the deviation of the group's rewards), batch (that of all) or none (Dr. GRPO)."
    )
    public var scaleRewards = Self.defaults.scaleRewards
    @Option(
        help: "Further rollout batches of a step at most, drawn in place of prompts whose responses are all rewarded alike (DAPO)."
    )
    public var dynamicSampling = Self.defaults.dynamicSampling
    @Option(help: "The policy's term: clip (of PPO), cispo, sapo or gradient (plain policy gradient); clip unless given.")
    public var policyLoss: String?
    @Option(
        help: """
            What probability ratios are of: token, sequence-mean (GSPO) or sequence-sum; sequence-sum for rloo, else token, unless given.
            """)
    public var ratio: String?
    @Option(
        help: """
            How terms come together: tokens (mean over all tokens; DAPO), sequences (mean of means; GRPO), sequence-sums or constant \
            (divided by full lengths; Dr. GRPO); sequences for rloo, else tokens, unless given.
            """)
    public var lossAggregation: String?
    @Option(help: "The range of the ratio ends at 1 + this; as --appo-clip-policy unless given (DAPO: 0.28).")
    public var clipHigh: Double?
    @Option(help: "Ratios of tokens with a negative advantage are clipped at this, too; not at all unless given.")
    public var dualClip: Double?
    @Option(help: .yesNo("Whether responses that do not end by themselves are left out of the loss."))
    public var maskTruncated = Self.defaults.maskTruncated
    @Option(help: .yesNo("Whether a KL in the loss is multiplied by the ratio, which keeps it unbiased when the policy has moved."))
    public var klCorrection = Self.defaults.klCorrection
    @Option(
        help: """
            The entropy of a token, in nats, below which an entropy bonus grows, and above which there is none; --entropy-cost alone \
            counts unless given.
            """)
    public var entropyTarget: Double?
    @Option(help: "What the weight of that bonus moves by in an optimiser step.")
    public var entropyStep = Self.defaults.entropyStep
    @Option(help: "The greatest weight of that bonus.")
    public var entropyLimit = Self.defaults.entropyLimit

    public init() {}

    /// Other names of options.
    public static let aliases = ["advantage-estimator": "advantage", "importance-sampling-level": "ratio"]
}
