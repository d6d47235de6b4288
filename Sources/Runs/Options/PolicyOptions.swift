public import ArgumentParser
import Models
import Train

/// The models of a policy run, and the algorithm.
public struct PolicyOptions: ParsableArguments {
    @Option(help: "The supervised model that the policy starts as: a model folder or a run folder.")
    public var modelName: String
    @Option(help: "The model that the KL is measured against; the starting policy unless given.")
    public var baseModelName: String?
    @Option(help: "Rollouts followed by learning.")
    public var totalSteps = 500
    @Option(help: "Prompts of a rollout batch.")
    public var rolloutBatchSize = 16
    @Option(help: "Rollout batches of a step.")
    public var rolloutAccumulationSteps = 1
    @Option(help: "Rollouts that are learned from together.")
    public var learnBatchSize = 16
    @Option(help: "Learn batches whose gradients make one optimiser step.")
    public var gradientAccumulationSteps = 1
    @Option(help: "Passes over the rollouts of a step.")
    public var ppoEpochs = 4
    @Option(help: "Adam's learning rate at the start; it falls linearly to 0.")
    public var adamLearningRate = 1e-4
    @Option(help: "The global norm that gradients are clipped to; not at all unless given.")
    public var gradNormClipping: Double?
    @Option(help: "The weight of the KL penalty.")
    public var initKlCoef = 0.05
    @Option(help: "The KL estimate: 1 (−d), 2 (d²/2) or 3 (eᵈ − 1 − d).")
    public var klApprox = 2
    @Option(help: .yesNo("Whether the KL is part of every token's reward (else of the loss)."))
    public var klReward = true
    @Option(help: .yesNo("Whether the weight moves towards --target."))
    public var adapKlCtrl = false
    @Option(help: "The mean KL of a response that an adaptive weight aims at.")
    public var target = 6.0
    @Option(help: "Rollouts over which an adaptive weight corrects itself.")
    public var horizon = 10_000.0
    @Option(help: "γ.")
    public var discounting = 1.0
    @Option(help: "λ of the advantage estimate.")
    public var lam = 0.95
    @Option(help: "The policy ratio is clipped to 1 ± this.")
    public var appoClipPolicy: Double = 0.2
    @Option(help: "Values are clipped to their old value ± this.")
    public var appoClipBaseline: Double = 0.2
    @Option(help: "The weight of the value loss.")
    public var baselineCost = 0.1
    @Option(help: "The weight of the entropy bonus.")
    public var entropyCost = 0.0
    @Option(
        help: .yesNo("Whether advantages follow GAE (else V-trace: reward and return behind a token, minus its value).")
    )
    public var useGaeLambdaAdvantages = true
    @Option(
        help: .yesNo(
            "Whether advantages and returns are corrected by the ratio of the learner's and the sampler's probabilities."
        ))
    public var importanceSamplingCorrection = false
    @Option(help: .yesNo("Whether advantages are given mean 0 and deviation 1."))
    public var normalizeAdvantages = true
    @Option(help: .yesNo("Whether mean and deviation of advantages are those of the whole run so far."))
    public var useGlobalAdvantageNorm = false
    @Option(help: "Multiplies the reward model's score.")
    public var rewardScale = 1.0
    @Option(help: "Tokens' rewards are clipped to ± this; not at all unless given.")
    public var rewardClip: Double?
    @Option(help: "Replaces the score of a response that does not end by itself.")
    public var missingEosScore: Double?
    @Option(help: .yesNo("Whether long responses lose some of their score."))
    public var lengthPenalty = false
    @Option(help: "The most that a long response loses.")
    public var lengthPenaltyCoef = 0.1
    @Option(help: "How steeply the loss grows with the length.")
    public var lengthPenaltyPower = 5.0
    @Option(help: .yesNo("Whether a response that ends by itself gets a bonus."))
    public var eosReward = false
    @Option(help: "The bonus.")
    public var eosRewardCoef = 0.1
    @Option(
        help: .yesNo(
            "Whether a response that does not end by itself scores minus --eos-required-penalty, whatever else it is worth."
        ))
    public var eosRequired = false
    @Option(help: "What such a response loses.")
    public var eosRequiredPenalty = 0.0
    @Option(help: "The share of the layers, from the first, that stays as it is.")
    public var freezeLayers = 0.8
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = true
    @Option(help: .yesNo("Whether trained layers run again in the backward pass, which needs less memory and more time."))
    public var gradientCheckpointing = false
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = 4096
    @Option(help: "Prompts of the training split to use at most; all unless given.")
    public var maxPrompts: Int?
    @Option(help: "Steps between two lines of metrics.")
    public var logSteps = 5
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
    @Option(help: "Log lines between two tables of rollouts.")
    public var tableLogs = 10
    @Option(help: "Adam's decay of the first moment.")
    public var adamBeta1 = 0.9
    @Option(help: "Adam's decay of the second moment.")
    public var adamBeta2 = 0.999
    @Option(help: "Adam's epsilon.")
    public var adamEpsilon = 1e-8
    @Option(help: "Decoupled weight decay.")
    public var adamWeightDecay = 0.0
    @Option(help: "A fresh value head's values are shifted by this.")
    public var valueNormalisation: Float = 0
    @Option(help: "A fresh value head's shifted values are divided by this.")
    public var valueNormalisationStd: Float = 1
    @Option(
        help:
            "Values that advantages are taken from: rollout (once, when sampling), or learner (anew in every learn batch; original)."
    )
    public var advantageValues: String?
    @Option(help: "What advantages are normalised over: masked (response tokens), or full (padding, too; original).")
    public var advantageNorm: String?
    @Option(help: "What losses are divided by: mask (response tokens), or columns (padding, too; original).")
    public var lossMean: String?
    @Option(help: "What KL statistics are taken over: masked (response tokens), or full (padding, too; original).")
    public var klStatistics: String?
    @Option(
        help: "How learn batches make an optimiser step: tokens (one mean over all of them), mean, or sum (original).")
    public var accumulation: String?
    @Option(
        help:
            "What an adaptive KL weight follows: step (this step's rollouts), or log (the mean since the last log line; original)."
    )
    public var klControl: String?
    @Option(help: "Log-probabilities: sampling (divided by the temperature, as drawn), or raw (original).")
    public var logProbTemperature: String?
    @Option(help: "The reported norm of unclipped gradients: true, or root-of-norms (original).")
    public var gradNormForm: String?
    @Option(help: "Steps between two checkpoints; none unless given.")
    public var checkpointSteps: Int?

