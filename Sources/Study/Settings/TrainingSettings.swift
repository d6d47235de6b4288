import Models
import Train

/// The optimiser and what it may change.
public struct TrainingSettings: Settings {
    /// The peak learning rate.
    public var learningRate = 5e-5
    /// AdamW's decay of the first moment.
    public var adamBeta1 = 0.9
    /// AdamW's decay of the second moment.
    public var adamBeta2 = 0.999
    /// AdamW's epsilon.
    public var adamEpsilon = 1e-8
    /// AdamW's decoupled weight decay.
    public var weightDecay = 0.0
    /// The global norm that gradients are clipped to; 0 leaves them.
    public var maxGradNorm = 1.0
    /// The learning rate's course: constant, linear or cosine.
    public var lrSchedulerType = "cosine"
    /// Steps over which the learning rate rises from 0.
    public var warmupSteps = 0
    /// The share of all steps over which it rises, where `warmupSteps` is 0.
    public var warmupRatio = 0.0
    /// Passes over the training set.
    public var numTrainEpochs = 1.0
    /// Stops after this many optimiser steps; after `numTrainEpochs` unless given, or if -1, as in Transformers.
    public var maxSteps: Int?
    /// Examples that are processed together.
    public var perDeviceTrainBatchSize = 8
    /// Batches whose gradients make one optimiser step.
    public var gradientAccumulationSteps = 1
    /// Supervised loss: tokens (one mean over all tokens of a step), or batches (the mean of the batches' means; original).
    public var lossMean: String?
    /// The share of the layers, from the first, that stays as it is; none of a model from scratch.
    public var freezeLayers = 0.8
    /// Whether the embeddings and the output projection stay as they are, too.
    public var freezeLmHead = true
    /// Whether trained layers run again in the backward pass, which needs less memory and more time.
    public var gradientCheckpointing = false
    /// Whether training drops numbers at the rates that the model's config.json has (OPT and GPT-2: 0.1; LLaMA: 0).
    public var dropout = true
    /// Tokens in memory at once; it changes memory and speed, not results.
    public var tokensPerPass = 1024
    /// Steps between two lines of metrics.
    public var loggingSteps = 25
    /// Steps between two evaluations; at the end only unless given.
    public var evalSteps: Int?
    /// Steps between two checkpoints; by `checkpointMinutes` unless given.
    public var saveSteps: Int?
    /// Batches with numbers that are not finite that are skipped, and counted, before the run stops.
    public var skipBadBatches = 0

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard maxGradNorm >= 0 else {
            throw InvalidSetting("--max-grad-norm is \(maxGradNorm); it must not be negative; 0 leaves gradients as they are")
        }
        guard skipBadBatches >= 0 else { throw InvalidSetting("--skip-bad-batches is \(skipBadBatches); it must not be negative") }
        guard Schedule.Kind(rawValue: lrSchedulerType) != nil else {
            throw InvalidSetting("--lr-scheduler-type is '\(lrSchedulerType)'; it takes constant, linear or cosine")
        }
        guard warmupSteps >= 0 else { throw InvalidSetting("--warmup-steps is \(warmupSteps); it must not be negative") }
        guard (0...1).contains(warmupRatio) else { throw InvalidSetting("--warmup-ratio is \(warmupRatio); it takes a share, 0 to 1") }
        guard lossMean.map({ ["tokens", "batches"].contains($0) }) ?? true else {
            throw InvalidSetting("--loss-mean is '\(lossMean ?? "")'; it takes tokens or batches")
        }
        for (name, value) in [
            ("--eval-steps", evalSteps), ("--save-steps", saveSteps), ("--logging-steps", loggingSteps),
            ("--tokens-per-pass", tokensPerPass), ("--per-device-train-batch-size", perDeviceTrainBatchSize),
            ("--gradient-accumulation-steps", gradientAccumulationSteps),
        ] {
            guard let value, value <= 0 else { continue }
            throw InvalidSetting("\(name) is \(value); it must be above 0")
        }
        guard (0...1).contains(freezeLayers) else {
            throw InvalidSetting("--freeze-layers is \(freezeLayers); it takes a share, 0 to 1")
        }
        try optimizer.validate()
        guard maxSteps.map({ $0 > 0 || $0 == -1 }) ?? true else {
            throw InvalidSetting("--max-steps is \(maxSteps ?? 0); it must be above 0, or -1 or left out for whole epochs")
        }
        guard numTrainEpochs > 0, numTrainEpochs <= 1e6 else {
            throw InvalidSetting("--num-train-epochs is \(numTrainEpochs); it must be above 0 and at most 1000000")
        }
    }

    /// AdamW as the settings describe it.
    var optimizer: AdamConfig {
        var config = AdamConfig(learningRate: learningRate, clipNorm: maxGradNorm > 0 ? maxGradNorm : nil)
        (config.beta1, config.beta2, config.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
        config.weightDecay = weightDecay
        return config
    }

    /// The learning rate's course.
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

    /// What stays as it is.
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }

    /// Examples of one optimiser step.
    var batchSize: Int { perDeviceTrainBatchSize * gradientAccumulationSteps }
}
