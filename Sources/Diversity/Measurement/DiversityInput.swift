import Data
import Formats
public import Foundation

/// The texts of a diversity measurement: inputs with their outputs.
public struct DiversityInput: Sendable, Equatable {
    /// One output, with its optional reward and log-probability.
    public struct Output: Sendable, Equatable {
        /// The text.
        public var text: String
        /// The reward, such as a reward model's score; nil if there is none.
        public var reward: Double?
        /// The mean log-probability per token under the model that generated the output; nil if unknown.
        public var meanLogProb: Double?

        /// An output with its optional numbers.
        public init(_ text: String, reward: Double? = nil, meanLogProb: Double? = nil) {
            self.text = text
            self.reward = reward
            self.meanLogProb = meanLogProb
        }

        /// The mean log-probability per token, from the total log-probability and the token count that `sample-best-of-n`
        /// stores. nil if either is missing, the total is not finite, or there are fewer than one tokens.
        static func mean(ofLogProb sum: Double?, tokens: Double?) -> Double? {
            guard let sum, let tokens, tokens >= 1, sum.isFinite else { return nil }
            return sum / tokens
        }
    }

    /// An input and its outputs.
    public struct Group: Sendable, Equatable {
        /// The prompt.
        public var input: String
        /// The outputs in the order in which they were read.
        public var outputs: [Output]
        /// The first reference text; nil if there is none. Setting it replaces all references.
        public var reference: String? {
            get { references.first }
            set { references = newValue.map { [$0] } ?? [] }
        }
        /// All reference texts in order; empty strings are removed.
        public var references: [String]

        /// A group with at most one reference.
        public init(input: String, outputs: [Output], reference: String? = nil) {
            self.init(input: input, outputs: outputs, references: reference.map { [$0] } ?? [])
        }

        /// A group with any number of references; empty ones are removed.
        public init(input: String, outputs: [Output], references: [String]) {
            self.input = input
            self.outputs = outputs
            self.references = references.filter { !$0.isEmpty }
        }
    }

    /// The groups, in order of first appearance of their inputs.
    public var groups: [Group]

    /// Creates an input from existing groups.
    public init(_ groups: [Group]) {
        self.groups = groups
    }

    /// Creates an input from a list of outputs per input; inputs are named by their index.
    public init(outputs: [[String]]) {
        groups = outputs.enumerated().map { Group(input: "\($0.offset)", outputs: $0.element.map { Output($0) }) }
    }

    /// Reads a file of outputs: a JSON array of objects, JSON lines, or consecutive JSON objects that may span lines; plain or
    /// gzip.
    ///
    /// Each object has `output` (a string or an array of strings) or `response` (a string). The other fields are optional:
    /// `input`, `reward` (a number, or an array parallel to an array of outputs, with null for an output without one),
    /// `log_prob` and `tokens` (like `reward`), and `reference` (a string or an array of strings; empty strings are ignored).
    /// Objects with the same `input` form one group; an object without `input` is a separate group. `instruction` is also
    /// accepted as the input, as in the files of alpaca_eval; if an object has both, its input is `instruction` and `input`,
    /// joined by an empty line.
    ///
    /// - Throws: ``DiversityError/unreadableInput(path:)`` for a missing file;
    ///   ``DiversityError/malformedInput(place:reason:)``, which names the file and the line or object, for invalid contents;
    ///   `FormatError` for a file that cannot be read.
    public init(contentsOf url: URL) throws {
        do {
            guard try FileStatus.of(url) != nil else { throw DiversityError.unreadableInput(path: url.path) }
            try self.init(name: url.path) { try RecordList.readEach(url, $0) }
        } catch FormatError.malformedFile(let location, let what) {
            throw DiversityError.malformedInput(place: location.description, reason: what)
        }
    }

    /// Parses from memory what ``init(contentsOf:)`` reads from a file; error messages use `name` as the file name.
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

    /// Returns a copy with the selection of a configuration applied: references instead of outputs, and a limit on the outputs
    /// per input (with ``DiversityConfig/selectsAsOriginal``, a limit on the inputs, sorted by their text).
    /// - Throws: ``DiversityError/malformedInput(place:reason:)`` if references are requested and an input has none.
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
                            reason: "has no reference, but references were requested")
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
        // name NaN and infinities; other wrong types get the general message
        case .wrongType(let name, _, let got) where ["NaN", "Infinity"].contains(where: got.contains):
            "\(name) is \(got), which is not a JSON number; remove the field or set a finite number"
        case .wrongType(let name, _, _): "\(name): not of the expected type; expected objects with output, input, reward"
        case .malformed(let what) where what.hasPrefix("not JSON: "): "not valid JSON: \(what.dropFirst("not JSON: ".count))"
        case .malformed(let what) where what.hasPrefix("expected a JSON object"):
            "not of the expected type; expected objects with output, input, reward"
        case .malformed(let what): what
        default: "\(problem)"
        }
    }
}

/// Groups outputs by input, in order of first appearance.
struct Grouping {
    private(set) var groups: [DiversityInput.Group] = []
    private var indices: [[UInt8]: Int] = [:]

    /// Adds outputs to the group of `input`, or to a new group if there is no input. References are collected without
    /// duplicates.
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

/// One object in a file of outputs.
private struct OutputRow {
    var input: String?
    var outputs: [String]
    var rewards: [Double?]
    var logProbs: [Double?]
    var tokens: [Double?]
    var references: [String]

    /// - Throws: `RowProblem` if a field is missing or has the wrong type.
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

    /// One number per output; empty if the field is missing or has another form, since other programs may use the same field
    /// name.
    private static func numbers(_ row: Record, _ name: String, count: Int) -> [Double?] {
        guard let found = try? row.sparseNumbers(name), found.count == count else { return [] }
        return found
    }
}