    @Option(help: "Batches with numbers that are not finite that are skipped, and counted, before the run stops.")
    public var skipBadBatches = 0

    public init() {}

    public func validate() throws {
        guard skipBadBatches >= 0 else { throw ValidationError("--skip-bad-batches must not be negative") }
        guard PPOConfig.KLEstimator(rawValue: klApprox) != nil else {
            throw ValidationError("--kl-approx is \(klApprox); it takes 1, 2 or 3")
        }
        guard totalSteps > 0 else { throw ValidationError("--total-steps is \(totalSteps); it must be above 0") }
        guard rolloutAccumulationSteps > 0, gradientAccumulationSteps > 0 else {
            throw ValidationError("--rollout-accumulation-steps and --gradient-accumulation-steps must be above 0")
        }
        _ = try compatibility(reference: false)
        for (name, value) in [("--evaluation-steps", evaluationSteps), ("--checkpoint-steps", checkpointSteps)]
        where value.map({ $0 <= 0 }) ?? false { throw ValidationError("\(name) must be above 0") }
    }

    /// Other names of options.
    public static let aliases = [
        "kl-coef": "init-kl-coef", "learning-rate": "adam-learning-rate",
        "normalise-advantages": "normalize-advantages",
        "eos-required-coef": "eos-required-penalty", "adam-lr": "adam-learning-rate",
    ]

    /// Options of the original that it accepts and does not use, or that mean nothing here.
    public static let ignored: [IgnoredOption] = {
        let unused = "the original accepts it and does nothing with it"
        return IgnoredOption.list(
            .value,
            [
                "gamma", "initialisation", "wait-for-*", "connect", "num-actor-batches", "exp-*",
                "training-evaluation-batches",
                "epochs", "rms-reward-norm", "batch-size",
            ], unused)
    }()

