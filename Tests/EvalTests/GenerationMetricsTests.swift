import Data
import Eval
import Testing
import _TestSupport

@Suite struct GenerationMetricsTests {
    @Test func columnsHoldEveryMetricOfEveryText() throws {
        var metrics = GenerationMetrics.measure(
            ["the cat sat", "", "", "no reference"], references: [["a dog", "the cat sat"], [""], ["x"], []])
        #expect(Set(metrics.columns.keys) == Set(GenerationMetrics.names))
        #expect(metrics.columns["rouge_1"].map { $0.map { ($0 * 1e6).rounded() / 1e6 } } == [1, 1, 0, 0])
        #expect(metrics.columns["exact_match"] == [1, 1, 0, 0])
        #expect(metrics.columns["bleu"].map { $0.map { ($0 * 1e6).rounded() / 1e6 } } == [1, 1, 0, 0])
        #expect(metrics.columns["standard_rouge_2"] == [1, 0, 0, 0])
        #expect(metrics.columns["words"] == [3, 0, 0, 2])
        metrics.add([1, 2, 3, 4], named: "reward")
        var random = SplitMix64(seed: 1)
        let summaries = metrics.summaries(resamples: 100, using: &random)
        #expect(summaries.count == GenerationMetrics.names.count + 1)
        #expect(summaries["reward"]?.mean.mean == 2.5 && summaries["words"]?.median == 1)
        #expect(metrics.averagesAndMedians["average_reward"] == 2.5)
        #expect(metrics.averagesAndMedians["average_words"] == 1.25 && metrics.averagesAndMedians["median_words"] == 1)
        #expect(GenerationMetrics.measure([], references: []).corpusBLEU == nil)
    }

    @Test func numbersAreThoseOfTheSingleMetrics() throws {
        let pairs = try PairFixture.load().pairs
        let metrics = GenerationMetrics.measure(pairs.map(\.hypothesis), references: pairs.map { [$0.reference] })
        for (i, pair) in pairs.enumerated() where !pair.hypothesis.isEmpty && !pair.reference.isEmpty {
            #expect(isClose(try #require(metrics.columns["rouge_1"]?[i]), pair.original[2]))
            #expect(isClose(try #require(metrics.columns["rouge_l"]?[i]), pair.original[8]))
            #expect(isClose(try #require(metrics.columns["bleu"]?[i]), (pair.bleu["exp"] ?? .nan) / 100))
            #expect(isClose(try #require(metrics.columns["standard_rouge_l"]?[i]), pair.standard[8]))
            #expect(isClose(try #require(metrics.columns["stemmed_rouge_lsum"]?[i]), pair.stemmed[11]))
        }
    }

    @Test("rows with an empty reference, as earlier versions wrote them, are left out of what compares and counted")
    func emptyReferences() {
        let rows = (0..<10).map { SampleRow(id: "\($0)", input: "p", response: "a b", reference: $0 < 5 ? "" : "a b") }
        let metrics = GenerationMetrics.measure(rows)
        #expect(metrics.leftOut["reference"] == 5)
        #expect(metrics.columns["exact_match"] == [1, 1, 1, 1, 1] && metrics.columns["words"]?.count == 10)
        #expect(metrics.averagesAndMedians["average_exact_match"] == 1)
    }

    @Test func tablesBringTheirNumbers() {
        let rows = [
            SampleRow(id: "1", input: "p", response: "a", reference: "a", reward: 1, numbers: ["kl": 2, "words": 9]),
            SampleRow(id: "2", input: "q", response: "b c", reward: 3, numbers: ["kl": 4, "other": 1]),
        ]
        let metrics = GenerationMetrics.measure(rows)
        #expect(metrics.columns["reward"] == [1, 3] && metrics.columns["kl"] == [2, 4])
        #expect(metrics.columns["words"] == [1, 2] && metrics.columns["other"] == [1])
        #expect(metrics.columns["exact_match"] == [1] && metrics.columns["rouge_1"]?.count == 1)
        #expect(metrics.leftOut == ["reference": 1, "other": 1])
        #expect(metrics.averagesAndMedians["without_reference"] == 1 && metrics.averagesAndMedians["average_exact_match"] == 1)
        #expect(metrics.averagesAndMedians["without_reward"] == nil)
        var unjudged = rows
        unjudged[0].reward = nil
        unjudged[0].reference = nil
        let rest = GenerationMetrics.measure(unjudged)
        #expect(rest.columns["reward"] == [3] && rest.leftOut == ["reference": 2, "reward": 1, "other": 1])
        #expect(rest.columns["exact_match"] == [] && rest.corpusBLEU == nil)
        unjudged[1].reward = nil
        #expect(GenerationMetrics.measure(unjudged).columns["reward"] == nil)
        #expect(GenerationMetrics.measure([SampleRow]()).columns["words"] == [])
    }
}
