import Tensor
import Testing
import Train

/// Which of a prompt's answers are compared, and what their pairs weigh.
@Suite struct PairSelectionTests {
    private static let answers = [
        ScoredAnswer("middle", reward: 0.5), ScoredAnswer("best", reward: 1), ScoredAnswer("worst", reward: -1),
        ScoredAnswer("also best", reward: 1), ScoredAnswer("low", reward: -0.7), ScoredAnswer("also worst", reward: -1),
    ]

    private func pairs(
        _ selection: PairSelection, _ answers: [ScoredAnswer] = answers, id: String = "a", seed: UInt64 = 1,
        _ change: (inout AnswerPairs) -> Void = { _ in }
    ) throws -> [[Int]] {
        var pairs = AnswerPairs(random: Philox(seed: seed))
        pairs.selection = selection
        change(&pairs)
        return try pairs.pairs(of: answers, id: id).map { [$0.chosen, $0.rejected] }
    }

    @Test func bestAgainstWorstIsTheFirstOfEquals() throws {
        #expect(try pairs(.bestWorst) == [[1, 2]])
        #expect(try pairs(.bestWorst) { $0.minimumMargin = 2 } == [[1, 2]])
        #expect(try pairs(.bestWorst) { $0.minimumMargin = 2.1 } == [])
    }

    @Test func bestAgainstRandomDrawsAmongTheLower() throws {
        var seen: Set<Int> = []
        for prompt in 0..<60 {
            let found = try pairs(.bestRandom, id: "prompt \(prompt)")
            #expect(found.count == 1 && found[0][0] == 1)
            seen.insert(found[0][1])
            // the prompt's own stream, whatever other prompts there are
            #expect(try pairs(.bestRandom, id: "prompt \(prompt)") == found)
        }
        #expect(seen == [0, 2, 4, 5])
    }

    @Test func marginTakesAllPairsThatDifferByAtLeastAsMuch() throws {
        #expect(try pairs(.margin(1.6)) == [[1, 2], [1, 4], [1, 5], [3, 2], [3, 4], [3, 5]])
        // exactly as much is enough, for the selection and for the minimum of all selections
        let farthest = [[1, 2], [1, 5], [3, 2], [3, 5]]
        #expect(try pairs(.margin(2)) == farthest)
        #expect(try pairs(.margin(2.0.nextUp)) == [])
        #expect(try pairs(.margin(0)) { $0.minimumMargin = 2 } == farthest)
        #expect(try pairs(.margin(0)) { $0.minimumMargin = 2.0.nextUp } == [])
        #expect(try pairs(.margin(1.5)) == pairs(.margin(0)) { $0.minimumMargin = 1.5 })
        #expect(try pairs(.margin(0)).count == 13)
        let few = try pairs(.margin(0)) { $0.limit = 4 }
        #expect(few.count == 4 && Set(few).count == 4)
        #expect(try pairs(.margin(0)) { $0.limit = 4 } == few)
        #expect(try pairs(.margin(0), seed: 2) { $0.limit = 4 } != few)
    }

    /// The meaning that simulated preferences share.
    @Test func marginIsInclusiveAndNeverZero() {
        #expect(PairMargin.separates(0.75, from: 0.5, by: 0.25))
        #expect(!PairMargin.separates(0.75, from: 0.5, by: 0.25.nextUp))
        #expect(!PairMargin.separates(0.5, from: 0.75, by: 0.25))
        #expect(PairMargin.separates(0.5.nextUp, from: 0.5, by: 0) && !PairMargin.separates(0.5, from: 0.5, by: 0))
    }

    /// Good are rewards above 1 − 0.2·2, bad those below −1 + 0.2·2.
    @Test func divpoTakesTheMostDiverseOfTheGoodAndTheLeastDiverseOfTheBad() throws {
        let diversity = [9.0, 1, 5, 2, 4, 6]
        #expect(try pairs(.divpo(threshold: 0.2) { _ in diversity }) == [[3, 4]])
        // a middle answer is good as soon as the share reaches it
        #expect(try pairs(.divpo(threshold: 0.25) { _ in diversity }) == [[0, 4]])
        // without room it is the best against the worst
        #expect(try pairs(.divpo(threshold: 0) { _ in Self.answers.map { _ in 1 } }) == [[1, 2]])
    }

    @Test(arguments: [PairSelection.bestWorst, .bestRandom, .margin(0), .divpo(threshold: 0.5) { $0.map { _ in 1 } }])
    func answersWithoutADifferenceMakeNoPair(selection: PairSelection) throws {
        #expect(try pairs(selection, []) == [])
        #expect(try pairs(selection, [ScoredAnswer("alone", reward: 1)]) == [])
        #expect(try pairs(selection, (0..<3).map { ScoredAnswer("\($0)", reward: 0.5) }) == [])
        // one text that was scored twice is no pair
        #expect(try pairs(selection, [ScoredAnswer("same", reward: 1), ScoredAnswer("same", reward: 0)]) == [])
    }

    @Test func equalAnswersMakeOnePairOnce() throws {
        let answers = [("x", 1.0), ("x", 1), ("y", 0), ("y", 0)].map { ScoredAnswer($0.0, reward: $0.1) }
        #expect(try pairs(.margin(0), answers) == [[0, 2]])
    }

    /// A selection of a caller's own.
    @Test func ownSelection() throws {
        let lastFirst = PairSelection("last against first") { answers, _ in [(answers.count - 1, 0), (0, answers.count - 1)] }
        #expect(try pairs(lastFirst) == [[0, 5]])
    }

    /// Above the least, over the mean: as the authors' preparation of their data has it.
    @Test func weightsOfDeviations() {
        let weights = AnswerPairs.weights(ofDeviations: [0.2, 0.4, 0.8])
        #expect(zip(weights, [0, 0.75, 2.25]).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(AnswerPairs.weights(ofDeviations: [0.3, 0.3]) == [1, 1])
        #expect(AnswerPairs.weights(ofDeviations: [0.3, 0.3 + 1e-15]) == [1, 1])
        #expect(AnswerPairs.weights(ofDeviations: [0]) == [1] && AnswerPairs.weights(ofDeviations: []) == [])
    }
}
