package import Train

extension PPOStage {
    /// The trainer's settings, from the options of all groups.
    package func config() throws -> PPOConfig {
        let steps = policy.rolloutBatches
        var config = PPOConfig()
        (config.totalSteps, config.sampling, config.seed) = (policy.totalSteps, sampling.options(), run.seed)

        config.rolloutBatchSize = policy.promptsOfBatch * steps
        config.rolloutBatches = steps
        config.learnBatchSize = policy.learnBatchSize * policy.gradientAccumulationSteps
        config.learnBatches = policy.gradientAccumulationSteps
        config.epochs = policy.ppoEpochs
        config.tokensPerPass = policy.tokensPerPass
        config.optimizer = policy.optimizer
        config.freezing = policy.freezing
        config.recomputesLayers = policy.gradientCheckpointing
        config.skippedBatches = policy.skipBadBatches
        config.logSteps = policy.logSteps
        config.tableLogs = policy.tableLogs > 0 ? policy.tableLogs : nil
        config.evaluationSteps = policy.evaluationSteps
        config.evaluatesAtStart = policy.evaluateAtStart ?? !data.referenceCompatible
        config.evaluationBatchSize = data.referenceCompatible ? policy.promptsOfEvaluationBatch : nil
        config.checkpointSteps = policy.checkpointSteps

        config.klCoefficient = rewards.initKlCoef
        config.klEstimator = PPOConfig.KLEstimator(rawValue: rewards.klApprox) ?? .k2
        config.klAsReward = rewards.klReward
        config.klTarget = rewards.adapKlCtrl ? rewards.target : nil
        config.klHorizon = rewards.horizon
        config.rewardScale = rewards.rewardScale
        config.rewardClip = rewards.rewardClip
        config.missingEndScore = rewards.missingEosScore ?? (rewards.eosRequired ? -rewards.eosRequiredPenalty : nil)
        if rewards.lengthPenalty {
            config.lengthPenalty = .init(coefficient: rewards.lengthPenaltyCoef, power: rewards.lengthPenaltyPower)
        }
        config.endBonus = rewards.eosReward ? rewards.eosRewardCoef : 0

        config.discount = algorithm.discount(reference: data.referenceCompatible)
        config.lambda = algorithm.lam
        config.usesGAE = algorithm.useGaeLambdaAdvantages
        config.correctsImportance = algorithm.importanceSamplingCorrection
        config.normalisesAdvantages = algorithm.normalizeAdvantages
        config.normalisesOverRun = algorithm.useGlobalAdvantageNorm
        config.policyClip = algorithm.appoClipPolicy > 0 ? algorithm.appoClipPolicy : nil
        config.valueClip = algorithm.appoClipBaseline > 0 ? algorithm.appoClipBaseline : nil
        config.valueCost = algorithm.baselineCost
        config.entropyCost = algorithm.entropyCost

        config.compatibility = try arithmetic.compatibility(reference: data.referenceCompatible)
        return config
    }
}
