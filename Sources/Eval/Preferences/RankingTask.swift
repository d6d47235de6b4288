internal import Data

/// An input with the outputs of several systems and the reference, to be ranked by annotators.
public struct RankingTask: Codable, Sendable, Equatable, Identifiable {
    /// The ID of the task, used in answers.
    public var id: String
    /// The prompt.
    public var input: String
    /// The texts in the order in which they are shown.
    public var texts: [String]
    /// The system of each text. Must not be shown to annotators.
    public var systems: [String]

    /// The name under which the reference appears among the systems.
    public static let reference = "reference"

    /// A task; `texts` and `systems` have the same length.
    public init(id: String, input: String, texts: [String], systems: [String]) {
        precondition(texts.count == systems.count, "\(texts.count) texts of \(systems.count) systems")
        self.id = id
        self.input = input
        self.texts = texts
        self.systems = systems
    }

    /// Creates tasks for the outputs of several systems on the same inputs, with the reference as an additional text. The order
    /// of the texts is drawn separately for each task.
    ///
    /// - Parameters:
    ///   - inputs: the prompts.
    ///   - references: the reference of each input.
    ///   - systems: the name of each system and its output for every input.
    ///   - generator: source of randomness.
    /// - Returns: tasks in the order of the inputs; their IDs are the indices of the inputs.
    public static func tasks(
        inputs: [String], references: [String], systems: [(name: String, outputs: [String])],
        using generator: inout some RandomNumberGenerator
    ) -> [RankingTask] {
        precondition(
            systems.allSatisfy { $0.outputs.count == inputs.count } && references.count == inputs.count,
            "\(inputs.count) inputs, \(references.count) references, \(systems.map(\.outputs.count)) outputs")
        var random = SplitMix64(from: &generator)
        return inputs.indices.map { i in
            let texts = [(Self.reference, references[i])] + systems.map { ($0.name, $0.outputs[i]) }
            let order = random.distinctIndices(texts.count, below: texts.count)
            return RankingTask(
                id: "\(i)", input: inputs[i], texts: order.map { texts[$0].1 }, systems: order.map { texts[$0].0 })
        }
    }
}

/// An annotator's answer to a ranking task.
public struct RankingAnswer: Codable, Sendable, Equatable {
    /// The ID of the task.
    public var task: String
    /// The name of the annotator.
    public var annotator: String
    /// The rank of each text in the order shown, 1 for the best; equal ranks are ties.
    public var ranks: [Int]
    /// The time in seconds for which the task was shown to the annotator; nil if it is unknown.
    public var seconds: Double?

    /// An answer.
    public init(task: String, annotator: String, ranks: [Int], seconds: Double? = nil) {
        self.task = task
        self.annotator = annotator
        self.ranks = ranks
        self.seconds = seconds
    }

    /// Decodes an answer from a file.
    /// - Throws: `DecodingError`; `RowProblem` for ranks that are not integers of at least 1.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        task = try row.decode(String.self, forKey: .task)
        annotator = try row.decode(String.self, forKey: .annotator)
        ranks = try row.wholeNumbers(in: 1 ... .max, forKey: .ranks)
        seconds = try row.decodeIfPresent(Double.self, forKey: .seconds)
    }
}
