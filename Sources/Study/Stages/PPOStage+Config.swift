package import Train

extension PPOStage {
    /// Checks every group, and that the method uses every option that is given.
    public func validate() throws {
        try validateGroups()
        let config = try self.config()
        let method = config.advantages
        let usual = PPOSettings()
        let usesGroups = method.fewestGenerations > 1
        let given: [(option: String, isGiven: Bool, isUsed: Bool)] = [
            ("--lam", algorithm.lam != usual.lam, method.usesValues),
            ("--baseline-cost", algorithm.baselineCost != usual.baselineCost, method.usesValues),
            ("--appo-clip-baseline", algorithm.appoClipBaseline != usual.appoClipBaseline, method.usesValues),
            ("--value-normalisation", algorithm.valueNormalisation != usual.valueNormalisation, method.usesValues),
            ("--value-normalisation-std", algorithm.valueNormalisationStd != usual.valueNormalisationStd, method.usesValues),
            ("--importance-sampling-correction", algorithm.importanceSamplingCorrection, method.usesValues),
            ("--reference-compatible", data.referenceCompatible, method.usesValues),
            ("--use-gae-lambda-advantages no", !algorithm.useGaeLambdaAdvantages, method.name == "vtrace"),
            ("--discounting", algorithm.discounting ?? 1 != 1, !usesGroups),
        ]
        if let option = given.first(where: { $0.isGiven && !$0.isUsed })?.option {
            throw InvalidSetting("\(option) has no effect with --advantage \(method.name); remove it")
        }
        guard !config.correctsKL || !config.klAsReward else {
            throw InvalidSetting("--kl-correction needs the KL in the loss; add --kl-reward no")
        }
        guard !config.correctsKL || rewards.initKlCoef != 0 else {
            throw InvalidSetting("--kl-correction has no effect with --init-kl-coef 0; remove one of them")
        }
        guard !rewards.adapKlCtrl || rewards.initKlCoef != 0 else {
            throw InvalidSetting("--adap-kl-ctrl has no effect with --init-kl-coef 0, which it only scales; set --init-kl-coef above 0")
        }
        let entropy = PolicyMethodSettings()
        guard
            self.method.entropyTarget != nil
                || (self.method.entropyStep, self.method.entropyLimit) == (entropy.entropyStep, entropy.entropyLimit)
        else { throw InvalidSetting("--entropy-step and --entropy-limit have no effect without --entropy-target") }
        guard rewards.overlongBuffer ?? 0 <= sampling.maxNewTokens else {
            throw InvalidSetting("--overlong-buffer must be at most --max-new-tokens, which is \(sampling.maxNewTokens)")
        }
        guard config.generations >= method.fewestGenerations else {
            throw InvalidSetting("--advantage \(method.name) needs --num-generations \(method.fewestGenerations) or more")
        }
        guard rewards.overlongBuffer != nil || rewards.overlongPenalty == PPORewardSettings().overlongPenalty else {
            throw InvalidSetting("--overlong-penalty has no effect without --overlong-buffer")
        }
        let surrogate = config.surrogate?.name ?? (config.policyClip == nil ? "gradient" : "clip")
        for (option, isGiven, users) in [
            ("--clip-high", self.method.clipHigh != nil, ["clip", "cispo"]), ("--dual-clip", self.method.dualClip != nil, ["clip"]),
            ("--ratio", self.method.ratio != nil, ["clip", "cispo", "sapo"]),
            (
                "--appo-clip-policy", algorithm.appoClipPolicy > 0 && algorithm.appoClipPolicy != usual.appoClipPolicy, ["clip", "cispo"]
            ),
        ] where isGiven && !users.contains(surrogate) {
            throw InvalidSetting("\(option) has no effect with the policy loss \(surrogate) (--policy-loss); remove it")
        }
        guard rewards.trackKl || policy.baseModelName == nil else {
            throw InvalidSetting("--base-model-name has no effect with --track-kl no, which measures no KL; remove one of them")
        }
        guard !diversity.multiplies || distillation.distilBestOfN == nil else {
            throw InvalidSetting(
                "--diversity-reward multiply favours similar answers when rewards are negative, as those of --distil-best-of-n are; "
                    + "use --diversity-reward add")
        }
        guard !diversity.isGiven || config.generations > 1 else {
            throw InvalidSetting("--diversity-reward compares the responses to a prompt; it needs --num-generations 2 or more")
        }
        guard config.extraBatches == 0 || config.generations > 1 else {
            throw InvalidSetting("--dynamic-sampling compares the responses to a prompt; it needs --num-generations 2 or more")
        }
        guard config.rollouts % config.learnBatchSize == 0 else {
            throw InvalidSetting(
                "--learn-batch-size times --gradient-accumulation-steps is \(config.learnBatchSize); it must divide the \(config.rollouts) "
                    + "responses of a step: --rollout-batch-size times --rollout-accumulation-steps times --num-generations")
        }
        do {
            try config.validate()
        } catch let error as TrainingError {
            throw InvalidSetting("\(error)")
        }
    }

