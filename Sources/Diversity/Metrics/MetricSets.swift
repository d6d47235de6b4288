/// The kinds of text sets for which a metric is meaningful.
public struct MetricSets: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// All answers to one input.
    public static let perInput = MetricSets(rawValue: 1)
    /// Sets of one answer per input.
    public static let acrossInputs = MetricSets(rawValue: 2)
    /// All answers as one set, and the first answers of all inputs as one set.
    public static let overall = MetricSets(rawValue: 4)
    /// All kinds of sets.
    public static let all: MetricSets = [.perInput, .acrossInputs, .overall]
}
