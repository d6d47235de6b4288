import Models
import Train

/// The models of a policy run, and how long and on what it learns.
public struct PolicySettings: Settings {
    /// The supervised model that the policy starts as: a model folder or a run folder.
    public var modelName: String = ""
    /// The model that the KL is measured against; the starting policy unless given.
    public var baseModelName: String?
    /// Rollouts followed by learning.
    public var totalSteps = 500
    /// Prompts of a rollout batch; `learnBatchSize` unless given, divided by the responses to each prompt.
    public var rolloutBatchSize: Int?
    /// Prompts of an evaluation batch, `rolloutBatchSize` unless given. It counts with `referenceCompatible`, which answers whole
    /// batches.
    public var batchSize: Int?
    /// Rollout batches of a step; `gradientAccumulationSteps` unless given.
    public var rolloutAccumulationSteps: Int?
    /// Rollouts that are learned from together.
    public var learnBatchSize = 16
    /// Learn batches whose gradients make one optimiser step.
    public var gradientAccumulationSteps = 1
    /// Passes over the rollouts of a step; 4 for gae and vtrace, 1 for methods without a value head, unless given.
    public var ppoEpochs: Int?
    /// Adam's learning rate at the start; it falls linearly to 0.
    public var adamLearningRate = 1e-4
    /// Adam's decay of the first moment.
    public var adamBeta1 = 0.9
    /// Adam's decay of the second moment.
    public var adamBeta2 = 0.999
    /// Adam's epsilon.
    public var adamEpsilon = 1e-8
    /// Adam's decoupled weight decay.
    public var adamWeightDecay = 0.0
    /// The global norm that gradients are clipped to; not at all unless given.
    public var gradNormClipping: Double?
    /// The share of the layers, from the first, that stays as it is.
    public var freezeLayers = 0.8
    /// Whether the embeddings and the output projection stay as they are, too.
    public var freezeLmHead = true
    /// Whether trained layers run again in the backward pass, which needs less memory and more time.
    public var gradientCheckpointing = false
    /// Tokens in memory at once; it changes memory and speed, not results.
    public var tokensPerPass = 1024
    /// Batches with numbers that are not finite that are skipped, and counted, before the run stops.
    public var skipBadBatches = 0
    /// Prompts of the training split to use at most; all unless given.
    public var maxPrompts: Int?
    /// Steps between two lines of metrics.
    public var logSteps = 5
    /// Log lines between two tables of rollouts.
    public var tableLogs = 10
    /// Steps between two evaluations; at the start and the end only unless given.
    public var evaluationSteps: Int?
    /// Whether there is an evaluation before the first step; the original has none.
    public var evaluateAtStart: Bool?
    /// Prompts of each evaluation.
    public var trainingTargetEvalDatapoints = 100
    /// Splits whose first `targetEvalDatapoints` prompts are answered at the end of the run; none unless given (the original: all).
    public var evaluationSplits: [String] = []
    /// Steps between two checkpoints; by `checkpointMinutes` unless given.
    public var checkpointSteps: Int?

    /// The defaults.
    public init() {}

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
        ] where product > 1e6 { throw InvalidSetting("\(names) is more than 1000000, the most rollouts of a step") }
        for (name, value) in [
            ("--evaluation-steps", evaluationSteps), ("--checkpoint-steps", checkpointSteps), ("--max-prompts", maxPrompts),
        ] where value.map({ $0 <= 0 }) ?? false { throw InvalidSetting("\(name) must be above 0") }
        guard (0...1).contains(freezeLayers) else {
            throw InvalidSetting("--freeze-layers is \(freezeLayers); it takes a share, 0 to 1")
        }
        try optimizer.validate()
    }

    /// Adam as the options describe it.
    var optimizer: AdamConfig {
        var config = AdamConfig(learningRate: adamLearningRate, clipNorm: gradNormClipping)
        (config.beta1, config.beta2, config.epsilon) = (adamBeta1, adamBeta2, adamEpsilon)
        config.weightDecay = adamWeightDecay
        return config
    }

    /// Prompts of one rollout batch where each is answered once.
    var promptsOfBatch: Int { rolloutBatchSize ?? learnBatchSize }

    /// Prompts of one rollout batch where each is answered so often.
    func promptsOfBatch(generations: Int) -> Int { rolloutBatchSize ?? max(1, learnBatchSize / max(1, generations)) }

    /// Prompts of one evaluation batch.
    var promptsOfEvaluationBatch: Int { batchSize ?? promptsOfBatch }

    /// Rollout batches of one step.
    var rolloutBatches: Int { rolloutAccumulationSteps ?? gradientAccumulationSteps }

    /// What stays as it is.
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }
}
