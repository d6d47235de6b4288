/// Inputs on which two systems differ most in some number, such as the reward.
public enum ContrastingExamples {
    /// One input, the output of each system that shows the difference, and the difference.
    public struct Example: Codable, Sendable, Equatable {
        /// The prompt.
        public var input: String
        /// The first system's output.
        public var first: String
        /// The second system's output.
        public var second: String
        /// The number of the first output minus that of the second.
        public var difference: Double
    }

    /// Picks inputs on which the first system does better than the second, the greatest differences first.
    ///
    /// - Parameters:
    ///   - first: per input the outputs of the first system with their numbers.
    ///   - second: the same of the second system.
    ///   - strictly: whether every output of the first must be better than every output of the second: its worst output is then
    ///     compared with the other's best. Else its first output is compared with the other's first.
    ///   - count: how many at most.
    public static func pick(
        inputs: [String], first: [[(text: String, value: Double)]], second: [[(text: String, value: Double)]],
        strictly: Bool = false, count: Int
    ) -> [Example] {
        precondition(
            inputs.count == first.count && inputs.count == second.count,
            "\(inputs.count) inputs, outputs for \(first.count) and \(second.count)")
        let examples = inputs.indices.compactMap { i -> Example? in
            let own = strictly ? first[i].min { $0.value < $1.value } : first[i].first
            let other = strictly ? second[i].max { $0.value < $1.value } : second[i].first
            guard let own, let other, own.value > other.value else { return nil }
            return Example(
                input: inputs[i], first: own.text, second: other.text, difference: own.value - other.value)
        }
        // a stable order: of equal differences the first inputs
        let order = examples.indices.sorted {
            (examples[$1].difference, $0) < (examples[$0].difference, $1)
        }
        return order.prefix(count).map { examples[$0] }
    }
}
