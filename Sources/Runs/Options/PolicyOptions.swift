public import ArgumentParser
import Models
import Train

/// The models of a policy run, and the algorithm.
public struct PolicyOptions: ParsableArguments {
    @Option(help: "The supervised model that the policy starts as: a model folder or a run folder.")
    public var modelName: String
    @Option(help: "The model that the KL is measured against; the starting policy unless given.")
    public var baseModelName: String?
    @Option(help: "The reward model: a model folder or a run folder.")
    public var rfModelDir: String
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
    @Option(help: .yesNo("Whether advantages are given mean 0 and deviation 1."))
    public var normalizeAdvantages = true
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
    @Option(help: "Added to the score of a response that ends by itself.")
    public var eosRewardCoef = 0.0
    @Option(help: "The share of the layers, from the first, that stays as it is.")
    public var freezeLayers = 0.8
    @Option(help: .yesNo("Whether the embeddings and the output projection stay as they are, too."))
    public var freezeLmHead = true
    @Option(help: "Tokens in memory at once; it changes memory and speed, not results.")
    public var tokensPerPass = 4096
    @Option(help: "Prompts of the training split to use at most; all unless given.")
    public var maxPrompts: Int?
    @Option(help: "Steps between two lines of metrics.")
    public var logSteps = 5
    @Option(help: "Steps between two evaluations; at the start and the end only unless given.")
    public var evaluationSteps: Int?
    @Option(help: "Prompts of each evaluation.")
    public var trainingTargetEvalDatapoints = 100
    @Option(help: "Steps between two checkpoints; none unless given.")
    public var checkpointSteps: Int?

    public init() {}

    public func validate() throws {
        guard PPOConfig.KLEstimator(rawValue: klApprox) != nil else {
            throw ValidationError("--kl-approx is \(klApprox); it takes 1, 2 or 3")
        }
        for (name, value) in [("--evaluation-steps", evaluationSteps), ("--checkpoint-steps", checkpointSteps)]
        where value.map({ $0 <= 0 }) ?? false { throw ValidationError("\(name) must be above 0") }
    }

    func config(sampling: SamplingArguments, seed: UInt64) -> PPOConfig {
        PPOConfig(
            totalSteps: totalSteps, rolloutBatchSize: rolloutBatchSize * rolloutAccumulationSteps,
            learnBatchSize: learnBatchSize * gradientAccumulationSteps, epochs: ppoEpochs, tokensPerPass: tokensPerPass,
            sampling: sampling.options, klCoefficient: initKlCoef,
            klEstimator: PPOConfig.KLEstimator(rawValue: klApprox) ?? .k2, klAsReward: klReward,
            klTarget: adapKlCtrl ? target : nil, klHorizon: horizon, discount: discounting, lambda: lam,
            policyClip: appoClipPolicy > 0 ? appoClipPolicy : nil, valueClip: appoClipBaseline > 0 ? appoClipBaseline : nil,
            valueCost: baselineCost, entropyCost: entropyCost, normalisesAdvantages: normalizeAdvantages,
            rewardScale: rewardScale, rewardClip: rewardClip, missingEndScore: missingEosScore,
            lengthPenalty: lengthPenalty ? .init(coefficient: lengthPenaltyCoef, power: lengthPenaltyPower) : nil,
            endBonus: eosRewardCoef, optimizer: AdamConfig(learningRate: adamLearningRate, clipNorm: gradNormClipping),
            freezing: Freezing(fraction: freezeLayers, freezesEmbeddings: freezeLmHead), logSteps: logSteps,
            evaluationSteps: evaluationSteps, checkpointSteps: checkpointSteps, seed: seed)
    }
}
