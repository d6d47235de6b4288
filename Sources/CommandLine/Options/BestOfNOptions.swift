public import ArgumentParser
public import Study

/// What is sampled from, how often, and what is chosen.
public struct BestOfNOptions: SettingsOptions {
    public typealias Values = BestOfNSettings

    @Option(help: "The model to sample from: a model folder, a GGUF file or a run folder.", completion: .file())
    public var modelName: String?
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
    @Option(help: "A model to measure the KL of the responses against, for example the one that PPO started from.", completion: .file())
    public var referenceModel: String?
    @Option(
        help: .yesNo(
            """
            Whether that KL is of what is drawn, with temperature, top-k, top-p and min-p, from the reference as it is, or from the \
            model itself where no reference is named; unless given, yes in a sweep, and else no: model and reference are compared at one \
            temperature.
            """))
    public var klOfDraws: Bool?
    @Option(help: "How one of N is chosen: best, or soft (with probabilities that grow with exp(reward / T)); best unless given.")
    public var selection: String?
    @Option(help: "T of a soft choice; 1 unless given.")
    public var selectionTemperature: Double?
    @Option(
        help: "In place of --model-name: a finished run of this program whose samples are chosen among again, without drawing any.",
        completion: .file())
    public var samplesFrom: String?
    @Option(
        help: """
            A setting with several values, such as temperature=0.3,0.7,1; may be repeated. Every combination is a run in points/, and a \
            table compares them: temperature, top-k, top-p, min-p, do-sample, max-new-tokens, num-return-sequences, selection, \
            selection-temperature.
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
