internal import Data

/// One input with the texts of several systems, and the reference among them, to be ranked by people.
public struct RankingTask: Codable, Sendable, Equatable, Identifiable {
    /// Names the task in answers.
    public var id: String
    /// The prompt.
    public var input: String
    /// The texts in the order that they are shown in.
    public var texts: [String]
    /// Whose text each is. Not to be shown.
    public var systems: [String]

    /// The name of the reference among the systems.
    public static let reference = "reference"

    /// A task.
    public init(id: String, input: String, texts: [String], systems: [String]) {
        precondition(texts.count == systems.count, "\(texts.count) texts of \(systems.count) systems")
        self.id = id
        self.input = input
        self.texts = texts
        self.systems = systems
    }

    /// Tasks for the outputs of several systems on the same inputs, with the reference as one more; the order is drawn for each.
    ///
    /// - Parameter systems: the name of each system, and its output for every input.
    /// - Returns: tasks in the order of the inputs, their ids the numbers of the inputs.
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

/// One answer to a ranking task.
public struct RankingAnswer: Codable, Sendable, Equatable {
    /// The task.
    public var task: String
    /// Who answered.
    public var annotator: String
    /// The rank of each text in the order shown, 1 for the best; equal ranks are ties.
    public var ranks: [Int]
    /// Seconds that the task was before the annotator, where they are known.
    public var seconds: Double?

    /// An answer.
    public init(task: String, annotator: String, ranks: [Int], seconds: Double? = nil) {
        self.task = task
        self.annotator = annotator
        self.ranks = ranks
        self.seconds = seconds
    }

    /// An answer of a file.
    /// - Throws: `DecodingError`; `RowProblem` for ranks that are no whole numbers from 1.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        task = try row.decode(String.self, forKey: .task)
        annotator = try row.decode(String.self, forKey: .annotator)
        ranks = try row.wholeNumbers(in: 1 ... .max, forKey: .ranks)
        seconds = try row.decodeIfPresent(Double.self, forKey: .seconds)
    }
}
