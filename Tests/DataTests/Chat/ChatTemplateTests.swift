import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Conversations become the texts that Transformers makes of them; see Tests/Fixtures/chat/make_chat.py.
@Suite struct ChatTemplateTests {
    static func rows(_ name: String) throws -> [JSONValue] {
        let bytes = [UInt8](try Foundation.Data(contentsOf: Fixtures.url("chat/\(name).json")))
        return try JSONValue(parsing: bytes, file: name).array ?? []
    }

    /// The moment that the fixtures were made at, as their clock told it.
    private var clock: Date {
        get throws {
            var parts = DateComponents(year: 2026, month: 3, day: 5, hour: 14, minute: 7, second: 9)
            parts.timeZone = .current
            return try #require(Calendar(identifier: .gregorian).date(from: parts))
        }
    }

    @Test func equalsTransformers() throws {
        let rows = try Self.rows("renderings")
        let head = try #require(rows.first)
        var variables: [String: String] = [:]
        for member in head["variables"]?.members ?? [] { variables[member.key] = member.value.string }
        let conversations = head["conversations"]?.array ?? []
        #expect(rows.count > 300)
        for row in rows.dropFirst() {
            let name = row["template"]?.string ?? ""
            var template = try ChatTemplate(head["templates"]?[name]?.string ?? "", name: name, variables: variables)
            template.date = try clock
            let messages = conversations[row["conversation"]?.int ?? 0].array ?? []
            let result = Result {
                try template.render(
                    messages, addGenerationPrompt: row["add_generation_prompt"]?.bool ?? false,
                    continueFinalMessage: row["continue_final_message"]?.bool ?? false,
                    settings: row["enable_thinking"].map { ["enable_thinking": $0] } ?? [:])
            }
            guard let text = row["text"]?.string else {
                #expect(throws: DataError.self, "\(row)") { try result.get() }
                continue
            }
            let rendering = try? result.get()
            #expect(rendering.map { Array($0.text.utf8) } == Array(text.utf8), "\(row) gives \(result)")
            if let spans = row["spans"]?.array {
                #expect(rendering?.generations.map { [$0.lowerBound, $0.upperBound] } == spans.map { $0.array?.compactMap(\.int) ?? [] })
            }
        }
    }

    /// The tokens of a conversation, and which of them are trained.
    @Test func masksEqualTransformers() throws {
        let head = try #require(try Self.rows("renderings").first)
        let rows = try Self.rows("masks")
        #expect(rows.count >= 24)
        for row in rows {
            let kind = row["tokenizer"]?.string ?? ""
            let tokenizer = try TokenizerFolder.load(from: Fixtures.url("tokenizers/\(kind)"))
            let template = try tokenizer.chatTemplate(head["templates"]?["marked"]?.string ?? "", name: "marked")
            let messages = head["conversations"]?.array?[row["conversation"]?.int ?? 0].array ?? []
            let rendering = try template.render(messages)
            let ids = tokenizer.encode(rendering.text, addingSpecialTokens: false)
            #expect(ids == row["ids"]?.array?.compactMap { $0.int.map(Int32.init) }, "\(kind): \(rendering.text)")
            guard kind != "prefix" else { continue }
            let mask = tokenizer.trainedTokens(of: ids, text: rendering.text, in: rendering.generations)
            #expect(mask?.map { $0 ? 1 : 0 } == row["mask"]?.array?.compactMap(\.int), "\(kind): \(rendering.text)")
        }
    }

    /// Which of several templates in a folder counts, and that it is there after saving.
    @Test func placesOfTemplates() throws {
        let files = try TokenizerFixture.files("gpt2")
        for row in try Self.rows("folders") {
            try withTemporaryFolder { folder in
                for (name, bytes) in files { try Foundation.Data(bytes).write(to: folder.appendingPathComponent(name)) }
                if let value = row["config"] {
                    let url = folder.appendingPathComponent("tokenizer_config.json")
                    var configuration = try JSONValue(contentsOf: url)
                    configuration["chat_template"] = value
                    try configuration.write(to: url)
                }
                if let text = row["jinja"]?.string {
                    try Foundation.Data(text.utf8).write(to: folder.appendingPathComponent("chat_template.jinja"))
                }
                for member in row["extra"]?.members ?? [] {
                    let extra = folder.appendingPathComponent("additional_chat_templates", isDirectory: true)
                    try FileManager.default.createDirectory(at: extra, withIntermediateDirectories: true)
                    try Foundation.Data((member.value.string ?? "").utf8).write(to: extra.appendingPathComponent(member.key + ".jinja"))
                }
                func text(_ folder: URL) throws -> String? {
                    try? TokenizerFolder.load(from: folder).chatTemplate()?.render([["role": "user", "content": "x"]]).text
                }
                #expect(try text(folder) == row["text"]?.string, "\(row)")
                let saved = folder.appendingPathComponent("saved", isDirectory: true)
                try TokenizerFolder.load(from: folder).save(to: saved)
                #expect(try text(saved) == row["text"]?.string, "\(row), saved")
            }
        }
    }

    @Test func aTemplateFromElsewhereIsKept() throws {
        let tokenizer = try TokenizerFolder.load(from: Fixtures.url("tokenizers/gpt2"))
        #expect(try tokenizer.chatTemplate() == nil)
        let template = try tokenizer.chatTemplate("{{ messages[0].content }}{{ eos_token }}", name: "mine.jinja")
        try withTemporaryFolder { folder in
            try tokenizer.keeping(template).save(to: folder)
            let saved = try #require(try TokenizerFolder.load(from: folder).chatTemplate())
            #expect(try saved.render([["role": "user", "content": "x"]]).text == "x<|endoftext|>")
            #expect(saved.source == template.source)
        }
    }

    @Test func whatIsWrongIsNamed() throws {
        func reason(_ body: () throws -> Void) -> String { dataError(body).map { "\($0)" } ?? "no error" }
        #expect(reason { _ = try ChatTemplate("a\n{% if %}", name: "f.jinja") }.hasPrefix("f.jinja: line 2: "))
        let template = try ChatTemplate("\n{{ raise_exception('no system') }}", name: "f.jinja")
        #expect(
            reason { _ = try template.render([["role": "user"]]) } == "f.jinja: the template rejects the conversation: no system (line 2)")
        #expect(reason { _ = try template.render([]) } == "f.jinja: the conversation has no messages")
    }
}
