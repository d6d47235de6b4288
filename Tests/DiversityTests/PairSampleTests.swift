import Diversity
import Foundation
import Testing
import _TestSupport

@Suite struct PairSampleTests {
    /// Names the pairs it is asked about.
    private final class Record: EntailmentModel, @unchecked Sendable {  // tests use it from one task
        let name = "record"
        var asked: Set<EntailmentPair> = []
        func probabilities(of pairs: [EntailmentPair]) -> [EntailmentProbabilities] {
            asked.formUnion(pairs)
            return pairs.map { pair in
                let share = Double((pair.premise.utf8.count + pair.hypothesis.utf8.count) % 7) / 7
                return EntailmentProbabilities(contradiction: share, neutral: 0, entailment: 1 - share)
            }
        }
    }

    private let texts = (0..<40).map { "text \($0 * $0)" + String(repeating: "!", count: $0 % 5) }

    private func value(_ texts: [String], limit: Int?, seed: UInt64 = 1) throws -> (
        value: Double, pairs: Set<Set<String>>
    ) {
        let model = Record()
        let metric = NLIDiversity(model, pairs: PairSample(limit: limit, seed: seed))
        let value = try #require(try metric.value(of: Array(texts.indices), in: TextCollection(texts)))
        return (value, Set(model.asked.map { [$0.premise, $0.hypothesis] }))
    }

    @Test func aLimitTakesSomeOfThePairs() throws {
        let all = try value(texts, limit: nil)
        #expect(all.pairs.count == 780)
        #expect(try value(texts, limit: 780).value == all.value)
        let some = try value(texts, limit: 100)
        #expect(some.pairs.count == 100 && some.pairs.isSubset(of: all.pairs))
        #expect(abs(some.value - all.value) < 0.3)
        #expect(try value(texts, limit: 100, seed: 2).pairs != some.pairs)
    }

    @Test func theSampleDependsOnTheTextsAlone() throws {
        let some = try value(texts, limit: 100)
        let reversed = try value(texts.reversed(), limit: 100)
        #expect(reversed.pairs == some.pairs && isClose(reversed.value, some.value))
    }

    @Test func meansOverSamplesAreMeansOverPairs() throws {
        let all = try value(texts, limit: nil).value
        let mean = try (0..<200 as Range<UInt64>).reduce(0) { try $0 + value(texts, limit: 50, seed: $1).value } / 200
        #expect(abs(mean - all) < 0.02)
    }

    /// Of 1770 pairs of copies and 60 others, a sample has some of both.
    @Test func copiesAreDrawnOneByOne() throws {
        let copies = Array(repeating: "copy", count: 60) + ["another"]
        let all = try value(copies, limit: nil).value
        let means = try (0..<40 as Range<UInt64>).map { try value(copies, limit: 100, seed: $0).value }
        #expect(Set(means).count > 3)
        #expect(abs(means.reduce(0, +) / 40 - all) < 0.1)
    }
}
