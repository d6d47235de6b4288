public import ArgumentParser
import Models
import Train

/// The optimiser and what it may change.
public struct TrainingOptions: ProgramOptions {
    @Option(help: "The peak learning rate.")
    public var learningRate = 5e-5
    @Option(help: "AdamW's decay of the first moment.")
    public var adamBeta1 = 0.9
    @Option(help: "AdamW's decay of the second moment.")
    public var adamBeta2 = 0.999
    @Option(help: "AdamW's epsilon.")
    public var adamEpsilon = 1e-8
    @Option(help: "AdamW's decoupled weight decay.")
    public var weightDecay = 0.0
    @Option(help: "The global norm that gradients are clipped to; 0 leaves them.")
    public var maxGradNorm = 1.0
    @Option(help: "The learning rate's course: constant, linear or cosine.")
    public var lrSchedulerType = "cosine"
    @Option(help: "Steps over which the learning rate rises from 0.")
    public var warmupSteps = 0
    @Option(help: "The share of all steps over which it rises, where --warmup-steps is 0.")
    public var warmupRatio = 0.0
    @Option(help: "Passes over the training set.")
    public var numTrainEpochs = 1.0
    @Option(help: "Stops after this many optimiser steps; after --num-train-epochs unless given, or if -1, as in Transformers.")
    public var maxSteps: Int?
    @Option(help: "Examples that are processed together.")
    public var perDeviceTrainBatchSize = 8
    @Option(help: "Batches whose gradients make one optimiser step.")
    public var gradientAccumulationSteps = 1
    @Option(
        help:
            "Supervised loss: tokens (one mean over all tokens of a step), or batches (the mean of the batches' means; original)."
    )
    public var lossMean: String?
    @Option(help: "The share of the layers, from the first, that stays as it is; none of a model from scratch.")
    public var freezeLayers = 0.8
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = true
    @Option(help: .yesNo("Whether trained layers run again in the backward pass, which needs less memory and more time."))
    public var gradientCheckpointing = false
    @Option(
        help: .yesNo("Whether training drops numbers at the rates that the model's config.json has (OPT and GPT-2: 0.1; LLaMA: 0)."))
    public var dropout = true
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = 1024
    @Option(help: "Steps between two lines of metrics.")
    public var loggingSteps = 25
    @Option(help: "Steps between two evaluations; at the end only unless given.")
    public var evalSteps: Int?
    @Option(help: "Steps between two checkpoints; by --checkpoint-minutes unless given.")
    public var saveSteps: Int?

    @Option(help: "Batches with numbers that are not finite that are skipped, and counted, before the run stops.")
    public var skipBadBatches = 0

    public init() {}

    public func validate() throws {
        guard skipBadBatches >= 0 else { throw ValidationError("--skip-bad-batches must not be negative") }
        guard Schedule.Kind(rawValue: lrSchedulerType) != nil else {
            throw ValidationError("--lr-scheduler-type is '\(lrSchedulerType)'; it takes constant, linear or cosine")
        }
        guard warmupSteps >= 0, (0...1).contains(warmupRatio) else {
            throw ValidationError("--warmup-steps must not be negative, --warmup-ratio in 0...1")
        }
        guard lossMean.map({ ["tokens", "batches"].contains($0) }) ?? true else {
            throw ValidationError("--loss-mean is '\(lossMean ?? "")'; it takes tokens or batches")
        }
        for (name, value) in [
            ("--eval-steps", evalSteps), ("--save-steps", saveSteps), ("--logging-steps", loggingSteps),
            ("--tokens-per-pass", tokensPerPass),
        ] where value.map({ $0 <= 0 }) ?? false {
            throw ValidationError("\(name) must be above 0")
        }
        guard (0...1).contains(freezeLayers) else {
            throw ValidationError("--freeze-layers is \(freezeLayers); it takes a share, 0 to 1")
        }
        try optimizer.validate()
        guard maxSteps.map({ $0 > 0 || $0 == -1 }) ?? true else {
            throw ValidationError("--max-steps is \(maxSteps ?? 0); it must be above 0, or left out for whole epochs")
        }
        guard numTrainEpochs > 0, numTrainEpochs <= 1e6 else {
            throw ValidationError("--num-train-epochs is \(numTrainEpochs); it must be above 0 and at most 1000000")
        }
        guard perDeviceTrainBatchSize > 0, gradientAccumulationSteps > 0 else {
            throw ValidationError("batch size and accumulation steps must be above 0")
        }
    }

