import Models
import Train

/// Settings of the optimiser and the training loop.
public struct TrainingSettings: Settings {
    /// The rule of an optimiser step: adamw, adamw8bit (moments in 8 bits, Dettmers et al. 2022), lion
    /// (Chen et al. 2023) or adafactor (Shazeer & Stern 2018).
    public var optimizer = "adamw"
    /// The peak learning rate.
    public var learningRate = 5e-5
    /// AdamW's decay rate of the first moment. In Lion, the weight of the momentum in the direction of a step. Adafactor
    /// has none.
    public var adamBeta1 = 0.9
    /// AdamW's decay rate of the second moment. In Lion, the decay rate of the momentum. Adafactor has none.
    public var adamBeta2 = 0.999
    /// AdamW's epsilon. Lion and Adafactor have none.
    public var adamEpsilon = 1e-8
    /// The decoupled weight decay.
    public var weightDecay = 0.0
    /// The global norm to which gradients are clipped; 0 disables clipping.
    public var maxGradNorm = 1.0
    /// Whether each weight is updated in the backward pass, as soon as its gradient is complete, and the gradient is then freed. It saves
    /// memory if a step has one pass, and changes no result.
    public var applyInBackward = false
    /// The learning-rate schedule after the warm-up: constant, linear or cosine.
    public var lrSchedulerType = "cosine"
    /// The number of warm-up steps, in which the learning rate rises from 0.
    public var warmupSteps = 0
    /// The share of all steps used for the warm-up if `warmupSteps` is 0.
    public var warmupRatio = 0.0
    /// The number of passes over the training set.
    public var numTrainEpochs = 1.0
    /// The maximum number of optimiser steps. Default, and for -1 as in Transformers: no limit besides `numTrainEpochs`.
    public var maxSteps: Int?
    /// Examples per batch.
    public var perDeviceTrainBatchSize = 8
    /// Batches whose gradients are accumulated for one optimiser step.
    public var gradientAccumulationSteps = 1
    /// The mean of the supervised loss: tokens (over all tokens of a step), or batches (the mean of the batches' means;
    /// original). Default: tokens, but batches with `referenceCompatible`.
    public var lossMean: String?
    /// The share of the layers, from the first, that is frozen; none in a model trained from scratch.
    public var freezeLayers = 0.8
    /// Whether the embeddings and the output projection are frozen, too.
    public var freezeLmHead = true
    /// Whether the backward pass recomputes the activations of trained layers, which saves memory and takes more time.
    public var gradientCheckpointing = false
    /// Whether training applies dropout at the rates in the model's config.json (OPT and GPT-2: 0.1; LLaMA: 0).
    public var dropout = true
    /// The maximum number of tokens in memory at once; it changes memory and speed, not results.
    public var tokensPerPass = 1024
    /// Steps between two lines of metrics.
    public var loggingSteps = 25
    /// Steps between two evaluations. Default: only at the end.
    public var evalSteps: Int?
    /// Steps between two checkpoints. Default: checkpoints follow `checkpointMinutes`.
    public var saveSteps: Int?
    /// The maximum number of batches with NaN or Inf that are skipped and counted. One more stops the run.
    public var skipBadBatches = 0

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard maxGradNorm >= 0 else {
            throw InvalidSetting("--max-grad-norm is \(maxGradNorm); it must not be negative; 0 disables clipping")
        }
        guard skipBadBatches >= 0 else { throw InvalidSetting("--skip-bad-batches is \(skipBadBatches); it must not be negative") }
        guard Schedule.Kind(rawValue: lrSchedulerType) != nil else {
            throw InvalidSetting("--lr-scheduler-type is '\(lrSchedulerType)'; expected constant, linear or cosine")
        }
        guard warmupSteps >= 0 else { throw InvalidSetting("--warmup-steps is \(warmupSteps); it must not be negative") }
        guard (0...1).contains(warmupRatio) else { throw InvalidSetting("--warmup-ratio is \(warmupRatio); expected a share from 0 to 1") }
        guard lossMean.map({ ["tokens", "batches"].contains($0) }) ?? true else {
            throw InvalidSetting("--loss-mean is '\(lossMean ?? "")'; expected tokens or batches")
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
            throw InvalidSetting("--freeze-layers is \(freezeLayers); expected a share from 0 to 1")
        }
        try checkBackward(applyInBackward)
        try OptimizerRules.check(optimizer, beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon)
        try optimizerConfig.validate()
        guard maxSteps.map({ $0 > 0 || $0 == -1 }) ?? true else {
            throw InvalidSetting("--max-steps is \(maxSteps ?? 0); it must be above 0; for whole epochs use -1 or remove it")
        }
        guard numTrainEpochs > 0, numTrainEpochs <= 1e6 else {
            throw InvalidSetting("--num-train-epochs is \(numTrainEpochs); it must be above 0 and at most 1000000")
        }
    }

    /// The configuration of the optimiser.
    var optimizerConfig: AdamConfig {
        var config = AdamConfig(learningRate: learningRate, clipNorm: maxGradNorm > 0 ? maxGradNorm : nil)
        config.kind = OptimizerKind(rawValue: optimizer) ?? .adamw
        (config.beta1, config.beta2, config.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
        config.weightDecay = weightDecay
        config.appliesInBackward = applyInBackward
        return config
    }

    /// Whether weights may be updated in the backward pass with the other settings.
    package var mayApplyInBackward: Bool { (try? checkBackward(true)) != nil }

    private func checkBackward(_ isWanted: Bool) throws {
        try OptimizerRules.checkBackward(
            isWanted, clipping: maxGradNorm > 0 ? "--max-grad-norm \(maxGradNorm)" : nil, accumulation: gradientAccumulationSteps,
            skipped: skipBadBatches)
    }

    /// The learning-rate schedule.
    var schedule: Schedule {
        Schedule(
            Schedule.Kind(rawValue: lrSchedulerType) ?? .cosine, warmupSteps: warmupSteps, warmupShare: warmupRatio)
    }

    /// The configuration of the training loop, without the settings of the method.
    func loop(_ run: RunSettings) -> LoopConfig {
        var loop = LoopConfig()
        (loop.epochs, loop.maxSteps, loop.batchSize, loop.dropsOut) = (numTrainEpochs, stepLimit, batchSize, dropout)
        (loop.tokensPerPass, loop.recomputesLayers) = (tokensPerPass, gradientCheckpointing)
        (loop.optimizer, loop.schedule, loop.seed, loop.skippedBatches) = (optimizerConfig, schedule, run.seed, skipBadBatches)
        loop.gradientFormat = run.gradientFormat
        (loop.logSteps, loop.evaluationSteps, loop.checkpointSteps) = (loggingSteps, evalSteps, saveSteps)
        return loop
    }

    /// The maximum number of steps; nil without a limit.
    var stepLimit: Int? { maxSteps == -1 ? nil : maxSteps }

    /// The parameters that are frozen.
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }

    /// Examples per optimiser step.
    var batchSize: Int { perDeviceTrainBatchSize * gradientAccumulationSteps }
}
