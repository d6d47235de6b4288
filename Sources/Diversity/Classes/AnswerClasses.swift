/// Classes of answers, made greedily: an answer that no class takes begins a new one.
public enum AnswerClasses {
    /// Which class an answer belongs to, where the first members of several would take it.
    public enum Rule: Sendable, Hashable {
        /// The earliest class, as NoveltyBench does.
        case earliest
        /// The latest class: the code of Farquhar et al. (2024) compares the first member of a new class with every later answer and
        /// takes those of other classes, too.
        case latest
    }

    /// The classes of a set of texts.
    ///
    /// Each answer is compared with the first member of a class, in the order in which classes begin; so `n` answers in `c` classes need
    /// at most `n · c` comparisons, of different texts only, and all those with one first member are asked in one call.
    /// - Returns: for each position of `set` the number of its class, numbered in the order of their first members.
    /// - Throws: when the equivalence does; ``DiversityError/wrongCount(of:got:expected:)`` for another number of answers than asked for.
    public static func classes(
        of set: [Int], by equivalence: any AnswerEquivalence, rule: Rule = .earliest, in collection: TextCollection
    ) throws -> [Int] {
        let memory = collection.derived("classes by \(equivalence.name)") { ClassMemory() }
        let key = ClassMemory.Key(set: set, rule: rule)
        if let known = memory.known[key] { return known }
        let owner = collection.distinctTexts().owner
        var place: [Int: Int] = [:]
        var distinct: [Int] = []
        for text in set where place[owner[text]] == nil {
            place[owner[text]] = distinct.count
            distinct.append(text)
        }
        let found = try classes(ofDistinct: distinct, equivalence, rule, collection)
        let result = set.compactMap { place[owner[$0]].map { found[$0] } }
        memory.known[key] = result
        return result
    }

    private static func classes(
        ofDistinct texts: [Int], _ equivalence: any AnswerEquivalence, _ rule: Rule, _ collection: TextCollection
    ) throws -> [Int] {
        var classes = [Int](repeating: -1, count: texts.count)
        var count = 0
        for member in texts.indices where classes[member] < 0 {
            classes[member] = count
            let candidates = (member + 1..<texts.count).filter { rule == .latest || classes[$0] < 0 }
            let answers = try collection.areEquivalent(candidates.map { AnswerPair(texts[member], texts[$0]) }, by: equivalence)
            for (candidate, isEquivalent) in zip(candidates, answers) where isEquivalent { classes[candidate] = count }
            count += 1
        }
        return classes
    }
}

/// The classes of sets that were asked for: metrics ask for the same ones.
private final class ClassMemory {
    struct Key: Hashable {
        var set: [Int]
        var rule: AnswerClasses.Rule
    }

    var known: [Key: [Int]] = [:]
}

extension TextCollection {
    /// Answers of an equivalence, checked.
    func areEquivalent(_ pairs: [AnswerPair], by equivalence: any AnswerEquivalence) throws -> [Bool] {
        guard !pairs.isEmpty else { return [] }
        let answers = try equivalence.areEquivalent(pairs, in: self)
        guard answers.count == pairs.count else {
            throw DiversityError.wrongCount(of: "answers about pairs", got: answers.count, expected: pairs.count)
        }
        return answers
    }

    /// The texts of a set about which an equivalence can say something.
    func known(_ set: [Int], by equivalence: any AnswerEquivalence) throws -> [Int] {
        try set.filter { try equivalence.knows($0, in: self) }
    }
}
