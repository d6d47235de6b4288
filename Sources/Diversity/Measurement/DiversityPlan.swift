import Eval

/// The sets of texts to measure. A plan is made once and used for every metric, so that all metrics see the same draws.
///
/// Texts are numbered consecutively: the outputs of the first input, then those of the second, and so on.
public struct DiversityPlan: Codable, Sendable, Equatable {
    /// For each input, its outputs or its simulated best-of-N outputs.
    public var perInput: [[Int]] = []
    /// With simulated best-of-N: for each input, its outputs and the probability that each is the best of N.
    public var bestOfN: [Distribution] = []
    /// Draws of one output per input; each draw is one set.
    public var acrossInputs: [[Int]] = []
    /// For each jackknife group, a draw with the inputs of that group left out.
    public var leaveOut: [LeaveOut] = []
    /// All outputs, or a random sample of them.
    public var overall: [Int] = []
    /// The first output of every input.
    public var firstOutputs: [Int] = []

    /// The outputs of one input with a probability for each.
    public struct Distribution: Codable, Sendable, Equatable {
        /// Text numbers.
        public var texts: [Int]
        /// The probability of each text; they sum to 1.
        public var probabilities: [Double]
    }

    /// A draw of one output per input with some inputs left out.
    public struct LeaveOut: Codable, Sendable, Equatable {
        /// The draw that this set comes from, as an index into ``DiversityPlan/acrossInputs``.
        public var draw: Int
        /// The remaining texts.
        public var set: [Int]
    }

    /// Options for how sets are drawn.
    public struct Options: Codable, Sendable, Equatable {
        /// Whether the outputs of each input are measured as a set.
        public var perInput = true
        /// Whether sets of one output per input are measured.
        public var acrossInputs = true
        /// Whether all outputs are measured as one set.
        public var overall = true
        /// The number of draws of one output per input that are averaged.
        public var draws = 16
        /// The number of jackknife groups for the interval across inputs.
        public var jackknifeGroups = 20
        /// The maximum size of the overall set; a random sample without replacement is measured if there are more outputs. nil
        /// for no limit.
        public var overallSample: Int?
        /// N of simulated best-of-N, which replaces the outputs of each input; nil measures the outputs themselves.
        public var simulatedBestOfN: Int?
        /// Whether the simulated outputs also make up the overall set and the first outputs, as in the published code.
        public var simulatesEverySet = false
        /// The number of best-of-N outputs that are simulated for each input.
        public var simulatedOutputs = 32

        /// The published settings, except that 16 draws across inputs replace the first outputs only.
        public init() {}
    }

    /// Draws the sets.
    ///
    /// - Parameters:
    ///   - counts: the number of outputs of each input.
    ///   - rewards: the reward of each output of each input; needed for ``Options/simulatedBestOfN`` only.
    ///   - options: which sets to draw, and how.
    ///   - generator: source of the seeds. Each part has its own seed, so switching one part off does not change the others.
    /// - Throws: ``DiversityError`` if there are no outputs, or if the simulation lacks rewards or samples.
    public init(
        counts: [Int], rewards: [[Double]]? = nil, options: Options = Options(),
        using generator: inout some RandomNumberGenerator
    ) throws {
        let starts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let sets = counts.indices.map { Array(starts[$0]..<starts[$0 + 1]) }.filter { !$0.isEmpty }
        guard !sets.isEmpty else { throw DiversityError.noOutputs }
        var simulation = SplitMix64(from: &generator)
        var across = SplitMix64(from: &generator)
        var sample = SplitMix64(from: &generator)

        firstOutputs = sets.map { $0[0] }
        var outputs = sets
        if options.perInput || options.simulatesEverySet {
            if let n = options.simulatedBestOfN {
                outputs = try counts.indices.filter { counts[$0] > 0 }.map { input in
                    guard let own = rewards?[input], own.count == counts[input] else {
                        throw DiversityError.rewardsMissing(input: input)
                    }
                    bestOfN.append(
                        Distribution(
                            texts: Array(starts[input]..<starts[input + 1]),
                            probabilities: try BestOfNSimulation.selectionProbabilities(rewards: own, n: n)))
                    return try BestOfNSimulation.draws(
                        rewards: own, n: n, count: options.simulatedOutputs, using: &simulation
                    ).map { starts[input] + $0 }
                }
                if options.simulatesEverySet { firstOutputs = outputs.map { $0[0] } }
            }
        }
        if options.perInput { perInput = outputs } else { bestOfN = [] }
        if options.acrossInputs {
            acrossInputs = (0..<options.draws).map { _ in sets.map { $0[across.index(below: $0.count)] } }
            let order = across.distinctIndices(sets.count, below: sets.count)
            let groups = min(options.jackknifeGroups, sets.count)
            if sets.count > 2, options.draws > 0 {
                leaveOut = (0..<groups).map { group in
                    let out = Set(stride(from: group, to: order.count, by: groups).map { order[$0] })
                    let draw = group % options.draws
                    return LeaveOut(
                        draw: draw, set: sets.indices.filter { !out.contains($0) }.map { acrossInputs[draw][$0] })
                }
            }
        }
        if options.overall {
            overall = options.simulatesEverySet ? outputs.flatMap { $0 } : Array(0..<starts[counts.count])
            if let limit = options.overallSample, limit < overall.count {
                let all = overall
                overall = sample.distinctIndices(limit, below: all.count).map { all[$0] }
            }
        }
    }
}
