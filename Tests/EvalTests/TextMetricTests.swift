import Eval
import Foundation
import Testing
import _TestSupport

@Suite struct TextMetricTests {
    @Test func exactMatchEqualsItsDefinition() throws {
        for pair in try PairFixture.load().pairs {
            #expect(
                ExactMatch.score(pair.hypothesis, reference: pair.reference) == pair.exact,
                "\(pair.hypothesis.debugDescription) against \(pair.reference.debugDescription)")
        }
    }

    @Test(arguments: [
        ("The  cat, sat!", "the cat\nsat", 1.0), ("", "", 1), ("", "a", 0), ("...", "", 1), ("a-b", "ab", 1),
        ("a b", "ab", 0), ("ΟΔΟΣ", "οδος", 1), ("e\u{301}", "é", 0),
    ])
    func exactMatchNormalises(hypothesis: String, reference: String, expected: Double) {
        #expect(ExactMatch.score(hypothesis, reference: reference) == expected)
    }

    @Test func exactMatchTakesTheBestReference() {
        #expect(ExactMatch.score("A.", references: ["b", "a"]) == 1)
        #expect(ExactMatch.score("a", references: []) == 0)
    }

    @Test func lengthsCountWordsAndScalars() {
        #expect(Lengths.words(in: " a  b\r\nc\u{A0}d ") == 4)
        #expect(Lengths.words(in: "") == 0)
        #expect(Lengths.scalars(in: "e\u{301}\r\n") == 4)
    }
}
