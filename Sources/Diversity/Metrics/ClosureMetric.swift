public import Eval

/// A metric that a closure computes from the texts of a set.
///
///     let endings = ClosureMetric("different_endings", range: .share) { texts in
///         Double(Set(texts.map { $0.suffix(1) }).count) / Double(texts.count)
///     }
public struct ClosureMetric: DiversityMetric {
    public let name: String
    public let higherIsMoreDiverse: Bool
    private let range: MetricRange
    private let fewestTexts: Int
    private let body: @Sendable (_ texts: [String]) throws -> Double?

    /// A metric with a name and a closure.
    /// - Parameters:
    ///   - name: the exact name by which the metric is chosen and reported.
    ///   - higherIsMoreDiverse: whether a larger value means more diverse texts.
    ///   - range: the values that the metric can have; intervals are clamped to them.
    ///   - fewestTexts: the smallest set size with a value; `body` is not called for smaller sets.
    ///   - body: the value of a set of texts; nil if it has none.
    public init(
        _ name: String, higherIsMoreDiverse: Bool = true, range: MetricRange = .unbounded, fewestTexts: Int = 2,
        _ body: @escaping @Sendable (_ texts: [String]) throws -> Double?
    ) {
        self.name = name
        self.higherIsMoreDiverse = higherIsMoreDiverse
        self.range = range
        self.fewestTexts = fewestTexts
        self.body = body
    }

    public func range(ofTexts count: Int) -> MetricRange { range }

    public func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        set.count < fewestTexts ? nil : try body(set.map { collection.texts[$0] })
    }
}
