import Eval

/// The result of a diversity measurement, as `diversity.json` stores it.
public struct DiversityReport: Codable, Sendable, Equatable {
    /// What was asked for.
    public var config: DiversityConfig
    /// Number of inputs with outputs.
    public var inputs: Int
    /// Number of outputs.
    public var outputs: Int
    /// A fingerprint of the inputs in their order: two reports with one fingerprint are about the same inputs.
    public var inputFingerprint: String
    /// The length in words to which length-controlled metrics cut.
    public var commonLength: Int
    /// Metrics that `all` left out because their model is not there.
    public var withoutModel: [String]
    /// The metrics in the order they were chosen.
    public var metrics: [Entry]

    /// One metric.
    public struct Entry: Codable, Sendable, Equatable {
        /// Its exact name.
        public var name: String
        /// Whether larger is more diverse.
        public var higherIsMoreDiverse: Bool
        /// Texts left out of every set.
        public var excludedTexts: Int
        /// Its values.
        public var values: DiversityAggregate
    }

    /// The entry of a metric.
    public subscript(name: String) -> Entry? {
        metrics.first { $0.name == name }
    }

    /// The values under flat names: `mean_per_input_`, `std_per_input_`, `mean_per_input_exact_`, `mean_across_input_`, `std_across_input_`,
    /// `overall_`, `overall_single_output_` before the metric's name.
    public var flatValues: [String: Double] {
        var flat: [String: Double] = [:]
        for entry in metrics {
            flat["mean_per_input_" + entry.name] = entry.values.perInput?.mean.mean
            flat["std_per_input_" + entry.name] = entry.values.perInput?.standardDeviation
            flat["mean_per_input_exact_" + entry.name] = entry.values.perInputExact?.mean.mean
            flat["mean_across_input_" + entry.name] = entry.values.acrossInputs?.mean
            flat["std_across_input_" + entry.name] = entry.values.acrossInputs?.standardDeviation
            flat["overall_" + entry.name] = entry.values.overall
            flat["overall_single_output_" + entry.name] = entry.values.overallSingleOutput
        }
        return flat
    }
}

/// Runs a diversity measurement.
public enum DiversityMeasurement {
    /// Measures the chosen metrics over the chosen sets.
    ///
    /// The result is a function of texts, models and configuration: all draws start from the configuration's seed, and
    /// every metric and every system of as many inputs and outputs sees the same draws.
    ///
    /// - Throws: ``DiversityError`` for wrong options, missing outputs, rewards or models, and for a metric that fails.
    public static func run(
        _ input: DiversityInput, config: DiversityConfig = DiversityConfig(),
        models: DiversityModels = DiversityModels()
    ) throws -> DiversityReport {
        try config.validate()
        let groups = try input.selecting(config).groups.filter { !$0.outputs.isEmpty }
        let texts = groups.flatMap { $0.outputs.map(\.text) }
        guard let common = config.commonLength ?? LengthControl.commonLength(of: texts) else {
            throw DiversityError.noOutputs
        }
        let (metrics, withoutModel) = try MetricCatalogue.metrics(config, models: models, commonLength: common)
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
