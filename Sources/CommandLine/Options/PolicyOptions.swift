public import ArgumentParser
public import Study

/// The models of a policy run, and how long and on what it learns.
public struct PolicyOptions: SettingsOptions {
    public typealias Values = PolicySettings

    @Option(
        help: """
            Model folder, GGUF file or run folder. It holds the starting model of the policy, a supervised model.
            """, completion: .file())
    public var modelName: String
    @Option(help: "Reference model for the KL. Default: the starting policy.", completion: .file())
    public var baseModelName: String?
    @Option(help: "Number of steps. Each step samples rollouts and then learns from them.")
    public var totalSteps = Self.defaults.totalSteps
    @Option(help: "Prompts per rollout batch. Default: --learn-batch-size divided by the number of responses per prompt.")
    public var rolloutBatchSize: Int?
    @Option(
        help: """
            Prompts per evaluation batch. It matters only with --reference-compatible, which answers whole batches. Default: \
            --rollout-batch-size.
            """)
    public var batchSize: Int?
    @Option(help: "Rollout batches per step. Default: --gradient-accumulation-steps.")
    public var rolloutAccumulationSteps: Int?
    @Option(help: "Rollouts per learn batch.")
    public var learnBatchSize = Self.defaults.learnBatchSize
    @Option(help: "Learn batches per optimiser step. Their gradients are accumulated.")
    public var gradientAccumulationSteps = Self.defaults.gradientAccumulationSteps
    @Option(help: "Passes over the rollouts of a step. Default: 4 for gae and vtrace, 1 for methods without a value head.")
    public var ppoEpochs: Int?
    @Option(help: OptimizerHelp.optimizer)
    public var optimizer = OptimizerArgument(Self.defaults.optimizer)
    @Option(help: "Initial learning rate. It decays linearly to 0.")
    public var adamLearningRate = Self.defaults.adamLearningRate
    @Option(help: OptimizerHelp.beta1)
    public var adamBeta1 = Self.defaults.adamBeta1
    @Option(help: OptimizerHelp.beta2)
    public var adamBeta2 = Self.defaults.adamBeta2
    @Option(help: "Adam's epsilon. It has no effect with --optimizer lion or adafactor.")
    public var adamEpsilon = Self.defaults.adamEpsilon
    @Option(help: "Decoupled weight decay.")
    public var adamWeightDecay = Self.defaults.adamWeightDecay
    @Option(help: "Maximum global gradient norm, for clipping. Default: no clipping.")
    public var gradNormClipping: Double?
    @Option(help: OptimizerHelp.inBackward)
    public var applyInBackward = Self.defaults.applyInBackward
    @Option(help: "Share of layers to freeze, from the first.")
    public var freezeLayers = Self.defaults.freezeLayers
    @Option(help: .yesNo("Freeze embeddings and output projection, too."))
    public var freezeLmHead = Self.defaults.freezeLmHead
    @Option(
        help: .yesNo(
            """
            Recompute activations in the backward pass. It saves memory and takes more time. It applies to the trained layers.
            """))
    public var gradientCheckpointing = Self.defaults.gradientCheckpointing
    @Option(help: "Maximum number of tokens in memory at once. It changes memory and speed, and results only by rounding.")
    public var tokensPerPass = Self.defaults.tokensPerPass
    @Option(help: "Batches with NaN or Inf that may be skipped. They are counted. One more stops the run.")
    public var skipBadBatches = Self.defaults.skipBadBatches
    @Option(help: "Maximum number of training prompts. Default: all.")
    public var maxPrompts: Int?
    @Option(help: "Steps between two lines of metrics.")
    public var logSteps = Self.defaults.logSteps
    @Option(help: "Log lines between two tables of rollouts.")
    public var tableLogs = Self.defaults.tableLogs
    @Option(help: "Steps between two evaluations. Default: only at the start and the end.")
    public var evaluationSteps: Int?
    @Option(help: .yesNo("Evaluate before the first step. Default: true; with --reference-compatible false, as in the original."))
    public var evaluateAtStart: Bool?
    @Option(help: "Prompts per evaluation.")
    public var trainingTargetEvalDatapoints = Self.defaults.trainingTargetEvalDatapoints
    @Option(
        help: """
            Splits to answer at the end of the run. The first --target-eval-datapoints prompts of each are answered. Default: none \
            (original: all).
            """)
    public var evaluationSplits = ArgumentList(Self.defaults.evaluationSplits)
    @Option(help: "Steps between two checkpoints. Default: checkpoints follow --checkpoint-minutes.")
    public var checkpointSteps: Int?

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "learning-rate": "adam-learning-rate", "adam-lr": "adam-learning-rate", "adam-beta-1": "adam-beta1",
        "adam-beta-2": "adam-beta2", "adam-eps": "adam-epsilon", "weight-decay": "adam-weight-decay", "optim": "optimizer",
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
