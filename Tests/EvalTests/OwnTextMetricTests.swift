import Data
import Eval
import Foundation
import Tensor
import Testing
import _TestSupport

/// Text metrics from outside beside the built-in ones.
@Suite struct OwnTextMetricTests {
    private struct Questions: TextMetric {
        let name = "question_marks"
        func value(of text: MeasuredText) -> Double? { Double(text.text.count { $0 == "?" }) }
    }

    private let copied = ClosureTextMetric("copied, words") { text in
        guard let input = text.input else { return nil }
        let words = text.text.split(separator: " ")
        return words.isEmpty ? 0 : Double(words.count { input.contains($0) }) / Double(words.count)
    }

    private func inputs(_ end: String) -> [TextReport.Input] {
        (0..<6).map { index in
            .init(
                texts: ["who sat \(index)\(end)", "the cat"], reference: "the cat sat \(index)", rewards: [1, Double(index)],
                input: index == 0 ? nil : "the cat")
        }
    }

    @Test("reports do not depend on the number of threads, also where a text is measured twice", arguments: [2, 7])
    func threads(_ threads: Int) throws {
        let groups = [(name: "a", inputs: inputs("?") + [.init(texts: [])] + inputs(" sat")), (name: "b", inputs: inputs(""))]
        func report(_ threads: Int) throws -> TextReport {
            var random = SplitMix64(seed: 5)
            return try Compute.$threads.withValue(threads) {
                try TextReport(groups, metrics: TextMetrics.builtIn + [copied], comparing: .gap, resamples: 50, using: &random)
            }
        }
        #expect(try report(threads) == report(1))
        let text = MeasuredText("the cat sat", references: ["the cat"])
        let twice = Compute.$threads.withValue(threads) { try? GenerationMetrics.measure([text, text], metrics: TextMetrics.builtIn) }
        #expect(twice == GenerationMetrics.measure(["the cat sat", "the cat sat"], references: [["the cat"], ["the cat"]]))
    }

    @Test("they have a line with an interval in every table, and a difference; what is built in keeps its intervals")
    func beside() throws {
        let groups = [(name: "a", inputs: inputs("?")), (name: "b", inputs: inputs(""))]
        for comparison in [TextReport.Comparison.none, .gap, .paired] {
            var (random, other) = (SplitMix64(seed: 1), SplitMix64(seed: 1))
            let plain = TextReport(groups, comparing: comparison, resamples: 50, using: &random)
            let report = try TextReport(
                groups, metrics: [Questions()] + TextMetrics.builtIn + [copied], comparing: comparison, resamples: 50, using: &other)
            for (own, others) in zip(report.groups, plain.groups) {
                #expect(own.metrics.filter { others.metrics[$0.key] != nil } == others.metrics)
                #expect(own.corpusBLEU == others.corpusBLEU)
            }
            let marks = try #require(report.groups[0].metrics["question_marks"])
            #expect(marks.count == 6 && marks.mean == Interval(mean: 0.5, low: 0.5, high: 0.5))
            #expect(report.groups[0].metrics["copied, words"]?.count == 5, "an input without a value is left out")
            #expect(report.csv.contains("a,question_marks,6,0.5,0.5,0.5,0.5,0.0\n"))
            #expect(report.csv.contains("b,\"copied, words\",5,"))
            #expect(report.text.contains("question_marks"))
            let difference = report.gap ?? report.pairedDifference
            #expect(difference?["question_marks"]?.mean == (comparison == .none ? nil : 0.5))
            for (name, interval) in plain.gap ?? plain.pairedDifference ?? [:] { #expect(difference?[name] == interval, "\(name)") }
        }
    }

    @Test("they are columns of generated tables, too, and texts without a number are counted")
    func columns() throws {
        let rows = [
            SampleRow(id: "1", input: "a b", response: "a?", reference: "a"), SampleRow(id: "2", input: "", response: "b", reward: 2),
        ]
        let some = ClosureTextMetric("some") { $0.input?.isEmpty == false ? 1 : nil }
        let metrics = try GenerationMetrics.measure(rows, metrics: TextMetrics.builtIn + [Questions(), some])
        let plain = GenerationMetrics.measure(rows)
        #expect(metrics.columns["question_marks"] == [1, 0] && metrics.columns["some"] == [1])
        #expect(metrics.leftOut == ["reference": 1, "some": 1, "reward": 1])
        #expect(metrics.columns.filter { plain.columns[$0.key] != nil } == plain.columns && metrics.corpusBLEU == plain.corpusBLEU)
        #expect(try GenerationMetrics.measure(rows, metrics: [Questions()]).columns.keys.sorted() == ["question_marks", "reward"])
    }

    @Test("names that do not tell columns apart, numbers that are none and failures are errors")
    func errors() {
        var random = SplitMix64(seed: 1)
        func report(_ metrics: [any TextMetric]) throws {
            _ = try TextReport([(name: "a", inputs: inputs("?"))], metrics: metrics, using: &random)
        }
        func metric(_ name: String, _ value: Double = 1) -> any TextMetric { ClosureTextMetric(name) { _ in value } }
        #expect(throws: TextMetricError.nameTaken("words")) { try report(TextMetrics.builtIn + [metric("words")]) }
        #expect(throws: TextMetricError.nameTaken("reward")) { try report([metric("reward")]) }
        #expect(throws: TextMetricError.nameTaken("x")) { try report([metric("x"), metric("x")]) }
        #expect(throws: TextMetricError.nameless) { try report([metric("")]) }
        #expect(throws: TextMetricError.notFinite(metric: "x", value: .infinity)) { try report([metric("x", .infinity)]) }
        #expect(throws: CancellationError.self) { try report([ClosureTextMetric("x") { _ in throw CancellationError() }]) }
        let uneven = [(name: "a", inputs: inputs("")), (name: "b", inputs: Array(inputs("").prefix(2)))]
        #expect(throws: TextMetricError.notPaired(6, 2)) {
            try TextReport(uneven, metrics: TextMetrics.builtIn, comparing: .paired, using: &random)
        }
    }
}