    /// The trainer's configuration, from the options of all groups.
    package func config() throws -> PPOConfig {
        let steps = policy.rolloutBatches
        var config = PPOConfig(method.method ?? (algorithm.useGaeLambdaAdvantages ? .gae : .vtrace))
        method.apply(to: &config)
        (config.totalSteps, config.sampling, config.seed) = (policy.totalSteps, sampling.options(), run.seed)

        config.rolloutBatchSize = policy.promptsOfBatch(generations: config.generations) * steps
        config.rolloutBatches = steps
        config.maxActiveResponses = sampling.maxActive()
        config.learnBatchSize = policy.learnBatchSize * policy.gradientAccumulationSteps
        config.learnBatches = policy.gradientAccumulationSteps
        config.epochs = policy.ppoEpochs ?? config.epochs
        config.tokensPerPass = policy.tokensPerPass
        config.optimizer = policy.optimizerConfig
        config.gradientFormat = run.gradientFormat
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
        config.klEstimator = rewards.klApprox.flatMap(PPOConfig.KLEstimator.init) ?? config.klEstimator
        config.klAsReward = rewards.klReward ?? config.klAsReward
        config.klTarget = rewards.adapKlCtrl ? rewards.target : nil
        config.klHorizon = rewards.horizon
        config.rewardScale = rewards.rewardScale
        config.rewardClip = rewards.rewardClip
        config.missingEndScore = rewards.missingEosScore ?? (rewards.eosRequired ? -rewards.eosRequiredPenalty : nil)
        if rewards.lengthPenalty {
            config.lengthPenalty = .init(coefficient: rewards.lengthPenaltyCoef, power: rewards.lengthPenaltyPower)
        }
        (config.overlongBuffer, config.overlongPenalty) = (rewards.overlongBuffer, rewards.overlongPenalty)
        config.endBonus = rewards.eosReward ? rewards.eosRewardCoef : 0

        config.discount = algorithm.discount(reference: data.referenceCompatible)
        config.lambda = algorithm.lam
        config.correctsImportance = algorithm.importanceSamplingCorrection
        config.normalisesAdvantages = algorithm.normalizeAdvantages ?? config.normalisesAdvantages
        config.normalisesOverRun = algorithm.useGlobalAdvantageNorm
        config.policyClip = algorithm.appoClipPolicy > 0 ? algorithm.appoClipPolicy : nil
        config.valueClip = algorithm.appoClipBaseline > 0 ? algorithm.appoClipBaseline : nil
        config.valueCost = algorithm.baselineCost
        config.entropyCost = algorithm.entropyCost

        config.compatibility = try arithmetic.compatibility(reference: data.referenceCompatible)
        return config
    }
}
