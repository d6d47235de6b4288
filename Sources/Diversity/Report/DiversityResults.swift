public import Eval
import Tensor

/// What a measurement of one or several systems gives: a report for everything that was measured, the gaps between what is in distribution
/// and what is not, and the differences between the first system and the others.
public struct DiversityResults: Sendable {
    /// One system's outputs, in distribution or out of it.
    public struct Part: Sendable {
        /// For headings.
        public var name: String
        /// What its files' names end with: nothing, `_ood`, `_compared`, `_compared_ood`.
        public var suffix: String
        /// Every metric with its intervals.
        public var report: DiversityReport
        /// The best of n for every n, where it was asked for.
        public var curve: BestOfNCurve?
    }

    /// Two parts against each other.
    public struct Comparison: Sendable {
        /// The file's name, and what begins the names of its numbers: `gap` or `difference`; of further ones `gap_compared`,
        /// `difference_ood`.
        public var name: String
        /// Whether it is one system on two sets of inputs, rather than two systems on one.
        public var isGap: Bool
        /// The part that the other is subtracted from, by its place in ``DiversityResults/parts``.
        public var first: Int
        /// The part that is subtracted.
        public var second: Int
        /// First minus second, with intervals.
        public var comparison: DiversityComparison
    }

    /// A loss of diversity of the first part of a comparison, from the second.
    public struct Loss: Sendable {
        /// The file's name: `quality_loss`, and what the comparison's name ends with.
        public var name: String
        /// The loss and its parts.
        public var loss: QualityLoss
    }

    /// Text metrics of one or two parts.
    public struct Texts: Sendable {
        /// The file's name: `texts`; of further comparisons `texts_` and theirs.
        public var name: String
        /// The metrics, with the gap or difference of the two.
        public var report: TextReport
    }

    /// Everything that was measured: each system's outputs, and behind them its outputs out of distribution.
    public var parts: [Part] = []
    /// The differences between the first system and the others, then the gap of each system.
    public var comparisons: [Comparison] = []
    /// What quality control would lose and what the rest of each difference is, where there are a quality threshold and rewards; one for
    /// each comparison of two systems that has it.
    public var losses: [Loss] = []
    /// Lines about losses that were asked for and cannot be had.
    public var absences: [String] = []
    /// How alike the answers of different systems are, where there are several and an encoder.
    public var similarity: InterModelSimilarity?
    /// Text metrics, where they were asked for: one report for each comparison, or one of the only part.
    public var texts: [Texts] = []

    /// What a measurement gives besides the diversity of sets.
    public struct Options: Sendable {
        /// Measures each text by these, against its reference where it has one; empty for none.
        public var textMetrics: [any TextMetric] = []
        /// Computes the expected reward and length of the best of n from the outputs' rewards.
        public var bestOfNCurve = false

        /// Nothing besides.
        public init(textMetrics: [any TextMetric] = [], bestOfNCurve: Bool = false) {
            self.textMetrics = textMetrics
            self.bestOfNCurve = bestOfNCurve
        }
    }
}

extension DiversityMeasurement {
    /// Measures systems by an array of metrics, built-in ones and others, and compares them.
    ///
    ///     let results = try DiversityMeasurement.run(
    ///         [DiversitySystem("sampled", sampled), DiversitySystem("greedy", greedy)], metrics: [SelfBLEUMetric(), LongestWord()])
    ///     print(results.text)
    ///
    /// - Parameter config: everything but the metrics' names.
    /// - Throws: as ``run(_:config:models:kinds:options:)``.
    public static func run(
        _ systems: [DiversitySystem], metrics: [any DiversityMetric], config: DiversityConfig = DiversityConfig(),
        options: DiversityResults.Options = DiversityResults.Options()
    ) throws -> DiversityResults {
        var config = config
        config.metrics = metrics.map(\.name)
        return try run(systems, config: config, kinds: metrics.map { DiversityMetricKind($0) }, options: options)
    }

    /// Measures systems by the metrics that a configuration names, and compares them: each with itself out of distribution, and the first
    /// with each of the others, which must have answered the same inputs.
    ///
    /// - Throws: ``DiversityError``; `TextMetricError`; what a metric throws that cannot be used at all.
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
    /// The differences between the first system and the others, and each system's gap.
    fileprivate mutating func compare() throws {
        func place(_ suffix: String) -> Int? { parts.firstIndex { $0.suffix == suffix } }
        for (second, part) in parts.enumerated() where part.suffix.hasPrefix("_compared") {
            guard let first = place(part.suffix.hasSuffix("_ood") ? "_ood" : "") else { continue }
            // "_compared2_ood" is of "difference2_ood"
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

    /// The losses of diversity behind the differences between systems.
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

    /// How alike the systems' answers are. The systems have answered the same inputs, or they could not have been compared.
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
    /// The group for text metrics. References that are measured as outputs are not compared with themselves.
    fileprivate func measured(asReferences: Bool) -> TextReport.Input {
        TextReport.Input(
            texts: outputs.map(\.text), reference: asReferences ? nil : reference, rewards: outputs.map(\.reward), input: input)
    }
}
