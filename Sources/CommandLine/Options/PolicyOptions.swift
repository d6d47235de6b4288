public import ArgumentParser
public import Study

/// The models of a policy run, and how long and on what it learns.
public struct PolicyOptions: SettingsOptions {
    public typealias Values = PolicySettings

    @Option(help: "The supervised model that the policy starts as: a model folder, a GGUF file or a run folder.", completion: .file())
    public var modelName: String
    @Option(help: "The model that the KL is measured against; the starting policy unless given.", completion: .file())
    public var baseModelName: String?
    @Option(help: "Rollouts followed by learning.")
    public var totalSteps = Self.defaults.totalSteps
    @Option(help: "Prompts of a rollout batch; --learn-batch-size unless given, divided by the responses to each prompt.")
    public var rolloutBatchSize: Int?
    @Option(
        help: """
            Prompts of an evaluation batch, --rollout-batch-size unless given. It counts with --reference-compatible, which answers whole \
            batches.
            """)
    public var batchSize: Int?
    @Option(help: "Rollout batches of a step; --gradient-accumulation-steps unless given.")
    public var rolloutAccumulationSteps: Int?
    @Option(help: "Rollouts that are learned from together.")
    public var learnBatchSize = Self.defaults.learnBatchSize
    @Option(help: "Learn batches whose gradients make one optimiser step.")
    public var gradientAccumulationSteps = Self.defaults.gradientAccumulationSteps
    @Option(help: "Passes over the rollouts of a step; 4 for gae and vtrace, 1 for methods without a value head, unless given.")
    public var ppoEpochs: Int?
    @Option(help: "Adam's learning rate at the start; it falls linearly to 0.")
    public var adamLearningRate = Self.defaults.adamLearningRate
    @Option(help: "Adam's decay of the first moment.")
    public var adamBeta1 = Self.defaults.adamBeta1
    @Option(help: "Adam's decay of the second moment.")
    public var adamBeta2 = Self.defaults.adamBeta2
    @Option(help: "Adam's epsilon.")
    public var adamEpsilon = Self.defaults.adamEpsilon
    @Option(help: "Adam's decoupled weight decay.")
    public var adamWeightDecay = Self.defaults.adamWeightDecay
    @Option(help: "The global norm that gradients are clipped to; not at all unless given.")
    public var gradNormClipping: Double?
    @Option(help: "The share of the layers, from the first, that stays as it is.")
    public var freezeLayers = Self.defaults.freezeLayers
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = Self.defaults.freezeLmHead
    @Option(help: .yesNo("Whether trained layers run again in the backward pass, which needs less memory and more time."))
    public var gradientCheckpointing = Self.defaults.gradientCheckpointing
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = Self.defaults.tokensPerPass
    @Option(help: "Batches with numbers that are not finite that are skipped, and counted, before the run stops.")
    public var skipBadBatches = Self.defaults.skipBadBatches
    @Option(help: "Prompts of the training split to use at most; all unless given.")
    public var maxPrompts: Int?
    @Option(help: "Steps between two lines of metrics.")
    public var logSteps = Self.defaults.logSteps
    @Option(help: "Log lines between two tables of rollouts.")
    public var tableLogs = Self.defaults.tableLogs
    @Option(help: "Steps between two evaluations; at the start and the end only unless given.")
    public var evaluationSteps: Int?
    @Option(help: .yesNo("Whether there is an evaluation before the first step; the original has none."))
    public var evaluateAtStart: Bool?
    @Option(help: "Prompts of each evaluation.")
    public var trainingTargetEvalDatapoints = Self.defaults.trainingTargetEvalDatapoints
    @Option(
        help:
            "Splits whose first --target-eval-datapoints prompts are answered at the end of the run; none unless given (the original: all)."
    )
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Steps between two checkpoints; by --checkpoint-minutes unless given.")
    public var checkpointSteps: Int?

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "learning-rate": "adam-learning-rate", "adam-lr": "adam-learning-rate", "adam-beta-1": "adam-beta1",
        "adam-beta-2": "adam-beta2", "adam-eps": "adam-epsilon", "weight-decay": "adam-weight-decay",
    ]

    /// Options of the original that it accepts and does not use, or that mean nothing here.
    public static let ignored: [IgnoredOption] = {
        let unused = "the original accepts it and does nothing with it"
        let stored = "a checkpoint's own numbers count (v_head.normalisation)"
        return IgnoredOption.list(
            .value,
            ["value-denormalisation*", "rf-value-*", "rm-value-*", "policy-value-*"], stored)
            + IgnoredOption.list(
                .value,
                [
                    "gamma", "initialisation", "wait-for-*", "connect", "num-actor-batches", "exp-*",
                    "training-evaluation-batches",
                    "epochs", "rms-reward-norm",
                ], unused)
    }()
}
