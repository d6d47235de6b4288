import Data
import Formats
import Foundation
import Models
import Report
import Study
import Tensor
import Testing
import TextGeneration
import _TestSupport

/// `rlhf-report sample`: prompts from a person, a pipe or a file.
@Suite struct ModelSamplingTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (name, seed) in [("one", 4), ("two", 5)] as [(String, UInt64)] { try Self.model(seed).save(to: folder[name]) }
        var chat = try Self.model(4)
        chat.tokenizer = chat.tokenizer.keeping(
            try chat.tokenizer.chatTemplate(
                "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
                name: "chat"))
        try chat.save(to: folder["chat"])
    }

    private static func model(_ seed: UInt64) throws -> TextModel {
        let texts = ["a red fox ran home", "my boat is far too slow", "é ü ñ and 🦊 in a text", "one two three four five"]
        let tokenizer = try BPETrainer(vocabularySize: 270, minimumCount: 1).train(on: texts)
        let settings = LlamaConfiguration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 24, layerCount: 2, heads: 2, contextLength: 128)
        let decoder = try Llama(settings, weights: RandomWeights(generator: Philox(seed: seed), standardDeviation: 0.6))
        return TextModel(LanguageModel(decoder: decoder), tokenizer: tokenizer)
    }

    /// What a run shows, what it notes, and the rows of its file of answers.
    private func sample(
        _ names: [String], lines: [String] = [], isInteractive: Bool = false, _ change: (inout ModelSampling) -> Void = { _ in }
    ) throws -> (shown: String, notes: [String], rows: [JSONValue]) {
        var task = ModelSampling()
        task.models.models = names.map { folder[$0].path }
        task.sampling.maxNewTokens = 12
        task.models.answersOutput = folder["answers.jsonl"].path
        change(&task)
        var listener = ReportListener()
        var (shown, notes, rest) = ("", [String](), lines[...])
        listener.note = { notes.append($0) }
        listener.show = { shown += $0 + "\n" }
        listener.write = { shown += $0 }
        listener.readLine = { rest.popFirst() }
        listener.isInteractive = isInteractive
        try task.run(listener)
        guard task.models.answersOutput != nil else { return (shown, notes, []) }
        let rows = try String(contentsOf: folder["answers.jsonl"], encoding: .utf8).split(separator: "\n")
        return (shown, notes, try rows.map { try JSONValue(parsing: Array($0.utf8), file: "answers.jsonl") })
    }

    private func texts(_ rows: [JSONValue], _ key: String) -> [String] { rows.compactMap { $0[key]?.string } }

    @Test("an answer is shown as it is written, and is what the model draws")
    func lines() throws {
        let found = try sample(["one"], lines: ["a red", "  ", "my boat"])
        #expect(found.rows.count == 2 && texts(found.rows, "prompt") == ["a red", "my boat"])
        #expect(found.shown == texts(found.rows, "response").map { $0 + "\n" }.joined())
        let options = SamplingOptions(maxNewTokens: 12, temperature: 1, topK: 0, topP: 1, minP: 0)
        let random = Philox(seed: 42).split("samples")
        let direct = try Self.model(4).generate(
            tokens: ["a red", "my boat"].map { try Self.model(4).tokenizer.encodeOpening($0) }, options: options,
            randoms: (0..<2).map { random.split(UInt64($0)) })
        #expect(texts(found.rows, "response") == direct.map { $0[0].text })
        #expect(try sample(["one"], lines: ["a red"]) { $0.measuring.seed = 7 }.rows.first != found.rows.first)
    }

    @Test("a file gives the answers that typed lines give, whoever else answers")
    func file() throws {
        try Data("a red\n\nmy boat\n".utf8).write(to: folder["prompts.txt"])
        let typed = try sample(["one"], lines: ["a red", "my boat"])
        let read = try sample(["one", "two"]) { $0.models.prompts = folder["prompts.txt"].path }
        #expect(read.rows.count == 4 && read.shown.isEmpty)
        #expect([read.rows[0], read.rows[2]] == typed.rows)
        #expect(read.rows[1]["response"] != read.rows[0]["response"])
        let shown = try sample(["one", "two"]) {
            $0.models.prompts = folder["prompts.txt"].path
            ($0.models.answersOutput, $0.models.maxPrompts, $0.models.numReturnSequences) = (nil, 1, 3)
        }.shown
        #expect(shown.hasPrefix("prompt 1: a red\n") && shown.components(separatedBy: "\(folder["two"].path): ").count == 4)
    }

    @Test("rows of a file become the prompts that training makes of them")
    func rows() throws {
        try Data(#"{"prompt": "a red", "completion": " fox"}"#.utf8).write(to: folder["rows.jsonl"])
        let found = try sample(["one"]) { $0.models.prompts = folder["rows.jsonl"].path }
        #expect(texts(found.rows, "prompt") == ["a red"] && found.notes.contains { $0.contains("prompt-completion") })
        #expect(throws: InvalidSetting.self) {
            try sample(["one"]) { ($0.models.prompts, $0.models.promptFormat) = (folder["rows.jsonl"].path, "tldr") }
        }
    }

    @Test("a line goes through the chat template of a model that has one, or the format that is named")
    func formats() throws {
        #expect(texts(try sample(["chat"], lines: ["hi"]).rows, "prompt") == ["<user>hi<assistant>"])
        let system = try sample(["chat"], lines: ["hi"]) { $0.models.systemMessage = "Be brief." }
        #expect(texts(system.rows, "prompt") == ["<system>Be brief.<user>hi<assistant>"])
        #expect(texts(try sample(["chat"], lines: ["hi"]) { $0.models.promptFormat = "text" }.rows, "prompt") == ["hi"])
        #expect(texts(try sample(["one"], lines: ["hi"]) { $0.models.promptFormat = "Q: {post}\nA:" }.rows, "prompt") == ["Q: hi\nA:"])
        #expect(texts(try sample(["one"], lines: ["hi"]) { $0.models.promptFormat = "tldr" }.rows, "prompt")[0].hasSuffix("\nTL;DR:"))
        for format in ["chat", "Q:"] {
            #expect(throws: InvalidSetting.self) { try sample(["one"], lines: ["hi"]) { $0.models.promptFormat = format } }
        }
    }

    @Test("a person may give a prompt that is too long and go on; a pipe may not")
    func tooLong() throws {
        let long = String(repeating: "x", count: 400)
        let found = try sample(["one"], lines: [long, "a red"], isInteractive: true)
        #expect(texts(found.rows, "prompt") == ["a red"] && found.notes.contains { $0.contains(folder["one"].path) })
        let error = #expect(throws: InvalidPrompt.self) { try sample(["one"], lines: ["a red", long]) }
        #expect("\(try #require(error))".contains("prompt 2 has "))
        // what was answered before is kept
        #expect(try String(contentsOf: folder["answers.jsonl"], encoding: .utf8).split(separator: "\n").count == 1)
    }

    @Test("files that are not answers stay; a missing folder is noticed before anything is sampled; stop texts may be line breaks")
    func outputs() throws {
        for name in ["one/model.safetensors", "one/config.json", "notes.txt"] {
            if name == "notes.txt" { try Data("mine\n".utf8).write(to: folder[name]) }
            let before = try Data(contentsOf: folder[name])
            #expect(throws: InvalidSetting.self) { try sample(["one"], lines: ["a"]) { $0.models.answersOutput = folder[name].path } }
            #expect(try Data(contentsOf: folder[name]) == before)
        }
        let missing = #expect(throws: FileError.self) {
            try sample(["one"], lines: ["a"]) { $0.models.answersOutput = folder["none/answers.jsonl"].path }
        }
        #expect("\(try #require(missing))".contains("none"))
        // an earlier file of answers is replaced
        _ = try sample(["one"], lines: ["a red"])
        #expect(try sample(["one"], lines: ["my boat"]).rows.count == 1)
        var settings = ModelSamplingSettings()
        settings.stop = [#"\n\n"#, "END"]
        #expect(settings.stopTexts == ["\n\n", "END"])
    }

    @Test("lines of a file are those of standard input, whatever else ends lines elsewhere")
    func lineEnds() throws {
        try Data("a\u{2028}b\u{85}c\r\nd\u{C}e\n".utf8).write(to: folder["prompts.txt"])
        let found = try sample(["one"]) { ($0.models.prompts, $0.models.numReturnSequences) = (folder["prompts.txt"].path, 1) }
        #expect(
            texts(found.rows, "prompt").map { Array($0.unicodeScalars) }
                == ["a\u{2028}b\u{85}c", "d\u{C}e"].map { Array($0.unicodeScalars) })
    }

    @Test("nothing to answer, nobody to answer it, an output that is the input")
    func refused() throws {
        #expect(throws: InvalidSetting.self) { try sample(["one"]) }
        #expect(throws: InvalidSetting.self) { try sample([], lines: ["a"]) }
        try Data("\n \n".utf8).write(to: folder["prompts.txt"])
        #expect(throws: FormatError.self) { try sample(["one"]) { $0.models.prompts = folder["prompts.txt"].path } }
        try Data("a\n".utf8).write(to: folder["prompts.txt"])
        #expect(throws: InvalidSetting.self) {
            try sample(["one"]) {
                ($0.models.prompts, $0.models.answersOutput) = (folder["prompts.txt"].path, folder["prompts.txt"].path)
            }
        }
    }
}
