public import ArgumentParser
public import Study

/// What is sampled from, how often, and what is chosen.
public struct BestOfNOptions: SettingsOptions {
    public typealias Values = BestOfNSettings

    @Option(help: "Model folder, GGUF file or run folder. It holds the model to sample from.", completion: .file())
    public var modelName: String?
    @Option(help: "N, the number of responses to each prompt.")
    public var numReturnSequences = Self.defaults.numReturnSequences
    @Option(
        help: """
            Independent groups of N responses per prompt. Each group has its own best response, so that the diversity of best-of-N can be \
            measured per prompt.
            """)
    public var groups = Self.defaults.groups
    @Option(help: "Prompts per split that get all groups. They are the first ones; the others get one group.")
    public var groupedPrompts = Self.defaults.groupedPrompts
    @Option(help: "Splits to answer.")
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Rows of an evaluation batch. It matters only with --reference-compatible, which answers whole batches. Default: 8.")
    public var perDeviceEvalBatchSize: Int?
    @Option(
        help: """
            Reference model for the KL of the responses. For example, the model from which PPO started. Default: none.
            """, completion: .file())
    public var referenceModel: String?
    @Option(
        help: .yesNo(
            """
            Measure the KL of the sampling distribution. It is the distribution after temperature, top-k, top-p and min-p, compared with \
            the unmodified distribution of the reference, or of the model itself if no reference is named. Otherwise model and reference \
            are compared at the same temperature. Default: true in a sweep, otherwise false.
            """))
    public var klOfDraws: Bool?
    @Option(
        help: """
            Choice among N responses: best or soft. With soft, response i is chosen with probability exp(r_i / T) / Σ exp(r_j / T), where \
            r are rewards and T is --selection-temperature. Default: best.
            """)
    public var selection: String?
    @Option(help: "Temperature T of a soft choice. Default: 1.")
    public var selectionTemperature: Double?
    @Option(
        help: """
            Finished best-of-N run with samples to reuse. It replaces --model-name: no model is loaded, and nothing is sampled. Default: \
            none.
            """, completion: .file())
    public var samplesFrom: String?
    @Option(
        help: """
            Setting to vary, such as temperature=0.3,0.7,1. The option may be repeated. Every combination becomes a run in points/, and a \
            table compares them. Settings: temperature, top-k, top-p, min-p, do-sample, max-new-tokens, max-active-responses, \
            num-return-sequences, selection, selection-temperature.
            """)
    public var sweep: [String] = []

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
