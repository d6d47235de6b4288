public import Eval

/// Expected reward and length of the best of n samples as a function of n, computed exactly from scored samples by order
/// statistics; nothing is drawn.
public struct BestOfNCurve: Codable, Sendable, Equatable {
    /// The values for one n.
    public struct Point: Codable, Sendable, Equatable {
        /// The number of samples from which the best is chosen.
        public var n: Int
        /// KL divergence from the sampling policy in nats; see ``BestOfNSimulation/divergence(n:)``.
        public var divergence: Double
        /// The expected reward of the best sample: mean over inputs with its bootstrap interval over inputs.
        public var reward: Interval
        /// The expected number of words of the best sample, likewise.
        public var words: Interval
    }

    /// One point for each n up to 16, for powers of two from 32 on, and for the largest n. No n exceeds the smallest number of
    /// samples of an input.
    public var points: [Point]

    /// Computes the curve for inputs whose outputs all have rewards; inputs without outputs are skipped.
    /// - Parameters:
    ///   - input: the inputs with their scored outputs.
    ///   - resamples: the number of bootstrap resamples.
    ///   - generator: source of randomness for the bootstrap.
    /// - Throws: ``DiversityError/noOutputs``; ``DiversityError/rewardsMissing(input:)`` with the index of the input;
    ///   ``DiversityError/rewardNotFinite(index:)``.
    public init(_ input: DiversityInput, resamples: Int = 2000, using generator: inout some RandomNumberGenerator)
        throws
    {
        let groups = input.groups.filter { !$0.outputs.isEmpty }
        let samples = try groups.enumerated().map { place, group in
            let rewards = group.outputs.compactMap(\.reward)
            guard rewards.count == group.outputs.count else { throw DiversityError.rewardsMissing(input: place) }
            return (rewards: rewards, words: group.outputs.map { Double(Lengths.words(in: $0.text)) })
        }
        guard let most = samples.map({ $0.rewards.count }).min() else { throw DiversityError.noOutputs }
        let powers = sequence(first: 32) { $0 * 2 }.prefix { $0 < most }
        let counts = Array(1...min(most, 16)) + powers + (most > 16 ? [most] : [])
        points = try counts.map { n in
            let rewards = try samples.map {
                try BestOfNSimulation.expectation(of: $0.rewards, rewards: $0.rewards, n: n)
            }
            let words = try samples.map { try BestOfNSimulation.expectation(of: $0.words, rewards: $0.rewards, n: n) }
            return Point(
                n: n, divergence: BestOfNSimulation.divergence(n: n),
                reward: Bootstrap.mean(of: rewards, resamples: resamples, using: &generator),
                words: Bootstrap.mean(of: words, resamples: resamples, using: &generator))
        }
    }
}
