public import ArgumentParser
public import Study

/// Where PPO follows the original's arithmetic; `--reference-compatible` chooses it everywhere.
public struct PPOArithmeticOptions: SettingsOptions {
    public typealias Values = PPOArithmeticSettings

    @Option(
        help: """
            When advantages are computed. Either rollout (once, with the values at sampling time) or learner (for every learn batch, with \
            the current values; original). Default: rollout; with --reference-compatible, learner.
            """)
    public var advantageValues: String?
    @Option(
        help: """
            Positions for normalising advantages. Either masked (response tokens) or full (including padding; original). Default: masked; \
            with --reference-compatible, full.
            """)
    public var advantageNorm: String?
    @Option(
        help: """
            Divisor of losses. Either mask (response tokens) or columns (including padding; original). Default: mask; with \
            --reference-compatible, columns.
            """)
    public var lossMean: String?
    @Option(
        help: """
            Positions for KL statistics. Either masked (response tokens) or full (including padding; original). Default: masked; with \
            --reference-compatible, full.
            """)
    public var klStatistics: String?
    @Option(
        help: """
            How learn batches make an optimiser step. One of tokens (one mean over all their tokens), mean or sum (original). Default: \
            tokens; with --reference-compatible, sum.
            """)
    public var accumulation: String?
    @Option(
        help: """
            KL that an adaptive KL weight follows. Either step (this step's rollouts) or log (the mean since the last log line; original). \
            Default: step; with --reference-compatible, log.
            """)
    public var klControl: String?
    @Option(
        help: """
            Log-probabilities: sampling or raw. With sampling, logits are divided by the sampling temperature; raw is the original. \
            Default: sampling; with --reference-compatible, raw.
            """)
    public var logProbTemperature: String?
    @Option(
        help: """
            Reported gradient norm before clipping. Either true or root-of-norms (original). Default: true; with --reference-compatible, \
            root-of-norms.
            """)
    public var gradNormForm: String?

    public init() {}
}
