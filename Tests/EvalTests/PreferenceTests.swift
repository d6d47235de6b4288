import Eval
import Foundation
import Testing
import _TestSupport

private struct LongerIsBetter: PairwiseJudge {
    func preferences(for questions: [PairwiseQuestion]) -> [Preference?] {
        questions.map { $0.first.count == $0.second.count ? .tie : $0.first.count > $0.second.count ? .first : .second }
    }
}

private struct AlwaysFirst: PairwiseJudge {
    func preferences(for questions: [PairwiseQuestion]) -> [Preference?] { questions.map { _ in .first } }
}

@Suite struct PreferenceTests {
    @Test func tiesCountHalf() throws {
        var random = SplitMix64(seed: 1)
        let rate = try #require(WinRate(outcomes: [1, 1, 0.5, 0], using: &random))
        #expect(rate.rate.mean == 0.625 && rate.wins == 2 && rate.ties == 1 && rate.losses == 1)
        #expect(isClose(rate.standardError, (0.6875 / 3).squareRoot() / 2))
        #expect(WinRate(outcomes: [], using: &random) == nil)
    }

    @Test func bothOrdersCancelAPositionPreference() throws {
        var random = SplitMix64(seed: 2)
        let summary = try #require(
            try PairwiseJudging.compare(
                inputs: ["p", "q", "r"], first: ["a", "b", "same"], second: ["c", "d", "same"], judge: AlwaysFirst(),
                using: &random))
        #expect(summary.winRate.rate == Interval(mean: 0.5, low: 0.5, high: 0.5))
        #expect(summary.consistency == 0 && summary.firstPositionShare == 1)
        #expect(summary.verdicts.map { $0 == nil } == [false, false, true])
    }

    /// Weights of labels, and questions without an answer, which are ties and say nothing of orders and positions.
    @Test func weightedAndMissingAnswers() throws {
        struct Weighing: PairwiseJudge {
            func preferences(for questions: [PairwiseQuestion]) -> [Preference?] { [] }
            func opinions(for questions: [PairwiseQuestion]) -> [JudgeOpinion] {
                [
                    .init(shareOfFirst: 0.9), .init(shareOfFirst: 0.3), .init(shareOfFirst: 0.2), .init(omission: .cut),
                    .init(omission: .failed),
                    .init(omission: .failed),
                ]
            }
        }
        var random = SplitMix64(seed: 3)
        let summary = try #require(
            try PairwiseJudging.compare(
                inputs: ["p", "q", "r", "s"], first: ["a", "b", "c", "x"], second: ["d", "e", "f", "x"], judge: Weighing(), using: &random))
        #expect(isClose(summary.winRate.rate.mean, (0.8 + 0.35 + 0.5 + 0.5) / 4))
        let answered = try #require(summary.winRateOfAnswered)
        #expect(isClose(answered.rate.mean, 0.65))
        #expect(summary.questions == 6 && summary.unreadable == 3)
        let omissions: [JudgeOmission: Int] = [.cut: 1, .failed: 2]
        #expect(summary.omissions == omissions)
        let share = try #require(summary.firstPositionShare)
        #expect(summary.consistency == 1 && isClose(share, 1.4 / 3))
        #expect(summary.outcomes.map { $0 == nil } == [false, true, true, false] && summary.outcomes[3] == 0.5)
        #expect(summary.verdicts[0]?.forward == .first && summary.verdicts[0]?.backward == .second)
    }

    @Test func summaryCountsWinsOfTheFirstSystem() throws {
        var random = SplitMix64(seed: 3)
        let summary = try #require(
            try PairwiseJudging.compare(
                inputs: ["p", "q", "r", "s"], first: ["long", "longer", "x", "ab"], second: ["s", "m", "long", "cd"],
                judge: LongerIsBetter(), using: &random))
        #expect(summary.winRate.rate.mean == 0.625 && summary.consistency == 1 && summary.firstPositionShare == 0.5)
        #expect(
            try PairwiseJudging.compare(inputs: [], first: [], second: [], judge: AlwaysFirst(), using: &random) == nil)
    }

    /// Outcomes drawn from the model itself: the fit finds its parameters, and the rate at equal lengths its intercept.
    @Test func lengthControlRemovesWhatLengthExplains() throws {
        var random = SplitMix64(seed: 4)
        func uniform() -> Double { Double(random.next() >> 11) / 9007199254740992 }
        let differences = (0..<4000).map { _ in 30 * uniform() - 5 }
        let scale = try #require(Statistics.standardDeviation(of: differences))
        let outcomes = differences.map { d in uniform() < 1 / (1 + exp(-(-0.4 + 2 * tanh(d / scale)))) ? 1.0 : 0 }
        let fit = LengthControlledWinRate.fit(outcomes, differences.map { tanh($0 / scale) })
        #expect(abs(fit.intercept + 0.4) < 0.15 && abs(fit.slope - 2) < 0.2)
        let raw = outcomes.reduce(0, +) / 4000
        let controlled = try #require(
            LengthControlledWinRate.rate(
                outcomes: outcomes, lengthDifferences: differences, resamples: 100, using: &random))
        #expect(raw > 0.55 && controlled.mean < 0.45 && controlled.contains(1 / (1 + exp(0.4))))
        let equal = try #require(
            LengthControlledWinRate.rate(
                outcomes: [1, 0, 1, 1], lengthDifferences: [0, 0, 0, 0], resamples: 10, using: &random))
        #expect(abs(equal.mean - 0.75) < 0.01)
        let separated = LengthControlledWinRate.fit([1, 1, 0, 0], [1, 1, -1, -1])
        #expect(separated.slope.isFinite && separated.slope > 2)
    }

    @Test func tasksDropIdenticalTextsAndMixSides() {
        let texts = (0..<60).map { "a\($0)" }
        var random = SplitMix64(seed: 5)
        let tasks = PairwiseTask.tasks(
            inputs: texts, first: texts, second: texts.enumerated().map { $0.offset % 3 == 0 ? $0.element : "b" },
            using: &random)
        #expect(tasks.count == 40)
        #expect((10...30).contains(tasks.filter(\.leftIsFirstSystem).count))
        for task in tasks {
            #expect((task.leftIsFirstSystem ? task.left : task.right) == "a\(task.id)")
            #expect((task.leftIsFirstSystem ? task.right : task.left) == "b")
        }
    }

    @Test func answersBecomeOutcomes() throws {
        func task(_ id: String, _ leftIsFirst: Bool) -> PairwiseTask {
            PairwiseTask(id: id, input: "i", left: "l", right: "r", leftIsFirstSystem: leftIsFirst)
        }
        let tasks = [task("a", true), task("b", false), task("c", true), task("d", true)]
        let answers = [
            PairwiseAnswer(task: "a", annotator: "1", slider: -4), PairwiseAnswer(task: "a", annotator: "2", slider: 2),
            PairwiseAnswer(task: "b", annotator: "1", slider: -1), PairwiseAnswer(task: "c", annotator: "1", slider: 0),
        ]
        func outcomes(_ analysis: PairwiseAnalysis) throws -> [Double] {
            try analysis.outcomes(tasks: tasks, answers: answers).map(\.outcome)
        }
        #expect(try outcomes(.init()) == [1, 0, 0.5])
        #expect(try outcomes(.init(scale: .weighted)) == [0.625, 0.375, 0.5])
        #expect(try outcomes(.init(merging: .override)) == [0, 0, 0.5])
        #expect(try outcomes(.init(merging: .skip)) == [0, 0.5])
        #expect(try outcomes(.init(neutral: .leaveOut)) == [1, 0])
        var random = SplitMix64(seed: 6)
        #expect(try PairwiseAnalysis().winRate(tasks: tasks, answers: answers, using: &random)?.rate.mean == 0.5)
        #expect(throws: PairwiseAnswerError.unknownTask("z")) {
            try PairwiseAnalysis().winRate(
                tasks: tasks, answers: [PairwiseAnswer(task: "z", annotator: "1", slider: 0)], using: &random)
        }
        // an annotator's last answer replaces the earlier one; another task of the same name has no answers of its own
        let twice = answers + [PairwiseAnswer(task: "a", annotator: "1", slider: -1)]
        let again = try PairwiseAnalysis(scale: .weighted).outcomes(tasks: tasks, answers: twice).map(\.outcome)
        #expect(again == [0.4375, 0.375, 0.5])
        #expect(throws: PairwiseAnswerError.repeatedTask("b")) {
            try PairwiseAnalysis().outcomes(tasks: tasks + [task("b", true)], answers: answers)
        }
        #expect(throws: PairwiseAnswerError.sliderOutOfRange(task: "a", slider: 5)) {
            try PairwiseAnalysis().winRate(
                tasks: tasks, answers: [PairwiseAnswer(task: "a", annotator: "1", slider: 5)], using: &random)
        }
    }
}
