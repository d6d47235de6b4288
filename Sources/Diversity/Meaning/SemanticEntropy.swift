public import Eval
import Foundation

/// The entropy in nats of the meanings of the answers to an input, `semantic_entropy` (Kuhn et al. 2023; Farquhar et al. 2024).
/// Answers that entail each other have the same meaning.
///
/// The probability of a meaning is the fraction of the answers that have it (*discrete* semantic entropy in Farquhar et al.).
/// For `semantic_entropy_by_likelihood`, it is the sum of the likelihoods of these answers, where the likelihood of an answer
/// is the exponential of its mean log-probability per token, normalised so that all answers sum to 1. Classes follow
/// ``AnswerClasses/Rule/latest``.
public struct SemanticEntropyMetric: DiversityMetric {
    public var name: String { usesLikelihoods ? "semantic_entropy_by_likelihood" : "semantic_entropy" }
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public var note: String? {
        "same meaning by: \(equivalence.name)" + (usesLikelihoods ? "" : "; without likelihoods, from the number of answers")
    }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 0, greatest: log(Double(max(1, count)))) }
    private let equivalence: any AnswerEquivalence
    private let usesLikelihoods: Bool

    /// The metric for an equivalence; the papers use entailment.
    /// - Parameters:
    ///   - equivalence: decides whether two answers have the same meaning.
    ///   - usesLikelihoods: whether answers are weighted by their likelihoods; answers without a log-probability are then
    ///     excluded.
    public init(_ equivalence: any AnswerEquivalence, usesLikelihoods: Bool = false) {
        self.equivalence = equivalence
        self.usesLikelihoods = usesLikelihoods
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let known = try texts(set, in: collection)
        guard known.count > 1 else { return nil }
        let classes = try AnswerClasses.classes(of: known, by: equivalence, rule: .latest, in: collection)
        var weights = [Double](repeating: 1, count: known.count)
        if usesLikelihoods {
            let logProbs = known.compactMap { collection.facts.meanLogProb(of: $0) }
            let greatest = logProbs.max() ?? 0
            weights = logProbs.map { exp($0 - greatest) }
        }
        return Self.entropy(weights: weights, classes: classes)
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        collection.texts.count - (try texts(Array(collection.texts.indices), in: collection).count)
    }

    private func texts(_ set: [Int], in collection: TextCollection) throws -> [Int] {
        let known = try collection.known(set, by: equivalence)
        return usesLikelihoods ? known.filter { collection.facts.meanLogProb(of: $0) != nil } : known
    }

    /// The entropy in nats of a classification in which the probability of a class is proportional to the sum of its members'
    /// weights.
    public static func entropy(weights: [Double], classes: [Int]) -> Double {
        precondition(weights.count == classes.count, "\(weights.count) weights for \(classes.count) answers")
        var sums = [Double](repeating: 0, count: (classes.max() ?? -1) + 1)
        for (weight, place) in zip(weights, classes) { sums[place] += weight }
        let total = sums.reduce(0, +)
        return max(0, -sums.reduce(0) { $1 > 0 ? $0 + $1 / total * log($1 / total) : $0 })
    }
}
