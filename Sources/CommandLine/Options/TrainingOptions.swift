public import ArgumentParser
public import Study

/// The optimiser and what it may change.
public struct TrainingOptions: SettingsOptions {
    public typealias Values = TrainingSettings

    @Option(help: "The peak learning rate.")
    public var learningRate = Self.defaults.learningRate
    @Option(help: "AdamW's decay of the first moment.")
    public var adamBeta1 = Self.defaults.adamBeta1
    @Option(help: "AdamW's decay of the second moment.")
    public var adamBeta2 = Self.defaults.adamBeta2
    @Option(help: "AdamW's epsilon.")
    public var adamEpsilon = Self.defaults.adamEpsilon
    @Option(help: "AdamW's decoupled weight decay.")
    public var weightDecay = Self.defaults.weightDecay
    @Option(help: "The global norm that gradients are clipped to; 0 leaves them.")
    public var maxGradNorm = Self.defaults.maxGradNorm
    @Option(help: "The learning rate's course: constant, linear or cosine.")
    public var lrSchedulerType = Self.defaults.lrSchedulerType
    @Option(help: "Steps over which the learning rate rises from 0.")
    public var warmupSteps = Self.defaults.warmupSteps
    @Option(help: "The share of all steps over which it rises, where --warmup-steps is 0.")
    public var warmupRatio = Self.defaults.warmupRatio
    @Option(help: "Passes over the training set.")
    public var numTrainEpochs = Self.defaults.numTrainEpochs
    @Option(help: "Stops after this many optimiser steps; after --num-train-epochs unless given, or if -1, as in Transformers.")
    public var maxSteps: Int?
    @Option(help: "Examples that are processed together.")
    public var perDeviceTrainBatchSize = Self.defaults.perDeviceTrainBatchSize
    @Option(help: "Batches whose gradients make one optimiser step.")
    public var gradientAccumulationSteps = Self.defaults.gradientAccumulationSteps
    @Option(
        help:
            "Supervised loss: tokens (one mean over all tokens of a step), or batches (the mean of the batches' means; original)."
    )
    public var lossMean: String?
    @Option(help: "The share of the layers, from the first, that stays as it is; none of a model from scratch.")
    public var freezeLayers = Self.defaults.freezeLayers
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = Self.defaults.freezeLmHead
    @Option(help: .yesNo("Whether trained layers run again in the backward pass, which needs less memory and more time."))
    public var gradientCheckpointing = Self.defaults.gradientCheckpointing
    @Option(
        help: .yesNo("Whether training drops numbers at the rates that the model's config.json has (OPT and GPT-2: 0.1; LLaMA: 0)."))
    public var dropout = Self.defaults.dropout
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = Self.defaults.tokensPerPass
    @Option(help: "Steps between two lines of metrics.")
    public var loggingSteps = Self.defaults.loggingSteps
    @Option(help: "Steps between two evaluations; at the end only unless given.")
    public var evalSteps: Int?
    @Option(help: "Steps between two checkpoints; by --checkpoint-minutes unless given.")
    public var saveSteps: Int?

    @Option(help: "Batches with numbers that are not finite that are skipped, and counted, before the run stops.")
    public var skipBadBatches = Self.defaults.skipBadBatches

    public init() {}
}
