public import ArgumentParser
import Models
import Train

/// The models of a policy run, and how long and on what it learns.
public struct PolicyOptions: ProgramOptions {
    @Option(help: "The supervised model that the policy starts as: a model folder or a run folder.")
    public var modelName: String
    @Option(help: "The model that the KL is measured against; the starting policy unless given.")
    public var baseModelName: String?
    @Option(help: "Rollouts followed by learning.")
    public var totalSteps = 500
    @Option(help: "Prompts of a rollout batch; --learn-batch-size unless given.")
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
    public var learnBatchSize = 16
    @Option(help: "Learn batches whose gradients make one optimiser step.")
    public var gradientAccumulationSteps = 1
    @Option(help: "Passes over the rollouts of a step.")
    public var ppoEpochs = 4
    @Option(help: "Adam's learning rate at the start; it falls linearly to 0.")
    public var adamLearningRate = 1e-4
    @Option(help: "Adam's decay of the first moment.")
    public var adamBeta1 = 0.9
    @Option(help: "Adam's decay of the second moment.")
    public var adamBeta2 = 0.999
    @Option(help: "Adam's epsilon.")
    public var adamEpsilon = 1e-8
    @Option(help: "Adam's decoupled weight decay.")
    public var adamWeightDecay = 0.0
    @Option(help: "The global norm that gradients are clipped to; not at all unless given.")
    public var gradNormClipping: Double?
    @Option(help: "The share of the layers, from the first, that stays as it is.")
    public var freezeLayers = 0.8
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = true
    @Option(help: .yesNo("Whether trained layers run again in the backward pass, which needs less memory and more time."))
    public var gradientCheckpointing = false
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = 1024
    @Option(help: "Batches with numbers that are not finite that are skipped, and counted, before the run stops.")
    public var skipBadBatches = 0
    @Option(help: "Prompts of the training split to use at most; all unless given.")
    public var maxPrompts: Int?
    @Option(help: "Steps between two lines of metrics.")
    public var logSteps = 5
    @Option(help: "Log lines between two tables of rollouts.")
    public var tableLogs = 10
    @Option(help: "Steps between two evaluations; at the start and the end only unless given.")
    public var evaluationSteps: Int?
    @Option(help: .yesNo("Whether there is an evaluation before the first step; the original has none."))
    public var evaluateAtStart: Bool?
    @Option(help: "Prompts of each evaluation.")
    public var trainingTargetEvalDatapoints = 100
    @Option(
        help:
            "Splits whose first --target-eval-datapoints prompts are answered at the end of the run; none unless given (the original: all)."
    )
    public var evaluationSplits: ArgumentList<String> = []
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

    public func validate() throws {
        guard skipBadBatches >= 0 else { throw ValidationError("--skip-bad-batches must not be negative") }
        guard trainingTargetEvalDatapoints >= 0 else {
            throw ValidationError("--training-target-eval-datapoints must not be negative")
        }
        guard totalSteps > 0 else { throw ValidationError("--total-steps is \(totalSteps); it must be above 0") }
        for (name, value) in [
            ("--rollout-batch-size", promptsOfBatch), ("--batch-size", promptsOfEvaluationBatch),
            ("--rollout-accumulation-steps", rolloutBatches),
            ("--learn-batch-size", learnBatchSize), ("--gradient-accumulation-steps", gradientAccumulationSteps),
            ("--ppo-epochs", ppoEpochs), ("--log-steps", logSteps), ("--tokens-per-pass", tokensPerPass),
        ] where value <= 0 { throw ValidationError("\(name) is \(value); it must be above 0") }
        for (names, product) in [
            ("--rollout-batch-size times --rollout-accumulation-steps", Double(promptsOfBatch) * Double(rolloutBatches)),
            ("--learn-batch-size times --gradient-accumulation-steps", Double(learnBatchSize) * Double(gradientAccumulationSteps)),
        ] where product > 1e6 { throw ValidationError("\(names) is more than 1000000, the most rollouts of a step") }
        for (name, value) in [
            ("--evaluation-steps", evaluationSteps), ("--checkpoint-steps", checkpointSteps), ("--max-prompts", maxPrompts),
        ] where value.map({ $0 <= 0 }) ?? false { throw ValidationError("\(name) must be above 0") }
        guard (0...1).contains(freezeLayers) else {
            throw ValidationError("--freeze-layers is \(freezeLayers); it takes a share, 0 to 1")
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
    /// Prompts of one rollout batch.
    var promptsOfBatch: Int { rolloutBatchSize ?? learnBatchSize }
    /// Prompts of one evaluation batch.
    var promptsOfEvaluationBatch: Int { batchSize ?? promptsOfBatch }
    /// Rollout batches of one step.
    var rolloutBatches: Int { rolloutAccumulationSteps ?? gradientAccumulationSteps }
    /// What stays as it is.
    var freezing: Freezing { Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead) }
}
