/// The sets of texts on which a metric means something.
public struct MetricSets: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The answers to one input.
    public static let perInput = MetricSets(rawValue: 1)
    /// One answer to each input.
    public static let acrossInputs = MetricSets(rawValue: 2)
    /// All answers, and the first one to each input.
    public static let overall = MetricSets(rawValue: 4)
    /// All of them.
    public static let all: MetricSets = [.perInput, .acrossInputs, .overall]
}
