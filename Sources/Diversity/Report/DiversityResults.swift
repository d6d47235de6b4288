public import Eval
import Tensor

/// The result of measuring one or several systems: a report for each part, the gaps between in-distribution and
/// out-of-distribution inputs, and the differences between the first system and the others.
public struct DiversityResults: Sendable {
    /// The outputs of one system on one set of inputs: in-distribution or out-of-distribution.
    public struct Part: Sendable {
        /// The name shown in headings.
        public var name: String
        /// The suffix of the part's file names: empty, `_ood`, `_compared` or `_compared_ood`; further systems have
        /// `_compared2` and so on.
        public var suffix: String
        /// The values of every metric with intervals.
        public var report: DiversityReport
        /// The best-of-n curve; nil if it was not requested.
        public var curve: BestOfNCurve?
    }

    /// The comparison of two parts.
    public struct Comparison: Sendable {
        /// The file name and the prefix of the value names: `difference` or `gap`; further comparisons have names such as
        /// `difference_ood` or `gap_compared`.
        public var name: String
        /// Whether one system is compared on two sets of inputs (a generalisation gap), rather than two systems on the same
        /// inputs.
        public var isGap: Bool
        /// The index into ``DiversityResults/parts`` of the minuend.
        public var first: Int
        /// The index into ``DiversityResults/parts`` of the part that is subtracted.
        public var second: Int
        /// The differences, first minus second, with intervals.
        public var comparison: DiversityComparison
    }

    /// The loss of diversity of the first part of a comparison relative to the second.
    public struct Loss: Sendable {
        /// The file name: `quality_loss`, followed by the suffix of the comparison's name.
        public var name: String
        /// The loss and its two parts.
        public var loss: QualityLoss
    }

    /// Text metrics of one or two parts.
    public struct Texts: Sendable {
        /// The file name: `texts`; for further comparisons, `texts_` followed by the comparison's name.
        public var name: String
        /// The metrics, with the gap or difference of the two parts.
        public var report: TextReport
    }

    /// All measured parts: for each system its outputs, then its out-of-distribution outputs.
    public var parts: [Part] = []
    /// The differences between the first system and the others, followed by the gap of each system.
    public var comparisons: [Comparison] = []
    /// The quality losses: how much of each difference quality control would explain, and the rest. One for each comparison of
    /// two systems with the required rewards, if a quality threshold is set.
    public var losses: [Loss] = []
    /// Lines that explain why a requested quality loss is not available.
    public var absences: [String] = []
    /// The similarity between the answers of different systems; nil unless requested, with several systems and an encoder.
    public var similarity: InterModelSimilarity?
    /// Text metrics, if requested: one report per comparison, or one for a single part.
    public var texts: [Texts] = []

    /// What is computed in addition to the diversity metrics.
    public struct Options: Sendable {
        /// Text metrics to evaluate on each output, against its input's reference if there is one; empty for none.
        public var textMetrics: [any TextMetric] = []
        /// Whether to compute the expected reward and length of the best of n from the outputs' rewards.
        public var bestOfNCurve = false

        /// Options. Default: nothing additional.
        public init(textMetrics: [any TextMetric] = [], bestOfNCurve: Bool = false) {
            self.textMetrics = textMetrics
            self.bestOfNCurve = bestOfNCurve
        }
    }
}

extension DiversityMeasurement {
    /// Measures systems with an array of metrics, built-in or custom, and compares the systems.
    ///
    ///     let results = try DiversityMeasurement.run(
    ///         [DiversitySystem("sampled", sampled), DiversitySystem("greedy", greedy)],
    ///         metrics: [SelfBLEUMetric(), LongestWord()])
    ///     print(results.text)
    ///
    /// - Parameters:
    ///   - systems: the systems to measure; at least one.
    ///   - metrics: the metrics to evaluate.
    ///   - config: all settings except the metric names.
    ///   - options: what is computed in addition.
    /// - Throws: as ``run(_:config:models:kinds:options:)``.
    public static func run(
        _ systems: [DiversitySystem], metrics: [any DiversityMetric], config: DiversityConfig = DiversityConfig(),
        options: DiversityResults.Options = DiversityResults.Options()
    ) throws -> DiversityResults {
        var config = config
        config.metrics = metrics.map(\.name)
        return try run(systems, config: config, kinds: metrics.map { DiversityMetricKind($0) }, options: options)
    }

