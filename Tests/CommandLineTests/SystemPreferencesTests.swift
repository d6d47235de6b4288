import ArgumentParser
import Data
import Eval
import Formats
import Foundation
import CommandLine
import Report
import Runs
import Study
import Synchronization
import Testing
import _TestSupport

/// Preferences between systems, from files to files.
@Suite struct SystemPreferencesTests {
    private struct Command: ReportCommand {
        typealias Whole = SystemPreferences
        static let aliases = RunOptions.aliases
        @OptionGroup var preferences: SystemPreferenceOptions
        @OptionGroup var judge: JudgeOptions
        @OptionGroup var runs: RunOptions
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: String...) throws { try run(arguments) }

    private func run(_ arguments: [String]) throws {
        let command = try Command.parse(
            normalising: arguments + ["--output-dir", folder.url.path, "--bootstrap-resamples", "50"])
        try command.settings.run(ReportListener())
    }

    /// Runs the command and returns its notes.
    private func notes(of arguments: [String]) throws -> String {
        let command = try Command.parse(
            normalising: arguments + ["--output-dir", folder.url.path, "--bootstrap-resamples", "50"])
        let notes = Mutex("")
        var listener = ReportListener()
        listener.note = { text in notes.withLock { $0 += text + "\n" } }
        try command.settings.run(listener)
        return notes.withLock { $0 }
    }

