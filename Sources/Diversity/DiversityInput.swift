public import Foundation

/// What is measured: inputs with their outputs.
public struct DiversityInput: Sendable, Equatable {
    /// An output, with its reward where there is one.
    public struct Output: Sendable, Equatable {
        /// The text.
        public var text: String
        /// What a reward model gave it.
        public var reward: Double?

        /// An output.
        public init(_ text: String, reward: Double? = nil) {
            self.text = text
            self.reward = reward
        }
    }

    /// An input and what was written for it.
    public struct Group: Sendable, Equatable {
        /// The prompt.
        public var input: String
        /// The outputs in the order they were read.
        public var outputs: [Output]
        /// The human-written text, where there is one.
        public var reference: String?

        /// A group.
        public init(input: String, outputs: [Output], reference: String? = nil) {
            self.input = input
            self.outputs = outputs
            self.reference = reference
        }
    }

    /// The inputs in order of first appearance.
    public var groups: [Group]

    /// From groups that exist already.
    public init(_ groups: [Group]) {
        self.groups = groups
    }

    /// From a list of outputs for each input; inputs are named by their number.
    public init(outputs: [[String]]) {
        groups = outputs.enumerated().map { Group(input: "\($0.offset)", outputs: $0.element.map { Output($0) }) }
    }

    /// Reads a file of outputs: a JSON list of objects, or JSON lines.
    ///
    /// Each object has `output` (a string or a list of strings) or `response` (a string), and may have `input`, `reward`
    /// (a number, or a list of them beside a list of outputs) and `reference`. Objects with the same `input` are one
    /// group; an object without `input` is a group of its own.
    ///
    /// - Throws: ``DiversityError/unreadableInput(path:)``; ``DiversityError/malformedInput(place:reason:)`` that names file and line or
    ///   object.
    public init(contentsOf url: URL) throws {
        let data: Foundation.Data
        do {
            data = try Foundation.Data(contentsOf: url)
        } catch {
            throw DiversityError.unreadableInput(path: url.path)
        }
        try self.init(json: data, name: url.path)
    }

    /// Reads what ``init(contentsOf:)`` reads from memory; `name` stands for the file in errors.
    /// - Throws: ``DiversityError/malformedInput(place:reason:)``.
    public init(json data: Foundation.Data, name: String) throws {
        let isList = data.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 } == UInt8(ascii: "[")
        let decoder = JSONDecoder()
        var rows: [(row: OutputRow, place: String)] = []
        if isList {
            do {
                rows = try decoder.decode([OutputRow].self, from: data).enumerated().map {
                    ($0.element, "\(name): object \($0.offset + 1)")
                }
            } catch {
                throw DiversityError.malformedInput(place: name, reason: Self.reason(error))
            }
        } else {
            for (i, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
                if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
                let place = "\(name):\(i + 1)"
                do {
                    rows.append((try decoder.decode(OutputRow.self, from: line), place))
                } catch {
                    throw DiversityError.malformedInput(place: place, reason: Self.reason(error))
                }
            }
        }
        var grouping = Grouping()
        for (row, place) in rows {
            guard row.rewards.isEmpty || row.rewards.count == row.outputs.count else {
                throw DiversityError.malformedInput(
                    place: place, reason: "\(row.rewards.count) rewards for \(row.outputs.count) outputs")
            }
            let outputs = row.outputs.enumerated().map {
                Output($0.element, reward: row.rewards.isEmpty ? nil : row.rewards[$0.offset])
            }
            grouping.add(outputs, input: row.input, reference: row.reference)
        }
        guard !grouping.groups.isEmpty else {
            throw DiversityError.malformedInput(place: name, reason: "there are no outputs in the file")
        }
        groups = grouping.groups
    }

    /// The same with the choices of a configuration applied: references instead of outputs, a limit of outputs (of inputs, the first by their
    /// text, as in the original).
    /// - Throws: ``DiversityError/malformedInput(place:reason:)`` for an input without the reference that is asked for.
    public func selecting(_ config: DiversityConfig) throws -> DiversityInput {
        var groups = groups
        if config.selectsAsOriginal {
            groups.sort { $0.input.utf8.lexicographicallyPrecedes($1.input.utf8) }
            if let limit = config.limitOutputs { groups = Array(groups.prefix(limit)) }
        }
        return DiversityInput(
            try groups.map { group in
                var group = group
                if config.useReferences {
                    guard let reference = group.reference else {
                        throw DiversityError.malformedInput(
                            place: "input \(group.input.prefix(40).debugDescription)",
                            reason: "has no reference, and references were asked for")
                    }
                    group.outputs = [Output(reference)]
                }
                if let limit = config.limitOutputs, !config.selectsAsOriginal { group.outputs = Array(group.outputs.prefix(limit)) }
                return group
            })
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty ? "not valid JSON" : context.debugDescription
        case DecodingError.keyNotFound(let key, let context):
            place(context.codingPath) + "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            place(context.codingPath) + "not of the expected type; expected objects with output, input, reward"
        default: "\(error)"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        let names = path.map { key in key.intValue.map { "object \($0 + 1)" } ?? key.stringValue }
        return names.isEmpty ? "" : names.joined(separator: ", ") + ": "
    }
}

/// Collects outputs by input, in order of first appearance.
struct Grouping {
    private(set) var groups: [DiversityInput.Group] = []
    private var indices: [[UInt8]: Int] = [:]

    /// Adds outputs to the group of `input`, or to a new group if there is no input. The first reference stays.
    mutating func add(_ outputs: [DiversityInput.Output], input: String?, reference: String?) {
        if let input, let index = indices[Array(input.utf8)] {
            groups[index].outputs += outputs
            if groups[index].reference == nil { groups[index].reference = reference }
            return
        }
        if let input { indices[Array(input.utf8)] = groups.count }
        groups.append(.init(input: input ?? "\(groups.count)", outputs: outputs, reference: reference))
    }
}

/// One object of a file of outputs.
private struct OutputRow: Decodable {
    var input: String?
    var outputs: [String]
    var rewards: [Double]
    var reference: String?

    private enum CodingKeys: String, CodingKey {
        case input, output, response, reward, reference
    }

    init(from decoder: any Decoder) throws {
        let row = try decoder.container(keyedBy: CodingKeys.self)
        input = try row.decodeIfPresent(String.self, forKey: .input)
        reference = try row.decodeIfPresent(String.self, forKey: .reference)
        let key = row.contains(.output) || !row.contains(.response) ? CodingKeys.output : .response
        if let one = try? row.decode(String.self, forKey: key) {
            outputs = [one]
        } else {
            outputs = try row.decode([String].self, forKey: key)
        }
        let hasReward = row.contains(.reward)
        if try !hasReward || row.decodeNil(forKey: .reward) {
            rewards = []
        } else if let one = try? row.decode(Double.self, forKey: .reward) {
            rewards = [one]
        } else {
            rewards = try row.decode([Double].self, forKey: .reward)
        }
    }
}
