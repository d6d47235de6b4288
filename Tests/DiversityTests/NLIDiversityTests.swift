import Diversity
import Foundation
import Testing
import _TestSupport

/// Counts what it is asked; a pair of equal texts entails, texts with an x contradict, others are neutral.
private final class CountingModel: EntailmentModel, @unchecked Sendable {  // tests use it from one task
    let name = "counting"
    var asked: [EntailmentPair] = []
    func probabilities(of pairs: [EntailmentPair]) -> [EntailmentProbabilities] {
        asked += pairs
        return pairs.map { pair in
            if pair.premise == pair.hypothesis {
                return EntailmentProbabilities(contradiction: 0.1, neutral: 0.2, entailment: 0.7)
            }
            if pair.premise.contains("x") {
                return EntailmentProbabilities(contradiction: 0.5, neutral: 0.2, entailment: 0.3)
            }
            return EntailmentProbabilities(contradiction: 0.3, neutral: 0.4, entailment: 0.3)
        }
    }
}

@Suite struct NLIDiversityTests {
    @Test func meanOverPairsOfBothDirections() throws {
        let model = CountingModel()
        let collection = TextCollection(["a", "a", "x"])
        let metric = NLIDiversity(model)
        // a–a: 2 · (0.1 − 0.7); twice a–x: 0 one way, 0.5 − 0.3 the other.
        #expect(isClose(try #require(try metric.value(of: [0, 1, 2], in: collection)), (-1.2 + 0.2 + 0.2) / 3))
        #expect(model.asked.count == 3, "every different pair is asked once")
        _ = try metric.value(of: [0, 2], in: collection)
        #expect(model.asked.count == 3)
        #expect(metric.higherIsMoreDiverse)
    }

    @Test func referenceFormTakesTheTopLabelAndInverts() throws {
        let model = CountingModel()
        let metric = NLIDiversity(model, scoring: .reference)
        let value = try #require(try metric.value(of: [0, 1, 2], in: TextCollection(["a", "a", "x"])))
        #expect(isClose(value, 1 - (-1.4 + 0.5 + 0.5) / 3))
        #expect(model.asked.contains(EntailmentPair(premise: "x.", hypothesis: "a.")))
        #expect(!metric.higherIsMoreDiverse)
        #expect(NLIScoring.reference.score(.init(contradiction: 0.3, neutral: 0.5, entailment: 0.2)) == 0)
    }

    @Test func sampledSentencesAverageInsidePairsFirst() throws {
        let model = CountingModel()
        let metric = SampledNLIDiversity(model, samples: 5)
        let texts = ["x one. x two. x three.", "a. b.", "x."]
        let value = try #require(try metric.value(of: [0, 1, 2], in: TextCollection(texts)))
        // x-sentences against plain ones give 0.2 + 0; against each other 0.2 + 0.2, all of them different.
        #expect(isClose(value, (0.2 + 0.4 + 0.2) / 3))
        #expect(try metric.value(of: [0, 1], in: TextCollection(["", "a."])) == nil)
    }

    @Test func sampledReferenceFormUsesCharactersAndDividesTwice() throws {
        let metric = SampledNLIDiversity(CountingModel(), scoring: .reference, form: .charactersScaledTwice, samples: 5)
        // Four characters each: every sampled pair is x against y, 0.5 one way and 0 the other; divided by 4 twice.
        let value = try #require(try metric.value(of: [0, 1], in: TextCollection(["xxxx", "yyyyyy"])))
        #expect(isClose(value, 1 - 4 * (0.5 / 4) / 4))
    }

    @Test func sampleDependsOnSeedAndTextsOnly() throws {
        let texts = (0..<4).map { t in
            (0..<12).map { "\(t) sentence \($0)\($0 % 3 == t % 3 ? " x" : "")." }.joined(separator: " ")
        }
        func value(_ texts: [String], seed: UInt64) throws -> Double? {
            try SampledNLIDiversity(CountingModel(), samples: 3, seed: seed)
                .value(of: Array(texts.indices), in: TextCollection(texts))
        }
        #expect(try value(texts, seed: 1) == value(texts, seed: 1))
        let reversed = try #require(try value(texts.reversed(), seed: 1))
        #expect(isClose(try #require(try value(texts, seed: 1)), reversed))
        #expect(try (1...5).contains { try value(texts, seed: $0) != value(texts, seed: 0) })
    }

    @Test(arguments: [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]), ("No stop\nnew line", ["No stop", "new line"]),
        ("It costs 3.5 now... \"Yes.\" (Ok.) end", ["It costs 3.5 now...", "\"Yes.\"", "(Ok.)", "end"]),
        ("", []), (" \n ", []), ("a.b.", ["a.b."]),
    ])
    func sentencesEndAtStops(text: String, expected: [String]) {
        #expect(SentenceSplitter.sentences(in: text) == expected)
    }
}
