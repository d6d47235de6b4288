import Eval
import Models
import Tensor

/// The points at which the arithmetic of PPO can be another. What stands here is PPO; the original's way is ``OriginalPPO``.
protocol PPOArithmetic {
    /// The settings of the run.
    var config: PPOConfig { get }

    // MARK: Sampling and scoring

    /// What divides the logits that log-probabilities are taken from.
    var temperature: Float { get }
    /// How many of a step's responses are scored together.
    var scoredTogether: Int { get }
    /// Makes what is learned from of sampled responses.
    /// - Parameter predict: log-probabilities and values of whole responses, where those of sampling do not serve.
    func complete(_ rollouts: inout [Rollout], padding: Int32, predict: ([Rollout]) -> [TokenScorer.Scores])

    // MARK: What is counted

    /// The columns of a response that KL and statistics are taken over.
    func columns(of rollout: Rollout) -> Int
    /// What the losses of a learn batch are divided by.
    func divisor(of batch: [Rollout]) -> Int
    /// What a pass weighs in the statistics of its learn batch.
    func weight(tokens: Int, of total: Int) -> Double

    // MARK: The KL weight

    /// The KL of a response as an adaptive weight sees it.
    func controlledKL(of rollout: Rollout) -> Double
    /// Moves the weight of the KL, of which a step's rollouts are known now.
    mutating func adapt(_ controller: inout KLController, to rollouts: [Rollout])
    /// Notes that a line of metrics has been written.
    mutating func didLog()
    /// Everything that a snapshot keeps of it.
    var numbers: [String: Double] { get }
    /// Goes on from a snapshot's numbers.
    mutating func restore(_ numbers: [String: Double])

    // MARK: Learning

    /// A step's rollouts in the order in which an epoch learns from them.
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout]
    /// The learn batches that the rollouts of one optimiser step make.
    func learnBatches(_ rollouts: [Rollout]) -> [[Rollout]]
    /// Multiplies the loss of each learn batch; nil leaves it.
    var lossScale: Float? { get }
    /// Whether values and returns are those of the value head as it is now, not as it was when sampling.
    var usesLearnerValues: Bool { get }
    /// The moments that the advantages of a learn batch are normalised by; `moments` are those of the run so far.
    func moments(of batch: [Rollout], after moments: inout RunningMoments) -> (used: RunningMoments, deviation: Double)
    /// The gradient norm that is told, from the gradients of a step that is about to be taken; nil for that of all of them together.
    func shownNorm(of parameters: [Parameter]) -> Double?

    // MARK: Columns of metrics

    /// The lengths of responses besides their tokens, where they are told.
    func textLengths(of rollouts: [Rollout], count: (Rollout) -> Int) -> [Int]?
    /// Metrics of the run's progress; `columns` have been learned from so far.
    func progress(learnedColumns columns: Int) -> [String: Double]
}

extension PPOArithmetic {
    /// That of sampling.
    var temperature: Float { config.sampling.temperature }
    /// All.
    var scoredTogether: Int { config.rollouts }
    /// They are it: sampling has given every token's log-probability and value.
    func complete(_ rollouts: inout [Rollout], padding: Int32, predict: ([Rollout]) -> [TokenScorer.Scores]) {}

    /// The tokens of the response.
    func columns(of rollout: Rollout) -> Int { rollout.length }
    /// The response tokens.
    func divisor(of batch: [Rollout]) -> Int { batch.reduce(0) { $0 + $1.length } }
    /// Its tokens.
    func weight(tokens: Int, of total: Int) -> Double { Double(tokens) }

    /// That of the whole response.
    func controlledKL(of rollout: Rollout) -> Double { rollout.sequenceKL }
    /// By the mean KL of the step's responses.
    mutating func adapt(_ controller: inout KLController, to rollouts: [Rollout]) {
        controller.update(meanKL: rollouts.reduce(0) { $0 + $1.sequenceKL } / Double(rollouts.count), rollouts: rollouts.count)
    }
    /// Nothing to do.
    mutating func didLog() {}
    /// Zeros under the names that ``OriginalPPO`` counts under, so that all snapshots have the same names.
    var numbers: [String: Double] { OriginalPPO.LaggingKL().numbers }
    /// Nothing to do.
    mutating func restore(_ numbers: [String: Double]) {}

    /// All at random.
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout] { rollouts.shuffled(using: &random) }
    /// One: how an optimiser step is cut changes nothing.
    func learnBatches(_ rollouts: [Rollout]) -> [[Rollout]] { [rollouts] }
    /// None.
    var lossScale: Float? { nil }
    /// False: they are taken once.
    var usesLearnerValues: Bool { false }
    /// Those of its response tokens, or of all so far where the settings say so, with the unbiased deviation.
    func moments(of batch: [Rollout], after moments: inout RunningMoments) -> (used: RunningMoments, deviation: Double) {
        let new = Advantages.moments(of: batch.map(\.advantages), lengths: batch.map(\.length))
        guard config.normalisesOverRun else { return (new, new.deviation) }
        moments.merge(new)
        return (moments, moments.deviation)
    }
    /// Nil.
    func shownNorm(of parameters: [Parameter]) -> Double? { nil }

    /// None.
    func textLengths(of rollouts: [Rollout], count: (Rollout) -> Int) -> [Int]? { nil }
    /// None.
    func progress(learnedColumns columns: Int) -> [String: Double] { [:] }
}

/// PPO as this package has it.
struct PlainPPO: PPOArithmetic {
    let config: PPOConfig
}
