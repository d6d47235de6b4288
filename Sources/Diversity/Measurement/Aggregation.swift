public import Eval

/// The values of one metric over all sets of a ``DiversityPlan``.
public struct DiversityAggregate: Codable, Sendable, Equatable {
    /// Mean over inputs of the metric on the outputs of each input.
    public var perInput: PerInput?
    /// The number of inputs if none of them has a value, so that ``perInput`` is nil; nil otherwise.
    public var withoutPerInput: Int?
    /// With simulated best-of-N: the mean per input from the exact expectation over the simulated draws instead of the draws
    /// themselves; nil for metrics that are not a mean over pairs of texts.
    public var perInputExact: PerInput?
    /// Metric on sets of one output per input, averaged over draws.
    public var acrossInputs: AcrossInputs?
    /// Metric on all outputs as one set.
    public var overall: Double?
    /// Metric on the first output of every input as one set.
    public var overallSingleOutput: Double?

    /// An aggregate without values.
    public init() {}

    /// A mean over inputs.
    public struct PerInput: Codable, Sendable, Equatable {
        /// Mean with its bootstrap interval over inputs.
        public var mean: Interval
        /// Population standard deviation over inputs.
        public var standardDeviation: Double
        /// The value of each input; nil for an input without a value, such as one with fewer than two outputs.
        public var values: [Double?]
        /// The number of inputs that have no value and are excluded from the mean.
        public var excluded: Int
    }

    /// A mean over draws of one output per input.
    public struct AcrossInputs: Codable, Sendable, Equatable {
        /// Mean over the draws: an unbiased estimate of the expected value for one randomly drawn output per input.
        public var mean: Double
        /// The mean with its 95 % interval, clamped to the metric's range: a delete-a-group jackknife over inputs, or the
        /// interval from the spread between draws if that is wider. nil for fewer than three inputs.
        public var interval: Interval?
        /// Population standard deviation between draws: the variation due to the choice of outputs alone.
        public var standardDeviation: Double
        /// Number of draws.
        public var draws: Int
        /// The value of each draw, paired with another system's draws when a difference is computed. nil in reports from
        /// earlier versions.
        public var drawValues: [Double]?
        /// Change of the value when each jackknife group is left out, paired with another system's changes when a difference is
        /// computed.
        public var leaveOutChanges: [Double]
        /// The values that the metric can take for this many inputs.
        public var range: MetricRange?
    }
}

/// Evaluates metrics on the sets of a ``DiversityPlan``.
public enum Aggregation {
    /// Evaluates one metric on all sets of `plan`.
    ///
    /// - Parameters:
    ///   - metric: the metric to evaluate.
    ///   - plan: the sets, as indices of texts in `collection`.
    ///   - collection: the texts and the data derived from them.
    ///   - resamples: the number of bootstrap resamples for the intervals over inputs.
    ///   - generator: source of randomness for the bootstrap.
    /// - Throws: ``DiversityError/metricFailed(name:reason:)`` if the metric throws or returns NaN or Inf; a
    ///   ``TextEncoderFailure`` is rethrown unchanged.
    public static func measure(
        _ metric: any DiversityMetric, over plan: DiversityPlan, in collection: TextCollection, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) throws -> DiversityAggregate {
        func checked(_ count: Int, _ body: () throws -> Double?) throws -> Double? {
            let value: Double?
            do {
                value = try body()
            } catch let failure as any TextEncoderFailure {
                // rethrown unchanged, so that callers can tell a failing service from a fault of the texts
                throw failure
            } catch {
                throw DiversityError.metricFailed(name: metric.name, reason: "\(error)")
            }
            if let value, !value.isFinite {
                throw DiversityError.metricFailed(name: metric.name, reason: "the value of a set of \(count) texts is \(value)")
            }
            return value
        }
        func value(_ set: [Int]) throws -> Double? {
            try checked(set.count) { try metric.value(of: set, in: collection) }
        }
        var result = DiversityAggregate()
        let sets = metric.sets
        if sets.contains(.perInput) {
            result.perInput = summary(try plan.perInput.map(value), resamples: resamples, using: &generator)
            if result.perInput == nil, !plan.perInput.isEmpty { result.withoutPerInput = plan.perInput.count }
            let exact = try plan.bestOfN.map { best in
                try checked(best.texts.count) {
                    try metric.expectedValue(of: best.texts, probabilities: best.probabilities, in: collection)
                }
            }
            if exact.contains(where: { $0 != nil }) {
                result.perInputExact = summary(exact, resamples: resamples, using: &generator)
            }
        }
        if sets.contains(.acrossInputs) { result.acrossInputs = try acrossInputs(plan, metric, value) }
        if sets.contains(.overall) {
            result.overall = try value(plan.overall)
            result.overallSingleOutput = try value(plan.firstOutputs)
        }
        return result
    }

