import Eval
import Foundation
import Testing
import _TestSupport

/// Rewards and text metrics as the published code has them; see Tests/Fixtures/original/make_original.py.
@Suite struct OriginalRewardTests {
    private struct Numbers: Decodable {
        struct Pair: Decodable {
            let text, reference: String
            let value: Double
        }
        struct TokenID: Decodable {
            let rows: [[Int32]]
            let values: [Double]
        }
        let rougeByCharacter: [Pair]
        let tokenID: TokenID
    }

    @Test("ROUGE-1 against the characters of a reference")
    func rouge() throws {
        for pair in try Fixtures.json(Numbers.self, from: "original/original.json").rougeByCharacter {
            let request = RewardRequest(query: "", response: pair.text, reference: pair.reference)
            let found = try ROUGEReward(readsReferenceByCharacter: true).rewards(for: [request])
            expectClose(found, [pair.value], relative: 1e-9, absolute: 1e-12, label: pair.text)
        }
    }

    @Test("BLEU against the characters of a reference: one word that matches, or none")
    func bleu() throws {
        let requests = [("a", "cat"), ("cat", "cat")].map { RewardRequest(query: "", response: $0, reference: $1) }
        let found = try BLEUReward(readsReferenceByCharacter: true).rewards(for: requests)
        expectClose(found, [1, 0], relative: 1e-9, absolute: 1e-12)
    }

    @Test("the share of ids above the threshold, in the widest row of a batch")
    func tokenID() throws {
        let fixture = try Fixtures.json(Numbers.self, from: "original/original.json").tokenID
        let requests = fixture.rows.map { RewardRequest(query: "", response: "", responseTokens: $0) }
        #expect(try TokenIDReward(dividesByWidth: true).rewards(for: requests) == fixture.values)
    }

    @Test("an empty text equals an empty text only")
    func emptyMatches() {
        func match(_ text: String, _ references: [String]) -> Double? {
            GenerationMetrics.measure([text], references: [references]).columns["exact_match"]?.first
        }
        #expect(match("", [" "]) == 0 && match(" ", [""]) == 0 && match("", ["..."]) == 0)
        #expect(match("", [""]) == 1 && match(" ", ["."]) == 1 && match("", [" ", ""]) == 1)
    }

    @Test("averages of text metrics have four decimals, those of other columns all")
    func rounding() {
        var metrics = GenerationMetrics.measure(["a b c", "a", "x"], references: [["a"], ["a"], ["a"]])
        metrics.add([1, 0, 0], named: "reward")
        #expect(metrics.averagesAndMedians["average_reward"] == 1.0 / 3)
        #expect(metrics.averagesAndMedians["average_exact_match"] == 0.3333)
    }
}
