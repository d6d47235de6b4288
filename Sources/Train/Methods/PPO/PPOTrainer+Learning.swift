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
            record(advantages: items)
            learnedColumns += items.map(\.response.count).max() ?? 0
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
        var (used, deviation) = (new, new.deviation)
        if config.normalisesOverRun {
            moments = compatibility.mergesMomentsAfterwards ? OriginalPPO.merged(moments, with: new) : moments.merged(with: new)
            used = moments
            deviation = compatibility.mergesMomentsAfterwards ? OriginalPPO.deviation(of: moments) : moments.deviation
        }
        for (i, row) in Advantages.normalised(advantages, by: used, deviation: deviation).enumerated() {
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
        // a step's learn batches count alike where each is a mean of its own, else by their tokens
        let weight = Double(old.count) / (config.compatibility.accumulation == .tokens ? 1 : Double(tokens))
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
            statistics.add("entropy", Double(sum.item) / Double(old.count), weight: weight)
            statistics.add("entropy_loss", -config.entropyCost * Double(sum.item) / Double(old.count), weight: weight)
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
                weight: weight)
        }
        record(
            OriginalPPO.Predictions(
                logProbs: prediction.logProbs.values, oldLogProbs: old.values, advantages: column(\.advantages).values,
                values: values.values, oldValues: column(\.values).values, returns: column(\.returns).values),
            weight: weight)
        let share = Double(old.count) / Double(tokens)
        statistics.add("policy_loss", Double(policyLoss.item) / share, weight: weight)
        statistics.add("baseline_loss", Double(valueLoss.item) * config.valueCost / share, weight: weight)
        return loss
    }

    /// The advantages that a learn batch is learned from: behind the normalisation.
    private func record(advantages items: [Rollout]) {
        let columns = items.flatMap { item in
            item.advantages.prefix(config.compatibility.measuresOverPadding ? item.response.count : item.length)
        }
        let moments = Advantages.moments(of: [columns])
        statistics.add("sample_advantages", moments.mean)
        statistics.add("sample_advantages_std", moments.deviation)
    }

    private func record(_ found: OriginalPPO.Predictions, weight: Double) {
        let differences = zip(found.logProbs, found.oldLogProbs).map { Double($0 - $1) }
        let ratios = differences.map { exponential($0) }
        func share(_ count: Int) -> Double { Double(count) / Double(max(1, ratios.count)) }
        if let clip = config.policyClip {
            statistics.add("clipped_ratio_fraction", share(ratios.count { abs($0 - 1) > clip }), weight: weight)
            statistics.add("clipped_policy_fraction", share(found.clippedPolicies(clip)), weight: weight)
        }
        if let clip = config.valueClip {
            let clipped = zip(found.values, found.oldValues).count { Double(abs($0 - $1)) > clip }
            statistics.add("clipped_value_fraction", share(clipped), weight: weight)
            statistics.add("clipped_baseline_fraction", share(found.clippedBaselines(clip)), weight: weight)
        }
        // k3 estimate of KL(old, new)
        let kl = zip(differences, ratios).reduce(0) { $0 + $1.1 - 1 - $1.0 }
        statistics.add("kl_old_new", kl / Double(max(1, ratios.count)), weight: weight)
        statistics.extreme("max_ratio", ratios.map(Float.init))
    }
}