    private static func summary(
        _ values: [Double?], resamples: Int, using generator: inout some RandomNumberGenerator
    ) -> DiversityAggregate.PerInput? {
        let present = values.compactMap { $0 }
        guard let deviation = Statistics.standardDeviation(of: present) else { return nil }
        return DiversityAggregate.PerInput(
            mean: Bootstrap.mean(of: present, resamples: resamples, using: &generator), standardDeviation: deviation,
            values: values, excluded: values.count - present.count)
    }

    private static func acrossInputs(
        _ plan: DiversityPlan, _ metric: any DiversityMetric, _ value: ([Int]) throws -> Double?
    ) throws -> DiversityAggregate.AcrossInputs? {
        let values = try plan.acrossInputs.compactMap(value)
        guard values.count == plan.acrossInputs.count, let mean = Statistics.mean(of: values),
            let deviation = Statistics.standardDeviation(of: values)
        else { return nil }
        let changes = try plan.leaveOut.compactMap { group in try value(group.set).map { $0 - values[group.draw] } }
        let range = metric.range(ofTexts: plan.acrossInputs.map(\.count).max() ?? 0)
        return DiversityAggregate.AcrossInputs(
            mean: mean, interval: jackknifeInterval(around: mean, changes: changes, draws: values).map(range.clamp),
            standardDeviation: deviation, draws: values.count, drawValues: values, leaveOutChanges: changes, range: range)
    }

    /// The 95 % jackknife interval `mean ± t · √((g − 1)/g · Σ (δ − δ̄)²)`, where δ are the g changes from leaving out one
    /// group each and t is the 97.5 % quantile of Student's t distribution with g − 1 degrees of freedom.
    ///
    /// A bootstrap over inputs would put copies into the sets and so lower every metric; leaving inputs out does not. The
    /// interval is not clamped to the metric's range and is wide for few groups; callers clamp it with
    /// `MetricRange.clamp(_:)`.
    ///
    /// Each change comes from one draw, so the jackknife also captures which output is drawn and is usually wider than the
    /// interval of the draws alone, `t · s / √d` over the values of the d `draws`. With few inputs, however, it covers few of
    /// the draws, and its changes may all be equal although the draws differ. The wider of the two intervals is returned, so
    /// that this variation is not ignored.
    ///
    /// - Returns: nil for fewer than two changes.
    package static func jackknifeInterval(around mean: Double, changes: [Double], draws: [Double]? = nil) -> Interval? {
        guard changes.count > 1, let center = Statistics.mean(of: changes) else { return nil }
        let groups = Double(changes.count)
        let error = (changes.reduce(0) { $0 + ($1 - center) * ($1 - center) } * (groups - 1) / groups).squareRoot()
        var reach = studentQuantile(degreesOfFreedom: groups - 1) * error
        if let draws, let spread = Statistics.sampleStandardDeviation(of: draws) {
            let count = Double(draws.count)
            reach = max(reach, studentQuantile(degreesOfFreedom: count - 1) * spread / count.squareRoot())
        }
        return Interval(mean: mean, low: mean - reach, high: mean + reach)
    }

    /// The 97.5 % quantile of Student's t distribution: tabulated up to 3 degrees of freedom, from 4 on by the Cornish–Fisher
    /// expansion around the normal quantile, accurate to 0.1 %.
    package static func studentQuantile(degreesOfFreedom v: Double) -> Double {
        if v <= 1 { return 12.706204736 }
        if v == 2 { return 4.302652730 }
        if v == 3 { return 3.182446305 }
        let z = 1.959963984540054
        let z2 = z * z
        return z
            + z * (z2 + 1) / (4 * v)
            + z * ((5 * z2 + 16) * z2 + 3) / (96 * v * v)
            + z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v)
            + z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / (92160 * v * v * v * v)
    }
}
