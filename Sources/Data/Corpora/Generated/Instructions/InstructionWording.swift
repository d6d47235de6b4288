/// A wording of a kind of task, used to write and to parse instructions: a text whose slots (`{list}` and others) hold
/// the task's parameters.
struct InstructionWording: Sendable {
    private let literals: [String]

    private init(_ text: String) {
        var (literals, rest) = ([String](), Substring(text))
        while let open = rest.firstIndex(of: "{"), let close = rest.firstIndex(of: "}") {
            literals.append(String(rest[..<open]))
            rest = rest[close...].dropFirst()
        }
        self.literals = literals + [String(rest)]
    }

    /// The text with its slots filled.
    private func text(_ values: [String]) -> String {
        zip(literals, values + [""]).map { $0 + $1 }.joined()
    }

    /// The values of the slots in a text; nil if the text does not match this wording.
    private func values(in text: Substring) -> [String]? {
        guard let first = literals.first, text.hasPrefix(first) else { return nil }
        var (rest, values) = (text.dropFirst(first.count), [String]())
        for (place, literal) in literals.dropFirst().enumerated() {
            if place == literals.count - 2 {
                guard rest.hasSuffix(literal) else { return nil }
                values.append(String(rest.dropLast(literal.count)))
            } else {
                guard let found = rest.firstRange(of: literal) else { return nil }
                values.append(String(rest[..<found.lowerBound]))
                rest = rest[found.upperBound...]
            }
        }
        return values
    }

    private static let sort = ["Sort these words by the alphabet: {list}.", "Put these words in alphabetical order: {list}."].map(Self.init)
    private static let reverse = ["Write these words backwards: {list}.", "Write these words from the last to the first: {list}."]
        .map(Self.init)
    private static let pick = ["Write the {place} of these words: {list}.", "Which word is the {place} of these: {list}?"].map(Self.init)
    private static let copy = ["Write the word {word} {times} times.", "Repeat the word {word} {times} times."].map(Self.init)
    private static let add = ["How much is {number} plus {number}?", "Add {number} and {number}."].map(Self.init)
    private static let name = ["Name {count} {kind}.", "Give me {count} {kind}."].map(Self.init)
    private static let exclude = ["Name {count} {kind}, but not {word}.", "Give me {count} {kind}, but not {word}."].map(Self.init)

    /// A task in a random one of its wordings.
    static func text(of task: InstructionTask, using generator: inout PCG64) -> String {
        func say(_ wordings: [InstructionWording], _ values: String...) -> String { generator.pick(wordings).text(values) }
        func list(_ words: [String]) -> String { words.joined(separator: ", ") }
        func number(_ value: Int) -> String { Lexicon.numbers[value - 1] }
        switch task {
        case .sort(let words): return say(sort, list(words))
        case .reverse(let words): return say(reverse, list(words))
        case .pick(let place, let words): return say(pick, Lexicon.ordinals[place], list(words))
        case .copy(let word, let times): return say(copy, word, number(times))
        case .add(let first, let second): return say(add, number(first), number(second))
        case .name(let count, let kind, nil): return say(name, number(count), kind)
        case .name(let count, let kind, let except?): return say(exclude, number(count), kind, except)
        }
    }

    /// Parses the task of an instruction; nil for any other text.
    static func task(in text: Substring) -> InstructionTask? {
        func read<Result>(_ wordings: [InstructionWording], _ make: ([String]) -> Result?) -> Result? {
            for wording in wordings {
                if let result = wording.values(in: text).flatMap(make) { return result }
            }
            return nil
        }
        func list(_ text: String) -> [String]? {
            let words = text.split(separator: ", ").map(String.init)
            return words.count > 1 ? words : nil
        }
        return read(sort) { list($0[0]).map(InstructionTask.sort) }
            ?? read(reverse) { list($0[0]).map(InstructionTask.reverse) }
            ?? read(pick) { values in
                guard let place = Lexicon.ordinals.firstIndex(of: values[0]), let words = list(values[1]), place < words.count else {
                    return nil
                }
                return .pick(place, of: words)
            }
            ?? read(copy) { values in Lexicon.number(values[1]).map { .copy(values[0], times: $0) } }
            ?? read(add) { values in
                guard let first = Lexicon.number(values[0]), let second = Lexicon.number(values[1]),
                    first + second <= Lexicon.numbers.count
                else { return nil }
                return .add(first, second)
            }
            ?? read(exclude) { values in
                guard let count = Lexicon.number(values[0]), Lexicon.words(of: values[1]) != nil else { return nil }
                return .name(count, kind: values[1], except: values[2])
            }
            ?? read(name) { values in
                guard let count = Lexicon.number(values[0]), Lexicon.words(of: values[1]) != nil else { return nil }
                return .name(count, kind: values[1], except: nil)
            }
    }
}
