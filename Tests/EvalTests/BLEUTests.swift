import Eval
import Testing
import _TestSupport

@Suite struct BLEUTests {
    private let forms: [String: BLEU] = [
        "exp": .sentence, "floor": BLEU(smoothing: .floor(0.1)), "floor5": BLEU(smoothing: .floor(0.5)),
        "addk": BLEU(smoothing: .addK(1)), "none": BLEU(smoothing: .none), "expFull": .corpus,
        "lower": BLEU(lowercases: true), "order2": BLEU(maximumOrder: 2),
    ]

    @Test func sentenceScoresEqualThePackage() throws {
        for pair in try PairFixture.load().pairs {
            #expect(pair.bleu.count == forms.count)
            for (name, expected) in pair.bleu {
                let score = try #require(forms[name]).score(pair.hypothesis, references: [pair.reference]).score
                #expect(
                    isClose(score, expected),
                    "\(name): \(score), expected \(expected), \(pair.hypothesis.debugDescription) against \(pair.reference.debugDescription)"
                )
            }
        }
    }

    @Test func severalReferencesEqualThePackage() throws {
        let data = try PairFixture.load()
        for (i, pair) in data.pairs.enumerated() {
            let references = [pair.reference, data.pairs[(i + 1) % data.pairs.count].reference]
            #expect(isClose(BLEU.sentence.score(pair.hypothesis, references: references).score, data.twoReferences[i]))
        }
    }

    @Test func corpusScoresEqualThePackage() throws {
        let data = try PairFixture.load()
        let hypotheses = data.pairs.map(\.hypothesis)
        let references = data.pairs.map(\.reference)
        let other = Array(references.dropFirst() + references.prefix(1))
        for (name, expected) in data.corpus {
            let form = try #require(forms[name])
            let score = form.score(corpus: hypotheses, references: references.map { [$0] })
            #expect(isClose(score.score, expected.score), "\(name)")
            #expect(zip(score.precisions, expected.precisions).allSatisfy { isClose($0, $1) }, "\(name)")
            #expect(isClose(score.brevityPenalty, expected.penalty))
            #expect(score.counts.hypothesisLength == expected.hypothesisLength)
            #expect(score.counts.referenceLength == expected.referenceLength)
            let two = form.score(corpus: hypotheses, references: zip(references, other).map { [$0, $1] })
            #expect(isClose(two.score, expected.twoReferences), "\(name)")
        }
    }

    @Test func edgesHaveValues() {
        #expect(BLEU.sentence.score("", references: ["a"]).score == 0)
        #expect(BLEU.sentence.score("a", references: []).score == 0)
        #expect(isClose(BLEU.sentence.score("a b c d", references: ["x", "a b c d"]).score, 100))
        #expect(BLEU.sentence.score("a b c", references: ["a b c"]).score > 99.999)
        #expect(BLEU.corpus.score("a b c", references: ["a b c"]).score == 0)
        #expect(BLEU.corpus.score(corpus: [], references: []).score == 0)
    }
}
