import Eval
import Foundation
import Testing
import _TestSupport

/// Judges outside of the process, and what their answers mean.
@Suite struct JudgeTests {
    @Test(
        "what an answer says",
        arguments: [
            (#"["model_1", "model_2"]"#, Preference.first), ("model_2 > model_1", .second), ("model_2 is better", .second),
            ("Tie.", .tie), ("first", .first), ("I cannot say", nil), ("", nil), ("I don't think model_1 is better", nil),
            ("Nobody could say that model_1 is better.", nil), ("model_1 is worse than model_2", nil), ("tie?", nil),
        ])
    func answers(text: String, expected: Preference?) {
        #expect(JudgePrompt.preference(in: text) == expected)
    }

    @Test("posts and news are asked about in their own words, with texts in the order given")
    func prompts() throws {
        let post = JudgePrompt.text(for: PairwiseQuestion(input: "TITLE: a\nTL;DR:", first: " one ", second: " two"))
        #expect(post.contains("forum post") && post.contains("TITLE: a\nTL;DR:\n"))
        let first = try #require(post.firstRange(of: "Summary of model_1:\none\n"))
        let second = try #require(post.firstRange(of: "Summary of model_2:\ntwo\n"))
        #expect(first.upperBound <= second.lowerBound)
        #expect(
            JudgePrompt.text(for: PairwiseQuestion(input: "ARTICLE: b", first: "", second: "")).contains("news article"))
    }

    private let questions = [
        PairwiseQuestion(input: "p", first: "a", second: "b"), PairwiseQuestion(input: "p", first: "b", second: "a"),
    ]

    @Test("a program answers with a verdict, or with a text that has one")
    func process() throws {
        let verdicts = JudgeProcess(command: #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "preference": "tie"}/'"#)
        #expect(try verdicts.preferences(for: questions) == [.tie, .tie])
        let texts = JudgeProcess(command: #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "answer": "model_2, model_1"}/'"#)
        #expect(try texts.preferences(for: questions) == [.second, .second])
        let mute = JudgeProcess(command: #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "answer": "well"}/'"#)
        #expect(try mute.preferences(for: questions) == [nil, nil])
        let broken = JudgeProcess(command: #"sed -u 's/.*/{"id": 0}/'"#)
        let error = #expect(throws: JudgeError.self) { try broken.preferences(for: questions) }
        #expect(error?.description.contains("answered '{\"id\": 0}'") ?? false, "\(error?.description ?? "")")
    }

    @Test("a program whose answer says two things is refused")
    func contradiction() throws {
        let both = JudgeProcess(
            command: #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "preference": "first", "answer": "second"}/'"#)
        let error = #expect(throws: JudgeError.self) { try both.preferences(for: questions) }
        #expect(error?.description.contains("\"preference\" is first, but \"answer\" means second") ?? false, "\(error as Any)")
        let same = JudgeProcess(command: #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "preference": "first", "answer": "model_1"}/'"#)
        #expect(try same.preferences(for: questions) == [.first, .first])
    }

    @Test("answers from a file are joined by their number")
    func recorded() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("judge-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        func judge(_ text: String) throws -> [Preference?] {
            try text.write(to: file, atomically: true, encoding: .utf8)
            return try RecordedJudge(file).preferences(for: questions)
        }
        #expect(
            try judge("{\"id\": 1, \"answer\": \"model_1\"}\n{\"id\": 0, \"preference\": \"second\"}\n") == [
                .second, .first,
            ])
        #expect(throws: JudgeError.missing(id: 1, of: 2, path: file.path)) {
            try judge("{\"id\": 0, \"preference\": \"tie\"}\n")
        }
        #expect(throws: JudgeError.repeated(id: 0, path: file.path)) {
            try judge("{\"id\": 0, \"preference\": \"tie\"}\n{\"id\": 0, \"preference\": \"tie\"}\n")
        }
    }

    @Test(
        "weights that are equal in both orders, and those that are equal but for rounding, are ties",
        arguments: [0.1, 0.3, 0.7, 0.9, 0.49999999999999994])
    func equalWeights(share: Double) throws {
        struct Weighing: PairwiseJudge {
            var share: Double
            func preferences(for questions: [PairwiseQuestion]) -> [Preference?] { [] }
            func opinions(for questions: [PairwiseQuestion]) -> [JudgeOpinion] {
                questions.indices.map { JudgeOpinion(shareOfFirst: $0 % 4 == 3 ? share.nextUp : share) }
            }
        }
        var random = SplitMix64(seed: 1)
        let inputs = (0..<10).map { "p\($0)" }
        let summary = try #require(
            try PairwiseJudging.compare(
                inputs: inputs, first: inputs.map { $0 + "a" }, second: inputs.map { $0 + "b" }, judge: Weighing(share: share),
                using: &random))
        #expect(summary.winRate.ties == 10 && summary.winRate.wins == 0 && summary.winRate.losses == 0)
        #expect(summary.verdicts[0]?.outcome == 0.5)
        #expect(JudgeOpinion(shareOfFirst: 0.49999999999999994).preference == .tie)
        let tasks = [PairwiseTask(id: "0", input: "p0", left: "p0a", right: "p0b", leftIsFirstSystem: true)]
        let agreement = try #require(
            PeopleAgreement(
                inputs: ["p0"], first: ["p0a"], second: ["p0b"], outcomes: [0.49999999999999994], tasks: tasks, people: [("0", 0.5)]))
        #expect(agreement.share == 1)
    }

