import Eval

/// Runs a diversity measurement.
public enum DiversityMeasurement {
    /// Measures the chosen metrics over the chosen sets.
    ///
    /// The result is a function of texts, models and configuration: all draws start from the configuration's seed, and
    /// every metric and every system of as many inputs and outputs sees the same draws.
    ///
    /// - Parameter kinds: the metrics that the configuration chooses from; a caller appends its own to the built-in ones.
    /// - Throws: ``DiversityError`` for wrong options, missing outputs, rewards or models, and for a metric that fails.
    public static func run(
        _ input: DiversityInput, config: DiversityConfig = DiversityConfig(), models: DiversityModels = DiversityModels(),
        kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn
    ) throws -> DiversityReport {
        try config.validate(kinds: kinds)
        let groups = try input.selecting(config).groups.filter { !$0.outputs.isEmpty }
        let texts = groups.flatMap { $0.outputs.map(\.text) }
        guard let common = config.commonLength ?? LengthControl.commonLength(of: texts) else {
            throw DiversityError.noOutputs
        }
        let (metrics, withoutModel) = try MetricCatalogue.metrics(config, models: models, commonLength: common, from: kinds)
        var generator = SplitMix64(seed: config.seed)
        let plan = try DiversityPlan(
            counts: groups.map(\.outputs.count), rewards: groups.map { $0.outputs.compactMap(\.reward) },
            options: config.plan, using: &generator)
        let collection = TextCollection(texts)
        let resampling = generator.next()
        let entries = try metrics.map { metric in
            var generator = SplitMix64(seed: resampling)
            let values = try Aggregation.measure(
                metric, over: plan, in: collection, resamples: config.resamples, using: &generator)
            return DiversityReport.Entry(
                name: metric.name, higherIsMoreDiverse: metric.higherIsMoreDiverse,
                excludedTexts: try metric.excludedTexts(in: collection), values: values)
        }
        return DiversityReport(
            config: config, inputs: groups.count, outputs: texts.count,
            inputFingerprint: fingerprint(groups.map(\.input)), commonLength: common, withoutModel: withoutModel,
            metrics: entries)
    }

    private static func fingerprint(_ inputs: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for input in inputs {
            for byte in Array(input.utf8) + [0xFF] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return String(hash, radix: 16)
    }
}
