import Data
import Eval
import Models
package import Tensor

extension PPOTrainer {
    /// One optimiser step on some rollouts.
    package func learn(_ rollouts: [Rollout]) throws {
        defer { optimizer.clearGradients() }
        let compatibility = config.compatibility
        let groups = compatibility.accumulation == .tokens ? 1 : config.learnBatches
        let size = rollouts.count / groups
        for begin in stride(from: 0, to: rollouts.count, by: size) {
            let items = prepared(Array(rollouts[begin..<begin + size]))
            let total = items.reduce(0) { $0 + (compatibility.dividesByColumns ? $1.response.count : $1.length) }
            for part in Packing.parts(
                items, tokensPerPass: config.tokensPerPass, length: { $0.prompt.count + $0.response.count })
            {
                let tape = Tape(recomputingLayers: config.recomputesLayers)
                var loss = self.loss(part, tokens: total, on: tape)
                guard loss.item.isFinite else {
                    throw TrainingError.notFinite(
                        "the loss", step: step + 1, in: policy, valueHead, ids: part.map(\.id),
                        sequences: part.map { $0.prompt + $0.response })
                }
                if compatibility.accumulation == .mean { loss = loss.scaled(by: 1 / Float(groups)) }
                tape.backward(from: loss)
            }
        }
        let rate =
            config.optimizer.learningRate
            * config.schedule.factor(step: optimizer.stepCount, total: optimizerStepsInAll)
        let rootOfNorms =
            compatibility.reportsRootOfNorms && config.optimizer.clipNorm == nil
            ? optimizer.parameters.reduce(0.0) { $0 + ($1.gradient?.sumOfSquares() ?? 0).squareRoot() }.squareRoot()
            : nil
        let norm = try optimizer.step(learningRate: rate, examples: rollouts.map(\.id), of: step + 1)
        statistics.add("gradient_norm", rootOfNorms ?? norm)
        statistics.add("learning_rate", rate)
    }

    /// Rollouts whose advantages are ready to be learned from together: corrected, and normalised.
    package func prepared(_ rollouts: [Rollout]) -> [Rollout] {
        var items = rollouts
        let compatibility = config.compatibility
        if compatibility.usesLearnerValues || config.correctsImportance {
            for (i, current) in predictions(of: items).enumerated() {
                let ratios = zip(current.logProbs, items[i].logProbs).map { Float(exponential(Double($0 - $1))) }
                estimate(
                    &items[i], values: compatibility.usesLearnerValues ? current.values : items[i].values,
                    ratios: config.correctsImportance ? ratios : nil)
            }
        }
        guard config.normalisesAdvantages else { return items }
        let advantages = items.map(\.advantages)
        let new = Advantages.moments(
            of: advantages, lengths: compatibility.normalisesOverPadding ? nil : items.map(\.length))
        if config.normalisesOverRun { moments.merge(new) }
        for (i, row) in Advantages.normalised(advantages, by: config.normalisesOverRun ? moments : new).enumerated() {
            items[i].advantages = row
        }
        return items
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
            policy.projection.on(tape), targets: pass.target.targets, temperature: config.temperature,
            validTokens: tokenizer.vocabularySize, withEntropy: config.entropyCost > 0)
        let values = valueHead(hidden, on: tape)
        let old = column(\.logProbs)
        let isPadded = rollouts.contains { $0.length < $0.response.count }
        let mask =
            isPadded
            ? Tensor(
                rollouts.flatMap { row in row.response.indices.map { $0 < row.length ? Float(1) : 0 } },
                shape: old.shape) : nil

        let policyLoss = PPOLoss.policy(
            logProbs: prediction.logProbs, oldLogProbs: old, advantages: column(\.advantages), clip: config.policyClip,
            tokens: tokens, mask: mask)
        let valueLoss = PPOLoss.value(
            values: values, oldValues: column(\.values), returns: column(\.returns), clip: config.valueClip,
            tokens: tokens,
            mask: mask)
        var loss = policyLoss + valueLoss.scaled(by: Float(config.valueCost))
        if let entropies = prediction.entropies {
            let sum = PPOLoss.sum(entropies, mask)
            loss = loss + sum.scaled(by: Float(-config.entropyCost) / Float(tokens))
            statistics.add("entropy", Double(sum.item) / Double(old.count), count: old.count)
            statistics.add("entropy_loss", -config.entropyCost * Double(sum.item) / Double(old.count), count: old.count)
            statistics.extreme("max_entropy", entropies.values)
        }
        if !config.klAsReward {
            let kl = PPOLoss.kl(
                logProbs: prediction.logProbs, referenceLogProbs: column(\.referenceLogProbs),
                estimator: config.klEstimator,
                tokens: tokens, mask: mask)
            loss = loss + kl.scaled(by: Float(controller.coefficient))
            statistics.add(
                "kl_loss", controller.coefficient * Double(kl.item) * Double(tokens) / Double(old.count),
                count: old.count)
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
            statistics.add(
                "clipped_policy_fraction", Double(clipped) / Double(max(1, ratios.count)), count: ratios.count)
        }
        if let clip = config.valueClip {
            let clipped = zip(values.values, oldValues.values).count { Double(abs($0 - $1)) > clip }
            statistics.add(
                "clipped_baseline_fraction", Double(clipped) / Double(max(1, ratios.count)), count: ratios.count)
        }
        // k3 estimate of KL(old, new)
        let kl = zip(differences, ratios).reduce(0) { $0 + $1.1 - 1 - $1.0 }
        statistics.add("kl_old_new", kl / Double(max(1, ratios.count)), count: ratios.count)
        statistics.extreme("max_ratio", ratios.map(Float.init))
    }
}
