public import ArgumentParser

/// What is sampled from, and how often.
public struct BestOfNOptions: ProgramOptions {
    @Option(help: "The model to sample from: a model folder or a run folder.")
    public var modelName: String
    @Option(help: "N, the responses to every prompt.")
    public var numReturnSequences = 16
    @Option(
        help:
            "Independent groups of N responses, each with a best one of its own, so that best-of-N has a diversity per prompt."
    )
    public var groups = 1
    @Option(help: "Prompts of each split, from the first, that get all groups; the others get one.")
    public var groupedPrompts = 50
    @Option(help: "The splits to answer.")
    public var evaluationSplits: ArgumentList<String> = ["test", "ood_test"]
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

    public func validate() throws {
        guard numReturnSequences > 0, groups > 0, groupedPrompts >= 0 else {
            throw ValidationError("--num-return-sequences and --groups must be above 0")
        }
        guard Double(numReturnSequences) * Double(groups) <= 1e6 else {
            throw ValidationError("--num-return-sequences times --groups is more than 1000000, the most responses to a prompt")
        }
        guard perDeviceEvalBatchSize ?? 1 > 0 else { throw ValidationError("--per-device-eval-batch-size must be above 0") }
        guard !evaluationSplits.values.isEmpty else { throw ValidationError("--evaluation-splits names no split") }
    }
}
