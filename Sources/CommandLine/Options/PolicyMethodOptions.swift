public import ArgumentParser
public import Study

/// Which method of policy optimisation there is: how rewards of responses become advantages, and these a loss.
public struct PolicyMethodOptions: SettingsOptions {
    public typealias Values = PolicyMethodSettings

    @Option(
        help: """
            Method, such as gae, rloo, grpo or remax. One of gae (PPO), vtrace, or, without a value head, rloo, grpo, reinforce, \
            reinforce++ or remax. Each sets its published defaults: Docs/methods.md. Default: gae, or vtrace with \
            --use-gae-lambda-advantages no.
            """)
    public var advantage: String?
    @Option(help: "Number of responses to each prompt. Default: 4 for rloo and grpo, otherwise 1.")
    public var numGenerations: Int?
    @Option(
        help: """
            grpo: divisor of advantages. One of group (the standard deviation of the group's rewards), batch (that of all rewards) or none \
            (Dr. GRPO).
            """)
    public var scaleRewards = Self.defaults.scaleRewards
    @Option(help: "Maximum of extra rollout batches per step. They replace prompts whose responses all have the same reward (DAPO).")
    public var dynamicSampling = Self.defaults.dynamicSampling
    @Option(
        help: """
            Policy loss: clip, cispo, sapo or gradient. The loss of PPO is clip; gradient is the plain policy gradient. Default: clip.
            """)
    public var policyLoss: String?
    @Option(
        help: """
            Level of probability ratios. One of token, sequence-mean (GSPO) or sequence-sum. Default: sequence-sum for rloo, otherwise \
            token.
            """)
    public var ratio: String?
    @Option(
        help: """
            How token losses are aggregated. One of tokens (mean over all tokens; DAPO), sequences (mean of per-response means; GRPO), \
            sequence-sums, or constant (sum divided by the full lengths; Dr. GRPO). Default: sequences for rloo, otherwise tokens.
            """)
    public var lossAggregation: String?
    @Option(help: "Upper clipping range of the ratio. Its upper bound is 1 + this number (DAPO: 0.28). Default: --appo-clip-policy.")
    public var clipHigh: Double?
    @Option(help: "Upper bound on ratios with negative advantage. It is for tokens with a negative advantage (dual-clip). Default: none.")
    public var dualClip: Double?
    @Option(help: .yesNo("Leave truncated responses out of the loss. These are responses without an end-of-sequence token."))
    public var maskTruncated = Self.defaults.maskTruncated
    @Option(help: .yesNo("Multiply a KL in the loss by the ratio. The probability ratio keeps it unbiased after the policy has changed."))
    public var klCorrection = Self.defaults.klCorrection
    @Option(
        help: """
            Target entropy of a token, in nats. Below it the weight of the entropy bonus grows; above it there is no bonus. Default: the \
            weight is fixed at --entropy-cost.
            """)
    public var entropyTarget: Double?
    @Option(help: "Change of the entropy weight per step. It is the weight that --entropy-target adapts, per optimiser step.")
    public var entropyStep = Self.defaults.entropyStep
    @Option(help: "Maximum of the entropy weight. It is the weight that --entropy-target adapts.")
    public var entropyLimit = Self.defaults.entropyLimit

    public init() {}

    /// Other names of options.
    public static let aliases = ["advantage-estimator": "advantage", "importance-sampling-level": "ratio"]
}
