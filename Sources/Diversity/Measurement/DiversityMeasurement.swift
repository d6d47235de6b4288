import Eval
import Formats

/// Runs a diversity measurement.
public enum DiversityMeasurement {
    /// Measures the chosen metrics over the chosen sets.
    ///
    /// The result is a function of the texts, the models and the configuration: all draws start from the configuration's seed,
    /// and all metrics and all systems with the same numbers of inputs and outputs use the same draws.
    ///
    /// - Parameters:
    ///   - input: the inputs with their outputs; inputs without outputs are skipped.
    ///   - config: metrics, sets and options.
    ///   - models: the models that some metrics need.
    ///   - kinds: the catalogue from which the configuration chooses; append custom metrics to the built-in ones.
    /// - Throws: ``DiversityError`` for invalid options, for missing outputs, rewards or models, and for a metric that fails; a
    ///   ``TextEncoderFailure`` is rethrown unchanged.
    public static func run(
        _ input: DiversityInput, config: DiversityConfig = DiversityConfig(), models: DiversityModels = DiversityModels(),
        kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn
    ) throws -> DiversityReport {
        try measured(input, config: config, models: models, kinds: kinds).report
    }

    /// Measures like ``run(_:config:models:kinds:)`` and also returns plan, texts and metrics, for comparisons that need more
    /// than the report.
    static func measured(
        _ input: DiversityInput, config: DiversityConfig, models: DiversityModels, kinds: [DiversityMetricKind], systems: Int = 1
    ) throws -> MeasuredPart {
        try config.validate(kinds: kinds)
        let groups = try input.selecting(config).groups.filter { !$0.outputs.isEmpty }
        let texts = groups.flatMap { $0.outputs.map(\.text) }
        guard let common = config.commonLength ?? LengthControl.commonLength(of: texts) else {
            throw DiversityError.noOutputs
        }
        var facts = AnswerFacts(groups)
        // when the references themselves are measured, they are not compared with themselves
        if config.useReferences { facts.references = groups.map { _ in [] } }
        let known = KnownFacts(facts, systems: systems)
        let (metrics, withoutModel) = try MetricCatalogue.metrics(config, models: models, commonLength: common, known: known, from: kinds)
        var generator = SplitMix64(seed: config.seed)
        let plan = try DiversityPlan(
            counts: groups.map(\.outputs.count), rewards: groups.map { $0.outputs.compactMap(\.reward) },
            options: config.plan, using: &generator)
        let collection = TextCollection(texts, facts: facts)
        let resampling = generator.next()
        let entries = try metrics.map { metric in
            var generator = SplitMix64(seed: resampling)
            let values = try Aggregation.measure(
                metric, over: plan, in: collection, resamples: config.resamples, using: &generator)
            return DiversityReport.Entry(
                name: metric.name, higherIsMoreDiverse: metric.higherIsMoreDiverse,
                excludedTexts: try metric.excludedTexts(in: collection), note: metric.note, values: values)
        }
        var report = DiversityReport(
            config: config, inputs: groups.count, outputs: texts.count,
            inputFingerprint: fingerprint(groups.map(\.input)), commonLength: common, withoutModel: withoutModel,
            metrics: entries)
        report.needs = MetricCatalogue.needs(withoutModel, config: config, models: models, known: known, from: kinds)
        return MeasuredPart(report: report, plan: plan, collection: collection, metrics: metrics)
    }

    private static func fingerprint(_ inputs: [String]) -> String {
        var hash = FNV64()
        for input in inputs { hash.add(text: input) }
        return String(hash.value, radix: 16)
    }
}