    /// Where the original's arithmetic is followed.
    /// - Throws: `ValidationError` for an unknown word.
    func compatibility(reference: Bool) throws -> PPOCompatibility {
        var result = reference ? PPOCompatibility.reference : .sane
        func choose(_ word: String?, _ option: String, _ sane: String, _ other: String, _ set: (Bool) -> Void) throws {
            guard let word else { return }
            switch OptionTable.canonical(word) {
            case sane: set(false)
            case other: set(true)
            default: throw ValidationError("\(option) is '\(word)'; it takes \(sane) or \(other)")
            }
        }
        try choose(advantageValues, "--advantage-values", "rollout", "learner") { result.usesLearnerValues = $0 }
        try choose(advantageNorm, "--advantage-norm", "masked", "full") { result.normalisesOverPadding = $0 }
        try choose(lossMean, "--loss-mean", "mask", "columns") { result.dividesByColumns = $0 }
        try choose(klStatistics, "--kl-statistics", "masked", "full") { result.measuresOverPadding = $0 }
        try choose(klControl, "--kl-control", "step", "log") { result.adaptsSinceLog = $0 }
        try choose(logProbTemperature, "--log-prob-temperature", "sampling", "raw") { result.ignoresTemperature = $0 }
        try choose(gradNormForm, "--grad-norm-form", "true", "root-of-norms") { result.reportsRootOfNorms = $0 }
        if let accumulation {
            guard let found = PPOCompatibility.Accumulation(rawValue: accumulation.lowercased()) else {
                throw ValidationError("--accumulation is '\(accumulation)'; it takes tokens, mean or sum")
            }
            result.accumulation = found
        }
        // what counts padding needs it
        result.padsResponses = result.normalisesOverPadding || result.dividesByColumns || result.measuresOverPadding
        return result
    }

    func config(sampling: SamplingArguments, reference: Bool, seed: UInt64) throws -> PPOConfig {
        PPOConfig(
            totalSteps: totalSteps, rolloutBatchSize: rolloutBatchSize * rolloutAccumulationSteps,
            learnBatchSize: learnBatchSize * gradientAccumulationSteps, epochs: ppoEpochs, tokensPerPass: tokensPerPass,
            sampling: sampling.options(), klCoefficient: initKlCoef,
            klEstimator: PPOConfig.KLEstimator(rawValue: klApprox) ?? .k2, klAsReward: klReward,
            klTarget: adapKlCtrl ? target : nil, klHorizon: horizon, discount: discounting, lambda: lam,
            policyClip: appoClipPolicy > 0 ? appoClipPolicy : nil,
            valueClip: appoClipBaseline > 0 ? appoClipBaseline : nil,
            valueCost: baselineCost, entropyCost: entropyCost, usesGAE: useGaeLambdaAdvantages,
            correctsImportance: importanceSamplingCorrection, normalisesAdvantages: normalizeAdvantages,
            normalisesOverRun: useGlobalAdvantageNorm, rolloutBatches: rolloutAccumulationSteps,
            learnBatches: gradientAccumulationSteps, compatibility: try compatibility(reference: reference),
            rewardScale: rewardScale, rewardClip: rewardClip,
            missingEndScore: missingEosScore ?? (eosRequired ? -eosRequiredPenalty : nil),
            lengthPenalty: lengthPenalty ? .init(coefficient: lengthPenaltyCoef, power: lengthPenaltyPower) : nil,
            endBonus: eosReward ? eosRewardCoef : 0,
            optimizer: AdamConfig(
                learningRate: adamLearningRate, beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon,
                weightDecay: adamWeightDecay, clipNorm: gradNormClipping),
            freezing: Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead), logSteps: logSteps,
            evaluatesAtStart: evaluateAtStart ?? !reference, tableLogs: tableLogs > 0 ? tableLogs : nil,
            evaluationSteps: evaluationSteps, checkpointSteps: checkpointSteps, seed: seed,
            recomputesLayers: gradientCheckpointing)
    }
}
