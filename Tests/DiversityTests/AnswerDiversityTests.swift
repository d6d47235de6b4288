import Diversity
import Testing

/// How much single answers differ from the others to their prompt.
@Suite struct AnswerDiversityTests {
    @Test func ngramsOfEqualAnswersAreOfNoDiversity() throws {
        let values = try AnswerDiversity.ngrams().values(["the cat sat", "the cat sat", "a dog ran off"])
        #expect(abs(values[0] - 0.5) < 1e-12 && abs(values[1] - 0.5) < 1e-12 && abs(values[2] - 1) < 1e-12)
        #expect(try AnswerDiversity.ngrams().values(["alone"]) == [0])
        #expect(try AnswerDiversity.ngrams().values([]) == [])
    }

    /// Two of three words, one of two pairs, and no triple are shared.
    @Test func ngramsAverageOverOrders() throws {
        let values = try AnswerDiversity.ngrams().values(["one two three", "one two four"])
        let expected = 1 - (2.0 / 3 + 1.0 / 2 + 0) / 3
        #expect(values.allSatisfy { abs($0 - expected) < 1e-12 })
    }

    /// Orders for which neither of two answers has an n-gram say nothing about them.
    @Test func shortAnswersDifferAsLongOnesDo() throws {
        #expect(try AnswerDiversity.ngrams().values(["yes", "no", "maybe so"]) == [1, 1, 1])
        #expect(try AnswerDiversity.ngrams().values(["yes", "yes"]) == [0, 0])
        #expect(try AnswerDiversity.ngrams().values(["", "?", "yes"]) == [0.5, 0.5, 1])
    }

    @Test func wordsAreRareWhereFewAnswersHaveThem() throws {
        let values = try AnswerDiversity.wordRarity().values(["red red", "red blue", "Blue", ""])
        let two = 0.693147180559945  // log(4 / 2)
        #expect(zip(values, [two, two, two, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
        let rare = try AnswerDiversity.wordRarity().values(["red", "red", "red", "green"])
        #expect(abs(rare[0] - 0.2876820724517809) < 1e-12 && abs(rare[3] - 1.3862943611198906) < 1e-12)
    }

    @Test func embeddingsHaveTheMeanCosineWithOthers() throws {
        struct Letters: TextEncoder {
            let name = "letters"
            func embeddings(of texts: [String]) throws -> [[Float]?] {
                texts.map { $0 == "?" ? nil : [$0.contains("x") ? 2 : 0, $0.contains("y") ? 2 : 0] }
            }
        }
        let values = try AnswerDiversity.embeddings(Letters()).values(["x", "x", "y", "?", ""])
        #expect(zip(values, [1 - 1.0 / 3, 1 - 1.0 / 3, 1, 0, 1]).allSatisfy { abs($0 - $1) < 1e-9 }, "\(values)")
    }
}
