import Models
package import Tensor

/// The objective of policy optimisation on rollouts with known advantages: the policy loss with an optional KL (``PolicyLoss``),
/// the value loss (``PPOLoss``) and the entropy bonus.
package final class PPOObjective: Objective {
    let policy: any TransformerDecoder
    let valueHead: ValueHead?
    let trunkLayers: Int
    private let config: PPOConfig
    private let arithmetic: any PPOArithmetic
    private let scorer: TokenScorer

    /// The weight of a KL in the loss.
    var klCoefficient: Double
    /// The weight of the entropy bonus.
    var entropyController: EntropyController
    /// Σ entropy and the number of tokens, since they were last read.
    var entropySeen = (sum: 0.0, tokens: 0)
    /// The statistics since the last log line.
    package var statistics = PPOStatistics()

    init(
        policy: any TransformerDecoder, valueHead: ValueHead?, trunkLayers: Int, validTokens: Int, arithmetic: any PPOArithmetic
    ) {
        (self.policy, self.valueHead, self.trunkLayers, self.arithmetic) = (policy, valueHead, trunkLayers, arithmetic)
        config = arithmetic.config
        klCoefficient = config.klCoefficient
        entropyController = EntropyController(
            coefficient: config.entropyCost, target: config.entropyTarget, step: config.entropyStep, limit: config.entropyLimit)
        scorer = TokenScorer(
            decoder: policy, valueHead: valueHead, temperature: arithmetic.temperature, validTokens: validTokens,
            withEntropy: config.entropyCost > 0 || config.entropyTarget != nil)
    }

    /// The label of progress lines: the name of the method, such as `ppo` or `grpo`.
    package var stage: String { config.advantages.method }
    /// The parameters of the policy and the value head.
    package var parameters: [Parameter] { policy.parameters + (valueHead?.parameters ?? []) }
    /// The ID of the rollout, for error messages.
    package func id(of rollout: Rollout) -> String { rollout.id }
    /// The number of tokens of the prompt and the response.
    package func tokens(of rollout: Rollout) -> Int { rollout.count }
    /// The number of tokens that a rollout adds to a pass when it follows another rollout. The prompt counts once for consecutive
    /// responses to it.
    package func tokens(of rollout: Rollout, behind previous: Rollout) -> Int { RolloutPass.tokens(of: rollout, behind: previous) }

    /// The loss of a pass over some rollouts of a learn batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    package func loss(of pass: Pass<Rollout>, on tape: Tape) throws -> PassLoss {
        let part = pass.examples
        let loss = loss(of: part, in: batch(of: pass.batch), on: tape)
        guard loss.item.isFinite else {
            throw TrainingError.notFinite(
                "the loss", step: pass.step, in: policy, valueHead, ids: part.map(\.id), sequences: part.map { $0.prompt + $0.response })
        }
        return PassLoss(loss)
    }

    /// The divisors of a learn batch's losses.
    package struct Batch {
        /// The divisor of token losses.
        var tokens: Int
        /// The number of columns over which metrics are averaged.
        var columns: Int
        /// The divisors for the aggregation of policy losses.
        var loss: LossBatch

        init(_ rollouts: [Rollout], _ arithmetic: any PPOArithmetic) {
            let config = arithmetic.config
            columns = arithmetic.divisor(of: rollouts)
            tokens = max(1, config.masksTruncated ? arithmetic.divisor(of: rollouts.filter(\.ended)) : columns)
            loss = LossBatch(responses: rollouts.count, tokens: tokens, maxTokens: config.sampling.maxNewTokens)
        }
    }

    /// The divisors of a learn batch's losses.
    package func batch(of rollouts: [Rollout]) -> Batch { Batch(rollouts, arithmetic) }

    /// The loss of rollouts that form a whole learn batch.
    package func loss(of rollouts: [Rollout], on tape: Tape) -> Tensor { loss(of: rollouts, in: batch(of: rollouts), on: tape) }

    /// The loss of a part of a learn batch.
    package func loss(of rollouts: [Rollout], in batch: Batch, on tape: Tape) -> Tensor {
        let pass = RolloutPass(rollouts)
        let found = scorer(pass.targets, trunk: pass.trunk(layers: trunkLayers), on: tape)
        let (columns, mask) = (found.logProbs.count, mask(of: rollouts))
        let weight = arithmetic.weight(tokens: columns, of: batch.columns)
        // each pass reports means over its columns
        let shown = Double(batch.columns) / Double(max(1, columns))
        var loss = policyLoss(of: rollouts, found.logProbs, in: batch, shown: shown, weight: weight)
        if let values = found.values {
            let (old, returns) = (column(\.values, of: rollouts), column(\.returns, of: rollouts))
            let valueLoss = PPOLoss.value(
                values: values, oldValues: old, returns: returns, clip: config.valueClip, tokens: batch.tokens, mask: mask)
            loss = loss + valueLoss.scaled(by: Float(config.valueCost))
            statistics.add(values: values.values, old: old.values, returns: returns.values, clip: config.valueClip, weight: weight)
            statistics.add("baseline_loss", Double(valueLoss.item) * config.valueCost * shown, weight: weight)
        }
        if let entropies = found.entropies {
            let sum = PPOLoss.sum(entropies, mask)
            let coefficient = entropyController.applied
            loss = loss + sum.scaled(by: Float(-coefficient) / Float(batch.tokens))
            let mean = Double(sum.item) * Double(batch.columns) / Double(batch.tokens) / Double(max(1, columns))
            statistics.add("entropy", mean, weight: weight)
            statistics.add("entropy_loss", -coefficient * mean, weight: weight)
            statistics.extreme("max_entropy", entropies.values)
            entropySeen.sum += Double(sum.item)
            entropySeen.tokens += rollouts.reduce(0) { $0 + counted($1) }
        }
        return loss
    }

    /// The policy loss, with the KL if it is not part of the reward.
    private func policyLoss(
        of rollouts: [Rollout], _ logProbs: Tensor, in batch: Batch, shown: Double, weight: Double
    ) -> Tensor {
        let numbers = logProbs.values
        var begin = 0
        let responses = rollouts.map { rollout in
            defer { begin += rollout.response.count }
            return PolicyLoss.Response(
                logProbs: numbers[begin..<begin + rollout.response.count], oldLogProbs: rollout.logProbs, advantages: rollout.advantages,
                referenceLogProbs: rollout.referenceLogProbs, count: counted(rollout))
        }
        let hasReference = rollouts.allSatisfy { $0.referenceLogProbs.count == $0.response.count }
        let loss = config.policyLoss(klCoefficient: hasReference ? klCoefficient : nil)
        let value = loss(responses, of: batch.loss)
        statistics.add(
            logProbs: numbers, old: rollouts.flatMap(\.logProbs), advantages: rollouts.flatMap(\.advantages), clip: config.policyClip,
            weight: weight)
        let count = Double(max(1, responses.reduce(0) { $0 + $1.count }))
        statistics.add("clipped_low_fraction", Double(value.clippedLow) / count, weight: weight)
        statistics.add("clipped_high_fraction", Double(value.clippedHigh) / count, weight: weight)
        statistics.add("policy_loss", value.policy * shown, weight: weight)
        if loss.kl != nil { statistics.add("kl_loss", value.kl * shown, weight: weight) }
        // Σ gradient · log p has the gradient of the loss; a constant is added so that it also has its value
        let linear = (logProbs * Tensor(value.gradient, shape: logProbs.shape)).sum()
        return linear + .filled(Float(value.policy + value.kl - Double(linear.item)), linear.shape)
    }

    private func column(_ path: KeyPath<Rollout, [Float]>, of rollouts: [Rollout]) -> Tensor {
        let values = rollouts.flatMap { $0[keyPath: path] }
        return Tensor(values, shape: [values.count])
    }

    /// The number of tokens of a rollout that count in the loss.
    private func counted(_ rollout: Rollout) -> Int { config.masksTruncated && !rollout.ended ? 0 : rollout.length }

    /// A mask with 1 for every column that counts and 0 otherwise; nil if all columns count.
    private func mask(of rollouts: [Rollout]) -> Tensor? {
        guard rollouts.contains(where: { counted($0) < $0.response.count }) else { return nil }
        let columns = rollouts.flatMap { row in row.response.indices.map { $0 < counted(row) ? Float(1) : 0 } }
        return Tensor(columns, shape: [columns.count])
    }
}
