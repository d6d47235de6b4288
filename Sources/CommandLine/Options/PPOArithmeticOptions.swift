public import ArgumentParser
public import Study

/// Where PPO follows the original's arithmetic; `--reference-compatible` chooses it everywhere.
public struct PPOArithmeticOptions: SettingsOptions {
    public typealias Values = PPOArithmeticSettings

    @Option(
        help:
            "Values that advantages are taken from: rollout (once, when sampling), or learner (anew in every learn batch; original)."
    )
    public var advantageValues: String?
    @Option(help: "What advantages are normalised over: masked (response tokens), or full (padding, too; original).")
    public var advantageNorm: String?
    @Option(help: "What losses are divided by: mask (response tokens), or columns (padding, too; original).")
    public var lossMean: String?
    @Option(help: "What KL statistics are taken over: masked (response tokens), or full (padding, too; original).")
    public var klStatistics: String?
    @Option(
        help: "How learn batches make an optimiser step: tokens (one mean over all of them), mean, or sum (original).")
    public var accumulation: String?
    @Option(
        help:
            "What an adaptive KL weight follows: step (this step's rollouts), or log (the mean since the last log line; original)."
    )
    public var klControl: String?
    @Option(help: "Log-probabilities: sampling (divided by the temperature, as drawn), or raw (original).")
    public var logProbTemperature: String?
    @Option(help: "The reported norm of unclipped gradients: true, or root-of-norms (original).")
    public var gradNormForm: String?

    public init() {}
}
