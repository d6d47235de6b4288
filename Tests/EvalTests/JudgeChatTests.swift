import Eval
import Foundation
import Testing
import _TestSupport

/// Questions to a chat, and what its answers say.
@Suite struct JudgeChatTests {
    private let question = PairwiseQuestion(input: " do {first} ", first: "a {second} {{x}}", second: "b {input}\n")

    // MARK: Answers

    @Test(
        "an answer that states one verdict",
        arguments: [
            ("model_1", Preference.first), ("Model_2.", .second), (#"["model_2", "model_1"]"#, .second), ("**model_1**", .first),
            ("model_2, model_1", .second), ("```\nmodel_1\n```", .first), ("[[model_2]]", .second), ("tie", .tie), ("Tie.", .tie),
            ("I compared both.\nVerdict: model_2", .second), ("Both are fine, yet mine.\n\n**Answer:** model_1", .first),
            ("model_2 is better", .second), ("model_1 is clearly the better one, for it is short.", .first),
            ("The better summary is model_2.", .second), ("Summary model_1 wins.", .first), ("model_1 is better than model_2", .first),
            ("<think>model_1 is better? no, not so.</think>\nmodel_2", .second), ("My verdict: [[tie]]", .tie),
            ("Final verdict: ['model_1', 'model_2']", .first), (#"{"winner": "model_2"}"#, .second),
            ("[\"model_2\", \"model_1\"]\nmodel_1 leaves out the point.", .second), ("model_1\n\nIt says more.", .first),
            ("Both have merits.\nI think model_2 is better.", .second), ("model_1 is better because it is short.", .first),
            ("I prefer model_2 over model_1.", .second), ("Therefore, my final verdict is [[model_1]].", .first),
            ("Answer: model_2 is better", .second), ("Overall, the winner is model_1!", .first), ("model_2 > model_1", .second),
            ("model_1 is better. [[model_1]]", .first), ("I compared them.\nmodel_2, because it is true", .second),
        ])
    func verdicts(text: String, expected: Preference) {
        #expect(JudgeLabels.names.preference(in: text) == expected)
    }

    @Test(
        "prose is no verdict",
        arguments: [
            "", "  ", "I cannot say", "model_1 is worse than model_2", "Both model_1 and model_2 are good.", "model_1 is not better",
            "Neither is better: model_1", "model_1 is the better one. model_2 is the best one.", "[[model_1]] or [[model_2]]",
            "model_1 model_1",
            "<think>model_1 is better", "model_1 would be better if it were true, model_2 is too long", "model_3", "model_1_2",
            "The summary of model_1 leaves out the point.", #"["model_1", "model_2"] or ["model_2", "model_1"]"#,
            "model_1\nAnswer: model_2",
            #"["model_1"] and ["model_2"] are good"#,
            "I don't think model_1 is better", "I don’t think model_1 is better.", "Nobody could say that model_1 is better.",
            "I would never say [[model_1]].", "I cannot answer [model_1, model_2].", "Few hold that model_1 is better.",
            "Is model_1 better?", "model_1?", "It is hard to say whether model_1 is better.", "Some think model_1 is better.",
            "Wrong answer: model_1", "The worse answer: model_1", "model_1 is far from the best", "model_1 is better in style",
            "I doubt that model_1 is better", "model_1 is hardly the better one", "model_1 < model_2", "model_1/model_2",
            "They say the better one is model_1", "Verdict: model_1?", "model_1 is better\nBut I am not sure.", "model_1\nWait, no.",
            "model_1 is better, if one likes errors", "model_1 is better, or is it not", "Least preferred: model_2",
            "model_1 is better.\nmodel_2", "The answer that claims model_1 is better is wrong",
        ])
    func prose(text: String) {
        #expect(JudgeLabels.names.preference(in: text) == nil)
    }

    @Test("letters are told by their case, so that an article is no verdict")
    func letters() {
        let labels = JudgeLabels.letters
        #expect(labels.preference(in: "A") == .first && labels.preference(in: " B.") == .second && labels.preference(in: "a") == nil)
        #expect(labels.preference(in: "A good answer is better") == nil)
        #expect(labels.preference(in: "Answer: B") == .second && labels.preference(in: "A is better than B") == .first)
    }

    @Test("labels that could not be told are refused")
    func labels() throws {
        let labels = try JudgeLabels("m", "M2")
        #expect(labels.first == "m" && labels.second == "M2")
        for (first, second) in [("", "b"), ("a b", "c"), ("x", "X"), ("tie", "x"), ("a:", "b")] {
            #expect(throws: JudgeLabels.Problem.self) { try JudgeLabels(first, second) }
        }
    }

    // MARK: Questions

    @Test("texts are put into a template's places, and bring none of their own")
    func template() throws {
        let template = try JudgeTemplate("Q: {input}|{label_1}: {first}|{label_2}: {second}|{{first}} {\"a\": 1} {} {x y}")
        #expect(
            template.text(for: question, labels: .letters)
                == "Q: do {first}|A: a {second} {{x}}|B: b {input}|{first} {\"a\": 1} {} {x y}")
    }

    @Test(
        "a template without its places, or with others, is refused by name",
        arguments: [
            ("{input} {first}", "has no {second}"), ("{first} {second}", "has no {input}"),
            ("{input} {first} {second} {Second}", "placeholder {Second}"),
            ("{input} {output_1} {output_2}", "placeholder {output_1}"), ("", "has no {input}"),
            ("{{input}} {first} {second}", "has no {input}"),
        ])
    func badTemplates(text: String, words: String) {
        let problem = #expect(throws: JudgeTemplate.Problem.self) { try JudgeTemplate(text) }
        #expect(problem?.description.contains(words) ?? false, "\(problem as Any)")
    }

    @Test("instructions have words of their own; ties are offered where they are wanted")
    func instructions() {
        let text = JudgePrompt.text(for: question, .instructions, labels: .letters, closing: .word, allowsTies: true)
        #expect(text.contains("The instruction:\ndo {first}\n\nAnswer of A:\na {second} {{x}}\n\nAnswer of B:\nb {input}\n"))
        #expect(text.contains("A or B. If neither is better") && !text.contains("summar"))
        #expect(JudgePrompt.text(for: question) == JudgePrompt.text(for: question, .summaries))
        #expect(!JudgePrompt.text(for: question).contains("tie"))
    }

    // MARK: Replies

    private func chat(_ reading: JudgeChat.Reading) -> JudgeChat {
        JudgeChat(model: "m", labels: reading == .answer ? .names : .letters, reading: reading) { JudgePrompt.text(for: $0) }
    }

    private func reply(_ body: String) throws -> ChatReply { try ChatReply(body: Array(body.utf8)) }

    private func probabilities(_ tokens: String) -> String {
        #"{"choices":[{"message":{"content":"x"},"finish_reason":"length","logprobs":{"content":[\#(tokens)]}}]}"#
    }

    @Test(
        "two labels weigh by their probabilities; one that is absent weighs nothing",
        arguments: [
            (
                #"{"token":"A","logprob":-0.1,"top_logprobs":[{"token":"A","logprob":-0.2231435513},{"token":"B","logprob":-1.6094379124}]}"#,
                0.8
            ),
            (#"{"token":"A","logprob":-0.5,"top_logprobs":[{"token":"A","logprob":-0.5},{"token":"the","logprob":-1}]}"#, 1),
            (#"{"token":"x","logprob":-0.5,"top_logprobs":[{"token":" B","logprob":-3},{"token":"x","logprob":-1}]}"#, 0),
            // spellings of a label add up
            (
                #"{"token":"A","logprob":-1.3862943611,"top_logprobs":[{"token":"▁A","logprob":-1.3862943611},{"token":"B","logprob":-0.6931471806}]}"#,
                0.5
            ),
            // the drawn token counts where it is not among the likeliest
            (#"{"token":"B","logprob":-1,"top_logprobs":[{"token":"A","logprob":-1}]}"#, 0.5),
            (#"{"token":"A","logprob":0.000001,"top_logprobs":[]}"#, 1),
        ])
    func weights(tokens: String, share: Double) throws {
        let opinion = chat(.logProbabilities).opinion(of: try reply(probabilities(tokens)))
        #expect(abs(try #require(opinion.shareOfFirst) - share) < 1e-9 && opinion.omission == nil)
    }

    @Test("probabilities in the shape of completions")
    func completions() throws {
        let body = #"{"choices":[{"message":{"content":"A"},"logprobs":{"top_logprobs":[{"A":-0.6931471806," B":-0.6931471806}]}}]}"#
        #expect(chat(.logProbabilities).opinion(of: try reply(body)) == JudgeOpinion(shareOfFirst: 0.5, answer: "A"))
    }

    @Test(
        "what has no verdict says why",
        arguments: [
            (probabilitiesOfOthers, JudgeChat.Reading.logProbabilities, JudgeOmission.noLabel),
            (#"{"choices":[{"message":{"content":"A"}}]}"#, .logProbabilities, .noLogProbabilities),
            (#"{"choices":[{"message":{"content":"A"},"logprobs":null}]}"#, .logProbabilities, .noLogProbabilities),
            (#"{"choices":[{"message":{"content":"A"},"logprobs":{"content":[]}}]}"#, .logProbabilities, .noLogProbabilities),
            (#"{"choices":[{"message":{"content":"Well, the"},"finish_reason":"length"}]}"#, .answer, .cut),
            (#"{"choices":[{"message":{"content":"model_1 is better in"},"finish_reason":"length"}]}"#, .answer, .cut),
            (#"{"choices":[{"message":{"content":null},"finish_reason":"length"}]}"#, .answer, .cut),
            (#"{"choices":[{"message":{"content":"Both are good."},"finish_reason":"stop"}]}"#, .answer, .unreadable),
            (#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}"#, .answer, .empty),
            (#"{"choices":[{"message":{}}]}"#, .answer, .empty),
            (#"{"choices":[{"message":{"content":"model_1"},"finish_reason":"content_filter"}]}"#, .answer, .empty),
        ])
    func omissions(body: String, reading: JudgeChat.Reading, omission: JudgeOmission) throws {
        let opinion = chat(reading).opinion(of: try reply(body))
        #expect(opinion.omission == omission && opinion.shareOfFirst == nil && opinion.preference == nil)
    }

    private static let probabilitiesOfOthers =
        #"{"choices":[{"message":{"content":"The"},"logprobs":{"content":[{"token":"The","logprob":-0.1,"top_logprobs":[{"token":"a","logprob":-2}]}]}}]}"#

    @Test("an answer that was cut counts where it says all the same")
    func cut() throws {
        for (text, expected) in [("model_2", Preference.second), (#"[\"model_1\", \"mod"#, .first)] {
            let body = #"{"choices":[{"message":{"content":"\#(text)"},"finish_reason":"length"}]}"#
            #expect(chat(.answer).opinion(of: try reply(body)).preference == expected)
        }
    }

    @Test("the texts of an answer's parts; counts that cannot be are none")
    func shapes() throws {
        let parts = try reply(
            #"{"choices":[{"message":{"content":[{"type":"text","text":"model"},{"type":"text","text":"_1"}]}}],"usage":{"prompt_tokens":-1,"completion_tokens":"3"}}"#
        )
        #expect(parts.text == "model_1" && parts.promptTokens == nil && parts.completionTokens == nil)
        let counted = try reply(
            #"{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}"#
        )
        #expect(counted.promptTokens == 7 && counted.completionTokens == 2 && counted.cachedTokens == 3)
        #expect(try reply(#"{"choices":[{"message":{"content":"x"}}],"usage":null}"#).promptTokens == nil)
    }

    @Test(
        "what is no reply is said without repeating it",
        arguments: [
            ("", "empty"), ("<html>sk-1</html>", "not JSON"), ("{\"choices\": [", "not JSON"), ("[]", "\"choices\" is missing"),
            ("null", "is missing"),
            (#"{"error":{"message":"sk-1"}}"#, "an error"), (#"{"choices":[]}"#, "is empty"), (#"{"choices":[{"text":"x"}]}"#, "message"),
            (#"{"choices":[{"message":{"content":3}}]}"#, "not text"), (#"{"choices":{"a":1}}"#, "missing"),
            (#"{"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"token":"A","logprob":"sk-1"}]}}]}"#, "must be a number"),
            (#"{"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"token":"A","logprob":3}]}}]}"#, "at most 0"),
            (#"{"choices":[{"message":{"content":"x"},"logprobs":{"content":[{"logprob":-3}]}}]}"#, "has no text"),
            (String(repeating: "[", count: 100_000), "not JSON"),
        ])
    func malformed(body: String, words: String) {
        let problem = #expect(throws: ChatReply.Problem.self) { try reply(body) }
        #expect(problem?.description.contains(words) ?? false, "\(problem as Any)")
        #expect(problem?.description.contains("sk-1") == false)
    }

    @Test("a request has what the service needs, in the same bytes each time")
    func body() throws {
        var chat = chat(.logProbabilities)
        chat.seed = 7
        let body = chat.body(prompt: "p/q")
        #expect(body == chat.body(prompt: "p/q"))
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"logprobs":true,"max_tokens":1,"messages":[{"content":"p/q","role":"user"}],"model":"m","seed":7,"temperature":0,"top_logprobs":5}"#
        )
        let plain = String(decoding: self.chat(.answer).body(prompt: "p"), as: UTF8.self)
        #expect(plain.contains("\"max_tokens\":64") && !plain.contains("logprobs"))
    }

    @Test("prompts that a service has cut are found by words, or by tokens")
    func truncation() {
        let prompt = String(repeating: "word ", count: 300)
        func reply(_ tokens: Int?, cached: Int? = nil) -> ChatReply {
            var reply = ChatReply(text: "x", promptTokens: tokens)
            reply.cachedTokens = cached
            return reply
        }
        var check = PromptTokenCheck()
        #expect(check.shortfall(of: prompt, in: reply(300)) == nil && check.shortfall(of: prompt, in: reply(nil)) == nil)
        #expect(check.shortfall(of: prompt, in: reply(0)) == nil && check.shortfall(of: prompt, in: reply(40, cached: 260)) == nil)
        #expect(check.shortfall(of: prompt, in: reply(299)).map { $0 == (299, 300) } ?? false)
        check.tokens = { $0.utf8.count }
        #expect(check.shortfall(of: prompt, in: reply(1483)) == nil)
        #expect(check.shortfall(of: prompt, in: reply(1482)).map { $0 == (1482, 1483) } ?? false)
        check.isOn = false
        #expect(check.shortfall(of: prompt, in: reply(1)) == nil)
    }

    @Test("what asking has cost")
    func ledger() throws {
        var ledger = JudgeLedger(model: "m")
        ledger.add(ChatReply(text: "x", promptTokens: 1_000_000, completionTokens: 500_000), fromCache: true, prices: (2, 8))
        ledger.add(ChatReply(text: "x", promptTokens: 500_000, completionTokens: 0), fromCache: false, prices: (2, 8))
        ledger.add(ChatReply(text: "x"), fromCache: false, prices: (2, 8))
        #expect(ledger.price == 7 && ledger.priceOfThisRun == 1 && ledger.uncounted == 1 && ledger.fromCache == 1)
        ledger.add(ChatReply(text: "x", promptTokens: .max, completionTokens: .max), fromCache: false, prices: nil)
        #expect(ledger.promptTokens == .max && ledger.completionTokens == .max)
    }
}

/// The file that keeps a judge's answers.
@Suite struct JudgeCacheTests {
    private let folder: TemporaryFolder
    private var file: URL { folder["cache.jsonl"] }

    init() throws { folder = try TemporaryFolder() }

    private func key(_ text: String) -> String { JudgeCache.key(address: "http://a", body: Array(text.utf8)) }

    @Test("a key is FNV-1a of 128 bits over address, zero and body")
    func keys() {
        #expect(key("x") == "b70ddef4424a361f92595bd865f2b13e")
        #expect(key("x") != key("y") && key("x") != JudgeCache.key(address: "http://b", body: Array("x".utf8)))
    }

    @Test("answers are in the file at once, and in the next run")
    func kept() throws {
        let reply = ChatReply(
            text: "model_1\n\"é\"", finish: "stop", firstToken: [.init(token: "A", logProbability: -0.25)], promptTokens: 3,
            completionTokens: 4)
        let cache = try JudgeCache(file)
        #expect(cache[key("a")] == nil)
        try cache.store(reply, for: key("a"))
        #expect(cache[key("a")] == reply)
        let again = try JudgeCache(file)
        #expect(again[key("a")] == reply && again[key("b")] == nil && again.damagedLines.isEmpty)
    }

    @Test("an unfinished last line is passed over, wherever it was torn")
    func torn() throws {
        let cache = try JudgeCache(file)
        try cache.store(ChatReply(text: "one"), for: key("a"))
        try cache.store(ChatReply(text: "two"), for: key("b"))
        let whole = try Data(contentsOf: file)
        let first = try #require(whole.firstIndex(of: 0x0a)) + 1
        for length in stride(from: first, to: whole.count - 1, by: 7) {
            try whole.prefix(length).write(to: file)
            let torn = try JudgeCache(file)
            #expect(torn[key("a")]?.text == "one" && torn[key("b")] == nil)
            #expect(torn.damagedLines == (length > first ? [2] : []))
            try torn.store(ChatReply(text: "again"), for: key("b"))
            #expect(try JudgeCache(file)[key("b")]?.text == "again")
        }
        // the only line
        try whole.prefix(first - 5).write(to: file)
        #expect(try JudgeCache(file)[key("a")] == nil)
        // a whole line that lacks its newline alone
        try whole.prefix(first - 1).write(to: file)
        let unfinished = try JudgeCache(file)
        #expect(unfinished[key("a")]?.text == "one")
        try unfinished.store(ChatReply(text: "two"), for: key("b"))
        let both = try JudgeCache(file)
        #expect(both[key("a")]?.text == "one" && both[key("b")]?.text == "two")
    }

    @Test("a file that is no cache is left alone", arguments: ["{\"id\": 1}\n", "text\n", "{\"a\": 1}\n{\"a\": 2}", "\u{0}\u{1}\n"])
    func foreign(content: String) throws {
        try Data(content.utf8).write(to: file)
        let problem = #expect(throws: JudgeCache.Problem.self) { try JudgeCache(file) }
        #expect(problem?.description.contains(file.path) ?? false)
        #expect(text(of: file) == content)
    }

    @Test("folders and links in the place of the file are refused")
    func places() throws {
        #expect(throws: (any Error).self) { try JudgeCache(folder.url) }
        #expect(try JudgeCache(folder["no/such/cache.jsonl"]).damagedLines.isEmpty)
        #expect(throws: (any Error).self) { try JudgeCache(folder["no/such/cache.jsonl"]).store(ChatReply(text: "x"), for: "k") }
    }
}