    @Test("answers that say nothing count as ties, and are counted")
    func unreadable() throws {
        struct Mute: PairwiseJudge {
            func preferences(for questions: [PairwiseQuestion]) -> [Preference?] {
                questions.indices.map { $0 == 0 ? nil : .first }
            }
        }
        var random = SplitMix64(seed: 1)
        let summary = try #require(
            try PairwiseJudging.compare(inputs: ["p"], first: ["a"], second: ["b"], judge: Mute(), using: &random))
        #expect(summary.unreadable == 1 && summary.winRate.rate.mean == 0.25)
    }
}

/// Rankings of several systems and the reference, and contrasting examples.
@Suite struct RankingTests {
    @Test("tasks hold every text once, in an order of their own")
    func tasks() {
        var random = SplitMix64(seed: 1)
        let inputs = (0..<40).map { "i\($0)" }
        let tasks = RankingTask.tasks(
            inputs: inputs, references: inputs.map { "r" + $0 },
            systems: [("a", inputs.map { "a" + $0 }), ("b", inputs.map { "b" + $0 })], using: &random)
        #expect(tasks.map(\.input) == inputs && Set(tasks.map(\.systems)).count == 6)
        for task in tasks {
            for (system, text) in zip(task.systems, task.texts) {
                #expect(text == (system == RankingTask.reference ? "r" : system) + task.input)
            }
        }
    }

    @Test("each system against the reference; how people agree with each other and with the judge")
    func analysis() throws {
        let tasks = [
            RankingTask(id: "0", input: "i", texts: ["x", "y", "z"], systems: ["a", "reference", "b"]),
            RankingTask(id: "1", input: "j", texts: ["x", "y", "z"], systems: ["reference", "b", "a"]),
            RankingTask(id: "2", input: "k", texts: ["x", "y", "z"], systems: ["reference", "b", "a"]),
        ]
        func answer(_ task: String, _ who: String, _ ranks: [Int]) -> RankingAnswer {
            RankingAnswer(task: task, annotator: who, ranks: ranks)
        }
        let answers = [
            answer("0", "p", [1, 2, 3]), answer("0", "q", [2, 1, 3]), answer("1", "p", [1, 1, 2]),
            answer("0", "model", [1, 2, 3]), answer("1", "model", [2, 1, 3]),
        ]
        var random = SplitMix64(seed: 2)
        let found = try #require(
            try RankingAnalysis(tasks: tasks, answers: answers, judge: "model", resamples: 50, using: &random))
        #expect(found.tasks == 2 && found.systems.map(\.name) == ["a", "b"])
        // a: task 0 one win and one loss, task 1 a loss; b: two losses, a tie
        #expect(found.systems.map(\.againstReference.rate.mean) == [0.25, 0.25])
        #expect(found.disagreement == 0.5)
        // a: yes, no, yes; b: yes, yes, no
        #expect(isClose(try #require(found.agreementWithJudge), 4.0 / 6))
        // who answers a task again counts once, with the last answer
        random = SplitMix64(seed: 2)
        let again = [answer("0", "p", [3, 2, 1])] + answers + [answer("1", "model", [2, 1, 3])]
        #expect(try RankingAnalysis(tasks: tasks, answers: again, judge: "model", resamples: 50, using: &random) == found)
        let alone = try RankingAnalysis(tasks: tasks, answers: Array(answers.suffix(2)), judge: "model", using: &random)
        #expect(alone == nil)
        #expect(throws: RankingError.wrongCount(task: "0", ranks: 2, texts: 3)) {
            try RankingAnalysis(tasks: tasks, answers: [answer("0", "p", [1, 2])], using: &random)
        }
        #expect(throws: RankingError.rankOutOfRange(task: "0", rank: 0)) {
            try RankingAnalysis(tasks: tasks, answers: [answer("0", "p", [0, 0, 0])], using: &random)
        }
        #expect(throws: PairwiseAnswerError.unknownTask("9")) {
            try RankingAnalysis(tasks: tasks, answers: [answer("9", "p", [1, 2, 3])], using: &random)
        }
        // its answers would say nothing about the system c
        let other = RankingTask(id: "1", input: "j", texts: ["x", "y"], systems: ["reference", "c"])
        #expect(throws: RankingError.repeatedTask("1")) {
            try RankingAnalysis(tasks: tasks + [other], answers: answers, using: &random)
        }
    }

    @Test("examples on which one system does better, strictly or by its first output")
    func contrasts() {
        func outputs(_ values: [Double]) -> [(text: String, value: Double)] { values.map { ("t\($0)", $0) } }
        let first = [outputs([3, 1]), outputs([5, 4]), outputs([1, 9]), outputs([4, 4])]
        let second = [outputs([2, 2]), outputs([1, 3]), outputs([2, 0]), outputs([1, 1])]
        func pick(_ strictly: Bool, _ count: Int = 9) -> [ContrastingExamples.Example] {
            ContrastingExamples.pick(
                inputs: ["a", "b", "c", "d"], first: first, second: second, strictly: strictly, count: count)
        }
        #expect(pick(false).map(\.input) == ["b", "d", "a"] && pick(false).map(\.difference) == [4, 3, 1])
        #expect(pick(true).map(\.input) == ["d", "b"] && pick(true).map(\.difference) == [3, 1])
        #expect(pick(true, 1).map(\.first) == ["t4.0"] && pick(true, 1).map(\.second) == ["t1.0"])
    }
}
