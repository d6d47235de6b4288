import Models
import Tensor

/// Which parts of PPO follow the original code's arithmetic where that changes results. ``sane``, the default, follows it
/// nowhere; ``reference`` follows it everywhere; each part can be chosen separately.
public struct PPOCompatibility: Codable, Sendable, Equatable {
    /// How the gradients of the learn batches of one optimiser step are combined.
    public enum Accumulation: String, Codable, Sendable, CaseIterable {
        /// One mean over the tokens of the whole step, so the division into learn batches does not matter. Advantages are
        /// normalised over the step.
        case tokens
        /// The mean of the learn batches' losses. Advantages are normalised within each learn batch.
        case mean
        /// The sum of the learn batches' losses, as in the original code.
        case sum
    }

    /// Whether responses are padded to the longest of their rollout batch, and the padding is processed like response tokens. Its
    /// columns get values, KL and advantages, which the loss ignores.
    public var padsResponses = false
    /// Whether values and returns are recomputed for every learn batch with the current value head. Otherwise they are computed
    /// once, when sampling.
    public var usesLearnerValues = false
    /// Whether the normalisation of advantages includes padding.
    public var normalisesOverPadding = false
    /// Whether losses are divided by the number of columns, including padding. Otherwise they are divided by the number of
    /// response tokens.
    public var dividesByColumns = false
    /// Whether KL statistics and the KL controller include padding, and the controller follows the configured KL estimate.
    public var measuresOverPadding = false
    /// How the learn batches of a step are combined.
    public var accumulation = Accumulation.tokens
    /// Whether the adaptive KL weight follows the mean KL since the last log line, without this step's rollouts, and counts the
    /// rows of one rollout batch. Otherwise it follows this step's mean and counts all of its rows.
    public var adaptsSinceLog = false
    /// Whether log-probabilities use the raw logits, independently of the sampling temperature.
    public var ignoresTemperature = false
    /// Whether the reported gradient norm is √(Σ norms of the tensors) when gradients are not clipped.
    public var reportsRootOfNorms = false
    /// Whether moments over the whole run are merged as in the original code; see `OriginalPPO.merged(_:with:)`.
    public var mergesMomentsAfterwards = false
    /// Whether response lengths are those of the re-tokenised texts, and `env_train_steps` counts columns.
    public var reportsOriginalColumns = false

    /// The default arithmetic of this package.
    public static let sane = PPOCompatibility()
    /// The original code's arithmetic in all parts.
    public static let reference = PPOCompatibility(
        padsResponses: true, usesLearnerValues: true, normalisesOverPadding: true, dividesByColumns: true,
        measuresOverPadding: true, accumulation: .sum, adaptsSinceLog: true, ignoresTemperature: true,
        reportsRootOfNorms: true, mergesMomentsAfterwards: true, reportsOriginalColumns: true)
}

