import Tensor

/// What the original computes in a way of its own, and what its columns of metrics mean.
public enum OriginalPPO {
    /// The moments of two streams together. The difference of the means is taken after the first mean has been moved, so the merged squares
    /// are too small: (m₂ − m)² n₁ n₂ / n with m the merged mean.
    public static func merged(_ moments: RunningMoments, with other: RunningMoments) -> RunningMoments {
        guard other.count > 0 else { return moments }
        let total = moments.count + other.count
        let mean = moments.mean + (other.mean - moments.mean) * other.count / total
        let difference = other.mean - mean
        return RunningMoments(
            count: total, mean: mean,
            squares: moments.squares + other.squares + difference * difference * moments.count * other.count / total)
    }

    /// The deviation of moments over a run: divided by n, not by n − 1.
    public static func deviation(of moments: RunningMoments) -> Double {
        moments.count > 0 ? (moments.squares / moments.count).squareRoot() : 0
    }

    /// The KL that an adaptive weight follows: the mean of what has been learned from since the last log line. A step's weight is updated before
    /// its own rollouts are added, so the first step behind a line has nothing to follow.
    package struct LaggingKL: Sendable, Equatable {
        private var sum = 0.0
        private var count = 0

        /// Right after a log line.
        package init() {}

        /// What a snapshot has kept.
        init(numbers: [String: Double]) {
            sum = numbers["lagging_kl.sum"] ?? 0
            count = TrainerSnapshot.count(numbers["lagging_kl.count"] ?? 0)
        }

        /// For a snapshot.
        var numbers: [String: Double] { ["lagging_kl.sum": sum, "lagging_kl.count": Double(count)] }

        /// The mean KL of a response of one step's rollouts.
        package mutating func add(_ kl: Double) {
            sum += kl
            count += 1
        }

        /// Moves the weight; without anything to follow it stays.
        package func update(_ controller: inout KLController, rollouts: Int) {
            if count > 0 { controller.update(meanKL: sum / Double(count), rollouts: rollouts) }
        }
    }

    /// One number a column of some learn batch, for the counts of clipped columns.
    public struct Predictions {
        /// log p of each token under the learner.
        public var logProbs: [Float]
        /// log p of each token when it was drawn.
        public var oldLogProbs: [Float]
        /// The advantages that are learned from.
        public var advantages: [Float]
        /// The learner's values.
        public var values: [Float]
        /// The values when the tokens were drawn.
        public var oldValues: [Float]
        /// What the values are to become.
        public var returns: [Float]

        /// All columns have one length.
        public init(
            logProbs: [Float], oldLogProbs: [Float], advantages: [Float], values: [Float], oldValues: [Float],
            returns: [Float]
        ) {
            self.logProbs = logProbs
            self.oldLogProbs = oldLogProbs
            self.advantages = advantages
            self.values = values
            self.oldValues = oldValues
            self.returns = returns
        }

        /// Columns in which clip(ρ, 1 ± c) A is below ρ A: clipping lowers the objective.
        public func clippedPolicies(_ clip: Double) -> Int {
            logProbs.indices.count { i in
                let ratio = exponential(Double(logProbs[i] - oldLogProbs[i]))
                let advantage = Double(advantages[i])
                return min(max(ratio, 1 - clip), 1 + clip) * advantage < ratio * advantage
            }
        }

        /// Columns in which the clipped value is further from its target than the value: clipping raises the loss.
        public func clippedBaselines(_ clip: Double) -> Int {
            values.indices.count { i in
                let (value, old, target) = (Double(values[i]), Double(oldValues[i]), Double(returns[i]))
                let near = old + min(max(value - old, -clip), clip)
                // a value within reach is itself, whatever rounding makes of old + (value − old)
                return abs(value - old) > clip && (target - near) * (target - near) > (target - value) * (target - value)
            }
        }
    }
}
