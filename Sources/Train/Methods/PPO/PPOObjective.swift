import Models
package import Tensor

/// The loss of PPO on rollouts whose advantages are known: policy, value, entropy and, where it is no reward, KL (``PPOLoss``).
package final class PPOObjective: Objective {
    let policy: any TransformerDecoder
    let valueHead: ValueHead
    let trunkLayers: Int
    private let config: PPOConfig
    private let arithmetic: any PPOArithmetic
    private let scorer: TokenScorer

    /// The weight of a KL in the loss.
    var klCoefficient: Double
    /// What has been seen since the last log line.
    package var statistics = PPOStatistics()

    init(
        policy: any TransformerDecoder, valueHead: ValueHead, trunkLayers: Int, validTokens: Int, arithmetic: any PPOArithmetic
    ) {
        (self.policy, self.valueHead, self.trunkLayers, self.arithmetic) = (policy, valueHead, trunkLayers, arithmetic)
        config = arithmetic.config
        klCoefficient = config.klCoefficient
        scorer = TokenScorer(
            decoder: policy, valueHead: valueHead, temperature: arithmetic.temperature, validTokens: validTokens,
            withEntropy: config.entropyCost > 0)
    }

    package var stage: String { "ppo" }
    package var parameters: [Parameter] { policy.parameters + valueHead.parameters }
    package func id(of rollout: Rollout) -> String { rollout.id }
    package func tokens(of rollout: Rollout) -> Int { rollout.count }

    package func loss(of pass: Pass<Rollout>, on tape: Tape) throws -> PassLoss {
        let part = pass.examples
        let loss = loss(of: part, tokens: arithmetic.divisor(of: pass.batch), on: tape)
        guard loss.item.isFinite else {
            throw TrainingError.notFinite(
                "the loss", step: pass.step, in: policy, valueHead, ids: part.map(\.id), sequences: part.map { $0.prompt + $0.response })
        }
        return PassLoss(loss)
    }

    /// The loss of a part of a learn batch whose sums are divided by `tokens`.
    package func loss(of rollouts: [Rollout], tokens: Int, on tape: Tape) -> Tensor {
        func column(_ path: KeyPath<Rollout, [Float]>) -> Tensor {
            let values = rollouts.flatMap { $0[keyPath: path] }
            return Tensor(values, shape: [values.count])
        }
        let found = scorer(TargetPass(rollouts), trunk: trunk(of: rollouts), on: tape)
        let values = found.values ?? .zeros([0])
        let (old, oldValues) = (column(\.logProbs), column(\.values))
        let (advantages, returns) = (column(\.advantages), column(\.returns))
        let mask = mask(of: rollouts)

        let policyLoss = PPOLoss.policy(
            logProbs: found.logProbs, oldLogProbs: old, advantages: advantages, clip: config.policyClip, tokens: tokens, mask: mask)
        let valueLoss = PPOLoss.value(
            values: values, oldValues: oldValues, returns: returns, clip: config.valueClip, tokens: tokens, mask: mask)
        var loss = policyLoss + valueLoss.scaled(by: Float(config.valueCost))

        // what a pass tells is a mean over its columns
        let (columns, weight) = (Double(old.count), arithmetic.weight(tokens: old.count, of: tokens))
        let share = columns / Double(tokens)
        if let entropies = found.entropies {
            let sum = PPOLoss.sum(entropies, mask)
            loss = loss + sum.scaled(by: Float(-config.entropyCost) / Float(tokens))
            statistics.add("entropy", Double(sum.item) / columns, weight: weight)
            statistics.add("entropy_loss", -config.entropyCost * Double(sum.item) / columns, weight: weight)
            statistics.extreme("max_entropy", entropies.values)
        }
        if !config.klAsReward {
            let kl = PPOLoss.kl(
                logProbs: found.logProbs, referenceLogProbs: column(\.referenceLogProbs), estimator: config.klEstimator, tokens: tokens,
                mask: mask)
            loss = loss + kl.scaled(by: Float(klCoefficient))
            statistics.add("kl_loss", klCoefficient * Double(kl.item) * Double(tokens) / columns, weight: weight)
        }
        statistics.add(
            logProbs: found.logProbs.values, old: old.values, advantages: advantages.values, clip: config.policyClip, weight: weight)
        statistics.add(values: values.values, old: oldValues.values, returns: returns.values, clip: config.valueClip, weight: weight)
        statistics.add("policy_loss", Double(policyLoss.item) / share, weight: weight)
        statistics.add("baseline_loss", Double(valueLoss.item) * config.valueCost / share, weight: weight)
        return loss
    }

    /// 1 for every column that counts, 0 for padding; nil where there is none.
    private func mask(of rollouts: [Rollout]) -> Tensor? {
        guard rollouts.contains(where: { $0.length < $0.response.count }) else { return nil }
        let columns = rollouts.flatMap { row in row.response.indices.map { $0 < row.length ? Float(1) : 0 } }
        return Tensor(columns, shape: [columns.count])
    }

    /// The states behind the frozen layers of all rows that a pass over some rollouts has; nil where they are not known.
    func trunk(of rollouts: [Rollout]) -> (states: Tensor, layers: Int)? {
        // the last token is predicted, not read
        let rows = rollouts.compactMap { rollout in rollout.trunk?.prefix(rollout.count - 1) }
        return rows.count == rollouts.count && trunkLayers > 0 ? (TrunkRows.gathered(rows), trunkLayers) : nil
    }
}

extension TargetPass {
    init(_ rollouts: [Rollout]) { self.init(prompts: rollouts.map(\.prompt), targets: rollouts.map(\.response)) }
}
