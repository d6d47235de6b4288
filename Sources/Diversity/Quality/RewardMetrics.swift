public import Eval

/// The probability that at least one of k answers is good enough, `pass_at_k` (Chen et al. 2021). For n answers of which c have
/// a reward of at least the threshold, the unbiased estimate is `1 − C(n − c, k) / C(n, k)`.
public struct PassAtKMetric: DiversityMetric {
    public let name = "pass_at_k"
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public var looksAtRewards: Bool { true }
    public var note: String? { "k = \(count.map { "\($0)" } ?? "all answers"); an answer passes with a reward of at least \(threshold)" }
    public func range(ofTexts count: Int) -> MetricRange { .share }
    private let threshold: Double
    private let count: Int?

    /// - Parameters:
    ///   - threshold: the minimum reward of an answer that passes.
    ///   - count: k; sets with fewer rewards have no value. nil uses all answers: 1 if any of them passes, 0 otherwise.
    public init(threshold: Double, count: Int? = nil) {
        self.threshold = threshold
        self.count = count
    }

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        let rewards = set.compactMap { collection.facts.reward(of: $0) }
        return Self.estimate(answers: rewards.count, passing: rewards.count { $0 >= threshold }, k: count ?? rewards.count)
    }

    public func excludedTexts(in collection: TextCollection) -> Int {
        collection.texts.count - collection.rewarded(Array(collection.texts.indices)).count
    }

    /// The estimate `1 − C(n − c, k) / C(n, k)`; nil if k is not positive or there are fewer than k answers.
    public static func estimate(answers n: Int, passing c: Int, k: Int) -> Double? {
        guard k > 0, k <= n else { return nil }
        guard n - c >= k else { return 1 }
        // the quotient of the binomials is computed as a product, which avoids large numbers
        return 1 - stride(from: n - c + 1, through: n, by: 1).reduce(1.0) { $0 * (1 - Double(k) / Double($1)) }
    }
}

/// The expected highest reward among k of the n answers, `best_reward_at_k`: exact, from order statistics as in
/// ``BestOfNSimulation``.
public struct BestRewardMetric: DiversityMetric {
    public let name = "best_reward_at_k"
    public var higherIsMoreDiverse: Bool { true }
    public var sets: MetricSets { .perInput }
    public var looksAtRewards: Bool { true }
    public var note: String? { "k = \(count.map { "\($0)" } ?? "all answers")" }
    private let count: Int?

    /// - Parameter count: k; sets with fewer rewards have no value. nil uses all answers: the highest of their rewards.
    public init(count: Int? = nil) { self.count = count }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        let rewards = set.compactMap { collection.facts.reward(of: $0) }
        guard let k = count ?? (rewards.isEmpty ? nil : rewards.count), k <= rewards.count else { return nil }
        return try BestOfNSimulation.expectation(of: rewards, rewards: rewards, n: k)
    }

    public func excludedTexts(in collection: TextCollection) -> Int {
        collection.texts.count - collection.rewarded(Array(collection.texts.indices)).count
    }
}
