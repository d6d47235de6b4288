internal import Data

/// Attention checks: tasks in which one of the texts asks for a certain slider position. They look like other tasks and show
/// whether an annotator reads the texts.
public enum AttentionChecks {
    /// Inserts attention checks at random places among tasks.
    ///
    /// Each check has the prompt and one text of a randomly drawn task; the other text asks for a slider position other than
    /// the middle. All tasks get new IDs from their positions, so that neither place nor ID reveals the checks.
    ///
    /// - Parameters:
    ///   - tasks: the tasks.
    ///   - count: the number of checks.
    ///   - generator: source of randomness.
    /// - Returns: the tasks in their order with the checks in between; the tasks unchanged if there are none or `count` is 0.
    public static func mixed(
        into tasks: [PairwiseTask], count: Int, using generator: inout some RandomNumberGenerator
    ) -> [PairwiseTask] {
        guard !tasks.isEmpty, count > 0 else { return tasks }
        var random = SplitMix64(from: &generator)
        let places = Set(random.distinctIndices(count, below: tasks.count + count))
        var rest = tasks[...]
        return (0..<tasks.count + count).compactMap { place in
            guard places.contains(place) else {
                var task = rest.popFirst()
                task?.id = "\(place)"
                return task
            }
            let model = tasks[random.distinctIndices(1, below: tasks.count)[0]]
            let position = [-4, -3, -2, -1, 1, 2, 3, 4][random.distinctIndices(1, below: 8)[0]]
            let isLeft = random.next() >> 63 == 0
            let name = position < 0 ? "\u{2212}\(-position)" : "+\(position)"
            let request =
                "This task checks attention. Do not compare the answers: please choose the position \(name) (key \(position + 5))."
            return PairwiseTask(
                id: "\(place)", input: model.input, left: isLeft ? request : model.left, right: isLeft ? model.right : request,
                leftIsFirstSystem: isLeft, check: position)
        }
    }

    /// How one annotator answered the attention checks.
    public struct Score: Codable, Sendable, Equatable {
        /// The name of the annotator.
        public var annotator: String
        /// The number of checks with an answer.
        public var answered: Int
        /// The number of checks with exactly the requested position.
        public var passed: Int
    }

    /// The scores of all annotators, sorted by name; if a check was answered several times, the last answer counts.
    public static func scores(tasks: [PairwiseTask], answers: [PairwiseAnswer]) -> [Score] {
        var wanted: [String: Int] = [:]
        for task in tasks { if let check = task.check { wanted[task.id] = check } }
        var given: [String: [String: Int]] = [:]
        for answer in answers where wanted[answer.task] != nil { given[answer.annotator, default: [:]][answer.task] = answer.slider }
        return given.sorted { $0.key < $1.key }.map { annotator, positions in
            Score(annotator: annotator, answered: positions.count, passed: positions.count { wanted[$0.key] == $0.value })
        }
    }
}
