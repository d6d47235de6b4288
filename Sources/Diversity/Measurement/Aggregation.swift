public import Eval

/// One metric over all sets of a plan.
public struct DiversityAggregate: Codable, Sendable, Equatable {
    /// Mean over the inputs of the diversity of each input's outputs.
    public var perInput: PerInput?
    /// How many inputs there are where none of them has a value, and so no mean; else nil.
    public var withoutPerInput: Int?
    /// With simulated best-of-N: the same mean with the exact expectation over the simulated draws in place of the draws themselves;
    /// nil for metrics that are no mean over pairs.
    public var perInputExact: PerInput?
    /// Diversity of one output per input, averaged over draws.
    public var acrossInputs: AcrossInputs?
    /// Diversity of all outputs as one set.
    public var overall: Double?
    /// Diversity of the first output of every input.
    public var overallSingleOutput: Double?

    /// No values.
    public init() {}

    /// A mean over inputs.
    public struct PerInput: Codable, Sendable, Equatable {
        /// Mean with its bootstrap interval over inputs.
        public var mean: Interval
        /// Population standard deviation over inputs.
        public var standardDeviation: Double
        /// The value of each input; nil where an input has none (fewer than two outputs).
        public var values: [Double?]
        /// How many inputs have no value and are left out of the mean.
        public var excluded: Int
    }

    /// A mean over draws of one output per input.
    public struct AcrossInputs: Codable, Sendable, Equatable {
        /// Mean over the draws: an unbiased estimate of the expected value for one random output per input.
        public var mean: Double
        /// The mean with the interval of a delete-a-group jackknife over inputs, or of the draws' own chance where that is more, as far as it
        /// lies in the metric's range; nil for fewer than three inputs.
        public var interval: Interval?
        /// Population standard deviation between draws: how much the choice of outputs alone matters.
        public var standardDeviation: Double
        /// Number of draws.
        public var draws: Int
        /// The value of each draw; pairs with that of another system for a difference. nil in reports of earlier versions.
        public var drawValues: [Double]?
        /// Change of the value when each jackknife group is left out; pairs with that of another system for a
        /// difference.
        public var leaveOutChanges: [Double]
        /// The values that the metric can have for so many inputs.
        public var range: MetricRange?
    }
}

/// Measures metrics over the sets of a plan.
public enum Aggregation {
    /// One metric over all sets of `plan`.
    ///
    /// - Throws: ``DiversityError/metricFailed(name:reason:)`` when the metric throws or gives a number that is not finite;
    ///   a ``TextEncoderFailure`` as it is.
    public static func measure(
        _ metric: any DiversityMetric, over plan: DiversityPlan, in collection: TextCollection, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) throws -> DiversityAggregate {
        func checked(_ count: Int, _ body: () throws -> Double?) throws -> Double? {
            let value: Double?
            do {
                value = try body()
            } catch let failure as any TextEncoderFailure {
                // a service that failed is no fault of the texts: whoever ends the program has to see which it was
                throw failure
            } catch {
                throw DiversityError.metricFailed(name: metric.name, reason: "\(error)")
            }
            if let value, !value.isFinite {
                throw DiversityError.metricFailed(name: metric.name, reason: "a set of \(count) texts gave \(value)")
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

    /// `mean ± t · √((g − 1)/g · Σ (δ − δ̄)²)` over the g changes δ that leaving out a group makes, t the 97.5 % quantile
    /// of Student's distribution with g − 1 degrees of freedom. Resampling inputs with replacement instead would put
    /// copies into the sets and so lower every metric; leaving out does not. The interval knows no range: with few groups it is wide, and
    /// whoever prints it cuts it (``MetricRange/clamp(_:)``).
    ///
    /// Each change is that of one draw, so the jackknife holds the chance of which output is drawn as well, and is wider than that chance
    /// alone, `t · s / √d` over the values of the d `draws`. But where there are few inputs it sees few of the draws, and the changes may be
    /// all alike while the draws are not: then the draws decide, or the interval would claim to know what is chance.
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

    /// The 97.5 % quantile of Student's distribution, by the Cornish–Fisher expansion about the normal one; to 0.1 %
    /// from 4 degrees of freedom on, tabulated below.
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
