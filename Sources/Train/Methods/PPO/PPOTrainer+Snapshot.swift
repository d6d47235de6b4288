import Data
import Tensor

extension PPOTrainer {
    /// The state of the trainer: everything that the next step depends on besides the weights. In a group of several ranks every
    /// rank asks for it at the same point, and only that of rank 0 is complete: the other ranks lack the moments of parameters that
    /// they do not own.
    /// - Throws: ``CollectiveError`` when the group of ranks is broken; never in one process.
    public var snapshot: TrainerSnapshot {
        get throws {
            TrainerSnapshot(
                step: step, optimizerSteps: optimization.count, tokens: tokens, order: order,
                numbers: objective.statistics.numbers.merging([
                    "kl_coefficient": controller.coefficient, "logs": Double(logs), "advantages.count": moments.count,
                    "advantages.mean": moments.mean, "advantages.squares": moments.squares,
                    "learned_columns": Double(learnedColumns),
                ]) { $1 }.merging(badBatches.numbers) { $1 }.merging(arithmetic.numbers) { $1 }
                    .merging(objective.entropyController.numbers) { $1 },
                optimizer: try optimization.optimizer.gatheredState())
        }
    }

    /// Continues from a snapshot, which may be of another number of ranks. The policy and the value head must hold the weights of
    /// the same step. Every rank needs the complete snapshot.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other prompts or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws { try collective.together { try take(snapshot) } }

    private func take(_ snapshot: TrainerSnapshot) throws {
        try snapshot.check(order: order)
        try optimization.optimizer.restore(snapshot.optimizer, stepCount: snapshot.optimizerSteps)
        (step, tokens, order) = (snapshot.step, snapshot.tokens, snapshot.order)
        func number(_ name: String) -> Double { snapshot.numbers[name] ?? 0 }
        controller.coefficient = snapshot.numbers["kl_coefficient"] ?? controller.coefficient
        objective.statistics = PPOStatistics(numbers: snapshot.numbers)
        moments = RunningMoments(
            count: number("advantages.count"), mean: number("advantages.mean"), squares: number("advantages.squares"))
        (logs, learnedColumns) = (snapshot.count("logs"), snapshot.count("learned_columns"))
        arithmetic.restore(snapshot.numbers)
        objective.entropyController.restore(snapshot.numbers)
        badBatches.restore(snapshot.numbers)
    }
}
