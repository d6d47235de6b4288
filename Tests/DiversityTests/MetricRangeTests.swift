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

    @Test("values and intervals of every metric lie in its range", arguments: [1, 2, 3, 4, 7])
    func everyMetric(inputs: Int) throws {
        var config = DiversityConfig()
        config.metrics = ["all"]
        config.lengthControl = true
        config.commonLength = 2
        config.resamples = 20
        let models = try models()
        func report(_ seed: Int) throws -> DiversityReport {
            let outputs = (0..<inputs).map { i in (0..<3).map { text(seed + i * 11 + $0 * 5) } }
            return try DiversityMeasurement.run(DiversityInput(outputs: outputs), config: config, models: models)
        }
        let (first, second) = (try report(1), try report(40))
        #expect(first.metrics.count == 2 * MetricCatalogue.names.count && first.withoutModel.isEmpty)
        for entry in first.metrics {
            let range = entry.values.acrossInputs?.range
            if inputs > 1 { #expect(range != nil && range != .unbounded, "\(entry.name) declares no range") }
            check(entry.values.acrossInputs?.interval, range, entry.name)
            if inputs < 3 { #expect(entry.values.acrossInputs?.interval == nil) }
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
