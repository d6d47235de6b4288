public import Eval

/// What the best of n samples would be for every n, from samples that have rewards: exact by order statistics, nothing is drawn.
public struct BestOfNCurve: Codable, Sendable, Equatable {
    /// The best of n.
    public struct Point: Codable, Sendable, Equatable {
        /// How many samples the best is chosen from.
        public var n: Int
        /// Divergence from the sampling policy in nats, see ``BestOfNSimulation/divergence(n:)``.
        public var divergence: Double
        /// Mean over inputs of the expected reward, with its bootstrap interval over inputs.
        public var reward: Interval
        /// The same for the number of words.
        public var words: Interval
    }

    /// One point for each n up to 16, and for powers of two beyond, as far as every input has so many samples; and for that number.
    public var points: [Point]

    /// The curve of inputs whose outputs all have rewards.
    /// - Throws: ``DiversityError/noOutputs``, ``DiversityError/rewardsMissing(input:)`` with the place of the input,
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
