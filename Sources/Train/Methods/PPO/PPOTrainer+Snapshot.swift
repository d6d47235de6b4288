import Data
import Tensor

extension PPOTrainer {
    /// The state of the trainer: everything that the next step depends on besides the weights.
    public var snapshot: TrainerSnapshot {
        TrainerSnapshot(
            step: step, optimizerSteps: optimization.count, tokens: tokens, order: order,
            numbers: objective.statistics.numbers.merging([
                "kl_coefficient": controller.coefficient, "logs": Double(logs), "advantages.count": moments.count,
                "advantages.mean": moments.mean, "advantages.squares": moments.squares,
                "learned_columns": Double(learnedColumns),
            ]) { $1 }.merging(badBatches.numbers) { $1 }.merging(arithmetic.numbers) { $1 }
                .merging(objective.entropyController.numbers) { $1 },
            optimizer: optimization.optimizer.state)
    }

    /// Continues from a snapshot. The policy and the value head must hold the weights of the same step.
    /// - Throws: ``TrainingError/stateMismatch(_:)`` for a snapshot of another model, other prompts or another seed.
    public func restore(_ snapshot: TrainerSnapshot) throws {
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