    var optimizer: AdamConfig {
        var config = AdamConfig(learningRate: learningRate, clipNorm: maxGradNorm > 0 ? maxGradNorm : nil)
        (config.beta1, config.beta2, config.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
        config.weightDecay = weightDecay
        return config
    }
    var schedule: Schedule {
        Schedule(
            Schedule.Kind(rawValue: lrSchedulerType) ?? .cosine, warmupSteps: warmupSteps, warmupShare: warmupRatio)
    }
    /// How a run learns, without what is its method's own.
    func loop(seed: UInt64) -> LoopConfig {
        var loop = LoopConfig()
        (loop.epochs, loop.maxSteps, loop.batchSize, loop.dropsOut) = (numTrainEpochs, stepLimit, batchSize, dropout)
        (loop.tokensPerPass, loop.recomputesLayers) = (tokensPerPass, gradientCheckpointing)
        (loop.optimizer, loop.schedule, loop.seed, loop.skippedBatches) = (optimizer, schedule, seed, skipBadBatches)
        (loop.logSteps, loop.evaluationSteps, loop.checkpointSteps) = (loggingSteps, evalSteps, saveSteps)
        return loop
    }
    /// The steps that a run is cut to.
    var stepLimit: Int? { maxSteps == -1 ? nil : maxSteps }
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }
    var batchSize: Int { perDeviceTrainBatchSize * gradientAccumulationSteps }
}

/// How responses are drawn.
public struct SamplingArguments: ProgramOptions {
    @Option(help: "Tokens of a response at most.")
    public var maxNewTokens = 48
    @Option(help: "Divides the logits before a token is drawn.")
    public var temperature: Float = 1
    @Option(
        help:
            "Only the k most probable tokens are drawn from; 0, the default, for all (the original: 50 outside of PPO)."
    )
    public var topK: Int?
    @Option(help: "Only the most probable tokens that reach this probability together are drawn from.")
    public var topP: Float = 1

    @Option(
        help: .yesNo(
            "Whether responses are drawn at random rather than the most probable ones; where evaluations are, only if given."
        ))
    public var doSample: Bool?

    public init() {}

    /// Other names of options.
    public static let aliases = ["generation-max-new-tokens": "max-new-tokens"]
    /// What `none` means where an option always has a value.
    public static let valuesOfNone = ["max-new-tokens": "48"]

    public func validate() throws {
        guard maxNewTokens > 0 else { throw ValidationError("--max-new-tokens must be above 0") }
        guard temperature >= 0 else { throw ValidationError("--temperature must not be negative") }
        guard topK ?? 0 >= 0 else { throw ValidationError("--top-k must not be negative") }
        guard topP > 0, topP <= 1 else { throw ValidationError("--top-p must be in (0, 1]") }
    }

    /// How responses are drawn.
    /// - Parameters:
    ///   - samples: whether they are drawn at random unless an option says.
    ///   - reference: whether the original's implicit top-k of 50 holds unless an option says.
    func options(samples: Bool = true, reference: Bool = false) -> SamplingOptions {
        guard doSample ?? samples else { return .greedy(maxNewTokens: maxNewTokens) }
        return SamplingOptions(
            maxNewTokens: maxNewTokens, temperature: temperature, topK: topK ?? (reference ? 50 : 0), topP: topP)
    }
}
