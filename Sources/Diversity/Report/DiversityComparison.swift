public import Eval

/// The differences between two reports with the same configuration: two systems on the same inputs (``init(_:_:)``), or one
/// system on two sets of inputs (``init(inDistribution:outOfDistribution:)``).
public struct DiversityComparison: Codable, Sendable, Equatable {
    /// The metrics that both reports contain.
    public var metrics: [Entry]

    /// The difference of one metric, first minus second.
    public struct Entry: Codable, Sendable, Equatable {
        /// The exact name of the metric.
        public var name: String
        /// Whether a larger value means more diverse texts.
        public var higherIsMoreDiverse: Bool
        /// The difference per input. For two systems: the mean difference over the inputs with a value in both, with a paired
        /// bootstrap over inputs. For two sets of inputs: the difference of the means, with each set resampled separately.
        public var perInput: Interval?
        /// The difference across inputs. For two systems: with a jackknife over the same groups of inputs in both. For two sets
        /// of inputs: with the half-widths of both jackknife intervals added in quadrature.
        public var acrossInputs: Interval?
        /// The difference of the values for all outputs as one set.
        public var overall: Double?
    }

    /// Compares two systems on the same inputs.
    ///
    /// - Throws: ``DiversityError/cannotCompare(_:)`` if inputs, seed, draws or metric options differ.
    public init(_ first: DiversityReport, _ second: DiversityReport) throws {
        guard first.inputFingerprint == second.inputFingerprint, first.inputs == second.inputs else {
            throw DiversityError.cannotCompare(
                "they have different inputs (\(first.inputs) and \(second.inputs)); measure both on the same prompts"
            )
        }
        try Self.checkConfigurations(first, second)
        var generator = SplitMix64(seed: first.config.seed)
        metrics = try first.metrics.compactMap { entry in
            guard let other = second[entry.name] else { return nil }
            try Self.checkLengths(entry, first, second)
            return Entry(
                name: entry.name, higherIsMoreDiverse: entry.higherIsMoreDiverse,
                perInput: Self.perInput(entry.values, other.values, first.config.resamples, &generator),
                acrossInputs: Self.acrossInputs(entry.values, other.values),
                overall: entry.values.overall.flatMap { value in other.values.overall.map { value - $0 } })
        }
    }

    /// The generalisation gap of one system: its in-distribution values minus its out-of-distribution values.
    ///
    /// Across inputs and overall, most metrics depend on the number of texts, so their gaps are meaningful only for sets of
    /// equal size.
    /// - Throws: ``DiversityError/cannotCompare(_:)`` if seed, draws or metric options differ.
    public init(inDistribution first: DiversityReport, outOfDistribution second: DiversityReport) throws {
        try Self.checkConfigurations(first, second)
        var generator = SplitMix64(seed: first.config.seed)
        metrics = try first.metrics.compactMap { entry in
            guard let other = second[entry.name] else { return nil }
            try Self.checkLengths(entry, first, second)
            let (a, b) = (entry.values.perInput?.values ?? [], other.values.perInput?.values ?? [])
            let (inside, outside) = (a.compactMap { $0 }, b.compactMap { $0 })
            return Entry(
                name: entry.name, higherIsMoreDiverse: entry.higherIsMoreDiverse,
                perInput: inside.isEmpty || outside.isEmpty
                    ? nil
                    : GroupedMeans.generalisationGap(
                        inDistribution: inside, outOfDistribution: outside, resamples: first.config.resamples,
                        using: &generator),
                acrossInputs: Self.independentDifference(entry.values.acrossInputs, other.values.acrossInputs),
                overall: entry.values.overall.flatMap { value in other.values.overall.map { value - $0 } })
        }
    }

    /// The difference of two independent estimates, with the half-widths of both jackknife intervals added in quadrature.
    static func independentDifference(
        _ first: DiversityAggregate.AcrossInputs?, _ second: DiversityAggregate.AcrossInputs?
    ) -> Interval? {
        // half-widths of the intervals before they are clamped to the metric's range
        func reach(_ part: DiversityAggregate.AcrossInputs) -> Double? {
            Aggregation.jackknifeInterval(around: 0, changes: part.leaveOutChanges, draws: part.drawValues)?.high
        }
        guard let first, let second, let a = reach(first), let b = reach(second) else { return nil }
        let (mean, reach) = (first.mean - second.mean, (a * a + b * b).squareRoot())
        let interval = Interval(mean: mean, low: mean - reach, high: mean + reach)
        return range(first, second).clamp(interval).withoutRounding(of: [first.mean, second.mean])
    }

    /// The range of the difference of two values across inputs.
    private static func range(
        _ first: DiversityAggregate.AcrossInputs, _ second: DiversityAggregate.AcrossInputs
    ) -> MetricRange {
        (first.range ?? .unbounded).minus(second.range ?? .unbounded)
    }

    private static func checkLengths(
        _ entry: DiversityReport.Entry, _ first: DiversityReport, _ second: DiversityReport
    ) throws {
        guard !entry.name.hasPrefix("length_controlled_") || first.commonLength == second.commonLength else {
            throw DiversityError.cannotCompare(
                "texts are truncated to \(first.commonLength) and \(second.commonLength) words; set one common length")
        }
    }

    private static func checkConfigurations(_ first: DiversityReport, _ second: DiversityReport) throws {
        var comparable = second.config
        comparable.metrics = first.config.metrics
        comparable.limitOutputs = first.config.limitOutputs
        comparable.useReferences = first.config.useReferences
        comparable.plan.simulatedBestOfN = first.config.plan.simulatedBestOfN
        comparable.plan.simulatedOutputs = first.config.plan.simulatedOutputs
        comparable.maximumTables = first.config.maximumTables
        comparable.commonLength = first.config.commonLength
        guard comparable == first.config else {
            throw DiversityError.cannotCompare(
                "their options or seeds differ; measure both with the same configuration")
        }
    }

    private static func perInput(
        _ first: DiversityAggregate, _ second: DiversityAggregate, _ resamples: Int, _ generator: inout SplitMix64
    ) -> Interval? {
        guard let a = first.perInput?.values, let b = second.perInput?.values, a.count == b.count else { return nil }
        let pairs = zip(a, b).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
        guard !pairs.isEmpty else { return nil }
        return Bootstrap.pairedDifference(
            pairs.map(\.0), pairs.map(\.1), resamples: resamples, using: &generator)
    }

    private static func acrossInputs(_ first: DiversityAggregate, _ second: DiversityAggregate) -> Interval? {
        guard let a = first.acrossInputs, let b = second.acrossInputs,
            a.leaveOutChanges.count == b.leaveOutChanges.count
        else { return nil }
        let pairs = a.drawValues.flatMap { a in b.drawValues.flatMap { a.count == $0.count ? Array(zip(a, $0)) : nil } }
        return Aggregation.jackknifeInterval(
            around: a.mean - b.mean, changes: zip(a.leaveOutChanges, b.leaveOutChanges).map { $0 - $1 },
            draws: pairs?.map { $0 - $1 }
        ).map { range(a, b).clamp($0).withoutRounding(of: [a.mean, b.mean] + (a.drawValues ?? []) + (b.drawValues ?? [])) }
    }
}
