public import Eval

/// The number of equivalence classes among the answers to an input, `distinct_k` of NoveltyBench (Zhang et al. 2025): how many
/// of the answers say something new.
///
/// NoveltyBench's files store this number minus one in the field `distinct` of each prompt; its summary reports this number.
public struct DistinctClassesMetric: DiversityMetric {
    public let name = "distinct_k"
    public var higherIsMoreDiverse: Bool { true }
    /// With k set, only the answers per input: k counts answers to one input, so sets of one answer per input have no value for
    /// it.
    public var sets: MetricSets { equivalence.isCheap && count == nil ? [.perInput, .acrossInputs] : .perInput }
    public var note: String? { "two answers are equivalent by: \(equivalence.name)" + (count.map { "; of the first \($0) answers" } ?? "") }
    public func range(ofTexts count: Int) -> MetricRange {
        MetricRange(least: 1, greatest: Double(max(1, min(count, self.count ?? count))))
    }
    private let equivalence: any AnswerEquivalence
    private let count: Int?

    /// - Parameters:
    ///   - equivalence: decides whether two answers say the same thing.
    ///   - count: k, the number of answers that are measured, taken from the start of a set; smaller sets have no value. nil
    ///     for all answers, with a minimum of two.
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

/// The utility of the answers to an input for a reader who reads them in order and may stop after each, `utility_k` of
/// NoveltyBench (Zhang et al. 2025).
///
/// The value is the mean of the answers' qualities weighted by `p^i`, where i is the position from 0 and an answer whose class
/// has already appeared has quality 0. The quality is the reward itself, or its level on a ``Scale``.
public struct UtilityMetric: DiversityMetric {
    /// Maps rewards to integer levels: 1, plus one for each threshold below the reward.
    public struct Scale: Codable, Sendable, Equatable {
        /// The thresholds in ascending order.
        public var thresholds: [Double]

        /// A scale with thresholds in any order.
        public init(_ thresholds: [Double]) { self.thresholds = thresholds.sorted() }

        /// The level of a reward, from 1 to the number of thresholds plus 1.
        public func level(of reward: Double) -> Int { 1 + thresholds.count { $0 < reward } }

        /// The ten levels that NoveltyBench uses for its reward model, Skywork-Reward-Gemma-2-27B-v0.2.
        public static let noveltyBench = Scale([-7.71875, -6.28125, -6, -5.71875, -5.5, -5, -4.375, -3.4375, -2.046875])
    }

    public let name = "utility_k"
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public var looksAtRewards: Bool { true }
    public var note: String? {
        "two answers are equivalent by: \(equivalence.name)" + (count.map { "; of the first \($0) answers" } ?? "")
            + (scale == nil ? "; an answer's utility is its reward" : "; an answer's utility is the level of its reward")
    }
    public func range(ofTexts count: Int) -> MetricRange {
        scale.map { MetricRange(least: 0, greatest: Double($0.thresholds.count + 1)) } ?? .unbounded
    }
    private let equivalence: any AnswerEquivalence
    private let count: Int?
    private let patience: Double
    private let scale: Scale?

    /// - Parameters:
    ///   - equivalence: decides whether two answers say the same thing.
    ///   - count: k, the number of answers that are measured, taken from the start of those with rewards; smaller sets have no
    ///     value. nil for all, with a minimum of two.
    ///   - patience: p, the probability that a reader continues with the next answer.
    ///   - scale: maps rewards to integer levels; nil uses the rewards themselves.
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
    /// The first `count` elements; nil if there are fewer. Without a count: all elements, or nil if there are fewer than
    /// `least`.
    func leading(_ count: Int?, atLeast least: Int) -> [Element]? {
        guard let count else { return self.count < least ? nil : self }
        return self.count < count ? nil : Array(prefix(count))
    }
}

extension TextCollection {
    /// The texts of a set that have a reward.
    func rewarded(_ set: [Int]) -> [Int] { set.filter { facts.reward(of: $0) != nil } }
}
