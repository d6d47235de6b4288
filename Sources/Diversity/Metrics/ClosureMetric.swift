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

    /// - Parameters:
    ///   - range: the values that it can have; intervals are cut to them.
    ///   - fewestTexts: smaller sets have no value, and `body` is not asked.
    ///   - body: the value of a set of texts; nil where it has none.
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
