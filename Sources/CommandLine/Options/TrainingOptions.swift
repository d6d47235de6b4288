public import ArgumentParser
public import Study

/// The optimiser and what it may change.
public struct TrainingOptions: SettingsOptions {
    public typealias Values = TrainingSettings

    @Option(help: OptimizerHelp.optimizer)
    public var optimizer = OptimizerArgument(Self.defaults.optimizer)
    @Option(help: "Peak learning rate.")
    public var learningRate = Self.defaults.learningRate
    @Option(help: OptimizerHelp.beta1)
    public var adamBeta1 = Self.defaults.adamBeta1
    @Option(help: OptimizerHelp.beta2)
    public var adamBeta2 = Self.defaults.adamBeta2
    @Option(help: "AdamW's epsilon. It has no effect with --optimizer lion or adafactor.")
    public var adamEpsilon = Self.defaults.adamEpsilon
    @Option(help: "Decoupled weight decay.")
    public var weightDecay = Self.defaults.weightDecay
    @Option(help: "Maximum global gradient norm, for clipping. 0 disables clipping.")
    public var maxGradNorm = Self.defaults.maxGradNorm
    @Option(help: OptimizerHelp.inBackward)
    public var applyInBackward = Self.defaults.applyInBackward
    @Option(help: "Learning-rate schedule after the warm-up. One of constant, linear or cosine.")
    public var lrSchedulerType = Self.defaults.lrSchedulerType
    @Option(help: "Warm-up steps. The learning rate rises from 0 during these steps.")
    public var warmupSteps = Self.defaults.warmupSteps
    @Option(help: "Share of all steps used for the warm-up. It applies if --warmup-steps is 0.")
    public var warmupRatio = Self.defaults.warmupRatio
    @Option(help: "Passes over the training set.")
    public var numTrainEpochs = Self.defaults.numTrainEpochs
    @Option(
        help: """
            Optimiser steps; overrides --num-train-epochs. Default, and for -1 as in Transformers: as many as --num-train-epochs makes.
            """)
    public var maxSteps: Int?
    @Option(help: "Examples per batch.")
    public var perDeviceTrainBatchSize = Self.defaults.perDeviceTrainBatchSize
    @Option(help: "Batches per optimiser step. Their gradients are accumulated.")
    public var gradientAccumulationSteps = Self.defaults.gradientAccumulationSteps
    @Option(
        help: """
            Mean of the supervised loss. Either tokens (over all tokens of a step) or batches (the mean of the batches' means; original). \
            Default: tokens; with --reference-compatible, batches.
            """)
    public var lossMean: String?
    @Option(help: "Share of layers to freeze, from the first. In a model trained from scratch no layers are frozen.")
    public var freezeLayers = Self.defaults.freezeLayers
    @Option(help: .yesNo("Freeze embeddings and output projection, too."))
    public var freezeLmHead = Self.defaults.freezeLmHead
    @Option(
        help: .yesNo(
            """
            Recompute activations in the backward pass. It saves memory and takes more time. It applies to the trained layers.
            """))
    public var gradientCheckpointing = Self.defaults.gradientCheckpointing
    @Option(help: .yesNo("Apply dropout in training. The rates are those of the model's config.json (OPT and GPT-2: 0.1; LLaMA: 0)."))
    public var dropout = Self.defaults.dropout
    @Option(help: "Maximum number of tokens in memory at once. It changes memory and speed, and results only by rounding.")
    public var tokensPerPass = Self.defaults.tokensPerPass
    @Option(help: "Steps between two lines of metrics.")
    public var loggingSteps = Self.defaults.loggingSteps
    @Option(help: "Steps between two evaluations. Default: only before the first step and at the end.")
    public var evalSteps: Int?
    @Option(help: "Steps between two checkpoints. Default: checkpoints follow --checkpoint-minutes.")
    public var saveSteps: Int?

    @Option(help: "Batches with NaN or Inf that may be skipped. They are counted. One more stops the run.")
    public var skipBadBatches = Self.defaults.skipBadBatches

    public init() {}

    /// Other names of options.
    public static let aliases = ["optim": "optimizer"]
}
