import Data
import Eval
import Testing

/// Agreement of several people about pairs.
@Suite("Agreement of annotators")
struct AnnotatorAgreementTests {
    private typealias Answer = AnnotatorAgreement.Answer

    @Test("α, pairs, people and tasks of a small set by hand")
    func byHand() throws {
        let answers = [
            Answer(task: "1", annotator: "b", value: -3, seconds: 4), Answer(task: "1", annotator: "a", value: 2, seconds: 9),
            Answer(task: "2", annotator: "a", value: 0, seconds: 5), Answer(task: "2", annotator: "b", value: 0),
            Answer(task: "3", annotator: "a", value: -4), Answer(task: "3", annotator: "b", value: -1),
            // the last answer counts
            Answer(task: "1", annotator: "b", value: 4, seconds: 6), Answer(task: "4", annotator: "c", value: 1),
        ]
        var random = SplitMix64(seed: 1)
        let found = try #require(AnnotatorAgreement(answers, resamples: 200, using: &random))
        #expect(found.sharedTasks == 3 && found.pairs.count == 1)
        let pair = found.pairs[0]
        #expect(pair.first == "a" && pair.second == "b" && pair.tasks == 3 && pair.sameSide == 1 && pair.kappa == 1)
        #expect(found.alpha["nominal"]?.mean == 1)
        // positions 2 4 | 0 0 | -4 -1: D_o = (2·4 + 2·0 + 2·9)/6, D_e = Σ over all ordered pairs of (difference)² / 30
        let values: [Double] = [2, 4, 0, 0, -4, -1]
        let expected = values.reduce(0) { sum, a in sum + values.reduce(0) { $0 + (a - $1) * (a - $1) } } / 30
        #expect(abs((found.alpha["interval"]?.mean ?? 0) - (1 - 26.0 / 6 / expected)) < 1e-12)
        #expect(found.annotators.map(\.annotator) == ["a", "b", "c"] && found.annotators.map(\.tasks) == [3, 3, 1])
        #expect(found.annotators[0].meanSeconds == 7 && found.annotators[1].meanSeconds == 6 && found.annotators[2].meanSeconds == nil)
        #expect(found.annotators[0].agreementWithOthers == 1 && found.annotators[2].agreementWithOthers == nil)
        #expect(found.annotators[0].leftShare == 1.0 / 3 && found.annotators[0].neutralShare == 1.0 / 3)
        #expect(found.tasks.map(\.mean) == [3, 0, -2.5, 1] && found.tasks[3].spread == nil)
        #expect(abs((found.tasks[0].spread ?? 0) - 2.0.squareRoot()) < 1e-12)
    }

    @Test("people who choose opposite sides disagree; one person has nobody to agree with")
    func extremes() throws {
        var random = SplitMix64(seed: 1)
        let opposite = (0..<10).flatMap { task in
            [
                Answer(task: "\(task)", annotator: "a", value: task % 2 == 0 ? 4 : -4),
                Answer(task: "\(task)", annotator: "b", value: task % 2 == 0 ? -4 : 4),
            ]
        }
        let found = try #require(AnnotatorAgreement(opposite, resamples: 100, using: &random))
        #expect(found.pairs[0].sameSide == 0 && found.pairs[0].kappa == -1 && (found.alpha["ordinal"]?.mean ?? 0) < -0.8)
        #expect(found.annotators.allSatisfy { $0.agreementWithOthers == 0 })
        #expect(AnnotatorAgreement(opposite.filter { $0.annotator == "a" }, using: &random) == nil)
    }

    @Test("rankings become a comparison of every two texts")
    func rankings() {
        let answers = RankingAnalysis.comparisons(in: [RankingAnswer(task: "t", annotator: "a", ranks: [2, 1, 2], seconds: 6)])
        #expect(answers.map(\.value) == [1, 0, -1] && answers.allSatisfy { $0.seconds == 2 && $0.annotator == "a" })
        #expect(answers.map(\.task) == ["t: texts 1 and 2", "t: texts 1 and 3", "t: texts 2 and 3"])
    }
}
