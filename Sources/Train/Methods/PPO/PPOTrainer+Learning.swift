import Models
import Tensor

// From log-probabilities and scores to rewards, advantages and optimiser steps.
extension PPOTrainer {
    /// Adds the reward of every token.
    package func addRewards(to rollouts: inout [Rollout]) {
        for i in rollouts.indices {
            rollouts[i].rewards = TokenRewards.rewards(
                logProbs: rollouts[i].logProbs, referenceLogProbs: rollouts[i].referenceLogProbs, score: rollouts[i].score,
                klCoefficient: controller.coefficient, config: config, end: rollouts[i].length - 1)
        }
    }

    /// Adds advantages and, if there is a value head, returns from the values at sampling time.
    package func addAdvantages(to rollouts: inout [Rollout]) {
        guard case .rewards(let estimate) = config.advantages.source else {
            for i in rollouts.indices { estimateFromValues(&rollouts[i], values: rollouts[i].values) }
            return
        }
        let rewarded = rollouts.map {
            RewardedResponse(group: $0.group, rewards: Array($0.rewards.prefix($0.length)), greedyScore: $0.greedyScore)
        }
        for (i, advantages) in estimate(rewarded, config).enumerated() {
            precondition(advantages.count == rollouts[i].length, "\(config.advantages.name) gives one advantage per token")
            rollouts[i].advantages = advantages.map(Float.init)
        }
    }

    /// Computes the advantages and returns of one rollout from the given values.
    private func estimateFromValues(_ rollout: inout Rollout, values: [Float], ratios: [Float]? = nil) {
        (rollout.advantages, rollout.returns) = Advantages.estimated(
            rewards: rollout.rewards, values: values, end: rollout.length - 1, bootstrap: values.last ?? 0, ratios: ratios,
            discount: config.discount, lambda: config.lambda, usesGAE: config.advantages.usesGAE ?? true)
    }

    /// Adapts the KL weight for the next step's rewards, and for this step's loss if the KL is part of it.
    func adaptKLWeight(to rollouts: [Rollout]) {
        guard reference != nil else { return }
        arithmetic.adapt(&controller, to: rollouts)
        objective.klCoefficient = controller.coefficient
        objective.statistics.add("kl_coef", controller.coefficient)
    }

    /// Runs one epoch: a pass over the rollouts of a step.
    func learn(from rollouts: [Rollout], epoch: Int) throws {
        var shuffle = random.split("learn").split(UInt64(step)).split(UInt64(epoch))
        let mixed = arithmetic.shuffled(rollouts, using: &shuffle)
        for begin in stride(from: 0, to: mixed.count, by: config.learnBatchSize) {
            _ = try undoingBadBatches { try learn(Array(mixed[begin..<begin + config.learnBatchSize])) }
        }
    }

    /// Takes one optimiser step on some rollouts.
    package func learn(_ rollouts: [Rollout]) throws {
        defer { optimization.optimizer.clearGradients() }
        objective.entropySeen = (0, 0)
        let rate = config.steps.learningRate(step: optimization.count, total: config.optimizerSteps)
        let batches = arithmetic.learnBatches(rollouts)
        for (index, batch) in batches.enumerated() {
            let items = RolloutPass.grouped(try prepared(batch))
            record(advantagesOf: items)
            try addingStatistics {
                _ = try optimization.add(
                    items, of: step + 1, scale: arithmetic.lossScale, learningRate: index == batches.count - 1 ? rate : nil,
                    share: share(of: items))
            }
        }
        let norm = try optimization.take(learningRate: rate, batch: rollouts, of: step + 1)
        objective.statistics.add("gradient_norm", arithmetic.shownNorm(ofSquares: optimization.optimizer.squares) ?? norm)
        if config.entropyTarget != nil {
            objective.statistics.add("entropy_coef", objective.entropyController.applied)
            objective.entropyController.update(entropy: objective.entropySeen.sum / Double(max(1, objective.entropySeen.tokens)))
        }
        objective.statistics.add("learning_rate", rate)
    }

    /// Prepares rollouts for a learn batch: recomputes advantages if needed (importance correction, current values) and
    /// normalises them.
    /// - Throws: ``CollectiveError``; never in one process.
    package func prepared(_ rollouts: [Rollout]) throws -> [Rollout] {
        var items = rollouts
        if arithmetic.usesLearnerValues || config.correctsImportance {
            for (i, current) in try predictions(of: items).enumerated() {
                let ratios = zip(current.logProbs, items[i].logProbs).map { Float(exponential(Double($0 - $1))) }
                estimateFromValues(
                    &items[i], values: arithmetic.usesLearnerValues ? current.values : items[i].values,
                    ratios: config.correctsImportance ? ratios : nil)
            }
        }
        guard config.normalisesAdvantages else { return items }
        let (used, deviation) = arithmetic.moments(of: items, after: &moments)
        for (i, row) in Advantages.normalised(items.map(\.advantages), by: used, deviation: deviation).enumerated() {
            items[i].advantages = row
        }
        return items
    }
}
