import Formats

/// One row of a table of samples, `tables/<name>.jsonl`: what went in, what came out, and numbers about it.
///
/// In JSON, `numbers` are columns of the row beside the fixed ones, so that a table reads like any other.
public struct SampleRow: Codable, Sendable, Equatable {
    /// The example that the prompt comes from.
    public var id: String
    /// The prompt, as text.
    public var input: String
    /// What the model wrote.
    public var response: String
    /// The reference summary, if there is one. An empty one is none, in tables that are read, too, and is not written.
    public var reference: String?
    /// What a reward function gave the response, if one was asked.
    public var reward: Double?
    /// Further numeric columns by name.
    public var numbers: [String: Double]
    /// The ids of the response, the end of sequence included, where the table keeps them; the column is `token_predictions`.
    public var tokens: [Int32]?

    /// A row from its columns.
    public init(
        id: String, input: String, response: String, reference: String? = nil, reward: Double? = nil,
        numbers: [String: Double] = [:], tokens: [Int32]? = nil
    ) {
        self.id = id
        self.input = input
        self.response = response
        self.reference = reference.flatMap { $0.isEmpty ? nil : $0 }
        self.reward = reward
        self.numbers = numbers
        self.tokens = tokens
    }

    private struct Column: CodingKey, Hashable {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static let id = Column(stringValue: "id")
        static let input = Column(stringValue: "input")
        static let response = Column(stringValue: "response")
        static let reference = Column(stringValue: "reference")
        static let reward = Column(stringValue: "reward")
        static let tokens = Column(stringValue: "token_predictions")
        static let fixed: Set<Column> = [id, input, response, reference, reward, tokens]
    }

    /// Every further column that holds a number becomes one of `numbers`; columns of other types are left out.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: Column.self)
        id = try row.decode(String.self, forKey: .id)
        input = try row.decode(String.self, forKey: .input)
        response = try row.decode(String.self, forKey: .response)
        reference = try row.decodeIfPresent(String.self, forKey: .reference).flatMap { $0.isEmpty ? nil : $0 }
        reward = try row.decodeIfPresent(Double.self, forKey: .reward)
        if let reward, !Float(reward).isFinite { throw RowProblem.rewardOutOfRange(reward) }
        tokens = try? row.decode([Int32].self, forKey: .tokens)  // others' tables may have something else there
        numbers = [:]
        for column in row.allKeys where !Column.fixed.contains(column) {
            if let number = try? row.decode(Double.self, forKey: column) { numbers[column.stringValue] = number }
        }
    }

    /// - Throws: `RowProblem.invalidColumn` for a number that is not finite or has the name of a fixed column.
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: Column.self)
        try row.encode(id, forKey: .id)
        try row.encode(input, forKey: .input)
        try row.encode(response, forKey: .response)
        if let reference, !reference.isEmpty { try row.encode(reference, forKey: .reference) }
        try row.encodeIfPresent(tokens, forKey: .tokens)
        if let reward {
            guard reward.isFinite else { throw RowProblem.invalidColumn("reward") }
            try row.encode(reward, forKey: .reward)
        }
        for (name, number) in numbers {
            let column = Column(stringValue: name)
            guard number.isFinite, !Column.fixed.contains(column) else { throw RowProblem.invalidColumn(name) }
            try row.encode(number, forKey: column)
        }
    }
}
