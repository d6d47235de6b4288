import Formats

/// One row of a table of samples, `tables/<name>.jsonl`: the prompt, the response, and numbers about it.
///
/// In JSON, `numbers` are columns at the same level as the fixed ones.
public struct SampleRow: Codable, Sendable, Equatable {
    /// The ID of the example that the prompt comes from.
    public var id: String
    /// The prompt as text.
    public var input: String
    /// The model's response.
    public var response: String
    /// The reference summary, if there is one. An empty reference is read as nil and is not written.
    public var reference: String?
    /// The reward of the response, if it was scored.
    public var reward: Double?
    /// Further numeric columns by name.
    public var numbers: [String: Double]
    /// The token IDs of the response, including the end-of-sequence token, if the table stores them. The column is
    /// `token_predictions`.
    public var tokens: [Int32]?

    /// Creates a row from its columns.
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

    /// Decodes a row. Every further column that holds a number is stored in `numbers`; other further columns are
    /// ignored.
    /// - Throws: `DecodingError`, or `RowProblem.rewardOutOfRange`.
    public init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: Column.self)
        id = try row.decode(String.self, forKey: .id)
        input = try row.decode(String.self, forKey: .input)
        response = try row.decode(String.self, forKey: .response)
        reference = try row.decodeIfPresent(String.self, forKey: .reference).flatMap { $0.isEmpty ? nil : $0 }
        reward = try row.decodeIfPresent(Double.self, forKey: .reward)
        if let reward, !Float(reward).isFinite { throw RowProblem.rewardOutOfRange(reward) }
        tokens = try? row.decode([Int32].self, forKey: .tokens)  // tables from other programs may have something else there
        numbers = [:]
        for column in row.allKeys where !Column.fixed.contains(column) {
            if let number = try? row.decode(Double.self, forKey: column) { numbers[column.stringValue] = number }
        }
    }

    /// Encodes a row.
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
