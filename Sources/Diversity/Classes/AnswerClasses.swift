/// Partitions answers into equivalence classes greedily: an answer that no existing class accepts starts a new class.
public enum AnswerClasses {
    /// The rule that assigns an answer if the first members of several classes accept it.
    public enum Rule: Sendable, Hashable {
        /// The earliest class, as in NoveltyBench.
        case earliest
        /// The latest class, as in the code of Farquhar et al. (2024): the first member of a new class is compared with every
        /// later answer and also takes answers away from earlier classes.
        case latest
    }

    /// Assigns the texts of a set to classes.
    ///
    /// Each answer is compared with the first member of a class, in the order in which the classes start, so `n` answers in `c`
    /// classes need at most `n · c` comparisons. Only different texts are compared, and all comparisons with the same first
    /// member are one call of the equivalence. Equal texts are always equivalent and are never compared, but each copy is
    /// assigned by its position: with ``Rule/latest``, a copy that comes before the first member of a class keeps its class,
    /// and copies after that member join the new class.
    /// - Parameters:
    ///   - set: indices of texts in `collection`.
    ///   - equivalence: decides whether two texts say the same thing.
    ///   - rule: which class wins if several accept an answer.
    ///   - collection: the texts; classes are cached in it.
    /// - Returns: for each position of `set` its class number; classes are numbered in the order of their first members.
    /// - Throws: what the equivalence throws; ``DiversityError/wrongCount(of:got:expected:)`` if it returns a different number
    ///   of results than requested.
    public static func classes(
        of set: [Int], by equivalence: any AnswerEquivalence, rule: Rule = .earliest, in collection: TextCollection
    ) throws -> [Int] {
        let memory = collection.derived("classes by \(equivalence.name)") { ClassMemory() }
        let key = ClassMemory.Key(set: set, rule: rule)
        if let known = memory.known[key] { return known }
        let owner = collection.distinctTexts().owner
        // the first of several copies in the set represents them in comparisons
        var firsts: [Int: Int] = [:]
        for text in set where firsts[owner[text]] == nil { firsts[owner[text]] = text }
        let texts = set.compactMap { firsts[owner[$0]] }
        var classes = [Int](repeating: -1, count: texts.count)
        var count = 0
        for member in texts.indices where classes[member] < 0 {
            classes[member] = count
            let candidates = (member + 1..<texts.count).filter { rule == .latest || classes[$0] < 0 }
            var seen: Set = [texts[member]]
            let asked = candidates.map { texts[$0] }.filter { seen.insert($0).inserted }
            let answers = try collection.areEquivalent(asked.map { AnswerPair(texts[member], $0) }, by: equivalence)
            var equal: Set = [texts[member]]
            for (text, isEquivalent) in zip(asked, answers) where isEquivalent { equal.insert(text) }
            for candidate in candidates where equal.contains(texts[candidate]) { classes[candidate] = count }
            count += 1
        }
        memory.known[key] = classes
        return classes
    }
}

/// Caches the classes of sets, since several metrics ask for the same ones.
private final class ClassMemory {
    struct Key: Hashable {
        var set: [Int]
        var rule: AnswerClasses.Rule
    }

    var known: [Key: [Int]] = [:]
}

extension TextCollection {
    /// Asks an equivalence about pairs and checks the number of results.
    func areEquivalent(_ pairs: [AnswerPair], by equivalence: any AnswerEquivalence) throws -> [Bool] {
        guard !pairs.isEmpty else { return [] }
        let answers = try equivalence.areEquivalent(pairs, in: self)
        guard answers.count == pairs.count else {
            throw DiversityError.wrongCount(of: "answers about pairs", got: answers.count, expected: pairs.count)
        }
        return answers
    }

    /// The texts of a set that an equivalence can judge.
    func known(_ set: [Int], by equivalence: any AnswerEquivalence) throws -> [Int] {
        try set.filter { try equivalence.knows($0, in: self) }
    }
}
