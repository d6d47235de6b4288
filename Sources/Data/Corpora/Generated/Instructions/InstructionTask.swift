/// One task of a generated instruction, and the check of its answers.
enum InstructionTask: Equatable, Sendable {
    /// Sort words alphabetically.
    case sort([String])
    /// Reverse a list of words.
    case reverse([String])
    /// Pick one word of a list by its index, from 0.
    case pick(Int, of: [String])
    /// Repeat a word several times.
    case copy(String, times: Int)
    /// Add two numbers.
    case add(Int, Int)
    /// Name different things of a kind, of which one may be excluded. Many answers are correct.
    case name(Int, kind: String, except: String?)

    /// The kinds with enough distinct instructions that those of held-out splits occur in no other split.
    static let manifoldKinds = ["sort", "reverse", "pick"]
    /// The names of all kinds of tasks.
    static let kinds = ["sort", "reverse", "pick", "copy", "add", "name", "exclude"]

    /// Draws a random task of a kind.
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

    /// A correct answer; if there are several, a random one.
    func answer(using generator: inout PCG64) -> String {
        switch self {
        case .name(let count, let kind, let except):
            let words = (Lexicon.words(of: kind) ?? []).filter { $0 != except }
            return generator.permutation(words.count).prefix(count).map { words[$0] }.joined(separator: ", ")
        case .copy: return expected.joined(separator: " ")
        default: return expected.joined(separator: ", ")
        }
    }

    /// The words of the only correct answer; empty if there are many correct answers.
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

    /// The score of an answer's words: 1 if the answer is correct, otherwise at most 0.5, in proportion to the number
    /// of words that are correct.
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

/// The vocabulary of generated instructions.
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

    /// The words of a kind of things; nil for an unknown kind.
    static func words(of kind: String) -> [String]? { things.first { $0.kind == kind }?.words }
    /// The value of a number word; nil for any other word.
    static func number(_ word: String) -> Int? { numbers.firstIndex(of: word).map { $0 + 1 } }
}
