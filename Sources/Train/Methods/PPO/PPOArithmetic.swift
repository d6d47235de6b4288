import Eval
import Models
import Tensor

/// The variable parts of PPO's arithmetic. The default implementations are those of this package; ``OriginalPPO`` implements the
/// original code's.
protocol PPOArithmetic {
    /// The settings of the run.
    var config: PPOConfig { get }

    // MARK: Sampling and scoring

    /// The temperature for log-probabilities, by which logits are divided.
    var temperature: Float { get }
    /// The number of a step's responses that are scored together.
    var scoredTogether: Int { get }
    /// Completes sampled responses before rewards are computed.
    /// - Parameters:
    ///   - padding: the token that pads responses.
    ///   - predict: computes log-probabilities and values of whole responses, if those from sampling cannot be used.
    /// - Throws: errors of `predict`.
    func complete(_ rollouts: inout [Rollout], padding: Int32, predict: ([Rollout]) throws -> [TokenScorer.Scores]) throws

    // MARK: Counts and divisors

    /// The number of columns of a response over which KL and statistics are taken.
    func columns(of rollout: Rollout) -> Int
    /// The divisor of a learn batch's losses.
    func divisor(of batch: [Rollout]) -> Int
    /// The weight of a pass in the statistics of its learn batch.
    func weight(tokens: Int, of total: Int) -> Double

    // MARK: The KL weight

    /// The KL of a response that an adaptive weight follows.
    func controlledKL(of rollout: Rollout) -> Double
    /// Adapts the weight of the KL after the rollouts of a step.
    mutating func adapt(_ controller: inout KLController, to rollouts: [Rollout])
    /// Called after a line of metrics has been written.
    mutating func didLog()
    /// The state, for a snapshot.
    var numbers: [String: Double] { get }
    /// Restores the state from a snapshot's numbers.
    mutating func restore(_ numbers: [String: Double])

    // MARK: Learning

    /// A step's rollouts in the order of an epoch.
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout]
    /// The learn batches of the rollouts of one optimiser step.
    func learnBatches(_ rollouts: [Rollout]) -> [[Rollout]]
    /// A factor on the loss of each learn batch; nil for none.
    var lossScale: Float? { get }
    /// Whether values and returns use the current value head rather than that at sampling time.
    var usesLearnerValues: Bool { get }
    /// The moments for normalising the advantages of a learn batch, and their standard deviation. `moments` are those of the run
    /// so far.
    func moments(of batch: [Rollout], after moments: inout RunningMoments) -> (used: RunningMoments, deviation: Double)
    /// The gradient norm to report, from Σ g² of every parameter before clipping; nil for the global norm.
    func shownNorm(ofSquares squares: [Double]) -> Double?

    // MARK: Metrics

    /// The lengths of responses to report in place of the number of tokens; nil for the number of tokens.
    func textLengths(of rollouts: [Rollout], count: (Rollout) -> Int) -> [Int]?
    /// Metrics of the run's progress, given the number of columns trained on so far.
    func progress(learnedColumns columns: Int) -> [String: Double]
}

extension PPOArithmetic {
    /// The sampling temperature.
    var temperature: Float { config.sampling.temperature }
    /// All responses of the step.
    var scoredTogether: Int { config.rollouts }
    /// Does nothing: sampling provides the log-probability and value of every token.
    func complete(_ rollouts: inout [Rollout], padding: Int32, predict: ([Rollout]) throws -> [TokenScorer.Scores]) throws {}

    /// The tokens of the response.
    func columns(of rollout: Rollout) -> Int { rollout.length }
    /// The number of response tokens.
    func divisor(of batch: [Rollout]) -> Int { batch.reduce(0) { $0 + $1.length } }
    /// The number of tokens in the pass.
    func weight(tokens: Int, of total: Int) -> Double { Double(tokens) }

    /// The KL of the whole response.
    func controlledKL(of rollout: Rollout) -> Double { rollout.sequenceKL }
    /// Adapts the weight to the mean KL of the step's responses.
    mutating func adapt(_ controller: inout KLController, to rollouts: [Rollout]) {
        controller.update(meanKL: rollouts.reduce(0) { $0 + $1.sequenceKL } / Double(rollouts.count), rollouts: rollouts.count)
    }
    /// Does nothing.
    mutating func didLog() {}
    /// Zeros with the names of ``OriginalPPO``'s numbers, so that all snapshots have the same names.
    var numbers: [String: Double] { OriginalPPO.LaggingKL().numbers }
    /// Does nothing.
    mutating func restore(_ numbers: [String: Double]) {}

    /// A random order of all rollouts.
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout] { rollouts.shuffled(using: &random) }
    /// One learn batch, because the division of an optimiser step does not matter.
    func learnBatches(_ rollouts: [Rollout]) -> [[Rollout]] { [rollouts] }
    /// No factor.
    var lossScale: Float? { nil }
    /// False: values are computed once, when sampling.
    var usesLearnerValues: Bool { false }
    /// The moments of the batch's response tokens, or those of the run so far if the settings say so, with the unbiased standard
    /// deviation.
    func moments(of batch: [Rollout], after moments: inout RunningMoments) -> (used: RunningMoments, deviation: Double) {
        let new = Advantages.moments(of: batch.map(\.advantages), lengths: batch.map(\.length))
        guard config.normalisesOverRun else { return (new, new.deviation) }
        moments.merge(new)
        return (moments, moments.deviation)
    }
    /// Nil: the global norm.
    func shownNorm(ofSquares squares: [Double]) -> Double? { nil }

    /// Nil: the number of tokens.
    func textLengths(of rollouts: [Rollout], count: (Rollout) -> Int) -> [Int]? { nil }
    /// No metrics.
    func progress(learnedColumns columns: Int) -> [String: Double] { [:] }
}

/// PPO with the default arithmetic of this package.
struct PlainPPO: PPOArithmetic {
    let config: PPOConfig
}
