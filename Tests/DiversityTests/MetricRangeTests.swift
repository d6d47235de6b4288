import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// Every metric declares the numbers that it can have, and no interval leaves them.
@Suite struct DiversityRangeTests {
    private static let words = ["one", "two", "three", "four", "five", "six", "seven", "eight"]

    private func models() throws -> DiversityModels {
        DiversityModels(
            encoder: try FolderSentenceEncoder(Fixtures.url("encoders/bert")),
            remoteEncoder: try FolderSentenceEncoder(Fixtures.url("encoders/bert")),
            entailment: try FolderEntailmentModel(Fixtures.url("encoders/roberta")))
    }

    private func text(_ seed: Int) -> String {
        (0..<1 + seed % 5).map { Self.words[(seed * 7 + $0 * $0 * 3) % Self.words.count] }.joined(separator: " ")
    }

    private func check(_ interval: Interval?, _ range: MetricRange?, _ what: String) {
        guard let interval else { return }
        #expect(interval.low <= interval.mean && interval.mean <= interval.high, "\(what) \(interval)")
        let (least, greatest) = (range?.least ?? -.infinity, range?.greatest ?? .infinity)
        #expect(interval.low >= min(least, interval.mean) && interval.high <= max(greatest, interval.mean), "\(what) \(interval)")
    }

    /// The range of a metric that is measured per input alone.
    private func perInputRange(_ name: String) -> MetricRange? {
        switch name.replacing("length_controlled_", with: "") {
        case "pass_at_k", "effective_semantic_diversity", "reference_coverage": .share
        case "distinct_k": MetricRange(least: 1, greatest: 3)
        case "semantic_entropy", "semantic_entropy_by_likelihood": MetricRange(least: 0, greatest: log(3) + 1e-12)
        case "utility_k", "best_reward_at_k": MetricRange(least: 0, greatest: 4)
        default: nil
        }
    }

    @Test("values and intervals of every metric lie in its range", arguments: [1, 2, 3, 4, 7])
    func everyMetric(inputs: Int) throws {
        var config = DiversityConfig()
        config.metrics = ["all"]
        config.lengthControl = true
        config.commonLength = 2
        config.resamples = 20
        config.answers.qualityThreshold = 2
        let models = try models()
        func report(_ seed: Int) throws -> DiversityReport {
            let groups = (0..<inputs).map { i in
                DiversityInput.Group(
                    input: "\(i)",
                    outputs: (0..<3).map { j in
                        .init(text(seed + i * 11 + j * 5), reward: Double((seed + i * j) % 5), meanLogProb: -1 - Double((seed * i + j) % 3))
                    }, references: [text(seed + i), text(seed + i + 1)])
            }
            return try DiversityMeasurement.run(DiversityInput(groups), config: config, models: models)
        }
        let (first, second) = (try report(1), try report(40))
        #expect(first.metrics.count == 2 * (MetricCatalogue.names.count - 1) && first.withoutModel.isEmpty)
        for entry in first.metrics {
            let range = entry.values.acrossInputs?.range
            if inputs > 1, !answerMetrics.contains(where: entry.name.hasSuffix) {
                #expect(range != nil && range != .unbounded, "\(entry.name) declares no range")
            }
            check(entry.values.acrossInputs?.interval, range, entry.name)
            if inputs < 3 { #expect(entry.values.acrossInputs?.interval == nil) }
            if let perInput = entry.values.perInput, let range = perInputRange(entry.name) { check(perInput.mean, range, entry.name) }
            if let mean = entry.values.acrossInputs?.mean, let range {
                #expect(mean >= (range.least ?? mean) - 1e-6 && mean <= (range.greatest ?? mean) + 1e-6, "\(entry.name) \(mean)")
            }
        }
        for comparison in [
            try DiversityComparison(first, first), try DiversityComparison(inDistribution: first, outOfDistribution: second),
        ] {
            for entry in comparison.metrics {
                let range = first[entry.name]?.values.acrossInputs?.range
                check(entry.acrossInputs, range.map { $0.minus($0) }, "difference of \(entry.name)")
            }
        }
    }

    @Test("three inputs: distinct-1 stays between 0 and 1")
    func threeInputs() throws {
        var config = DiversityConfig()
        config.metrics = ["distinct_ngrams_1", "vendi_score"]
        let report = try DiversityMeasurement.run(
            DiversityInput(outputs: [["a b"], ["c d"], ["a b"]]), config: config, models: DiversityModels())
        let interval = try #require(report["distinct_ngrams_1"]?.values.acrossInputs?.interval)
        #expect(interval.low >= 0 && interval.high == 1 && interval.low < interval.mean)
        let vendi = try #require(report["vendi_score"]?.values.acrossInputs?.interval)
        #expect(vendi.low >= 1 && vendi.high <= 3)
    }
}
