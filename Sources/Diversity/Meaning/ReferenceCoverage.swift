public import Eval

/// The fraction of an input's references that at least one answer covers, `reference_coverage`.
public struct ReferenceCoverageMetric: DiversityMetric {
    /// The rule for whether an answer covers a reference.
    public enum Match: Sendable {
        /// The ROUGE-L F measure, computed as in `rouge-score`, is at least this value.
        case rougeL(Double)
        /// Answer and reference are equivalent.
        case equivalence(any AnswerEquivalence)
    }

    public let name = "reference_coverage"
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    public var note: String? {
        switch match {
        case .rougeL(let least): "a reference is covered by an answer with a ROUGE-L F of at least \(least)"
        case .equivalence(let equivalence): "a reference is covered by an equivalent answer: \(equivalence.name)"
        }
    }
    private let match: Match

    /// The metric for a rule.
    public init(_ match: Match) { self.match = match }

    /// The value for the answers to one input; nil if the input has no reference.
    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        guard let first = set.first, let input = collection.facts.input(of: first), collection.facts.references.indices.contains(input)
        else {
            return nil
        }
        let count = collection.facts.references[input].count
        guard count > 0 else { return nil }
        // references are not length-controlled: a collection of cut texts keeps the full references
        let covered =
            switch match {
            case .rougeL(let least): byWords(set, input, least, collection)
            case .equivalence(let equivalence): try byMeaning(set, input, equivalence, collection)
            }
        return Double(covered) / Double(count)
    }

    private func byWords(_ set: [Int], _ input: Int, _ least: Double, _ collection: TextCollection) -> Int {
        let words = collection.referenceWords()
        return words.references[input].count { reference in
            words.matcher.load(reference)
            return set.contains { text in
                let answer = words.answers[text]
                // upper bound: two texts share at most as many words as the shorter one has
                let sum = Double(answer.count + reference.count)
                guard sum > 0, 2 * Double(min(answer.count, reference.count)) / sum >= least - 1e-9 else { return false }
                return Self.f(common: words.matcher.length(with: answer), answer.count, reference.count) >= least
            }
        }
    }

    /// The F measure, computed in the same order of operations as in `ROUGE.Standard`.
    private static func f(common: Int, _ answer: Int, _ reference: Int) -> Double {
        let (precision, recall) = (Double(common) / Double(max(answer, 1)), Double(common) / Double(max(reference, 1)))
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }

    private func byMeaning(_ set: [Int], _ input: Int, _ equivalence: any AnswerEquivalence, _ collection: TextCollection) throws -> Int {
        let extended = collection.withReferences()
        var open = Array(extended.places[input])
        let owner = extended.collection.distinctTexts().owner
        let exact = Set(set.map { owner[$0] })
        open.removeAll { exact.contains(owner[$0]) }
        // copies of an answer are compared once, and answers in small batches, since the first few often cover all references
        var seen: Set<Int> = []
        var texts = try extended.collection.known(set, by: equivalence).filter { seen.insert(owner[$0]).inserted }[...]
        while !open.isEmpty, !texts.isEmpty {
            let some = texts.prefix(16)
            texts = texts.dropFirst(16)
            let asked = open.flatMap { reference in some.map { AnswerPair(reference, $0) } }
            let answers = try extended.collection.areEquivalent(asked, by: equivalence)
            let covered = Set(zip(asked, answers).compactMap { $0.1 ? $0.0.first : nil })
            open.removeAll(where: covered.contains)
        }
        return extended.places[input].count - open.count
    }
}

/// The words of answers and references as IDs of a shared table.
private final class ReferenceWords {
    let answers: [[Int32]]
    let references: [[[Int32]]]
    var matcher: LCSMatcher

    init(_ collection: TextCollection) {
        var table = WordTable()
        let scorer = ROUGE.Standard()
        answers = collection.texts.map { scorer.words(of: $0).map { table.id(of: $0) } }
        references = collection.facts.references.map { $0.map { scorer.words(of: $0).map { table.id(of: $0) } } }
        matcher = LCSMatcher(vocabularySize: table.count, maximumLength: references.joined().map(\.count).max() ?? 1)
    }
}

/// A collection of the answers followed by the references, and the positions of each input's references.
private struct ReferencedTexts {
    let collection: TextCollection
    let places: [Range<Int>]
}

extension TextCollection {
    fileprivate func referenceWords() -> ReferenceWords { derived("words of answers and references") { ReferenceWords(self) } }

    fileprivate func withReferences() -> ReferencedTexts {
        derived("answers and references") {
            var (places, next): ([Range<Int>], Int) = ([], texts.count)
            for list in facts.references {
                places.append(next..<next + list.count)
                next += list.count
            }
            return ReferencedTexts(collection: TextCollection(self, adding: Array(facts.references.joined())), places: places)
        }
    }
}
