/// Selects the inputs on which two systems differ most in some value, such as the reward.
public enum ContrastingExamples {
    /// One input with the output of each system that shows the difference.
    public struct Example: Codable, Sendable, Equatable {
        /// The prompt.
        public var input: String
        /// The first system's output.
        public var first: String
        /// The second system's output.
        public var second: String
        /// The value of the first output minus that of the second.
        public var difference: Double
    }

    /// Selects inputs on which the first system is better than the second, largest differences first.
    ///
    /// - Parameters:
    ///   - inputs: the prompts.
    ///   - first: for each input, the outputs of the first system with their values.
    ///   - second: for each input, the outputs of the second system with their values.
    ///   - strictly: whether every output of the first system must be better than every output of the second: its worst output
    ///     is compared with the other's best. Otherwise only the first outputs of both are compared.
    ///   - count: the maximum number of examples.
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
        // stable order: among equal differences, the earlier input comes first
        let order = examples.indices.sorted {
            (examples[$1].difference, $0) < (examples[$0].difference, $1)
        }
        return order.prefix(count).map { examples[$0] }
    }
}
