import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// Metrics from outside in the tables of diversity, and several systems in one call.
@Suite struct OwnMetricTests {
    /// The share of different last words.
    private struct Endings: DiversityMetric {
        var name = "different, endings"
        let higherIsMoreDiverse = true
        func range(ofTexts count: Int) -> MetricRange { .share }
        func value(of set: [Int], in collection: TextCollection) -> Double? {
            let endings = collection.derived("endings") { collection.texts.map { $0.split(separator: " ").last.map(String.init) } }
            return set.count < 2 ? nil : Double(Set(set.map { endings[$0] }).count) / Double(set.count)
        }
    }

    private func outputs(_ seed: UInt64, kinds: Int, inputs: Int = 12) -> DiversityInput {
        var random = Draws(seed: seed)
        return DiversityInput(
            (0..<inputs).map { input in
                .init(
                    input: "\(input)",
                    outputs: (0..<4).map { _ in
                        .init(
                            (0..<8).map { _ in "w\(Int.random(in: 0..<kinds, using: &random))" }.joined(separator: " "),
                            reward: Double.random(in: 0...1, using: &random))
                    }, reference: "w1 w2 w3")
            })
    }

    private var config: DiversityConfig {
        var config = DiversityConfig()
        config.resamples = 50
        return config
    }

    @Test("a metric from outside is chosen by name or by all, has intervals, and changes nothing of the others")
    func beside() throws {
        var config = config
        let input = outputs(1, kinds: 30)
        let plain = try DiversityMeasurement.run(input, config: config)
        let kinds = [DiversityMetricKind(Endings())] + DiversityMetricKind.builtIn
        let report = try DiversityMeasurement.run(input, config: config, kinds: kinds)
        #expect(report.metrics.map(\.name) == [Endings().name] + plain.metrics.map(\.name))
        #expect(Array(report.metrics.dropFirst()) == plain.metrics && report.withoutModel == plain.withoutModel)
        let own = try #require(report[Endings().name]?.values)
        let across = try #require(own.acrossInputs?.interval)
        #expect(own.perInput?.values.count == 12 && across.high <= 1 && across.low < across.high && own.overall != nil)
        let line = try #require(DiversityTable.csv(report).split(separator: "\n").dropFirst().first)
        #expect(line.hasPrefix("\"different, endings\",higher,"))
        #expect(line.split(separator: ",", omittingEmptySubsequences: false).count == DiversityTable.columns.count + 1)
        #expect(DiversityTable.text(report).contains("different, endings"))

        config.metrics = ["length_controlled_" + Endings().name, "self_bleu"]
        config.lengthControl = true
        let chosen = try DiversityMeasurement.run(input, config: config, kinds: kinds).metrics.map(\.name)
        #expect(chosen == ["length_controlled_different, endings", "self_bleu", "length_controlled_self_bleu"])
        #expect(throws: DiversityError.unknownMetrics(["length_controlled_" + Endings().name], known: ["all"] + MetricCatalogue.names)) {
            try DiversityMeasurement.run(input, config: config)
        }
    }

    @Test("names are none, or taken, and models are missing: each is said")
    func names() {
        func measure(_ kinds: [DiversityMetricKind], _ names: [String] = ["all"]) throws {
            var config = config
            config.metrics = names
            _ = try DiversityMeasurement.run(outputs(1, kinds: 30), config: config, kinds: kinds)
        }
        for name in ["self_bleu", "all", "", "length_controlled_vendi_score"] {
            #expect(throws: DiversityError.nameTaken(name)) {
                try measure(DiversityMetricKind.builtIn + [DiversityMetricKind(Endings(name: name))])
            }
        }
        let needy = DiversityMetricKind("needy", needs: "a crystal ball") { _, _ in nil }
        #expect(throws: DiversityError.modelMissing(metric: "needy", model: "a crystal ball")) { try measure([needy], ["needy"]) }
        #expect(throws: DiversityError.metricFailed(name: "other", reason: "its kind created the metric \(Endings().name)")) {
            try measure([DiversityMetricKind("other") { _, _ in Endings() }])
        }
        let bad = ClosureMetric("bad") { _ in .nan }
        #expect(throws: DiversityError.metricFailed(name: "bad", reason: "the value of a set of 4 texts is nan")) {
            try measure([DiversityMetricKind(bad)])
        }
    }

    @Test("one call measures systems in distribution and out of it, with gaps, differences, texts and the best of n")
    func systems() throws {
        let letters = ClosureTextMetric("letters") { Double($0.text.count) }
        let sampled = DiversitySystem("sampled", outputs(1, kinds: 60), outOfDistribution: outputs(2, kinds: 10, inputs: 9))
        let greedy = DiversitySystem("greedy", outputs(3, kinds: 5), outOfDistribution: outputs(4, kinds: 5, inputs: 9))
        let metrics: [any DiversityMetric] = [SelfBLEUMetric(), Endings()]
        let results = try DiversityMeasurement.run(
            [sampled, greedy], metrics: metrics, config: config,
            options: .init(textMetrics: TextMetrics.builtIn + [letters], bestOfNCurve: true))
        let suffixes = ["", "_ood", "_compared", "_compared_ood"]
        let comparisons = ["difference", "difference_ood", "gap", "gap_compared"]
        #expect(
            results.files.map(\.name) == suffixes.map { "diversity" + $0 } + suffixes.map { "best_of_n" + $0 } + comparisons
                + ["texts", "texts_difference_ood", "texts_gap", "texts_gap_compared"])
        for part in results.parts {
            #expect(part.report.metrics.map(\.name) == metrics.map(\.name) && part.report.config.metrics == metrics.map(\.name))
            #expect(part.report.commonLength == results.parts[0].report.commonLength)
        }
        // each comparison is that of the reports that it names
        let (a, b, c, d) = (results.parts[0].report, results.parts[1].report, results.parts[2].report, results.parts[3].report)
        #expect(
            results.comparisons.map(\.comparison) == [
                try DiversityComparison(a, c), try DiversityComparison(b, d),
                try DiversityComparison(inDistribution: a, outOfDistribution: b),
                try DiversityComparison(inDistribution: c, outOfDistribution: d),
            ])
        let own = try #require(results.comparisons[0].comparison.metrics.last)
        #expect(own.name == Endings().name && (own.perInput?.low ?? 0) > 0 && own.acrossInputs != nil)
        #expect(results.flatValues["difference_per_input_\(Endings().name)"] == own.perInput?.mean)
        #expect(results.flatValues["difference_letters"] != nil && results.flatValues["gap_compared_letters"] != nil)
        for title in [
            "difference on the same inputs: sampled minus greedy\n",
            "generalisation gap: greedy minus greedy, out of distribution\n", "best of n, sampled\n", "letters",
        ] {
            #expect(results.text.contains(title))
        }
        // a third system is compared with the first
        let three = try DiversityMeasurement.run([sampled, greedy, DiversitySystem("third", outputs(5, kinds: 9))], metrics: metrics)
        #expect(three.comparisons.map(\.name) == ["difference", "difference_ood", "difference2", "gap", "gap_compared"])
        #expect(throws: DiversityError.noOutputs) { try DiversityMeasurement.run([], metrics: metrics) }
        #expect(throws: DiversityError.self) {
            try DiversityMeasurement.run([sampled, DiversitySystem("x", outputs(1, kinds: 9, inputs: 3))], metrics: metrics)
        }
    }

    @Test("what a source lacks is said with its place")
    func places() {
        var input = outputs(1, kinds: 9)
        input.groups[3].outputs[1].reward = nil
        let system = DiversitySystem(DiversitySource("a", input, place: "a.json"))
        #expect(throws: DiversityError.inSource("a.json", .rewardsMissing(input: 3))) {
            try DiversityMeasurement.run([system], metrics: [SelfBLEUMetric()], options: .init(bestOfNCurve: true))
        }
    }
}