    /// Measures systems with the metrics that a configuration names, and compares them: each system's in-distribution outputs
    /// with its out-of-distribution outputs, and the first system with each of the others. Compared systems must have answered
    /// the same inputs.
    ///
    /// - Parameters:
    ///   - systems: the systems to measure; at least one.
    ///   - config: metrics, sets and options.
    ///   - models: the models that some metrics need.
    ///   - kinds: the catalogue from which the configuration chooses.
    ///   - options: what is computed in addition.
    /// - Throws: ``DiversityError``; `TextMetricError`; a ``TextEncoderFailure``, or an error with which a text metric cannot
    ///   be used at all.
    public static func run(
        _ systems: [DiversitySystem], config: DiversityConfig = DiversityConfig(), models: DiversityModels = DiversityModels(),
        kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn, options: DiversityResults.Options = DiversityResults.Options()
    ) throws -> DiversityResults {
        guard !systems.isEmpty else { throw DiversityError.noOutputs }
        let config = try config.comparing(systems)
        var results = DiversityResults()
        let sources = systems.flatMap(\.sources)
        var measured: [MeasuredPart] = []
        for (number, system) in systems.enumerated() {
            let suffix = number == 0 ? "" : "_compared" + (number == 1 ? "" : "\(number)")
            for (source, ending) in zip(system.sources, ["", "_ood"]) {
                let part = try source.naming {
                    try self.measured(source.input, config: config, models: models, kinds: kinds, systems: systems.count)
                }
                results.parts.append(.init(name: source.name, suffix: suffix + ending, report: part.report))
                if systems.count > 1 { measured.append(part) }
            }
        }
        try results.compare()
        if systems.count > 1 {
            try results.compareQuality(measured, config)
            let chosen = try MetricCatalogue.names(chosenBy: config.metrics, from: kinds)
            if let encoder = models.encoder, chosen.contains(where: { $0.hasSuffix(InterModelSimilarity.metricName) }) {
                let isControlled = config.lengthControl || chosen.contains("length_controlled_" + InterModelSimilarity.metricName)
                try results.compareAnswers(measured, by: encoder, config, isControlled: isControlled)
            }
        }
        var random = Philox(seed: config.seed).split("texts")
        let inputs = try sources.map { try $0.input.selecting(config) }
        if options.bestOfNCurve {
            for index in sources.indices {
                results.parts[index].curve = try sources[index].naming {
                    try BestOfNCurve(inputs[index], resamples: config.resamples, using: &random)
                }
            }
        }
        if !options.textMetrics.isEmpty {
            try results.measureTexts(inputs, options.textMetrics, config, &random)
        }
        return results
    }
}

extension DiversityResults {
    /// Computes the differences between the first system and the others, and the gap of each system.
    fileprivate mutating func compare() throws {
        func place(_ suffix: String) -> Int? { parts.firstIndex { $0.suffix == suffix } }
        for (second, part) in parts.enumerated() where part.suffix.hasPrefix("_compared") {
            guard let first = place(part.suffix.hasSuffix("_ood") ? "_ood" : "") else { continue }
            // "_compared2_ood" becomes "difference2_ood"
            let name = "difference" + part.suffix.dropFirst("_compared".count)
            comparisons.append(
                Comparison(
                    name: name, isGap: false, first: first, second: second,
                    comparison: try DiversityComparison(parts[first].report, part.report)))
        }
        for (second, part) in parts.enumerated() where part.suffix.hasSuffix("_ood") {
            let suffix = String(part.suffix.dropLast("_ood".count))
            guard let first = place(suffix) else { continue }
            comparisons.append(
                Comparison(
                    name: "gap" + suffix, isGap: true, first: first, second: second,
                    comparison: try DiversityComparison(inDistribution: parts[first].report, outOfDistribution: part.report)))
        }
    }

