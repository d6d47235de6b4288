public import Data
public import Eval
public import Models
package import Tensor

/// PPO on a language model: sample responses, score them, and move the policy towards those that did better than expected.
///
/// The policy's frozen layers are run once for every token, while it is sampled; the reference, the values and all epochs of learning
/// start from their output. Sampling has already given every token's log-probability, so the policy is not run again before it learns.
public final class PPOTrainer {
    public let policy: any Decoder
    public let valueHead: ValueHead
    public let reference: any Decoder
    public let config: PPOConfig
    private let prompts: [TokenisedPrompt]
    private let evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])]
    private let rewardFunction: any RewardFunction
    private let tokenizer: any Tokenizer
    private let endOfSequence: Int32
    private let handler: TrainingEventHandler
    private let optimizer: Adam
    private let random: Philox
    private let trunkLayers: Int
    private var order: BatchOrder
    private var controller: KLController
    private var statistics = PPOStatistics()
    private var tokens = 0

    /// Steps (rollout and learning) done.
    public private(set) var step = 0
    /// The wall-clock time of the last step's phases.
    public private(set) var lastPhases = PhaseTimes()
    /// The scores of the last evaluation by set.
    public private(set) var lastEvaluation: [String: Double] = [:]

    /// How long the phases of a step took, in seconds.
    public struct PhaseTimes: Sendable, Equatable {
        /// Sampling, with log-probabilities and values.
        public var generate = 0.0
        /// The reference's log-probabilities and the reward function.
        public var score = 0.0
        /// Rewards, advantages and the optimiser steps of all epochs.
        public var learn = 0.0
    }

    /// A trainer.
    /// - Parameters:
    ///   - policy: the model to train; it is frozen as the settings say.
    ///   - reference: the model that the KL is measured against. A copy of the policy shares its memory and its frozen layers.
    ///   - evaluationPrompts: named sets that are answered greedily at step 0, at intervals and at the end.
    public init(
        policy: any Decoder, valueHead: ValueHead, reference: any Decoder, config: PPOConfig, prompts: [TokenisedPrompt],
        evaluationPrompts: [(name: String, prompts: [TokenisedPrompt])] = [], rewardFunction: any RewardFunction,
        tokenizer: any Tokenizer, endOfSequence: Int32, handler: @escaping TrainingEventHandler
    ) throws {
        try config.validate()
        guard prompts.count >= config.rolloutBatchSize else {
            throw TrainingError.invalidSetting(
                name: "the rollout batch size", value: "\(config.rolloutBatchSize)",
                rule: "there are only \(prompts.count) prompts")
        }
        let context = min(policy.shape.contextLength, reference.shape.contextLength)
        let room = context - config.sampling.maxNewTokens - 1
        for prompt in prompts + evaluationPrompts.flatMap(\.prompts) where prompt.tokens.count > room {
            throw TrainingError.exampleTooLong(id: prompt.id, tokens: prompt.tokens.count, limit: room)
        }
        self.policy = policy
        self.valueHead = valueHead
        self.reference = reference
        self.config = config
        self.prompts = prompts
        self.evaluationPrompts = evaluationPrompts
        self.rewardFunction = rewardFunction
        self.tokenizer = tokenizer
        self.endOfSequence = endOfSequence
        self.handler = handler
        config.freezing.apply(to: policy)
        reference.parameters.forEach { $0.isTrainable = false }
        trunkLayers = Trunk.share(policy, with: reference, atMost: policy.frozenTrunk).layers
        optimizer = Adam(policy.parameters + valueHead.parameters, config: config.optimizer)
        order = try BatchOrder(seed: config.seed, count: prompts.count, batchSize: config.rolloutBatchSize, dropLast: true)
        controller = KLController(coefficient: config.klCoefficient, target: config.klTarget, horizon: config.klHorizon)
        random = Philox(seed: config.seed).split("ppo")
    }

    /// How many layers policy and reference have in common; their output is computed once.
    public var sharedTrunkLayers: Int { trunkLayers }

    private var optimizerStepsInAll: Int {
        config.totalSteps * config.epochs * (config.rolloutBatchSize / config.learnBatchSize)
    }

    /// Everything that the next step depends on besides the weights.
    public var snapshot: TrainerSnapshot {
        TrainerSnapshot(
            step: step, optimizerSteps: optimizer.stepCount, tokens: tokens, order: order,
            numbers: statistics.numbers.merging(["kl_coefficient": controller.coefficient]) { $1 }, tensors: optimizer.state)
    }

    /// Continues from a snapshot; policy and head must hold the weights of the same moment.
    public func restore(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimizer.restore(snapshot.tensors, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        controller.coefficient = snapshot.numbers["kl_coefficient"] ?? controller.coefficient
        statistics = PPOStatistics(numbers: snapshot.numbers)
    }

    /// Trains until the last step, or until `shouldStop` says so after a step.
    /// - Returns: whether the run is complete.
    @discardableResult
    public func run(
        checkpoint: (PPOTrainer) throws -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws -> Bool {
        try handler(.began(stage: "ppo", totalSteps: config.totalSteps))
        if trunkLayers > 0 {
            try handler(.noted("policy and reference share \(trunkLayers) of \(policy.shape.layerCount) layers"))
        }
        if step == 0 { try evaluate() }
        while step < config.totalSteps {
            let score = try trainStep()
            try handler(.progressed(step: step, totalSteps: config.totalSteps, tokens: tokens, loss: -score))
            if step % config.logSteps == 0 || step == config.totalSteps {
                try handler(.measured(step: step, values: takeStatistics()))
            }
            if step == config.totalSteps || (config.evaluationSteps.map { step % $0 == 0 } ?? false) { try evaluate() }
            let stops = shouldStop()
            if stops || (config.checkpointSteps.map { step % $0 == 0 } ?? false) { try checkpoint(self) }
            if stops { return step == config.totalSteps }
        }
        return true
    }

    /// One step of the algorithm; returns the mean score of its rollouts.
    func trainStep() throws -> Double {
        let batch = order.next().map { prompts[$0] }
        let stream = random.split("rollout").split(UInt64(step))
        let clock = ContinuousClock()
        var start = clock.now
        func seconds() -> Double {
            defer { start = clock.now }
            return (clock.now - start) / .seconds(1)
        }

        // 1. responses, with their log-probabilities, values and trunk states
        var rollouts = try respond(to: batch, streams: batch.indices.map { stream.split(UInt64($0)) })
        lastPhases.generate = seconds()
        // 2. the reference's log-probabilities of the same tokens
        addReferenceLogProbs(to: &rollouts)
        // 3. scores
        let rawScores = try score(rollouts, prompts: batch)
        for i in rollouts.indices {
            rollouts[i].score = TokenRewards.shapedScore(
                rawScores[i], length: rollouts[i].response.count, ended: rollouts[i].ended, config: config)
            if let trunk = rollouts[i].trunk {
                rollouts[i].trunk = trunk.rows(0..<rollouts[i].prompt.count + rollouts[i].response.count - 1)
            }
        }
        lastPhases.score = seconds()
        // 4. a reward for every token; 5. advantages and returns, from the values at sampling time
        addAdvantages(to: &rollouts)
        statistics.add(rollouts, rawScores: rawScores, config: config)
        statistics.add("kl_coef", controller.coefficient)
        // 6. learning
        for epoch in 0..<config.epochs {
            var shuffle = random.split("learn").split(UInt64(step)).split(UInt64(epoch))
            let shuffled = rollouts.shuffled(using: &shuffle)
            for begin in stride(from: 0, to: shuffled.count, by: config.learnBatchSize) {
                try learn(Array(shuffled[begin..<begin + config.learnBatchSize]))
            }
        }
        lastPhases.learn = seconds()
        // 7. the KL weight
        controller.update(
            meanKL: rollouts.reduce(0) { $0 + $1.sequenceKL } / Double(rollouts.count), rollouts: rollouts.count)
        tokens += rollouts.reduce(0) { $0 + $1.prompt.count + $1.response.count }
        step += 1
        return rawScores.reduce(0, +) / Double(rawScores.count)
    }

    private func respond(to prompts: [TokenisedPrompt], streams: [Philox]) throws -> [Rollout] {
        let generator = Generator(
            policy, valueHead: valueHead, endOfSequence: endOfSequence, validTokens: tokenizer.vocabularySize,
            trunkLayers: trunkLayers > 0 ? trunkLayers : nil)
        let responses = try generator.generate(
            zip(prompts, streams).map { GenerationRequest(prompt: $0.tokens, streams: [$1]) }, options: config.sampling)
        return zip(prompts, responses).map { prompt, responses in
            let response = responses[0]
            return Rollout(
                id: prompt.id, prompt: prompt.tokens, response: response.tokens, ended: response.ended,
                logProbs: response.logProbs, values: response.values, trunk: response.trunk)
        }
    }

    package func addReferenceLogProbs(to rollouts: inout [Rollout]) {
        var at = 0
        for part in Packing.parts(rollouts, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count }) {
            let pass = pass(over: part, trimming: true)
            let hidden = reference.hidden(pass.target.batch, wanted: pass.target.wanted, trunk: pass.trunk)
            let logProbs = hidden.logProbs(
                reference.projection.value, targets: pass.target.targets, temperature: config.sampling.temperature,
                validTokens: tokenizer.vocabularySize
            ).logProbs.values
            var first = 0
            for rollout in part {
                rollouts[at].referenceLogProbs = Array(logProbs[first..<first + rollout.response.count])
                first += rollout.response.count
                at += 1
            }
        }
    }

    /// From every rollout's score, log-probabilities and values to its rewards, advantages and returns.
    package func addAdvantages(to rollouts: inout [Rollout]) {
        for i in rollouts.indices {
            rollouts[i].rewards = TokenRewards.rewards(
                logProbs: rollouts[i].logProbs, referenceLogProbs: rollouts[i].referenceLogProbs, score: rollouts[i].score,
                klCoefficient: controller.coefficient, config: config)
            (rollouts[i].advantages, rollouts[i].returns) = Advantages.generalised(
                rewards: rollouts[i].rewards, values: rollouts[i].values, discount: config.discount, lambda: config.lambda)
        }
    }

    private func score(_ rollouts: [Rollout], prompts: [TokenisedPrompt]) throws -> [Double] {
        let scores = try rewardFunction.rewards(
            for: zip(rollouts, prompts).map { rollout, prompt in
                RewardRequest(
                    query: prompt.query, response: tokenizer.decode(rollout.response, skippingSpecialTokens: true),
                    reference: prompt.reference, promptTokens: rollout.prompt, responseTokens: rollout.response,
                    trunk: rollout.trunk, trunkLayers: rollout.trunk == nil ? 0 : trunkLayers)
            })
        guard scores.allSatisfy(\.isFinite) else {
            let bad = zip(scores, rollouts).filter { !$0.0.isFinite }.map(\.1.id)
            throw TrainingError.notFinite(what: "the reward", step: step + 1, examples: bad)
        }
        return scores
    }

    /// The batch of a part of the rollouts, and their trunk states one under the other.
    private func pass(over rollouts: [Rollout], trimming: Bool = false) -> (target: TargetPass, trunk: (Tensor, Int)?) {
        let target = TargetPass(rollouts.map { TokenisedExample(id: $0.id, prompt: $0.prompt, target: $0.response) })
        let states = rollouts.compactMap { rollout in
            rollout.trunk.map { trimming ? $0.rows(0..<rollout.prompt.count + rollout.response.count - 1) : $0 }
        }
        return (target, states.count == rollouts.count && trunkLayers > 0 ? (Tensor.stacked(states), trunkLayers) : nil)
    }

    /// One optimiser step on some rollouts.
    package func learn(_ rollouts: [Rollout]) throws {
        defer { optimizer.clearGradients() }
        let total = rollouts.reduce(0) { $0 + $1.response.count }
        let advantages = config.normalisesAdvantages
            ? Advantages.normalised(rollouts.map(\.advantages)) : rollouts.map(\.advantages)
        let items = zip(rollouts, advantages).map { rollout, advantages in
            var rollout = rollout
            rollout.advantages = advantages
            return rollout
        }
        for part in Packing.parts(items, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count }) {
            let tape = Tape()
            let loss = self.loss(part, tokens: total, on: tape)
            guard loss.item.isFinite else {
                throw TrainingError.notFinite(what: "the loss", step: step + 1, examples: part.map(\.id))
            }
            tape.backward(from: loss)
        }
        let rate = config.optimizer.learningRate
            * config.schedule.factor(step: optimizer.stepCount, total: optimizerStepsInAll)
        let norm = try optimizer.step(learningRate: rate, examples: rollouts.map(\.id))
        statistics.add("gradient_norm", norm)
        statistics.add("learning_rate", rate)
    }

    /// The means since they were last taken, as the next line of metrics would have them.
    package func takeStatistics() -> [String: Double] { statistics.take() }

    /// The loss of a part of an optimiser step that has `tokens` response tokens in all.
    package func loss(_ rollouts: [Rollout], tokens: Int, on tape: Tape) -> Tensor {
        func column(_ path: KeyPath<Rollout, [Float]>) -> Tensor {
            let values = rollouts.flatMap { $0[keyPath: path] }
            return Tensor(values, shape: [values.count])
        }
        let pass = pass(over: rollouts)
        let hidden = policy.hidden(pass.target.batch, wanted: pass.target.wanted, trunk: pass.trunk, on: tape)
        let prediction = hidden.logProbs(
            policy.projection.on(tape), targets: pass.target.targets, temperature: config.sampling.temperature,
            validTokens: tokenizer.vocabularySize, withEntropy: config.entropyCost > 0)
        let values = valueHead(hidden, on: tape)
        let old = column(\.logProbs)

        let policyLoss = PPOLoss.policy(
            logProbs: prediction.logProbs, oldLogProbs: old, advantages: column(\.advantages), clip: config.policyClip,
            tokens: tokens)
        let valueLoss = PPOLoss.value(
            values: values, oldValues: column(\.values), returns: column(\.returns), clip: config.valueClip, tokens: tokens)
        var loss = policyLoss + valueLoss.scaled(by: Float(config.valueCost))
        if let entropies = prediction.entropies {
            loss = loss + entropies.sum().scaled(by: Float(-config.entropyCost) / Float(tokens))
            statistics.add("entropy", Double(entropies.mean().item), count: old.count)
        }
        if !config.klAsReward {
            let kl = PPOLoss.kl(
                logProbs: prediction.logProbs, referenceLogProbs: column(\.referenceLogProbs), estimator: config.klEstimator,
                tokens: tokens)
            loss = loss + kl.scaled(by: Float(controller.coefficient))
        }
        record(prediction.logProbs, old: old, values: values, oldValues: column(\.values))
        let share = Double(old.count) / Double(tokens)
        statistics.add("policy_loss", Double(policyLoss.item) / share, count: old.count)
        statistics.add("baseline_loss", Double(valueLoss.item) * config.valueCost / share, count: old.count)
        return loss
    }

    private func record(_ logProbs: Tensor, old: Tensor, values: Tensor, oldValues: Tensor) {
        let differences = zip(logProbs.values, old.values).map { Double($0 - $1) }
        let ratios = differences.map { exponential($0) }
        if let clip = config.policyClip {
            let clipped = ratios.count { abs($0 - 1) > clip }
            statistics.add("clipped_policy_fraction", Double(clipped) / Double(max(1, ratios.count)), count: ratios.count)
        }
        if let clip = config.valueClip {
            let clipped = zip(values.values, oldValues.values).count { Double(abs($0 - $1)) > clip }
            statistics.add("clipped_baseline_fraction", Double(clipped) / Double(max(1, ratios.count)), count: ratios.count)
        }
        // k3 estimate of KL(old, new)
        let kl = zip(differences, ratios).reduce(0) { $0 + $1.1 - 1 - $1.0 }
        statistics.add("kl_old_new", kl / Double(max(1, ratios.count)), count: ratios.count)
        if let most = ratios.max() { statistics.extreme("max_ratio", most) }
    }

    /// Answers the evaluation prompts greedily: `<name>_score`, length, share of ended responses.
    public func evaluate() throws {
        var values: [String: Double] = [:]
        for (name, set) in evaluationPrompts where !set.isEmpty {
            let generator = Generator(
                policy, endOfSequence: endOfSequence, validTokens: tokenizer.vocabularySize)
            let responses = try generator.generate(
                set.map { GenerationRequest(prompt: $0.tokens, streams: [random]) },
                options: .greedy(maxNewTokens: config.sampling.maxNewTokens)
            ).map { $0[0] }
            let texts = responses.map { tokenizer.decode($0.tokens, skippingSpecialTokens: true) }
            let scores = try rewardFunction.rewards(
                for: set.indices.map {
                    RewardRequest(
                        query: set[$0].query, response: texts[$0], reference: set[$0].reference, promptTokens: set[$0].tokens,
                        responseTokens: responses[$0].tokens)
                })
            let n = Double(set.count)
            values["\(name)_score"] = scores.reduce(0, +) / n
            values["\(name)_length"] = responses.reduce(0) { $0 + Double($1.tokens.count) } / n
            values["\(name)_end_share"] = Double(responses.count { $0.ended }) / n
            try handler(
                .sampled(
                    table: "evaluation_\(name)",
                    rows: set.indices.map {
                        SampleRow(
                            id: set[$0].id, input: set[$0].query, response: texts[$0], reference: set[$0].reference,
                            reward: scores[$0], numbers: ["step": Double(step)])
                    }))
        }
        guard !values.isEmpty else { return }
        lastEvaluation = values
        try handler(.measured(step: step, values: values))
    }
}
