import Diversity
import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// Folders that sentence-transformers has written, from text to vector; see make_sentence.py beside the fixture.
@Suite struct SentenceFolderTests {
    private struct Call: Decodable {
        let name: String
        let prompt: String?
        let promptName: String?
        let dimension: Int?
        let task: String?

        var wanted: SentencePrompt {
            if let prompt { return .text(prompt) }
            if let promptName { return .named(promptName) }
            return switch task {
            case "query": .query
            case "document": .document
            default: .standard
            }
        }
    }

    private let texts: [String]

    init() throws {
        texts = try Fixtures.json([String].self, from: "encoders/sentence/texts.json")
        #expect(texts.count == 20)
    }

    private func expectVectors(_ found: [[Float]], _ expected: FixtureTensor?, _ name: String) throws {
        let expected = try #require(expected)
        let width = expected.shape[1]
        #expect(expected.shape == [texts.count, width] && found.count == texts.count)
        for (index, vector) in found.enumerated() {
            let row = expected.values[index * width..<(index + 1) * width]
            let scale = max(1, row.map { abs($0) }.max() ?? 1)
            let isSame = vector.count == width && zip(vector, row).allSatisfy { abs(Double($0) - $1) < 1e-5 * scale }
            #expect(isSame, "\(name): \(texts[index]): \(vector.prefix(3)), \(row.prefix(3))")
        }
    }

    @Test("texts that were encoded before are not encoded again, their vectors are the same, and a full memory is emptied")
    func remembered() throws {
        let folder = Fixtures.url("encoders/sentence/poolings")
        let encoder = try FolderSentenceEncoder(folder)
        let first = try encoder.embeddings(of: texts + texts)
        #expect(encoder.encodedTexts == texts.count && Array(first.prefix(texts.count)) == Array(first.suffix(texts.count)))
        #expect(try encoder.embeddings(of: texts.reversed()) == Array(first.prefix(texts.count).reversed()))
        #expect(encoder.encodedTexts == texts.count)
        // one canonical form, other code points: another text
        _ = try encoder.embeddings(of: ["caf\u{E9}", "cafe\u{301}"])
        #expect(encoder.encodedTexts == texts.count + 2)
        let forgetful = try FolderSentenceEncoder(folder, rememberedBytes: 0)
        for _ in 0..<2 { #expect(try forgetful.embeddings(of: texts) == Array(first.prefix(texts.count))) }
        #expect(forgetful.encodedTexts == 2 * texts.count)
    }

    @Test("folders", arguments: ["poolings", "functions", "matryoshka", "lower"])
    func folders(_ name: String) throws {
        let folder = Fixtures.url("encoders/sentence/\(name)")
        let calls = try Fixtures.json([Call].self, from: "encoders/sentence/\(name)/expected.json")
        let tensors = try Fixtures.safetensors("encoders/sentence/\(name)/expected.safetensors")
        #expect(calls.count == (name == "matryoshka" ? 8 : 1))
        for call in calls {
            let encoder = try FolderSentenceEncoder(folder, dimension: call.dimension)
            let tensor = tensors[call.name]
            #expect(encoder.width == tensor?.shape[1])
            try expectVectors(encoder.embeddings(of: texts, as: call.wanted), tensor, "\(name) \(call.name)")
            // the same said once
            let other = try FolderSentenceEncoder(folder, prompt: call.wanted, dimension: call.dimension)
            let (first, second) = (try other.embeddings(of: texts), try encoder.embeddings(of: texts, as: call.wanted))
            #expect(first == second)
        }
    }

    @Test func namesAndNotes() throws {
        let folder = Fixtures.url("encoders/sentence/matryoshka")
        let plain = try FolderSentenceEncoder(folder)
        #expect(plain.promptNames == ["document", "p", "query"] && plain.name == folder.path)
        #expect(plain.notes.last?.contains("default prompt of \(folder.path), \"Other the \"") == true)
        let others = try [
            FolderSentenceEncoder(folder, prompt: .query), FolderSentenceEncoder(folder, prompt: .document),
            FolderSentenceEncoder(folder, dimension: 3), FolderSentenceEncoder(folder, prompt: .query, dimension: 3),
        ]
        // vectors are cached under the name
        #expect(Set(others.map(\.name) + [plain.name]).count == 5)
        #expect(others[0].notes.last?.contains("the prompt of \(folder.path), \"the query: \"") == true)
        #expect(!others[1].notes.contains { $0.contains("prompt") })
        let error = #expect(throws: EncoderError.self) { try FolderSentenceEncoder(folder, prompt: .named("passage")) }
        #expect(error?.description.contains("\"passage\"; the prompts are document, p, query") == true)
        #expect(throws: EncoderError.self) { try plain.embeddings(of: ["a"], as: .named("Query")) }
    }

    @Test func changesToAFolder() throws {
        let entries = try #require(try JSONValue(contentsOf: Fixtures.url("encoders/sentence/overlays.json")).array)
        let tensors = try Fixtures.safetensors("encoders/sentence/overlays.safetensors")
        #expect(entries.count >= 26)
        for entry in entries {
            let name = try #require(entry["name"]?.string)
            let fails = try #require(entry["fails"]?.bool)
            try withTemporaryFolder { parent in
                let folder = parent.appendingPathComponent("model")
                try FileManager.default.copyItem(at: Fixtures.url("encoders/bert"), to: folder)
                for member in try #require(entry["files"]?.members) {
                    let (path, value) = (member.key, member.value)
                    let url = folder.appendingPathComponent(path)
                    try? FileManager.default.removeItem(at: url)
                    if value.isNull { continue }
                    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                    try value.write(to: url)
                }
                if fails {
                    let error = #expect(throws: (any Error).self, "\(name)") { try FolderSentenceEncoder(folder).embeddings(of: texts) }
                    #expect(error.map { "\($0)" }?.contains(folder.path) == true, "\(name)")
                } else {
                    let encoder = try FolderSentenceEncoder(folder)
                    try expectVectors(encoder.embeddings(of: texts, as: .standard), tensors[name], name)
                }
            }
        }
    }

    /// Limits that only one side of a search has.
    @Test func lengthsOfTasks() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("model")
            try FileManager.default.copyItem(at: Fixtures.url("encoders/bert"), to: folder)
            let file = folder.appendingPathComponent("sentence_bert_config.json")
            try FileManager.default.removeItem(at: file)
            try (["max_seq_length": 12, "query_length": 4, "document_length": 9] as JSONValue).write(to: file)
            let encoder = try SentenceEncoder.load(folder)
            #expect(encoder.maximumLength() == 12 && encoder.maximumLength(as: .text("a")) == 12)
            #expect(encoder.maximumLength(as: .query) == 4 && encoder.maximumLength(as: .document) == 9)
        }
    }

    /// sentence-transformers would render texts there.
    @Test func aTemplateWithoutModules() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("model")
            try FileManager.default.copyItem(at: Fixtures.url("encoders/bert"), to: folder)
            try Data("{{ messages[0]['content'] }}".utf8).write(to: folder.appendingPathComponent("chat_template.jinja"))
            _ = try FolderSentenceEncoder(folder)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("modules.json"))
            let error = #expect(throws: EncoderError.self) { try FolderSentenceEncoder(folder) }
            #expect(error?.description.contains("chat template") == true)
        }
    }
}
