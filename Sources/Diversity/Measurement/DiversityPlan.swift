import Eval

/// Which sets of texts are measured. Made once and used for every metric, so that metrics see the same draws.
///
/// Texts are numbered through: the outputs of the first input, then those of the second, and so on.
public struct DiversityPlan: Codable, Sendable, Equatable {
    /// For each input its outputs, or the simulated best-of-N outputs.
    public var perInput: [[Int]] = []
    /// With simulated best-of-N: for each input its outputs and how probable each is as the best of N.
    public var bestOfN: [Distribution] = []
    /// Draws of one output per input.
    public var acrossInputs: [[Int]] = []
    /// For each jackknife group the draw it belongs to and that draw without the group's inputs.
    public var leaveOut: [LeaveOut] = []
    /// All outputs, or a sample of them.
    public var overall: [Int] = []
    /// The first output of every input.
    public var firstOutputs: [Int] = []

    /// Outputs of one input, each with a probability.
    public struct Distribution: Codable, Sendable, Equatable {
        /// The texts.
        public var texts: [Int]
        /// Their probabilities, which sum to 1.
        public var probabilities: [Double]
    }

    /// A draw of one output per input with some inputs left out.
    public struct LeaveOut: Codable, Sendable, Equatable {
        /// Index into ``DiversityPlan/acrossInputs``.
        public var draw: Int
        /// The texts that remain.
        public var set: [Int]
    }

    /// How sets are drawn.
    public struct Options: Codable, Sendable, Equatable {
        /// Whether the outputs of each input are measured as a set.
        public var perInput = true
        /// Whether sets of one output per input are measured.
        public var acrossInputs = true
        /// Whether all outputs are measured as one set.
        public var overall = true
        /// How many draws of one output per input are averaged.
        public var draws = 16
        /// Jackknife groups for the interval across inputs.
        public var jackknifeGroups = 20
        /// Measures at most so many outputs, drawn without replacement, as the overall set.
        public var overallSample: Int?
        /// Replaces the outputs of each input by simulated best-of-N outputs.
        public var simulatedBestOfN: Int?
        /// Whether the simulated outputs also make the overall set and the first outputs, as in the original.
        public var simulatesEverySet = false
        /// How many best-of-N outputs are simulated for each input.
        public var simulatedOutputs = 32

        /// The published setting, with 16 draws across inputs instead of the first outputs only.
        public init() {}
    }

    /// Draws the sets.
    ///
    /// - Parameters:
    ///   - counts: number of outputs of each input.
    ///   - rewards: the reward of each output, needed for ``Options/simulatedBestOfN`` only.
    ///   - generator: source of the seeds; each part uses its own, so switching one part off does not change another.
    /// - Throws: ``DiversityError`` if there are no outputs, or the simulation lacks rewards or samples.
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
