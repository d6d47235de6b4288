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
    /// at most `n · c` comparisons, of different texts only, and all those with one first member are asked in one call. Equal texts are
    /// equivalent and never asked about; still each answer has a class of its own by the rule: with ``Rule/latest`` a copy that stands
    /// before the first member of a class stays where it is, while the copies behind it are taken.
    /// - Returns: for each position of `set` the number of its class, numbered in the order of their first members.
    /// - Throws: when the equivalence does; ``DiversityError/wrongCount(of:got:expected:)`` for another number of answers than asked for.
    public static func classes(
        of set: [Int], by equivalence: any AnswerEquivalence, rule: Rule = .earliest, in collection: TextCollection
    ) throws -> [Int] {
        let memory = collection.derived("classes by \(equivalence.name)") { ClassMemory() }
        let key = ClassMemory.Key(set: set, rule: rule)
        if let known = memory.known[key] { return known }
        let owner = collection.distinctTexts().owner
        // of copies the first one in the set is asked about
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