    @Test("options of runs that need a model to train or to sample are refused")
    func frozenFormat() {
        let error = #expect(throws: (any Error).self) {
            try run("--systems", "a,b", "--pick-examples", folder["picked.jsonl"].path, "--frozen-dtype", "int8")
        }
        #expect(Command.message(for: error ?? CancellationError()).contains("--frozen-dtype int8 has no effect here"))
    }

    /// A run that has answered six inputs twice each; input 5 is its own.
    private func makeRun(_ id: String, response: (Int) -> String, reward: Double, finished: Bool = true) throws {
        let run = try RunFolder(at: folder[id], configuration: .sample(.bestOfN))
        for i in 0..<6 {
            let input = i < 5 ? "post \(i)" : "\(id) alone"
            try run.tables.append(
                (0..<2).map { j in
                    SampleRow(
                        id: "\(i)-\(j)", input: input, response: j == 0 ? response(i) : "other", reference: "reference \(i)",
                        reward: reward + Double(i) - Double(j), numbers: ["tokens": 3])
                }, to: "test")
        }
        if finished { try run.writeResult { _ in } }
    }

    private func makeRuns() throws {
        try makeRun("long", response: { $0 == 0 ? "same" : "a longer text \($0)" }, reward: 1)
        try makeRun("short", response: { $0 == 0 ? "same" : "short \($0)" }, reward: 0.5)
    }

    private func rows<Row: Codable>(_ path: String, _: Row.Type) throws -> [Row] {
        try JSONLines<Row>(folder[path]).read()
    }

    private func write<Row: Codable>(_ rows: [Row], _ path: String) throws {
        try JSONLines<Row>(folder[path]).write(rows)
    }

    private func result(_ id: String = "preferences") throws -> [String: Any] {
        let content = try Data(contentsOf: folder["\(id)/final/preferences.json"])
        return try JSONSerialization.jsonObject(with: content) as? [String: Any] ?? [:]
    }

    private func rate(_ value: Any?) -> Double? {
        ((value as? [String: Any])?["rate"] as? [String: Any])?["mean"] as? Double
    }

    @Test("pairs for people, and what their answers say")
    func pairs() throws {
        try makeRuns()
        let tasks = folder["tasks.jsonl"].path
        let notes = try notes(of: ["--systems", "long,short", "--preference-tasks", tasks])
        #expect(notes.contains("\(tasks): 4 tasks; 1 pair with identical texts is left out\n"), "\(notes)")
        let written = try rows("tasks.jsonl", PairwiseTask.self)
        // input 0 has equal texts, the last one is not common
        #expect(written.map(\.input) == (1..<5).map { "post \($0)" })
        try write(
            written.map {
                PairwiseAnswer(task: $0.id, annotator: "p", slider: $0.leftIsFirstSystem == ($0.id != "4") ? -4 : 2)
            }, "answers.jsonl")
        let answers = folder["answers.jsonl"].path
        try run("--preference-tasks", tasks, "--preference-answers", answers)
        // three won; the fourth prefers the second system
        #expect(rate(try result()["win_rate"]) == 0.75)
        try run(
            "--preference-tasks", tasks, "--preference-answers", answers, "--answer-scale", "weighted", "--run-id", "w")
        #expect(try #require(rate(try result("w")["win_rate"])) < 1)
        #expect(text(of: folder["preferences/metrics.jsonl"]).contains("\"win_rate\":0.75"))
    }

    @Test("a page of new tasks with attention checks, which do not count")
    func page() throws {
        try makeRuns()
        let (tasks, page) = (folder["tasks.jsonl"].path, folder["annotate.html"].path)
        try Data("Choose.\n- <b>one</b>\n".utf8).write(to: folder["how.txt"])
        try run(
            "--systems", "long,short", "--preference-tasks", tasks, "--page", page, "--attention-checks", "3", "--page-instructions",
            folder["how.txt"].path, "--page-title", "A & B")
        let written = try rows("tasks.jsonl", PairwiseTask.self)
        #expect(written.map(\.id) == (0..<7).map(String.init))
        let checks = written.filter { $0.check != nil }
        #expect(checks.count == 3)
        for task in checks {
            let position = try #require(task.check)
            let name = position < 0 ? "\u{2212}\(-position)" : "+\(position)"
            let texts: [String] = [task.left, task.right]
            let asking = texts.filter { $0.contains("position \(name) (") }
            #expect(position != 0)
            #expect(asking.count == 1)
        }
        let text = text(of: folder["annotate.html"])
        #expect(text.contains("<li dir=\"auto\">&lt;b&gt;one&lt;/b&gt;</li>") && text.contains("A &amp; B"))
        // nothing tells whose a text is, or which task is a check
        for word in ["leftIsFirst", "\"check\"", "\"systems\"", "long,short"] { #expect(!text.contains(word)) }
        // checks are answered for the second system throughout
        try write(
            written.map {
                PairwiseAnswer(task: $0.id, annotator: "p", slider: $0.leftIsFirstSystem == ($0.check == nil) ? -4 : 4)
            }, "answers.jsonl")
        try run("--preference-tasks", tasks, "--preference-answers", folder["answers.jsonl"].path)
        #expect(rate(try result()["win_rate"]) == 1)
        let scores = try #require(try result()["attention_checks"] as? [[String: Any]])
        #expect(scores.count == 1)
        #expect(scores[0]["annotator"] as? String == "p")
        #expect(scores[0]["answered"] as? Int == 3)
        let passed = checks.count { $0.check == ($0.leftIsFirstSystem ? 4 : -4) }
        #expect(scores[0]["passed"] as? Int == passed)
    }

    @Test("a page of an existing file of tasks; files of others stay", arguments: ["pairwise", "ranking"])
    func pageAlone(form: String) throws {
        try makeRuns()
        let (tasks, page) = (folder["tasks.jsonl"].path, folder["annotate.html"].path)
        try run("--systems", "long,short", "--task-form", form, "--preference-tasks", tasks)
        let before = text(of: folder["tasks.jsonl"])
        for _ in 0..<2 { try run("--preference-tasks", tasks, "--page", page) }
        #expect(text(of: folder["annotate.html"]).contains("\"form\":\"\(form)\""))
        #expect(text(of: folder["tasks.jsonl"]) == before)
        #expect(throws: InvalidSetting.self) { try run("--preference-tasks", tasks, "--page", tasks) }
        #expect(text(of: folder["tasks.jsonl"]) == before)
        try Data("mine".utf8).write(to: folder["annotate.html"])
        let new = folder["new.jsonl"]
        #expect(throws: InvalidSetting.self) {
            try run("--systems", "long,short", "--preference-tasks", new.path, "--page", page)
        }
        #expect(text(of: folder["annotate.html"]) == "mine")
        #expect(!FileManager.default.fileExists(atPath: new.path))
    }

    @Test("answers of several people in several files, and their agreement as tables")
    func severalFiles() throws {
        try makeRuns()
        let tasks = folder["tasks.jsonl"].path
        try run("--systems", "long,short", "--preference-tasks", tasks)
        let written = try rows("tasks.jsonl", PairwiseTask.self)
        for who in ["ann", "b,o\"b"] {
            try write(
                written.map { PairwiseAnswer(task: $0.id, annotator: who, slider: $0.leftIsFirstSystem ? -4 : 4) },
                who == "ann" ? "ann.jsonl" : "bob.jsonl")
        }
        try run("--preference-tasks", tasks, "--preference-answers", folder["ann.jsonl"].path + "," + folder["bob.jsonl"].path)
        let agreement = try #require(try result()["agreement"] as? [String: Any])
        #expect(agreement["shared_tasks"] as? Int == written.count)
        let people = text(of: folder["preferences/final/annotators.csv"]).split(separator: "\n")
        #expect(people[0] == "annotator,tasks,mean_seconds,agreement_with_others,neutral_share,left_share")
        #expect(people.count == 3 && people[1].hasPrefix("ann,4,,1.0,0.0,") && people[2].hasPrefix("\"b,o\"\"b\",4,,1.0,0.0,"))
        #expect(text(of: folder["preferences/final/tasks.csv"]).split(separator: "\n").count == written.count + 1)
        #expect(text(of: folder["preferences/config.json"]).contains("\"preference_answers 2\""))
        // tasks that people may have answered stay, unless the new ones are the same
        try run("--systems", "long,short", "--preference-tasks", tasks)
        let before = text(of: folder["tasks.jsonl"])
        #expect(throws: (any Error).self) { try run("--systems", "long,short", "--preference-tasks", tasks, "--attention-checks", "1") }
        #expect(throws: (any Error).self) { try run("--systems", "long,short", "--preference-tasks", folder["ann.jsonl"].path) }
        #expect(text(of: folder["tasks.jsonl"]) == before)
        // another answer in the second file is another run
        try write([PairwiseAnswer(task: written[0].id, annotator: "bob", slider: 1)], "bob.jsonl")
        #expect(throws: (any Error).self) {
            try run("--preference-tasks", tasks, "--preference-answers", folder["ann.jsonl"].path + "," + folder["bob.jsonl"].path)
        }
    }

    @Test("two tasks with one id are refused with file, line and id, whatever the tasks are read for", arguments: ["pairwise", "ranking"])
    func repeatedTasks(form: String) throws {
        try makeRuns()
        let (tasks, answers) = (folder["tasks.jsonl"], folder["answers.jsonl"].path)
        try run("--systems", "long,short", "--task-form", form, "--preference-tasks", tasks.path)
        let lines = text(of: tasks).split(separator: "\n")
        try Data((lines + [lines[1]]).joined(separator: "\n").utf8).write(to: tasks)
        let isRanking = form == "ranking"
        let row = isRanking ? "\"ranks\":[1,2,3]" : "\"slider\":-4"
        try Data("{\"task\":\"1\",\"annotator\":\"p\",\(row)}\n".utf8).write(to: folder["answers.jsonl"])
        var uses = [["--page", folder["page.html"].path], ["--preference-answers", answers]]
        if !isRanking {
            uses.append(["--systems", "long,short", "--judge-answers", folder["verdicts.jsonl"].path, "--preference-answers", answers])
        }
        for use in uses {
            let error = #expect(throws: FormatError.self) { try run(["--preference-tasks", tasks.path] + use) }
            let words = "the task at \(tasks.path):2 has the same id '\(isRanking ? 1 : 2)'"
            #expect(error?.description.hasPrefix("\(tasks.path):\(lines.count + 1): \(words)") ?? false, "\(error as Any)")
            #expect(error?.programExit == .badData)
        }
    }

    @Test("an annotator who answers a task twice counts once, and must not contradict", arguments: ["pairwise", "ranking"])
    func repeatedAnswers(form: String) throws {
        try makeRuns()
        let (tasks, isRanking) = (folder["tasks.jsonl"].path, form == "ranking")
        try run("--systems", "long,short", "--task-form", form, "--preference-tasks", tasks)
        func write(_ name: String, _ rows: (who: String, isUp: Bool)...) throws -> String {
            let text = rows.enumerated().map { index, row in
                "{\"task\":\"1\",\"annotator\":\"\(row.who)\",\"seconds\":\(index),"
                    + (isRanking ? "\"ranks\":\(row.isUp ? "[1,2,3]" : "[3,2,1]")}\n" : "\"slider\":\(row.isUp ? 1 : -2)}\n")
            }
            try Data(text.joined().utf8).write(to: folder[name])
            return folder[name].path
        }
        func rates(_ id: String) throws -> [Double?] {
            let found = try result(id)
            let systems = (found["ranking"] as? [String: Any])?["systems"] as? [[String: Any]]
            return systems.map { $0.map { rate($0["against_reference"]) } } ?? [rate(found["win_rate"])]
        }
        let first = try write("a.jsonl", ("p", true), ("q", false))
        // what p said, with another time
        let second = try write("b.jsonl", ("r", true), ("p", true))
        let third = try write("r.jsonl", ("r", true))
        let analysis = ["--preference-tasks", tasks, "--preference-answers"]
        #expect(try !notes(of: analysis + [first + "," + third, "--run-id", "once"]).contains("answered the same task"))
        let notes = try notes(of: analysis + [first + "," + second, "--run-id", "twice"])
        #expect(notes.contains("1 answers are by an annotator who answered the same task before, the first at \(second):2;"), "\(notes)")
        #expect(try rates("twice") == rates("once") && rates("once").allSatisfy { $0 != nil })
        let annotators = try #require(try result("twice")["agreement"] as? [String: Any])["annotators"] as? [Any]
        #expect(annotators?.count == 3)

        let other = try write("c.jsonl", ("p", false))
        let error = #expect(throws: FormatError.self) { try run(analysis + [first + "," + other, "--run-id", "other"]) }
        let words = error?.description ?? ""
        #expect(words.hasPrefix("\(other):1: p answered the task '1' differently at \(first):1; keep one"), "\(words)")
        #expect(words.contains("--answer-merging override") == !isRanking && error?.programExit == .badData)
        let override = analysis + [first + "," + other, "--answer-merging", "override", "--run-id", "override"]
        if isRanking {
            #expect(throws: FormatError.self) { try run(override) }
        } else {
            #expect(try self.notes(of: override).contains("only the last one counts"))
        }
    }

    @Test("an annotator without answers is no judge; names are suggested")
    func judgeAnnotator() throws {
        try makeRuns()
        for form in ["ranking", "pairwise"] {
            let (tasks, answers) = (folder["\(form).jsonl"].path, folder["answers.jsonl"].path)
            try run("--systems", "long,short", "--task-form", form, "--preference-tasks", tasks)
            let row = form == "ranking" ? "\"ranks\":[1,2,3]" : "\"slider\":-4"
            let rows = ["model", "ann", "ben"].map { "{\"task\":\"1\",\"annotator\":\"\($0)\",\(row)}\n" }
            try Data(rows.joined().utf8).write(to: folder["answers.jsonl"])
            let arguments = ["--preference-tasks", tasks, "--preference-answers", answers, "--run-id", form, "--judge-annotator"]
            let error = #expect(throws: InvalidSetting.self) { try run(arguments + ["modle"]) }
            if form == "ranking" {
                let words = "no answer in \(answers) is by this annotator; expected ann, ben, model; did you mean model?"
                #expect(error?.message == "--judge-annotator is 'modle', but \(words)")
                try run(arguments + ["model"])
            } else {
                #expect(error?.message.contains("names an annotator of rankings, but \(tasks) has pairs") ?? false, "\(error as Any)")
            }
        }
    }

    @Test("rankings of several systems and the reference")
    func rankings() throws {
        try makeRuns()
        let tasks = folder["tasks.jsonl"].path
        try run("--systems", "long,short:test", "--task-form", "ranking", "--preference-tasks", tasks)
        let written = try rows("tasks.jsonl", RankingTask.self)
        #expect(written.count == 5 && written.allSatisfy { Set($0.systems) == ["long", "short:test", "reference"] })
        for task in written {
            let place = try #require(task.systems.firstIndex(of: "reference"))
            #expect(task.texts[place] == "reference \(task.id)")
        }
        let order = ["long": 1, "reference": 2, "short:test": 3]
        try write(
            ["p", "q", "model"].flatMap { who in
                written.map { task in
                    RankingAnswer(task: task.id, annotator: who, ranks: task.systems.compactMap { order[$0] })
                }
            }, "answers.jsonl")
        try run(
            "--preference-tasks", tasks, "--preference-answers", folder["answers.jsonl"].path, "--judge-annotator", "model")
        let ranking = try #require(try result()["ranking"] as? [String: Any])
        let systems = try #require(ranking["systems"] as? [[String: Any]])
        #expect(systems.map { rate($0["against_reference"]) } == [1, 0])
        #expect(ranking["agreement_with_judge"] as? Double == 1)
        // three pairs of texts a task; the model is not one of the people
        let agreement = try #require(try result()["agreement"] as? [String: Any])
        #expect(agreement["shared_tasks"] as? Int == 3 * written.count)
        #expect((agreement["annotators"] as? [Any])?.count == 2)
    }

    @Test(
        "answers that are none are refused with file, line and field",
        arguments: [
            (#"{"task":"1","annotator":"p","slider":5}"#, "field \"slider\" must be a whole number from -4 to 4, not 5"),
            (#"{"task":"1","annotator":"p","slider":1e308}"#, "\"slider\" must be a whole number from -4 to 4, not 1e+308"),
            (#"{"task":"1","annotator":"p","slider":5e-324}"#, "\"slider\" must be a whole number from -4 to 4, not"),
            (#"{"task":"1","annotator":"p","slider":4.5}"#, "\"slider\" must be a whole number from -4 to 4, not 4.5"),
            (#"{"task":"1","annotator":"p","slider":1e999}"#, "\"slider\" must be a whole number from -4 to 4, not"),
            (#"{"task":"1","annotator":"p","slider":"1"}"#, "field \"slider\" must be a number"),
            (#"{"task":"nosuch","annotator":"p","slider":1}"#, "the unknown task nosuch"),
            (#"{"task":"1","annotator":"p","ranks":[1,2,1e308]}"#, "\"ranks.2\" must be a whole number of at least 1, not 1e+308"),
            (#"{"task":"1","annotator":"p","ranks":[1.5,2,3]}"#, "\"ranks.0\" must be a whole number of at least 1, not 1.5"),
            (#"{"task":"1","annotator":"p","ranks":[0,0,0]}"#, "\"ranks.0\" must be a whole number of at least 1, not 0"),
            (#"{"task":"1","annotator":"p","ranks":[-1,-1,-1]}"#, "\"ranks.0\" must be a whole number of at least 1, not -1"),
            (#"{"task":"1","annotator":"p","ranks":[1,2]}"#, "has 2 ranks for 3 texts"),
            (#"{"task":"nosuch","annotator":"p","ranks":[1,2,3]}"#, "the unknown task nosuch"),
            (#"{"id":1e30,"preference":"first"}"#, "\"id\" must be a whole number of 64 bits, not 1e+30"),
            (#"{"id":1}"#, "\"preference\" and \"answer\" are both missing"), (#"{"id":1,"preference":null}"#, "are both missing"),
            (#"{"id":1,"preference":"first","answer":"second"}"#, "\"preference\" is first, but \"answer\" means second"),
        ])
    func badAnswers(row: String, words: String) throws {
        try makeRuns()
        let file = folder["answers.jsonl"].path
        var sound = #"{"id":0,"preference":"first","answer":"well, the first"}"#
        var arguments = ["--systems", "long,short", "--judge-answers", file]
        if row.contains("task") {
            let isRanking = row.contains("ranks")
            let tasks = folder["tasks.jsonl"].path
            try run("--systems", "long,short", "--task-form", isRanking ? "ranking" : "pairwise", "--preference-tasks", tasks)
            sound = #"{"task":"1","annotator":"p","\#(isRanking ? "ranks\":[1,1,3]" : "slider\":-4")}"#
            arguments = ["--preference-tasks", tasks, "--preference-answers", file]
        }
        try Data("\(sound)\n\(row)\n".utf8).write(to: folder["answers.jsonl"])
        let error = #expect(throws: FormatError.self) { try run(arguments) }
        #expect(error?.description.hasPrefix("\(file):2: ") ?? false, "\(error as Any)")
        #expect(error?.description.contains(words) ?? false, "\(error as Any)")
        #expect(error?.programExit == .badData)
    }

    @Test("a judge by command, and the same one through files")
    func judges() throws {
        try makeRuns()
        // prefers whatever is shown first, but for one input
        let command =
            #"sed -u -e '/"input":"post 3"/s/.*"first":"short.*"id":\([0-9]*\).*/{"id": \1, "preference": "second"}/;t"#
            + #"' -e 's/.*"id":\([0-9]*\).*/{"id": \1, "preference": "first"}/'"#
        try run("--systems", "long,short", "--judge-command", command)
        let byCommand = try result()
        // the equal texts are a tie, three inputs follow the position, one is won
        #expect(rate(byCommand["win_rate"]) == 0.6)
        #expect(byCommand["consistency"] as? Double == 0.25 && byCommand["unreadable_answers"] as? Int == 0)
        #expect(byCommand["length_controlled_win_rate"] != nil && byCommand["systems"] as? [String] == ["long", "short"])
        struct Verdict: Codable { var input: String, forward: Preference?, outcome: Double }
        let verdicts = try rows("preferences/final/verdicts.jsonl", Verdict.self)
        #expect(verdicts.map(\.outcome) == [0.5, 0.5, 0.5, 1, 0.5] && verdicts[0].forward == nil)

        let table = folder["long/tables/test.jsonl"]
        let samples = text(of: table)
        for option in ["--judge-requests", "--preference-tasks", "--pick-examples"] {
            #expect(throws: InvalidSetting.self, "\(option)") { try run("--systems", "long,short", option, table.path) }
            #expect(!samples.isEmpty && text(of: table) == samples)
        }
        let requests = folder["requests.jsonl"].path
        try run("--systems", "long,short", "--judge-requests", requests)
        let asked = try rows("requests.jsonl", JudgeRequest.self)
        #expect(asked.count == 8 && asked[0].prompt.contains("post 1") && asked[1].first == asked[0].second)
        try write(
            asked.reversed().map { request in
                let answer = request.input == "post 3" && request.first.hasPrefix("short") ? "model_2" : "model_1"
                return JudgeAnswer(id: request.id, answer: answer)
            }, "answers.jsonl")
        try run("--systems", "long,short", "--judge-answers", folder["answers.jsonl"].path, "--run-id", "recorded")
        #expect(rate(try result("recorded")["win_rate"]) == 0.6)
        #expect(try rows("recorded/final/verdicts.jsonl", Verdict.self).map(\.outcome) == verdicts.map(\.outcome))
    }

    @Test("a judge is measured on the preferences of people")
    func accuracy() throws {
        try write(
            (0..<4).map { i in
                Comparison(
                    id: "\(i)", subreddit: "tifu", title: "t", post: "p \(i)",
                    summaries: ["a good one", "bad"], choice: i == 0 ? 1 : 0)
            }, "comparisons.jsonl")
        let requests = folder["requests.jsonl"].path
        let comparisons = folder["comparisons.jsonl"].path
        try run("--judge-comparisons", comparisons, "--judge-requests", requests)
        try write(
            try rows("requests.jsonl", JudgeRequest.self).map {
                JudgeAnswer(id: $0.id, preference: $0.first.hasPrefix("a good") ? .first : .second)
            }, "answers.jsonl")
        try run("--judge-comparisons", comparisons, "--judge-answers", folder["answers.jsonl"].path)
        #expect(rate(try result()["win_rate"]) == 0.75)
        #expect(text(of: folder["preferences/metrics.jsonl"]).contains("\"judge_accuracy\":0.75"))
    }

    @Test("examples on which one system does better")
    func examples() throws {
        try makeRuns()
        let path = folder["examples.jsonl"].path
        try run("--systems", "long,short", "--pick-examples", path, "--picked-examples", "2")
        let picked = try rows("examples.jsonl", ContrastingExamples.Example.self)
        #expect(picked.map(\.input) == ["post 0", "post 1"] && picked.map(\.difference) == [0.5, 0.5])
        // the worse outputs of the one are not better than the better ones of the other
        try run("--systems", "long,short", "--pick-examples", path, "--pick-strictly")
        #expect(try rows("examples.jsonl", ContrastingExamples.Example.self).isEmpty)
        let error = #expect(throws: InvalidSetting.self) {
            try run("--systems", "long,short", "--pick-examples", path, "--pick-by", "gold")
        }
        #expect(error?.description.contains("gold") ?? false)
    }

    @Test("tables that still grow are not compared")
    func unfinished() throws {
        try makeRun("long", response: { "a \($0)" }, reward: 1)
        try makeRun("growing", response: { "b \($0)" }, reward: 1, finished: false)
        #expect(throws: RunFolderError.unfinished(path: folder["growing"].path)) {
            try run("--systems", "long,growing", "--preference-tasks", folder["tasks.jsonl"].path)
        }
    }

    @Test("a run is repeated from its own config.json")
    func repeated() throws {
        try makeRuns()
        try run("--systems", "long,short", "--judge-requests", folder["requests.jsonl"].path)
        let configuration = RunConfiguration(
            stage: .diversity, program: Command.programName, options: try SystemPreferences().values)
        try FileManager.default.createDirectory(at: folder["own"], withIntermediateDirectories: true)
        try configuration.write(inRun: folder["own"])
        let command = try Command.parse(
            normalising: ["--config", folder["own/config.json"].path, "--systems", "long,short", "--judge-requests", "x"])
        #expect(command.preferences.systems.values == ["long", "short"])
    }

    @Test(
        "what cannot be meant is said",
        arguments: [
            (["--systems", "a,b"], "choose what to do"), (["--judge-command", "x"], "--systems"),
            (["--systems", "a", "--judge-command", "x"], "two --systems"),
            (["--systems", "a,b", "--judge-command", "x", "--pick-examples", "y"], "choose one"),
            (["--preference-answers", "x"], "--preference-tasks"),
            (["--systems", "a,b", "--preference-tasks", "x", "--answer-scale", "log"], "sign, weighted"),
            (["--judge-comparisons", "x", "--pick-examples", "y"], "--judge-comparisons"),
            (["--page", "p"], "--page needs --preference-tasks"), (["--systems", "a,b", "--page", "p"], "--page needs --preference-tasks"),
            (["--preference-tasks", "t", "--preference-answers", "x", "--page", "p"], "--page needs"),
            (["--systems", "a,b", "--preference-tasks", "t", "--page-title", "x"], "need --page"),
            (["--preference-tasks", "t", "--page", "p", "--attention-checks", "2"], "--attention-checks needs new"),
            (["--systems", "a,b,c", "--preference-tasks", "t", "--attention-checks", "2"], "--attention-checks needs new"),
            (["--systems", "a,b", "--preference-tasks", "t", "--attention-checks", "-1"], "below 0"),
            (["--preference-tasks", "t"], "--systems"),
            (["--systems", "a,b", "--preference-tasks", "t", "--judge-annotator", "m"], "--judge-annotator needs the rankings"),
            (
                "--systems a,b --judge-answers j --preference-tasks t --preference-answers x --judge-annotator m".split(separator: " ")
                    .map(String.init), "--judge-annotator needs the rankings"
            ),
        ])
    func refused(arguments: [String], words: String) {
        let error = #expect(throws: CommandLineError.self) { try Command.parse(normalising: arguments) }
        #expect(error?.description.contains(words) ?? false, "\(error?.description ?? "")")
    }
}
