import Diversity
import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// Default prompts of sentence encoders, against sentence-transformers; see make_prompts.py beside the fixture.
@Suite struct SentencePromptTests {
    private struct Expected: Decodable {
        let name: String
        let lower: Bool
        let fails: Bool
    }

    private static func cases() throws -> [(expected: Expected, prompts: JSONValue?, pooling: JSONValue?)] {
        let url = Fixtures.url("encoders/prompts/expected.json")
        let plain = try JSONDecoder().decode([Expected].self, from: Data(contentsOf: url))
        let values = try #require(try JSONValue(contentsOf: url).array)
        // nil is a JSONValue, too
        func present(_ value: JSONValue?) -> JSONValue? { value?.isNull == true ? Optional.none : value }
        return zip(plain, values).map { ($0, present($1["prompts"]), present($1["pooling"])) }
    }

    private func withFolder(
        prompts: JSONValue?, pooling: JSONValue?, lower: Bool = false, _ body: (URL) throws -> Void
    ) throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("model")
            try FileManager.default.copyItem(at: Fixtures.url("encoders/bert"), to: folder)
            if let prompts { try prompts.write(to: folder.appendingPathComponent("config_sentence_transformers.json")) }
            if let pooling {
                let file = folder.appendingPathComponent("1_Pooling/config.json")
                try FileManager.default.removeItem(at: file)
                try pooling.write(to: file)
            } else {
                try FileManager.default.removeItem(at: folder.appendingPathComponent("modules.json"))
            }
            let settings = folder.appendingPathComponent("sentence_bert_config.json")
            try FileManager.default.removeItem(at: settings)
            try (["max_seq_length": 12, "do_lower_case": .bool(lower)] as JSONValue).write(to: settings)
            try body(folder)
        }
    }

    @Test func vectorsAreThoseOfSentenceTransformers() throws {
        let texts = try Fixtures.json([String].self, from: "encoders/texts.json")
        let tensors = try Fixtures.safetensors("encoders/prompts/expected.safetensors")
        let cases = try Self.cases()
        #expect(cases.count == 32 && cases.count { $0.expected.fails } == 1)
        for (expected, prompts, pooling) in cases {
            try withFolder(prompts: prompts, pooling: pooling, lower: expected.lower) { folder in
                if expected.fails {
                    let error = #expect(throws: EncoderError.self) { try FolderSentenceEncoder(folder) }
                    #expect(error?.description.contains("\"absent\"") == true)
                    return
                }
                let tensor = try #require(tensors[expected.name])
                let width = tensor.shape[1]
                for (index, vector) in try FolderSentenceEncoder(folder).embeddings(of: texts).enumerated() {
                    let vector = try #require(vector)
                    let row = tensor.values[index * width..<(index + 1) * width]
                    // vectors of a plain folder are not normalised
                    let scale = max(1, row.map { abs($0) }.filter(\.isFinite).max() ?? 1)
                    let isSame = zip(vector, row).allSatisfy {
                        Double($0) == $1 || abs(Double($0) - $1) < 1e-5 * scale || ($0.isNaN && $1.isNaN)
                    }
                    #expect(vector.count == width && isSame, "\(expected.name): \(texts[index])")
                }
            }
        }
    }

    @Test func theUserIsTold() throws {
        let prompts: JSONValue = [
            "prompts": ["p": "query: "], "default_prompt_name": "p", "similarity_fn_name": "dot",
        ]
        let pooling: JSONValue = ["embedding_dimension": 24, "pooling_mode": "mean"]
        try withFolder(prompts: prompts, pooling: pooling) { folder in
            let notes = try FolderSentenceEncoder(folder).notes
            #expect(notes.count == 2 && notes[0].contains("\"query: \"") && notes[1].contains("similarity dot"))
        }
        try withFolder(prompts: ["similarity_fn_name": "cosine", "prompts": ["p": "x"]], pooling: pooling) { folder in
            let encoder = try FolderSentenceEncoder(folder)
            #expect(encoder.notes.isEmpty)
        }
    }

    @Test(
        arguments: [
            ["prompts": 3], ["prompts": ["p": 3]], ["default_prompt_name": 3], ["default_prompt_name": "p", "prompts": [:]],
            ["similarity_fn_name": true],
        ] as [JSONValue])
    func filesThatMakeNoSense(file: JSONValue) throws {
        try withFolder(prompts: file, pooling: ["pooling_mode": "mean"]) { folder in
            let error = #expect(throws: EncoderError.self) { try FolderSentenceEncoder(folder) }
            #expect(error?.description.contains("config_sentence_transformers.json") == true)
        }
    }
}
