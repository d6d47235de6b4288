import Models
import Train

/// Settings of a policy run: its models, its length and its batches.
public struct PolicySettings: Settings {
    /// The starting model of the policy, supervised: a model folder or a run folder.
    public var modelName: String = ""
    /// The reference model for the KL. Default: the starting policy.
    public var baseModelName: String?
    /// The number of steps; each samples rollouts and then learns from them.
    public var totalSteps = 500
    /// Prompts per rollout batch. Default: `learnBatchSize` divided by the number of responses per prompt.
    public var rolloutBatchSize: Int?
    /// Prompts per evaluation batch. Default: `rolloutBatchSize`. It matters only with `referenceCompatible`, which answers whole
    /// batches.
    public var batchSize: Int?
    /// Rollout batches per step. Default: `gradientAccumulationSteps`.
    public var rolloutAccumulationSteps: Int?
    /// Rollouts per learn batch.
    public var learnBatchSize = 16
    /// Learn batches whose gradients are accumulated for one optimiser step.
    public var gradientAccumulationSteps = 1
    /// Passes over the rollouts of a step. Default: 4 for gae and vtrace, 1 for methods without a value head.
    public var ppoEpochs: Int?
    /// The rule of an optimiser step: adamw, adamw8bit (moments in 8 bits, Dettmers et al. 2022), lion
    /// (Chen et al. 2023) or adafactor (Shazeer & Stern 2018).
    public var optimizer = "adamw"
    /// The optimiser's initial learning rate; it decays linearly to 0.
    public var adamLearningRate = 1e-4
    /// Adam's decay rate of the first moment. In Lion, the weight of the momentum in the direction of a step. Adafactor
    /// has none.
    public var adamBeta1 = 0.9
    /// Adam's decay rate of the second moment. In Lion, the decay rate of the momentum. Adafactor has none.
    public var adamBeta2 = 0.999
    /// Adam's epsilon. Lion and Adafactor have none.
    public var adamEpsilon = 1e-8
    /// The decoupled weight decay.
    public var adamWeightDecay = 0.0
    /// The global norm to which gradients are clipped. Default: no clipping.
    public var gradNormClipping: Double?
    /// Whether each weight is updated in the backward pass, as soon as its gradient is complete, and the gradient is then freed. It saves
    /// memory if a learn batch is one pass, and changes no result.
    public var applyInBackward = false
    /// The share of the layers, from the first, that is frozen.
    public var freezeLayers = 0.8
    /// Whether the embeddings and the output projection are frozen, too.
    public var freezeLmHead = true
    /// Whether the backward pass recomputes the activations of trained layers, which saves memory and takes more time.
    public var gradientCheckpointing = false
    /// The maximum number of tokens in memory at once; it changes memory and speed, not results.
    public var tokensPerPass = 1024
    /// The maximum number of batches with NaN or Inf that are skipped and counted. One more stops the run.
    public var skipBadBatches = 0
    /// The maximum number of training prompts. Default: all.
    public var maxPrompts: Int?
    /// Steps between two lines of metrics.
    public var logSteps = 5
    /// Log lines between two tables of rollouts.
    public var tableLogs = 10
    /// Steps between two evaluations. Default: only at the start and the end.
    public var evaluationSteps: Int?
    /// Whether there is an evaluation before the first step. Default: true, but false with `referenceCompatible`, as in the
    /// original code.
    public var evaluateAtStart: Bool?
    /// Prompts per evaluation.
    public var trainingTargetEvalDatapoints = 100
    /// The splits whose first `targetEvalDatapoints` prompts are answered at the end of the run. Default: none (the original
    /// code: all).
    public var evaluationSplits: [String] = []
    /// Steps between two checkpoints. Default: checkpoints follow `checkpointMinutes`.
    public var checkpointSteps: Int?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard tableLogs >= 0 else { throw InvalidSetting("--table-logs must not be negative; 0 writes no tables") }
        guard skipBadBatches >= 0 else { throw InvalidSetting("--skip-bad-batches must not be negative") }
        guard trainingTargetEvalDatapoints >= 0 else {
            throw InvalidSetting("--training-target-eval-datapoints must not be negative")
        }
        guard totalSteps > 0 else { throw InvalidSetting("--total-steps is \(totalSteps); it must be above 0") }
        for (name, value) in [
            ("--rollout-batch-size", promptsOfBatch), ("--batch-size", promptsOfEvaluationBatch),
            ("--rollout-accumulation-steps", rolloutBatches),
            ("--learn-batch-size", learnBatchSize), ("--gradient-accumulation-steps", gradientAccumulationSteps),
            ("--ppo-epochs", ppoEpochs ?? 1), ("--log-steps", logSteps), ("--tokens-per-pass", tokensPerPass),
        ] where value <= 0 { throw InvalidSetting("\(name) is \(value); it must be above 0") }
        for (names, product) in [
            ("--rollout-batch-size times --rollout-accumulation-steps", Double(promptsOfBatch) * Double(rolloutBatches)),
            ("--learn-batch-size times --gradient-accumulation-steps", Double(learnBatchSize) * Double(gradientAccumulationSteps)),
        ] where product > 1e6 { throw InvalidSetting("\(names) must be at most 1000000 rollouts per step") }
        for (name, value) in [
            ("--evaluation-steps", evaluationSteps), ("--checkpoint-steps", checkpointSteps), ("--max-prompts", maxPrompts),
        ] where value.map({ $0 <= 0 }) ?? false { throw InvalidSetting("\(name) must be above 0") }
        guard (0...1).contains(freezeLayers) else {
            throw InvalidSetting("--freeze-layers is \(freezeLayers); expected a share from 0 to 1")
        }
        try checkBackward(applyInBackward)
        try OptimizerRules.check(optimizer, beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon)
        try optimizerConfig.validate()
    }

    /// The configuration of the optimiser.
    var optimizerConfig: AdamConfig {
        var config = AdamConfig(learningRate: adamLearningRate, clipNorm: gradNormClipping)
        config.kind = OptimizerKind(rawValue: optimizer) ?? .adamw
        (config.beta1, config.beta2, config.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
        config.weightDecay = adamWeightDecay
        config.appliesInBackward = applyInBackward
        return config
    }

    /// Whether weights may be updated in the backward pass with the other settings.
    package var mayApplyInBackward: Bool { (try? checkBackward(true)) != nil }

    private func checkBackward(_ isWanted: Bool) throws {
        try OptimizerRules.checkBackward(
            isWanted, clipping: gradNormClipping.map { "--grad-norm-clipping \($0)" }, accumulation: gradientAccumulationSteps,
            skipped: skipBadBatches)
    }

    /// Prompts per rollout batch with one response per prompt.
    var promptsOfBatch: Int { rolloutBatchSize ?? learnBatchSize }

    /// Prompts per rollout batch with several responses per prompt.
    func promptsOfBatch(generations: Int) -> Int { rolloutBatchSize ?? max(1, learnBatchSize / max(1, generations)) }

    /// Prompts per evaluation batch.
    var promptsOfEvaluationBatch: Int { batchSize ?? promptsOfBatch }

    /// Rollout batches per step.
    var rolloutBatches: Int { rolloutAccumulationSteps ?? gradientAccumulationSteps }

    /// The parameters that are frozen.
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }
}
