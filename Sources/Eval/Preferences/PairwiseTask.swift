internal import Data

/// A comparison for annotators: two texts for an input, in random order, rated on a slider from −4 to 4.
public struct PairwiseTask: Codable, Sendable, Equatable, Identifiable {
    /// The ID of the task, used in answers.
    public var id: String
    /// The prompt.
    public var input: String
    /// The text shown on the left.
    public var left: String
    /// The text shown on the right.
    public var right: String
    /// Whether the left text is the first system's. Must not be shown to annotators.
    public var leftIsFirstSystem: Bool
    /// For an attention check, which is never counted for a system: the slider position that one of its texts asks for. nil for
    /// other tasks. Must not be shown to annotators.
    public var check: Int?

    /// A task.
    public init(id: String, input: String, left: String, right: String, leftIsFirstSystem: Bool, check: Int? = nil) {
        self.id = id
        self.input = input
        self.left = left
        self.right = right
        self.leftIsFirstSystem = leftIsFirstSystem
        self.check = check
    }

    /// Creates tasks for the outputs of two systems on the same inputs. Identical outputs are skipped.
    ///
    /// - Returns: tasks in the order of the inputs; their IDs are the indices of the inputs, and the sides are drawn with
    ///   `generator`.
    public static func tasks(
        inputs: [String], first: [String], second: [String], using generator: inout some RandomNumberGenerator
    ) -> [PairwiseTask] {
        precondition(
            inputs.count == first.count && inputs.count == second.count,
            "\(inputs.count) inputs, \(first.count) and \(second.count) outputs")
        var random = SplitMix64(from: &generator)
        return inputs.indices.compactMap { i in
            let leftIsFirst = random.next() >> 63 == 0
            guard !first[i].utf8.elementsEqual(second[i].utf8) else { return nil }
            return PairwiseTask(
                id: "\(i)", input: inputs[i], left: leftIsFirst ? first[i] : second[i],
                right: leftIsFirst ? second[i] : first[i], leftIsFirstSystem: leftIsFirst)
        }
    }
}

/// An annotator's answer to a task.
public struct PairwiseAnswer: Codable, Sendable, Equatable {
    /// The ID of the task.
    public var task: String
    /// The name of the annotator.
    public var annotator: String
    /// The slider position: −4 (left much better) to 4 (right much better).
    public var slider: Int
    /// The time in seconds for which the task was shown to the annotator; nil if it is unknown.
    public var seconds: Double?

    /// An answer.
    public init(task: String, annotator: String, slider: Int, seconds: Double? = nil) {
        self.task = task
        self.annotator = annotator
        self.slider = slider
        self.seconds = seconds
    }

    /// Decodes an answer from a file.
    /// - Throws: `DecodingError`; `RowProblem` for a position outside −4…4.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        task = try row.decode(String.self, forKey: .task)
        annotator = try row.decode(String.self, forKey: .annotator)
        slider = try row.wholeNumber(in: -4...4, forKey: .slider)
        seconds = try row.decodeIfPresent(Double.self, forKey: .seconds)
    }
}

/// An error in annotators' answers.
public enum PairwiseAnswerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An answer refers to a task that does not exist.
    case unknownTask(String)
    /// A slider position lies outside −4…4.
    case sliderOutOfRange(task: String, slider: Int)
    /// Two tasks have the same ID, so answers do not say which of them is meant.
    case repeatedTask(String)

    /// One line that says which answer is wrong and why.
    public var description: String {
        switch self {
        case .unknownTask(let task): "there is an answer to the unknown task \(task)"
        case .sliderOutOfRange(let task, let slider):
            "the answer to task \(task) is \(slider); expected -4 to 4"
        case .repeatedTask(let task): "there are two tasks with the id \(task); give every task a unique id"
        }
    }
}
