/// One thing that a generated instruction asks for, and which answers fulfil it.
enum InstructionTask: Equatable, Sendable {
    /// Words in the order of the alphabet.
    case sort([String])
    /// Words from the last to the first.
    case reverse([String])
    /// One of some words, by its place from 0.
    case pick(Int, of: [String])
    /// A word several times.
    case copy(String, times: Int)
    /// A sum.
    case add(Int, Int)
    /// Different things of a kind, of which one may be forbidden: there are many right answers.
    case name(Int, kind: String, except: String?)

    /// The kinds of which there are so many that those of held-out splits are in no other.
    static let manifoldKinds = ["sort", "reverse", "pick"]
    /// The kinds of tasks, by name.
    static let kinds = ["sort", "reverse", "pick", "copy", "add", "name", "exclude"]

    /// A task of a kind.
    static func drawn(_ kind: String, using generator: inout PCG64) -> InstructionTask {
        func words(_ count: Int) -> [String] {
            generator.permutation(Lexicon.words.count).prefix(count).map { Lexicon.words[$0] }
        }
        switch kind {
        case "sort": return .sort(words(3))
        case "reverse": return .reverse(words(3))
        case "pick":
            let words = words(3)
            return .pick(generator.below(words.count), of: words)
        case "copy": return .copy(generator.pick(Lexicon.words), times: 2 + generator.below(3))
        case "add": return .add(1 + generator.below(5), 1 + generator.below(5))
        default:
            let (count, things) = (2 + generator.below(2), generator.pick(Lexicon.things))
            return .name(count, kind: things.kind, except: kind == "exclude" ? generator.pick(things.words) : nil)
        }
    }

    /// A right answer; of several, one that is drawn.
    func answer(using generator: inout PCG64) -> String {
        switch self {
        case .name(let count, let kind, let except):
            let words = (Lexicon.words(of: kind) ?? []).filter { $0 != except }
            return generator.permutation(words.count).prefix(count).map { words[$0] }.joined(separator: ", ")
        case .copy: return expected.joined(separator: " ")
        default: return expected.joined(separator: ", ")
        }
    }

    /// The words of the only right answer; none where there are many.
    private var expected: [String] {
        switch self {
        case .sort(let words): words.sorted()
        case .reverse(let words): words.reversed()
        case .pick(let place, let words): [words[place]]
        case .copy(let word, let times): Array(repeating: word, count: times)
        case .add(let first, let second): [Lexicon.numbers[first + second - 1]]
        case .name: []
        }
    }

    /// How well words fulfil the task: 1 for a right answer, otherwise up to a half for those that stand where they should.
    func score(_ words: [String]) -> Double {
        let (right, wanted): (Int, Int)
        if case .name(let count, let kind, let except) = self {
            let allowed = Set(Lexicon.words(of: kind) ?? []).subtracting([except].compactMap(\.self))
            (right, wanted) = (Set(words).intersection(allowed).count, count)
        } else {
            let expected = expected
            (right, wanted) = (zip(words, expected).count { $0 == $1 }, expected.count)
        }
        if right == wanted, words.count == wanted { return 1 }
        return 0.5 * Double(min(right, wanted)) / Double(max(words.count, wanted))
    }
}

/// The words of generated instructions.
enum Lexicon {
    static let things: [(kind: String, words: [String])] = [
        ("animals", ["bear", "cat", "cow", "dog", "duck", "fox", "goat", "wolf"]),
        ("fruits", ["apple", "cherry", "fig", "grape", "lemon", "peach", "pear", "plum"]),
        ("colours", ["black", "blue", "brown", "green", "pink", "red", "white", "yellow"]),
        ("tools", ["axe", "brush", "drill", "file", "hammer", "knife", "rake", "saw"]),
    ]
    static let words = things.flatMap(\.words)
    static let numbers = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
        "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ]
    static let ordinals = ["first", "second", "third", "fourth"]

    static func words(of kind: String) -> [String]? { things.first { $0.kind == kind }?.words }
    static func number(_ word: String) -> Int? { numbers.firstIndex(of: word).map { $0 + 1 } }
}