    /// Computes the quality losses behind the differences between systems.
    fileprivate mutating func compareQuality(_ measured: [MeasuredPart], _ config: DiversityConfig) throws {
        for comparison in comparisons where !comparison.isGap {
            let (first, second) = (comparison.first, comparison.second)
            let loss = try QualityLoss(
                of: (parts[first].name, measured[first]), from: (parts[second].name, measured[second]), config: config)
            if let loss {
                losses.append(Loss(name: "quality_loss" + comparison.name.dropFirst("difference".count), loss: loss))
            } else if let line = QualityLoss.absence(
                of: parts[first].name, from: (parts[second].name, measured[second]), config: config)
            {
                absences.append(line)
            }
        }
    }

    /// Computes the similarity between the systems' answers. All systems have answered the same inputs; otherwise comparing
    /// them would have failed.
    fileprivate mutating func compareAnswers(
        _ measured: [MeasuredPart], by encoder: any TextEncoder, _ config: DiversityConfig, isControlled: Bool
    ) throws {
        func entries(outside: Bool) throws -> [InterModelSimilarity.Entry] {
            let places = parts.indices.filter { parts[$0].suffix.hasSuffix("_ood") == outside }
            guard places.count > 1 else { return [] }
            let systems = places.map { place in
                let facts = measured[place].collection.facts
                var inputs = [[Int]](repeating: [], count: facts.prompts.count)
                for (text, input) in facts.inputs.enumerated() { inputs[input].append(text) }
                return (name: parts[place].name, collection: measured[place].collection, inputs: inputs)
            }
            let words = isControlled ? measured[places[0]].report.commonLength : nil
            return try InterModelSimilarity.entries(systems, by: encoder, cutTo: words, resamples: config.resamples, seed: config.seed)
        }
        let inside = try entries(outside: false)
        guard !inside.isEmpty else { return }
        var result = InterModelSimilarity(encoder: encoder.name, inDistribution: inside)
        let outside = try entries(outside: true)
        if !outside.isEmpty {
            result.outOfDistribution = outside
            result.gap = InterModelSimilarity.gaps(inside, outside, resamples: config.resamples, seed: config.seed)
        }
        similarity = result
    }

    fileprivate mutating func measureTexts(
        _ inputs: [DiversityInput], _ metrics: [any TextMetric], _ config: DiversityConfig, _ random: inout Philox
    ) throws {
        func group(_ index: Int) -> (name: String, inputs: [TextReport.Input]) {
            (name: parts[index].name, inputs: inputs[index].groups.map { $0.measured(asReferences: config.useReferences) })
        }
        if comparisons.isEmpty {
            let report = try TextReport([group(0)], metrics: metrics, resamples: config.resamples, using: &random)
            texts.append(Texts(name: "texts", report: report))
        }
        for (number, comparison) in comparisons.enumerated() {
            let report = try TextReport(
                [group(comparison.first), group(comparison.second)], metrics: metrics, comparing: comparison.isGap ? .gap : .paired,
                resamples: config.resamples, using: &random)
            texts.append(Texts(name: number == 0 ? "texts" : "texts_" + comparison.name, report: report))
        }
    }
}

extension DiversityInput.Group {
    /// The group as input of the text metrics. References that are measured as outputs are not compared with themselves.
    fileprivate func measured(asReferences: Bool) -> TextReport.Input {
        TextReport.Input(
            texts: outputs.map(\.text), reference: asReferences ? nil : reference, rewards: outputs.map(\.reward), input: input)
    }
}
