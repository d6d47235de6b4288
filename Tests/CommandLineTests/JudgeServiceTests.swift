import ArgumentParser
import CommandLine
import Data
import Eval
import Formats
import Foundation
import Report
import Runs
import Services
import Study
import Synchronization
import Testing
import _TestSupport

/// `rlhf-report prefer --judge-url`, against a server of the test.
@Suite struct JudgeServiceTests {
    private struct Command: ReportCommand {
        typealias Whole = SystemPreferences
        static let aliases = RunOptions.aliases
        @OptionGroup var preferences: SystemPreferenceOptions
        @OptionGroup var judge: JudgeOptions
        @OptionGroup var runs: RunOptions
    }

    private let folder: TemporaryFolder
    /// What was shown.
    private final class Shown: Sendable {
        let text = Mutex("")
    }
    private let shown = Shown()

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: [String]) throws {
        let command = try Command.parse(
            normalising: arguments + ["--output-dir", folder["runs"].path, "--bootstrap-resamples", "50"])
        var listener = ReportListener.commandLine()
        listener.sinks = []
        listener.note = { _ in }
        listener.show = { [shown] text in shown.text.withLock { $0 += text } }
        try command.settings.run(listener)
    }

    /// Two systems' outputs for eight posts; those of the first post are equal.
    private func systems() throws -> [String] {
        for (name, word) in [("a", "long"), ("b", "short")] {
            try JSONLines<SampleRow>(folder["\(name).jsonl"]).write(
                (0..<8).map { i in
                    SampleRow(id: "\(i)", input: "post \(i)", response: i == 0 ? "same" : "\(word) text \(i)")
                })
        }
        return ["--systems", "\(folder["a.jsonl"].path),\(folder["b.jsonl"].path)"]
    }

    private func service(_ server: LocalServer, _ more: String...) throws -> [String] {
        try systems() + ["--judge-url", "http://127.0.0.1:\(server.port)/v1/chat/completions", "--judge-model", "tiny"] + more
    }

    private func result(_ id: String = "preferences") throws -> [String: Any] {
        let content = try Data(contentsOf: folder["runs/\(id)/final/preferences.json"])
        return try JSONSerialization.jsonObject(with: content) as? [String: Any] ?? [:]
    }

    private func number(_ result: [String: Any], _ path: String...) -> Double? {
        var value: Any? = result
        for key in path { value = (value as? [String: Any])?[key] }
        return value as? Double
    }

    private static func answer(_ text: String, more: String = "") -> LocalServer.Answer {
        .init(
            status: 200,
            body:
                #"{"choices":[{"message":{"content":"\#(text)"},"finish_reason":"stop"\#(more)}],"usage":{"prompt_tokens":200,"completion_tokens":1}}"#
        )
    }

    /// Prefers the long text, but for post 3, where it prefers what stands first, and post 4, of which it says nothing in one order.
    private static func reply(_ body: String) -> LocalServer.Answer {
        let longIsFirst = (body.range(of: "long text")?.lowerBound).map { $0 < (body.range(of: "short text")?.lowerBound ?? $0) } ?? false
        if body.contains("post 3\\n") { return answer("model_1") }
        if body.contains("post 4\\n"), longIsFirst { return answer("Both are good.") }
        return answer(longIsFirst ? "model_1" : "model_2")
    }

    private struct Line: Codable {
        var input: String
        var first: String
        var second: String
        var forward: Preference?
        var forward_share: Double?
        var forward_answer: String?
        var forward_omission: String?
        var backward_omission: String?
        var outcome: Double
    }

    @Test("verdicts in both orders, what was left out, the price, and the texts beside the verdicts; a second run asks what has no verdict")
    func judged() throws {
        let server = try LocalServer { _, _, body in Self.reply(body) }
        defer { server.stop() }
        try run(service(server, "--judge-price-in", "3", "--judge-price-out", "10"))
        let found = try result()
        // one tie of equal texts, five won, one by position, one with half an answer
        #expect(number(found, "win_rate", "rate", "mean") == (0.5 + 5 + 0.5 + 0.75) / 8)
        #expect(try #require(number(found, "win_rate_of_answered", "rate", "mean")) == 6.0 / 7)
        #expect(
            found["questions"] as? Int == 14 && found["unreadable_answers"] as? Int == 1
                && found["omissions"] as? [String: Int] == ["unreadable": 1])
        #expect(try #require(number(found, "unanswered_share")) == 1.0 / 14)
        #expect(try #require(number(found, "consistency")) == 5.0 / 6)
        #expect(number(found, "alpaca_eval", "length_controlled_minimal", "rate") != nil)
        #expect(number(found, "alpaca_eval", "length_controlled_noreg", "rate") == nil)
        #expect(number(found, "judge", "requests") == 14 && number(found, "judge", "prompt_tokens") == 2800)
        let price = try #require(number(found, "judge", "price"))
        #expect(isClose(price, (2800 * 3 + 14 * 10) / 1e6) && number(found, "judge", "price_of_this_run") == price)
        let lines = try JSONLines<Line>(folder["runs/preferences/final/verdicts.jsonl"]).read()
        #expect(lines.map(\.input) == (0..<8).map { "post \($0)" } && lines[2].first == "long text 2" && lines[2].second == "short text 2")
        #expect(lines[2].forward == .first && lines[2].forward_share == 1 && lines[2].forward_answer == "model_1")
        #expect(lines[4].forward == nil && lines[4].forward_omission == "unreadable" && lines[4].backward_omission == nil)
        #expect(lines[4].forward_answer == "Both are good." && lines[4].outcome == 0.75)
        let words = shown.text.withLock { $0 }
        #expect(words.contains("1 of 14 questions (0.071) has no verdict and counts as a tie (1 unreadable)"), "\(words)")
        #expect(words.contains("14 requests, 0 of them retries") && words.contains("length_controlled_minimal"), "\(words)")
        // the same once more, from the cache; the question without a verdict is asked again
        try run(service(server, "--run-id", "again", "--judge-price-in", "3"))
        let again = try result("again")
        #expect(
            server.requests.count == 15 && number(again, "judge", "from_cache") == 13 && number(again, "judge", "asked_again") == 1)
        #expect(isClose(try #require(number(again, "judge", "price_of_this_run")), 200 * 3 / 1e6))
        #expect(shown.text.withLock { $0 }.contains("asked again, because the cached answer has no verdict: 1"))
        #expect(number(again, "win_rate", "rate", "mean") == number(found, "win_rate", "rate", "mean"))
    }

    @Test("labels by log-probabilities, in a template of the user's own")
    func weighted() throws {
        let template = folder["template.txt"]
        try Data("Say {label_1} or {label_2}.\n<{input}>\n{label_1}: {first}\n{label_2}: {second}\n{{input}}".utf8).write(to: template)
        let server = try LocalServer { _, _, body in
            #expect(body.contains(#"Say x or y.\n<post "#) && body.contains(#"\n{input}""#) && body.contains("\"seed\":7"))
            let tops = #"[{"token":"x","logprob":-0.2231435513},{"token":"y","logprob":-1.6094379124}]"#
            return Self.answer("x", more: #","logprobs":{"content":[{"token":"x","logprob":-0.2231435513,"top_logprobs":\#(tops)}]}"#)
        }
        defer { server.stop() }
        try run(
            service(
                server, "--judge-verdict", "log-probs", "--judge-template", template.path, "--judge-labels", "x,y", "--seed", "7",
                "--judge-cache",
                folder["c.jsonl"].path))
        let found = try result()
        let share = try #require(number(found, "first_position_share"))
        #expect(abs(share - 0.8) < 1e-9 && number(found, "consistency") == 0)
        #expect(text(of: folder["c.jsonl"]).split(separator: "\n").count == 14)
        #expect(!FileManager.default.fileExists(atPath: folder["runs/judge-cache.jsonl"].path))
    }

    @Test("agreement with people who answered tasks about the same texts, made in either order of the systems")
    func people() throws {
        let server = try LocalServer { _, _, body in Self.reply(body) }
        defer { server.stop() }
        let tasks = folder["tasks.jsonl"].path
        let answers = folder["answers.jsonl"].path
        for reversed in [false, true] {
            var names = try systems()
            if reversed { names[1] = "\(folder["b.jsonl"].path),\(folder["a.jsonl"].path)" }
            try? FileManager.default.removeItem(at: folder["tasks.jsonl"])
            try run(names + ["--preference-tasks", tasks])
            let written = try JSONLines<PairwiseTask>(folder["tasks.jsonl"]).read()
            // people prefer the long text, but for post 1; nothing is said of post 7
            try JSONLines<PairwiseAnswer>(folder["answers.jsonl"]).write(
                written.filter { $0.input != "post 7" }.map { task in
                    PairwiseAnswer(task: task.id, annotator: "p", slider: task.left.hasPrefix("long") == (task.input != "post 1") ? -2 : 2)
                })
            try run(service(server, "--preference-tasks", tasks, "--preference-answers", answers, "--run-id", "p\(reversed)"))
            let found = try result("p\(reversed)")
            // posts 2, 5, 6 agree, 1 does not, 3 is a tie of the judge's, 4 has no verdict in one order
            #expect(try #require(number(found, "agreement_with_people", "share")) == 3.5 / 5)
            #expect(number(found, "agreement_with_people", "tasks") == 5 && number(found, "agreement_with_people", "left_out") == 1)
        }
    }

    @Test("alpaca_eval's forms that need difficulties")
    func difficulties() throws {
        let server = try LocalServer { _, _, body in Self.reply(body) }
        defer { server.stop() }
        let file = folder["difficulties.jsonl"]
        try Data((0..<7).map { "{\"input\": \"post \($0)\", \"difficulty\": \(Double($0) / 3)}\n" }.joined().utf8).write(to: file)
        let gamed = folder["gamed.jsonl"]
        try Data(
            (0..<9).map { "{\"preference\": 0.\($0), \"std_delta_len\": \($0), \"instruction_difficulty\": -0.\($0)}\n" }.joined().utf8
        ).write(to: gamed)
        try run(service(server, "--instruction-difficulties", file.path, "--gamed-annotations", gamed.path))
        let found = try result()
        for form in ["length_controlled_minimal", "length_controlled_noreg", "length_controlled_v1"] {
            #expect(number(found, "alpaca_eval", form, "rate") != nil, "\(form)")
            #expect(number(found, "alpaca_eval", form, "without_difficulty") == (form.hasSuffix("minimal") ? nil : 1))
        }
        #expect(found["inputs_without_difficulty"] as? Int == 1 && found["alpaca_eval_left_out"] == nil)
        try Data("{\"input\": \"post 1\", \"difficulty\": 1}\n{\"input\": \"post 1\", \"difficulty\": 2}\n".utf8).write(to: file)
        let error = #expect(throws: FormatError.self) { try run(service(server, "--instruction-difficulties", file.path, "--run-id", "x")) }
        #expect(error?.description.hasPrefix("\(file.path):2: the input has two difficulties") ?? false, "\(error as Any)")
    }

    @Test("difficulties of few or none of the inputs are counted, and what cannot be had for it is named", arguments: [0, 3])
    func fewDifficulties(count: Int) throws {
        let server = try LocalServer { _, _, body in Self.reply(body) }
        defer { server.stop() }
        let file = folder["difficulties.jsonl"]
        try Data((0..<5).map { "{\"input\": \"\($0 < count ? "post" : "other") \($0)\", \"difficulty\": 1}\n" }.joined().utf8).write(
            to: file)
        try run(service(server, "--instruction-difficulties", file.path))
        let found = try result()
        #expect(number(found, "alpaca_eval", "length_controlled_noreg", "rate") == nil)
        #expect(found["inputs_without_difficulty"] as? Int == 8 - count)
        let reason = "\(count) of 8 inputs have a verdict and a difficulty; a fit needs 5"
        #expect(found["alpaca_eval_left_out"] as? [String: String] == ["length_controlled_noreg": reason])
        let words = shown.text.withLock { $0 }
        #expect(words.contains("length_controlled_noreg is not available: \(reason)"), "\(words)")
    }

    @Test("a service that dies midway leaves no run, and the same command goes on with the rest")
    func diesMidway() throws {
        let isWell = Mutex(false)
        let server = try LocalServer { number, _, body in
            number <= 7 || isWell.withLock { $0 } ? Self.answer("model_1") : .init(status: 503, body: "")
        }
        defer { server.stop() }
        let arguments = try service(server, "--judge-concurrency", "1", "--judge-attempts", "1")
        let error = #expect(throws: ChatJudge.Failure.self) { try run(arguments) }
        #expect(error?.programExit == .inputOutput)
        #expect(error?.description.contains("did not answer 7 of 14 questions (7 failed; the last: status 503)") ?? false)
        #expect(error?.description.contains(folder["runs/judge-cache.jsonl"].path) ?? false, "\(error as Any)")
        #expect(!FileManager.default.fileExists(atPath: folder["runs/preferences/final"].path))
        isWell.withLock { $0 = true }
        try run(arguments)
        let found = try result()
        #expect(server.requests.count == 21 && found["unreadable_answers"] as? Int == 0)
    }

    @Test("a file with another text under the same name is another run, and is named")
    func changedFiles() throws {
        let server = try LocalServer { _, _, _ in Self.answer("model_1") }
        defer { server.stop() }
        let template = folder["template.txt"]
        let difficulties = folder["difficulties.jsonl"]
        try Data("{input}: {first} or {second}? {label_1}, {label_2}".utf8).write(to: template)
        try Data((0..<8).map { "{\"input\": \"post \($0)\", \"difficulty\": 1}\n" }.joined().utf8).write(to: difficulties)
        var arguments = try service(
            server, "--judge-template", template.path, "--instruction-difficulties", difficulties.path)
        try run(arguments)
        let asked = server.requests.count
        try run(arguments)
        for file in [template, difficulties, folder["b.jsonl"]] {
            let before = try Data(contentsOf: file)
            try (before + Data(file == template ? "!".utf8 : "\n".utf8)).write(to: file)
            let error = #expect(throws: RunFolderError.self) { try run(arguments) }
            #expect(error?.description.contains("the content of \(file.path) has changed") ?? false, "\(error as Any)")
            try before.write(to: file)
        }
        #expect(server.requests.count == asked)
        // answers of a file
        let answers = folder["answers.jsonl"]
        try JSONLines<JudgeAnswer>(answers).write((0..<14).map { JudgeAnswer(id: $0, preference: .first) })
        arguments = try systems() + ["--judge-answers", answers.path, "--run-id", "file"]
        try run(arguments)
        try JSONLines<JudgeAnswer>(answers).write((0..<14).map { JudgeAnswer(id: $0, preference: .second) })
        let error = #expect(throws: RunFolderError.self) { try run(arguments) }
        #expect(error?.description.contains("judge_answers: the content of \(answers.path) has changed") ?? false, "\(error as Any)")
    }

    @Test("answers of people that are none are refused before anything is asked", arguments: ["", "\n"])
    func noAnswersOfPeople(content: String) throws {
        let server = try LocalServer { _, _, body in Self.reply(body) }
        defer { server.stop() }
        let tasks = folder["tasks.jsonl"].path
        try run(systems() + ["--preference-tasks", tasks])
        try Data(content.utf8).write(to: folder["answers.jsonl"])
        let arguments = try service(server, "--preference-tasks", tasks, "--preference-answers", folder["answers.jsonl"].path)
        let error = #expect(throws: (any Error).self) { try run(arguments) }
        #expect("\(error as Any)".contains(folder["answers.jsonl"].path), "\(error as Any)")
        // of other texts
        let other = PairwiseTask(id: "0", input: "another", left: "a", right: "b", leftIsFirstSystem: true)
        try JSONLines<PairwiseTask>(folder["tasks.jsonl"]).write([other])
        try JSONLines<PairwiseAnswer>(folder["answers.jsonl"]).write([PairwiseAnswer(task: "0", annotator: "p", slider: 1)])
        let foreign = #expect(throws: InvalidSetting.self) { try run(arguments) }
        #expect(foreign?.description.contains("about the texts that are judged") ?? false)
        #expect(server.requests.isEmpty)
    }

    @Test("a judge that fails leaves no run; its answers are kept, and the same command goes on")
    func goesOn() throws {
        let isWell = Mutex(false)
        let server = try LocalServer { number, _, body in
            number <= 5 || isWell.withLock { $0 } ? Self.reply(body) : .init(status: 404, body: "")
        }
        defer { server.stop() }
        let error = #expect(throws: ChatJudge.Failure.self) { try run(service(server, "--judge-concurrency", "1")) }
        #expect(error?.programExit == .inputOutput && !FileManager.default.fileExists(atPath: folder["runs/preferences"].path))
        #expect(text(of: folder["runs/judge-cache.jsonl"]).split(separator: "\n").count == 5)
        isWell.withLock { $0 = true }
        try run(service(server))
        let found = try result()
        #expect(server.requests.count == 6 + 9 && number(found, "judge", "from_cache") == 5)
    }

    @Test("a template or a cache that is none is named, and nothing is asked")
    func files() throws {
        let server = try LocalServer { _, _, _ in .none }
        defer { server.stop() }
        let file = folder["file"]
        try Data("{input} {first} {output}\n".utf8).write(to: file)
        let template = #expect(throws: FormatError.self) { try run(service(server, "--judge-template", file.path)) }
        let words = "\(file.path): the template has the unknown placeholder {output}"
        #expect(template?.description.contains(words) ?? false && template?.programExit == .badData)
        let cache = #expect(throws: JudgeCache.Problem.self) { try run(service(server, "--judge-cache", file.path)) }
        #expect(cache?.programExit == .badData)
        #expect(server.requests.isEmpty)
    }

    @Test("own questions for programs and files, too")
    func requests() throws {
        let requests = folder["requests.jsonl"]
        try run(systems() + ["--judge-requests", requests.path, "--judge-prompt", "instructions", "--judge-ties"])
        let asked = try JSONLines<JudgeRequest>(requests).read()
        #expect(asked.count == 14 && asked[0].prompt.contains("The instruction:\npost 1\n\nAnswer of model_1:\nlong text 1\n"))
        #expect(asked[0].prompt.hasSuffix("the word tie."))
    }

    @Test(
        "what cannot be meant is said, and no key is repeated",
        arguments: [
            (["--judge-url", "http://x/v1"], "--judge-model"),
            (["--judge-url", "ftp://x", "--judge-model", "m"], "--judge-url is not a valid service URL"),
            (["--judge-url", "localhost:80", "--judge-model", "m"], "such as http://localhost:8080/v1/chat/completions"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-template", "t", "--judge-prompt", "instructions"], "give one"),
            (["--judge-command", "x", "--judge-template", "t", "--judge-prompt", "instructions"], "give one of them"),
            (["--judge-command", "x", "--judge-temperature", "1"], "--judge-temperature needs --judge-url"),
            (["--judge-answers", "x", "--judge-timeout", "3"], "--judge-timeout needs --judge-url"),
            (["--judge-command", "x", "--judge-concurrency", "3"], "--judge-concurrency needs --judge-url"),
            (["--judge-requests", "x", "--judge-attempts", "3"], "--judge-attempts needs --judge-url"),
            (["--judge-command", "x", "--judge-max-tokens", "3"], "--judge-max-tokens needs --judge-url"),
            (["--judge-command", "x", "--judge-top-log-probs", "3"], "--judge-top-log-probs needs"),
            (["--judge-command", "x", "--judge-token-check", "no"], "--judge-token-check needs --judge-url"),
            (["--judge-command", "x", "--judge-price-in", "3"], "--judge-price-in needs --judge-url"),
            (["--preference-tasks", "x", "--judge-price-out", "3"], "--judge-price-out needs --judge-url"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-patience", "3"], "--judge-url has --judge-timeout"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-top-log-probs", "3"], "--judge-verdict log-probs"),
            (
                ["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-verdict", "log-probs", "--judge-max-tokens", "3"],
                "--judge-verdict answer"
            ),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-tokenizer", "t", "--judge-token-check", "no"], "which is off"),
            (["--judge-url", "http://x/v1?api_key=sk-SECRET", "--judge-model", "m"], "has a parameter api_key"),
            (["--judge-url", "http://me:sk-SECRET@x/v1", "--judge-model", "m"], "has a user name or password"),
            (["--judge-model", "m", "--judge-command", "x"], "--judge-model needs --judge-url"),
            (["--judge-url", "http://x/v1", "--judge-command", "x"], "choose one"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-key-variable", "sk-SECRET"], "an environment variable"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-verdict", "logits"], "answer, log-probs"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-prompt", "poems"], "summaries, instructions"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-labels", "A"], "two words"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-labels", "A,a"], "both labels"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-concurrency", "0"], "above 0"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-top-log-probs", "1"], "from 2 to 20"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-temperature", "nan"], "temperature"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-price-in", "-1"], "--judge-price-in"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--judge-template", "t", "--judge-ties"], "--judge-ties"),
            (["--judge-answers", "x", "--judge-prompt", "instructions"], "--judge-prompt"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--gamed-annotations", "g"], "--instruction-difficulties"),
            (["--judge-url", "http://x/v1", "--judge-model", "m", "--preference-answers", "g"], "--preference-tasks"),
            (["--judge-requests", "r", "--preference-tasks", "t", "--preference-answers", "g"], "no other input"),
            (["--pick-examples", "r", "--instruction-difficulties", "g"], "verdicts of a judge"),
        ])
    func refused(arguments: [String], words: String) throws {
        let error = #expect(throws: CommandLineError.self) { try Command.parse(normalising: systems() + arguments) }
        #expect(error?.description.contains(words) ?? false, "\(error?.description ?? "")")
        #expect(error?.description.contains("SECRET") == false)
    }

    @Test("a variable that is named and not set is an error before anything is asked, and is not repeated")
    func unsetVariable() throws {
        let server = try LocalServer { _, _, _ in .none }
        defer { server.stop() }
        let error = #expect(throws: InvalidSetting.self) { try run(service(server, "--judge-key-variable", "SK_SECRET_0")) }
        #expect(error?.description.contains("not set") ?? false && error?.description.contains("SECRET") == false)
        #expect(server.requests.isEmpty && !FileManager.default.fileExists(atPath: folder["runs/preferences"].path))
    }

    @Test("without a service the setting is an error")
    func withoutService() throws {
        let command = try Command.parse(
            normalising: systems() + ["--judge-url", "http://x/v1", "--judge-model", "m", "--output-dir", folder["runs"].path])
        let error = #expect(throws: InvalidSetting.self) { try command.settings.run(ReportListener()) }
        #expect(error?.description.contains("judgeService") ?? false)
    }
}