/// PPO with the original code's arithmetic in the parts that ``PPOCompatibility`` selects.
package struct OriginalPPO: PPOArithmetic {
    let config: PPOConfig
    private let plain: PlainPPO
    private var lagging = LaggingKL()
    private var switches: PPOCompatibility { config.compatibility }

    init(_ config: PPOConfig) {
        self.config = config
        plain = PlainPPO(config: config)
    }

    /// The merged moments of two streams, as the original code computes them. It takes the difference of the means after it has
    /// updated the first mean, so the merged squares are too small: it adds (m₂ − m)² n₁ n₂ / n with m the merged mean.
    package static func merged(_ moments: RunningMoments, with other: RunningMoments) -> RunningMoments {
        guard other.count > 0 else { return moments }
        let total = moments.count + other.count
        let mean = moments.mean + (other.mean - moments.mean) * other.count / total
        let difference = other.mean - mean
        return RunningMoments(
            count: total, mean: mean,
            squares: moments.squares + other.squares + difference * difference * moments.count * other.count / total)
    }

    /// The standard deviation of moments over a run, divided by n rather than n − 1.
    package static func deviation(of moments: RunningMoments) -> Double {
        moments.count > 0 ? (moments.squares / moments.count).squareRoot() : 0
    }

    /// The KL that an adaptive weight follows: the mean over the steps since the last log line. The weight is updated before a
    /// step's own rollouts are added, so the first step after a log line leaves it unchanged.
    package struct LaggingKL: Sendable, Equatable {
        private var sum = 0.0
        private var count = 0

        /// The state directly after a log line.
        package init() {}

        /// The state from a snapshot.
        init(numbers: [String: Double]) {
            sum = numbers["lagging_kl.sum"] ?? 0
            count = TrainerSnapshot.count(numbers["lagging_kl.count"] ?? 0)
        }

        /// The state, for a snapshot.
        var numbers: [String: Double] { ["lagging_kl.sum": sum, "lagging_kl.count": Double(count)] }

        /// Adds the mean KL of the responses of one step.
        package mutating func add(_ kl: Double) {
            sum += kl
            count += 1
        }

        /// Updates the weight; without any KL it is unchanged.
        package func update(_ controller: inout KLController, rollouts: Int) {
            if count > 0 { controller.update(meanKL: sum / Double(count), rollouts: rollouts) }
        }
    }

    // MARK: Sampling and scoring

    var temperature: Float { switches.ignoresTemperature ? 1 : plain.temperature }

    // a reward may depend on the width of the batch, so each rollout batch is scored separately
    var scoredTogether: Int { switches.padsResponses ? config.rolloutBatchSize / config.rolloutBatches : plain.scoredTogether }

    func complete(_ rollouts: inout [Rollout], padding: Int32, predict: ([Rollout]) throws -> [TokenScorer.Scores]) throws {
        if switches.padsResponses { pad(&rollouts, with: padding) }
        guard switches.padsResponses || temperature != config.sampling.temperature else { return }
        for (i, scores) in try predict(rollouts).enumerated() {
            (rollouts[i].logProbs, rollouts[i].values) = (scores.logProbs, scores.values)
        }
    }

    /// Pads the responses of each rollout batch to its longest. Trunk states are dropped, because they do not cover padding.
    private func pad(_ rollouts: inout [Rollout], with padding: Int32) {
        let size = rollouts.count / config.rolloutBatches
        for begin in stride(from: 0, to: rollouts.count, by: size) {
            let columns = rollouts[begin..<begin + size].map(\.response.count).max() ?? 0
            for i in begin..<begin + size {
                rollouts[i].response += Array(repeating: padding, count: columns - rollouts[i].response.count)
                (rollouts[i].trunk, rollouts[i].trunkRank) = (nil, nil)
            }
        }
    }

    // MARK: Counts and divisors

    func columns(of rollout: Rollout) -> Int { switches.measuresOverPadding ? rollout.response.count : plain.columns(of: rollout) }

    func divisor(of batch: [Rollout]) -> Int {
        switches.dividesByColumns ? batch.reduce(0) { $0 + $1.response.count } : plain.divisor(of: batch)
    }

    // learn batches that are separate means have equal weight; otherwise the weight is their number of tokens
    func weight(tokens: Int, of total: Int) -> Double {
        switches.accumulation == .tokens ? plain.weight(tokens: tokens, of: total) : Double(tokens) / Double(total)
    }

    // MARK: The KL weight

    func controlledKL(of rollout: Rollout) -> Double {
        switches.measuresOverPadding
            ? rollout.estimatedKL(config.klEstimator, columns: columns(of: rollout)) : plain.controlledKL(of: rollout)
    }

    mutating func adapt(_ controller: inout KLController, to rollouts: [Rollout]) {
        guard switches.adaptsSinceLog else {
            var plain = plain
            return plain.adapt(&controller, to: rollouts)
        }
        lagging.update(&controller, rollouts: rollouts.count / config.rolloutBatches)
        lagging.add(rollouts.reduce(0) { $0 + controlledKL(of: $1) } / Double(rollouts.count))
    }

    mutating func didLog() { lagging = LaggingKL() }
    var numbers: [String: Double] { lagging.numbers }
    mutating func restore(_ numbers: [String: Double]) { lagging = LaggingKL(numbers: numbers) }

    // MARK: Learning

    // with separate learn batches, rollout batches stay together
    func shuffled(_ rollouts: [Rollout], using random: inout Philox) -> [Rollout] {
        guard switches.accumulation != .tokens, config.rolloutBatches > 1 else { return plain.shuffled(rollouts, using: &random) }
        let size = rollouts.count / config.rolloutBatches
        let batches = stride(from: 0, to: rollouts.count, by: size).map { Array(rollouts[$0..<$0 + size]) }
        return batches.shuffled(using: &random).flatMap { $0.shuffled(using: &random) }
    }

    func learnBatches(_ rollouts: [Rollout]) -> [[Rollout]] {
        guard switches.accumulation != .tokens else { return plain.learnBatches(rollouts) }
        let size = rollouts.count / config.learnBatches
        return stride(from: 0, to: rollouts.count, by: size).map { Array(rollouts[$0..<$0 + size]) }
    }

    var lossScale: Float? { switches.accumulation == .mean ? 1 / Float(config.learnBatches) : plain.lossScale }
    var usesLearnerValues: Bool { switches.usesLearnerValues }

    func moments(of batch: [Rollout], after moments: inout RunningMoments) -> (used: RunningMoments, deviation: Double) {
        let new = Advantages.moments(
            of: batch.map(\.advantages), lengths: switches.normalisesOverPadding ? nil : batch.map(\.length))
        guard config.normalisesOverRun else { return (new, new.deviation) }
        moments = switches.mergesMomentsAfterwards ? Self.merged(moments, with: new) : moments.merged(with: new)
        return (moments, switches.mergesMomentsAfterwards ? Self.deviation(of: moments) : moments.deviation)
    }

    func shownNorm(ofSquares squares: [Double]) -> Double? {
        guard switches.reportsRootOfNorms, config.optimizer.clipNorm == nil else { return plain.shownNorm(ofSquares: squares) }
        return squares.reduce(0.0) { $0 + $1.squareRoot() }.squareRoot()
    }

    // MARK: Metrics

    func textLengths(of rollouts: [Rollout], count: (Rollout) -> Int) -> [Int]? {
        switches.reportsOriginalColumns ? rollouts.map(count) : nil
    }

    func progress(learnedColumns columns: Int) -> [String: Double] {
        switches.reportsOriginalColumns ? ["env_train_steps": Double(columns)] : [:]
    }
}
