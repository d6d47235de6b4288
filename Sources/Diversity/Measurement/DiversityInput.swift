import Data
import Formats
public import Foundation

/// What is measured: inputs with their outputs.
public struct DiversityInput: Sendable, Equatable {
    /// An output, with its reward where there is one.
    public struct Output: Sendable, Equatable {
        /// The text.
        public var text: String
        /// What a reward model gave it.
        public var reward: Double?
        /// The mean log-probability of its tokens under the model that wrote it.
        public var meanLogProb: Double?

        /// An output.
        public init(_ text: String, reward: Double? = nil, meanLogProb: Double? = nil) {
            self.text = text
            self.reward = reward
            self.meanLogProb = meanLogProb
        }

        /// The mean log-probability of a token, from that of the whole output as `sample-best-of-n` stores it.
        static func mean(ofLogProb sum: Double?, tokens: Double?) -> Double? {
            guard let sum, let tokens, tokens >= 1, sum.isFinite else { return nil }
            return sum / tokens
        }
    }

    /// An input and what was written for it.
    public struct Group: Sendable, Equatable {
        /// The prompt.
        public var input: String
        /// The outputs in the order they were read.
        public var outputs: [Output]
        /// The human-written text, where there is one; the first, where there are several.
        public var reference: String? {
            get { references.first }
            set { references = newValue.map { [$0] } ?? [] }
        }
        /// All human-written texts, each once. An empty one is none.
        public var references: [String]

        /// A group.
        public init(input: String, outputs: [Output], reference: String? = nil) {
            self.init(input: input, outputs: outputs, references: reference.map { [$0] } ?? [])
        }

        /// A group with any number of references.
        public init(input: String, outputs: [Output], references: [String]) {
            self.input = input
            self.outputs = outputs
            self.references = references.filter { !$0.isEmpty }
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

    /// Reads a file of outputs: a JSON list of objects, JSON lines, or objects over any number of lines; plain or gzip.
    ///
    /// Each object has `output` (a string or a list of strings) or `response` (a string), and may have `input`, `reward`
    /// (a number, or a list of them beside a list of outputs, null for an output without one), `log_prob` and `tokens` (like `reward`)
    /// and `reference` (a string or a list of strings; an empty one is none). Objects with the same `input` are one
    /// group; an object without `input` is a group of its own. As in the files of alpaca_eval, `instruction` is an input,
    /// too; where an object has both, its input is the two with an empty line between them.
    ///
    /// - Throws: ``DiversityError/unreadableInput(path:)`` for a missing file; ``DiversityError/malformedInput(place:reason:)`` that
    ///   names file and line or object; `FormatError` for a file that cannot be read.
    public init(contentsOf url: URL) throws {
        do {
            guard try FileStatus.of(url) != nil else { throw DiversityError.unreadableInput(path: url.path) }
            try self.init(name: url.path) { try RecordList.readEach(url, $0) }
        } catch FormatError.malformedFile(let location, let what) {
            throw DiversityError.malformedInput(place: location.description, reason: what)
        }
    }

    /// Reads what ``init(contentsOf:)`` reads from memory; `name` stands for the file in errors.
    /// - Throws: ``DiversityError/malformedInput(place:reason:)``.
    public init(json data: Foundation.Data, name: String) throws {
        do {
            try self.init(name: name) { try RecordList.readEach([UInt8](data), name: name, $0) }
        } catch FormatError.malformedFile(let location, let what) {
            throw DiversityError.malformedInput(place: location.description, reason: what)
        }
    }

    private init(name: String, _ rows: (_ row: (Result<Record, RowProblem>, String) throws -> Void) throws -> Void) throws {
        var grouping = Grouping()
        try rows { entry, place in
            do {
                try grouping.add(OutputRow(entry.get()))
            } catch let problem as RowProblem {
                throw DiversityError.malformedInput(place: place, reason: Self.reason(problem))
            }
        }
        guard !grouping.groups.isEmpty else {
            throw DiversityError.malformedInput(place: name, reason: "there are no outputs in the file")
        }
        groups = grouping.groups
    }

    /// The same with the choices of a configuration applied: references instead of outputs, a limit of outputs (of inputs, the first by
    /// their text, as in the original).
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

    private static func reason(_ problem: RowProblem) -> String {
        switch problem {
        case .missingField(let name): "\(name) is missing"
        // NaN and infinities are named; other values are seen
        case .wrongType(let name, _, let got) where ["NaN", "Infinity"].contains(where: got.contains):
            "\(name) is \(got), which is no number of JSON; leave the field out, or give the output a score"
        case .wrongType(let name, _, _): "\(name): not of the expected type; expected objects with output, input, reward"
        case .malformed(let what) where what.hasPrefix("not JSON: "): "not valid JSON: \(what.dropFirst("not JSON: ".count))"
        case .malformed(let what) where what.hasPrefix("expected a JSON object"):
            "not of the expected type; expected objects with output, input, reward"
        case .malformed(let what): what
        default: "\(problem)"
        }
    }
}

/// Collects outputs by input, in order of first appearance.
struct Grouping {
    private(set) var groups: [DiversityInput.Group] = []
    private var indices: [[UInt8]: Int] = [:]

