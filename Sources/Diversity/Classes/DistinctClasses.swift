public import Eval

/// How many classes the answers to an input make: how many of them say something new, `distinct_k` of NoveltyBench (Zhang et al. 2025).
///
/// NoveltyBench's files store one less in the field `distinct` of each prompt; its summary has this number.
public struct DistinctClassesMetric: DiversityMetric {
    public let name = "distinct_k"
    public var higherIsMoreDiverse: Bool { true }
    /// Of k answers per input alone: k is a number of answers to one input, and one answer to each of many inputs has none of them.
    public var sets: MetricSets { equivalence.isCheap && count == nil ? [.perInput, .acrossInputs] : .perInput }
    public var note: String? { "two answers say the same: \(equivalence.name)" + (count.map { "; of the first \($0) answers" } ?? "") }
    public func range(ofTexts count: Int) -> MetricRange {
        MetricRange(least: 1, greatest: Double(max(1, min(count, self.count ?? count))))
    }
    private let equivalence: any AnswerEquivalence
    private let count: Int?

    /// - Parameter count: k, how many answers are looked at, the first ones; sets of fewer have no value. nil for all answers, two at
    ///   least.
    public init(_ equivalence: any AnswerEquivalence, count: Int? = nil) {
        self.equivalence = equivalence
        self.count = count
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        guard let first = try collection.known(set, by: equivalence).leading(count, atLeast: 2) else { return nil }
        return Double(Set(try AnswerClasses.classes(of: first, by: equivalence, in: collection)).count)
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        collection.texts.count - (try collection.known(Array(collection.texts.indices), by: equivalence).count)
    }
}

/// What the answers to an input are worth to someone who reads them in order and may stop after each, `utility_k` of NoveltyBench: the
/// mean of the rewards with the weights `p^i`, where an answer whose class has been seen is worth 0.
///
/// Quality is the reward itself, or the number from 1 on that it has among the thresholds of ``Scale``.
public struct UtilityMetric: DiversityMetric {
    /// Whole numbers for rewards: 1, and one more for each threshold below the reward.
    public struct Scale: Codable, Sendable, Equatable {
        /// In ascending order.
        public var thresholds: [Double]

        /// A scale from thresholds.
        public init(_ thresholds: [Double]) { self.thresholds = thresholds.sorted() }

        /// The number of a reward.
        public func level(of reward: Double) -> Int { 1 + thresholds.count { $0 < reward } }

        /// NoveltyBench's ten levels of its reward model, Skywork-Reward-Gemma-2-27B-v0.2.
        public static let noveltyBench = Scale([-7.71875, -6.28125, -6, -5.71875, -5.5, -5, -4.375, -3.4375, -2.046875])
    }

    public let name = "utility_k"
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public var looksAtRewards: Bool { true }
    public var note: String? {
        "two answers say the same: \(equivalence.name)" + (count.map { "; of the first \($0) answers" } ?? "")
            + (scale == nil ? "; worth its reward" : "; worth the level of its reward")
    }
    public func range(ofTexts count: Int) -> MetricRange {
        scale.map { MetricRange(least: 0, greatest: Double($0.thresholds.count + 1)) } ?? .unbounded
    }
    private let equivalence: any AnswerEquivalence
    private let count: Int?
    private let patience: Double
    private let scale: Scale?

    /// - Parameters:
    ///   - count: k, how many answers are looked at, the first ones that have rewards; sets of fewer have no value. nil for all, two at
    ///     least.
    ///   - patience: p, how probable it is that someone reads on.
    ///   - scale: turns rewards into whole numbers; nil takes them as they are.
    public init(_ equivalence: any AnswerEquivalence, count: Int? = nil, patience: Double = 0.8, scale: Scale? = nil) {
        self.equivalence = equivalence
        self.count = count
        self.patience = patience
        self.scale = scale
    }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let rewarded = try collection.known(collection.rewarded(set), by: equivalence)
        guard let first = rewarded.leading(count, atLeast: 2) else { return nil }
        let classes = try AnswerClasses.classes(of: first, by: equivalence, in: collection)
        var (sum, weights, weight, seen) = (0.0, 0.0, 1.0, Set<Int>())
        for (text, place) in zip(first, classes) {
            if seen.insert(place).inserted, let reward = collection.facts.reward(of: text) {
                sum += weight * (scale.map { Double($0.level(of: reward)) } ?? reward)
            }
            weights += weight
            weight *= patience
        }
        return sum / weights
    }

    public func excludedTexts(in collection: TextCollection) throws -> Int {
        let rewarded = collection.rewarded(Array(collection.texts.indices))
        return collection.texts.count - (try collection.known(rewarded, by: equivalence).count)
    }
}

extension Array {
    /// The first `count` elements; nil where there are fewer. Without a count all of them, so many at least.
    func leading(_ count: Int?, atLeast least: Int) -> [Element]? {
        guard let count else { return self.count < least ? nil : self }
        return self.count < count ? nil : Array(prefix(count))
    }
}

extension TextCollection {
    /// The texts of a set that have a reward.
    func rewarded(_ set: [Int]) -> [Int] { set.filter { facts.reward(of: $0) != nil } }
}
