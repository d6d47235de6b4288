internal import Data

/// Pairs that show whether a person reads: one of the texts asks for a certain position of the slider. They look like other tasks.
public enum AttentionChecks {
    /// Puts checks among tasks.
    ///
    /// Each has the prompt and one text of a task drawn at random; the other text asks for a position that is not the middle. So that
    /// neither places nor ids tell them apart, all tasks are named by their places anew.
    ///
    /// - Parameter count: how many checks there are.
    /// - Returns: the tasks in their order, with the checks at places drawn at random; none without tasks.
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

    /// How one annotator answered checks.
    public struct Score: Codable, Sendable, Equatable {
        /// Who answered.
        public var annotator: String
        /// Checks with an answer.
        public var answered: Int
        /// Those with exactly the position that was asked for.
        public var passed: Int
    }

    /// How each annotator answered checks, in the order of their names; the last answer to a check counts.
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
