public import ArgumentParser
public import Study

/// What is sampled from, and how often.
public struct BestOfNOptions: SettingsOptions {
    public typealias Values = BestOfNSettings

    @Option(help: "The model to sample from: a model folder, a GGUF file or a run folder.")
    public var modelName: String
    @Option(help: "N, the responses to every prompt.")
    public var numReturnSequences = Self.defaults.numReturnSequences
    @Option(
        help:
            "Independent groups of N responses, each with a best one of its own, so that best-of-N has a diversity per prompt."
    )
    public var groups = Self.defaults.groups
    @Option(help: "Prompts of each split, from the first, that get all groups; the others get one.")
    public var groupedPrompts = Self.defaults.groupedPrompts
    @Option(help: "The splits to answer.")
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Rows of an evaluation batch, 8 unless given. It counts with --reference-compatible, which answers whole batches.")
    public var perDeviceEvalBatchSize: Int?
    @Option(help: "A model to measure the KL of the responses against, for example the one that PPO started from.")
    public var referenceModel: String?

    public init() {}

    /// Options of the original that mean nothing here.
    public static let ignored: [IgnoredOption] = {
        let training = "nothing is trained"
        return IgnoredOption.list(
            .value,
            [
                "freeze-layers", "per-device-train-batch-size", "gradient-accumulation-steps", "learning-rate",
                "num-train-epochs", "max-steps", "training-evaluation-batches", "validation-evaluation-batches",
                "save-steps", "eval-steps", "logging-steps", "lr-scheduler-*", "warmup-*", "weight-decay", "adam-*",
                "max-grad-norm", "label-smoothing-factor", "neftune-noise-alpha",
            ], training)
            + IgnoredOption.list(
                .boolean, ["do-train", "do-eval", "freeze-lm-head", "eval-sl-reward-function", "rl-training"], training)
            + IgnoredOption.list(
                .value, ["base-model-name", "value-normalisation*"],
                "one model is sampled from, and a checkpoint's own head counts")
            + IgnoredOption.list(
                .value, ["eval-rl-model*"], "a policy is sampled from by its run or folder, --model-name")
    }()
}