    /// Adds outputs to the group of `input`, or to a new group if there is no input. References are gathered, each
    /// different one once.
    mutating func add(_ outputs: [DiversityInput.Output], input: String?, references: [String]) {
        if let input, let index = indices[Array(input.utf8)] {
            groups[index].outputs += outputs
            groups[index].add(references)
            return
        }
        if let input { indices[Array(input.utf8)] = groups.count }
        groups.append(.init(input: input ?? "\(groups.count)", outputs: outputs))
        groups[groups.count - 1].add(references)
    }
}

extension DiversityInput.Group {
    fileprivate mutating func add(_ more: [String]) {
        for text in more where !text.isEmpty && !references.contains(where: { $0.utf8.elementsEqual(text.utf8) }) {
            references.append(text)
        }
    }
}

extension Grouping {
    fileprivate mutating func add(_ row: OutputRow) {
        func number(_ list: [Double?], _ place: Int) -> Double? { list.isEmpty ? nil : list[place] }
        let outputs = row.outputs.enumerated().map { place, text in
            DiversityInput.Output(
                text, reward: number(row.rewards, place),
                meanLogProb: DiversityInput.Output.mean(ofLogProb: number(row.logProbs, place), tokens: number(row.tokens, place)))
        }
        add(outputs, input: row.input, references: row.references)
    }
}

/// One object of a file of outputs.
private struct OutputRow {
    var input: String?
    var outputs: [String]
    var rewards: [Double?]
    var logProbs: [Double?]
    var tokens: [Double?]
    var references: [String]

    /// - Throws: `RowProblem`.
    init(_ row: Record) throws(RowProblem) {
        let parts = [try row.optionalText("instruction"), try row.optionalText("input")].compactMap { $0 }
        let texts = parts.filter { !$0.isEmpty }
        input = texts.isEmpty ? parts.first : texts.joined(separator: "\n\n")
        references = try row.has("reference") ? try row.texts("reference") : []
        outputs = try row.texts(row.names("output") || !row.names("response") ? "output" : "response")
        rewards = try row.sparseNumbers("reward")
        if let reward = rewards.lazy.compactMap({ $0 }).first(where: { !Float($0).isFinite }) { throw .rewardOutOfRange(reward) }
        guard rewards.isEmpty || rewards.count == outputs.count else {
            throw .malformed("\(rewards.count) rewards for \(outputs.count) outputs")
        }
        logProbs = Self.numbers(row, "log_prob", count: outputs.count)
        tokens = Self.numbers(row, "tokens", count: outputs.count)
    }

    /// A number for each output; none where other programs' files have something else under the name.
    private static func numbers(_ row: Record, _ name: String, count: Int) -> [Double?] {
        guard let found = try? row.sparseNumbers(name), found.count == count else { return [] }
        return found
    }
}
