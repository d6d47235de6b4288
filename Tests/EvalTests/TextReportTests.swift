import Eval
import Foundation
import Testing
import _TestSupport

@Suite struct TextReportTests {
    private let inside: [TextReport.Input] = [
        .init(texts: ["the cat sat", "a dog"], reference: "the cat sat", rewards: [1, 3]),
        .init(texts: ["one two three"], reference: "one two four", rewards: [5]),
        .init(texts: []),
    ]
    private let outside: [TextReport.Input] = [
        .init(texts: ["x"], reference: "the cat", rewards: [0]), .init(texts: ["y z"], reference: "y", rewards: [1]),
    ]

    private func report(_ comparison: TextReport.Comparison) -> TextReport {
        var random = SplitMix64(seed: 3)
        return TextReport(
            [(name: "test", inputs: inside), (name: "ood, test", inputs: outside)], comparing: comparison,
            resamples: 200,
            using: &random)
    }

    @Test("an input is one unit: its texts are averaged first")
    func groups() throws {
        let report = report(.none)
        let group = report.groups[0]
        #expect(group.name == "test" && group.inputs == 2 && group.texts == 3)
        #expect(Set(group.metrics.keys) == Set(GenerationMetrics.names).union(["reward"]))
        let words = try #require(group.metrics["words"])
        #expect(words.count == 2 && words.mean.mean == 2.75 && words.median == 2.75 && words.standardDeviation == 0.25)
        let reward = try #require(group.metrics["reward"])
        #expect(reward.mean.mean == 3.5 && reward.mean.low == 2 && reward.mean.high == 5)
        #expect(isClose(try #require(group.metrics["exact_match"]).mean.mean, 0.25))
        #expect(report.gap == nil && report.pairedDifference == nil && group.corpusBLEU != nil)
        #expect(report == self.report(.none))
    }

    @Test func theGapComparesMeans() throws {
        let report = report(.gap)
        let gap = try #require(report.gap?["reward"])
        #expect(isClose(gap.mean, 3.0) && gap.low < 3 && gap.high > 3)
        #expect(report.gap?.count == GenerationMetrics.names.count + 1)
        let lines = report.csv.split(separator: "\n")
        #expect(lines.count == 1 + 2 * (GenerationMetrics.names.count + 2) + GenerationMetrics.names.count + 1)
        #expect(
            lines.allSatisfy {
                $0.hasPrefix("\"ood, test\"") || $0.split(separator: ",", omittingEmptySubsequences: false).count == 8
            })
        #expect(lines.contains("test,words,2,2.75,2.5,3.0,2.75,0.25"))
        #expect(report.text.hasPrefix("metric") && report.text.split(separator: "\n")[0].hasSuffix("gap"))
    }

    @Test func theSameInputsArePaired() throws {
        let report = report(.paired)
        let difference = try #require(report.pairedDifference?["reward"])
        #expect(difference == Interval(mean: 3, low: 2, high: 4))
    }

    @Test("an input without a reference and a text without a reward are left out and counted; the rest counts")
    func somethingMissing() throws {
        let inputs: [TextReport.Input] = [
            .init(texts: ["the cat", "a dog"], reference: "the cat", rewards: [1, nil]),
            .init(texts: ["one two"], rewards: [4]), .init(texts: ["x"], reference: "x", rewards: [nil]),
        ]
        var random = SplitMix64(seed: 3)
        let report = TextReport([(name: "test", inputs: inputs)], resamples: 50, using: &random)
        let group = report.groups[0]
        #expect(Set(group.metrics.keys) == Set(GenerationMetrics.names).union(["reward"]))
        #expect(group.metrics["exact_match"]?.mean.mean == 0.75 && group.metrics["exact_match"]?.count == 2)
        #expect(group.metrics["words"]?.count == 3 && group.metrics["reward"]?.mean.mean == 2.5)
        #expect(group.metrics["reward"]?.count == 2 && group.withoutReference == 1 && group.withoutReward == 2)
        let lines = report.text.split(separator: "\n")
        #expect(
            lines.suffix(2) == [
                "test: 1 of 3 inputs without a reference left out of ROUGE, BLEU and exact match",
                "test: 2 of 4 texts without a reward left out of reward",
            ])
        #expect(report.csv.contains("test,exact_match,2,0.75") && report.csv.contains("test,words,3,"))
        #expect(report.csv.contains("test,corpus_bleu,2,"))
        let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(json.contains("\"withoutReference\":1") && json.contains("\"withoutReward\":2"))

        // pairs: only inputs that have the metric on both sides
        let other = inputs.map { TextReport.Input(texts: ["the cat"], reference: $0.reference ?? "y", rewards: [0]) }
        let paired = TextReport(
            [(name: "a", inputs: inputs), (name: "b", inputs: other)], comparing: .paired, resamples: 50, using: &random)
        #expect(paired.pairedDifference?["exact_match"]?.mean == 0.25)
        #expect(paired.pairedDifference?["reward"]?.mean == 2.5)
        let gap = TextReport(
            [(name: "a", inputs: inputs), (name: "b", inputs: other)], comparing: .gap, resamples: 50, using: &random)
        #expect(abs(try #require(gap.gap?["exact_match"]).mean - (0.75 - 1.0 / 3)) < 1e-12)
    }

    @Test("without references there are lengths, without rewards none")
    func plainTexts() throws {
        var random = SplitMix64(seed: 3)
        let report = TextReport([(name: "a", inputs: [.init(texts: ["b c"]), .init(texts: ["d"])])], using: &random)
        #expect(report.groups[0].withoutReference == 2 && report.text.split(separator: "\n").count == 3)
        #expect(Set(report.groups[0].metrics.keys) == ["words", "characters"] && report.groups[0].corpusBLEU == nil)
        let data = try JSONEncoder().encode(report)
        #expect(!String(decoding: data, as: UTF8.self).contains("values"))
    }
}
