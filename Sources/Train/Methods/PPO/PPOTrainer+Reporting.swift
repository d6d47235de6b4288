import Data
import Eval
import Models

// Reporting of a step.
extension PPOTrainer {
    /// Records the metrics of a step's rollouts, and their rows for a table.
    func record(_ rollouts: [Rollout], of responses: [SampledResponse], scores: [Double]) {
        let lengths = arithmetic.textLengths(of: rollouts) { rollout in
            // includes the special tokens that the tokenizer adds to a text
            tokenizer.encode(tokenizer.decode(rollout.response, skippingSpecialTokens: true), addingSpecialTokens: true).count
        }
        objective.statistics.add(
            rollouts, rawScores: scores, klCoefficient: controller.coefficient, textLengths: lengths, arithmetic: arithmetic)
        if reference != nil { objective.statistics.add("rollout_kl_coef", controller.coefficient) }
        guard config.tableLogs != nil else { return }
        lastRollouts = zip(zip(rollouts, responses), scores).map { pair, score in
            let (rollout, response) = pair
            var numbers = [
                "shaped_reward": rollout.score, "tokens": Double(rollout.length), "ended": rollout.ended ? 1 : 0, "step": Double(step),
                "model_version": Double(optimization.count),
            ]
            if config.generations > 1 { numbers["group"] = Double(rollout.group) }
            if reference != nil {
                let kl = rollout.estimatedKL(config.klEstimator, columns: arithmetic.columns(of: rollout))
                (numbers["kl_div"], numbers["kl_reward"]) = (kl, -controller.coefficient * kl)
                numbers["kl_sequence"] = rollout.sequenceKL
            }
            var row = response.row(reward: score, numbers: numbers)
            row.tokens = response.drawn.tokens
            return row
        }
    }

    /// Records the advantages of a learn batch, after normalisation.
    func record(advantagesOf batch: [Rollout]) {
        let columns = batch.flatMap { $0.advantages.prefix(arithmetic.columns(of: $0)) }
        let moments = Advantages.moments(of: [columns])
        objective.statistics.add("sample_advantages", moments.mean)
        objective.statistics.add("sample_advantages_std", moments.deviation)
        learnedColumns += batch.map(\.response.count).max() ?? 0
    }

    /// The means since the last call, as in the next line of metrics; resets them.
    package func takeStatistics() -> [String: Double] { objective.statistics.take() }

    func log() throws {
        var values = takeStatistics().merging(badBatches.numbers) { $1 }
        values["algo_steps"] = Double(step)
        values["optimizer_steps"] = Double(optimization.count)
        values["rollouts"] = Double(step * config.rollouts)
        values["tokens"] = Double(tokens)
        values.merge(arithmetic.progress(learnedColumns: learnedColumns)) { $1 }
        if config.normalisesOverRun { values["running_advantages"] = moments.mean }
        try handler(.measured(step: step, values: values))
        arithmetic.didLog()
        logs += 1
        if let every = config.tableLogs, logs % every == 0, !lastRollouts.isEmpty {
            try handler(.sampled(table: "rollouts", rows: lastRollouts))
        }
    }
}
