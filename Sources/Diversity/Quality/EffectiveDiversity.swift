public import Eval

/// The fraction of pairs of answers that say different things and are both good enough, `effective_semantic_diversity` (Shypula
/// et al. 2025). A pair in which an answer has a reward below the threshold counts as not diverse, so better answers can
/// compensate for fewer distinct ones. Answers without a reward are excluded.
public struct EffectiveDiversityMetric: DiversityMetric {
    public let name = "effective_semantic_diversity"
    public var higherIsMoreDiverse: Bool { true }
    public var isMeanOverPairs: Bool { true }
    public var looksAtRewards: Bool { true }
    public var sets: MetricSets { equivalence.isCheap ? [.perInput, .acrossInputs] : .perInput }
    public var note: String? { "two answers are equivalent by: \(equivalence.name); good enough: reward of at least \(threshold)" }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let equivalence: any AnswerEquivalence
    private let threshold: Double
    private let pairs: PairSample

    /// - Parameters:
    ///   - equivalence: decides whether two answers say the same thing.
    ///   - threshold: the minimum reward of an answer that is good enough.
    ///   - pairs: which pairs of good answers are compared. Default: all. Ignored if the equivalence is cheap, and by
    ///     ``expectedValue(of:probabilities:in:)``; all pairs are compared then.
    public init(_ equivalence: any AnswerEquivalence, threshold: Double, pairs: PairSample = PairSample()) {
        self.equivalence = equivalence
        self.threshold = threshold
        self.pairs = equivalence.isCheap ? PairSample() : pairs
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let known = try collection.known(collection.rewarded(set), by: equivalence)
        guard known.count > 1 else { return nil }
        let good = known.filter(isGood(in: collection))
        guard good.count > 1 else { return 0 }
        var asked: [AnswerPair] = []
        pairs.forEach(in: good, of: collection) { later, earlier in asked.append(AnswerPair(good[earlier], good[later])) }
        let different = try areDifferent(asked, in: collection).count { $0 }
        let share = Double(different) / Double(asked.count)
        return share * Double(good.count * (good.count - 1)) / Double(known.count * (known.count - 1))
    }

    /// The expected value over all pairs; an answer paired with itself says the same thing.
    public func expectedValue(of texts: [Int], probabilities: [Double], in collection: TextCollection) throws -> Double? {
        let rewarded = Set(try collection.known(collection.rewarded(texts), by: equivalence))
        let known = zip(texts, probabilities).filter { rewarded.contains($0.0) }
        let total = known.reduce(0) { $0 + $1.1 }
        guard total > 0 else { return nil }
        let isGood = isGood(in: collection)
        let good = known.filter { isGood($0.0) && $0.1 > 0 }
        var (asked, weights): ([AnswerPair], [Double]) = ([], [])
        for i in good.indices {
            for j in 0..<i {
                asked.append(AnswerPair(good[j].0, good[i].0))
                weights.append(2 * good[i].1 * good[j].1 / (total * total))
            }
        }
        return zip(try areDifferent(asked, in: collection), weights).reduce(0) { $0 + ($1.0 ? $1.1 : 0) }
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        let rewarded = collection.rewarded(Array(collection.texts.indices))
        return collection.texts.count - (try collection.known(rewarded, by: equivalence).count)
    }

    private func isGood(in collection: TextCollection) -> (Int) -> Bool {
        { collection.facts.reward(of: $0).map { $0 >= threshold } ?? false }
    }

    private func areDifferent(_ asked: [AnswerPair], in collection: TextCollection) throws -> [Bool] {
        let owner = collection.distinctTexts().owner
        let open = asked.indices.filter { owner[asked[$0].first] != owner[asked[$0].second] }
        var different = [Bool](repeating: false, count: asked.count)
        for (place, isSame) in zip(open, try collection.areEquivalent(open.map { asked[$0] }, by: equivalence)) {
            different[place] = !isSame
        }
        return different
    }
}
