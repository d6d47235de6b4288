import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Stretched positions of GGUF files.
struct GGUFScalingTests {
    private typealias Pair = (key: String, type: UInt32, bytes: [UInt8])

    /// Logits of a model whose positions YaRN stretches are Transformers', with YaRN's own factor of attention and with another one.
    @Test func stretchesPositionsByYaRN() throws {
        struct Expectations: Decodable {
            struct Sequence: Decodable { let tokens: [Int32] }
            let sequences: [Sequence]
        }
        let known = try LanguageModel.load(Fixtures.url("gguf/llama-yarn.gguf")).decoder
        let wanted = try Fixtures.safetensors("models/llama-yarn/expected.safetensors")
        for (index, sequence) in try Fixtures.json(Expectations.self, from: "models/llama-yarn/expected.json").sequences.enumerated() {
            expectSmallError(
                known.logits(known.alone(sequence.tokens)), try #require(wanted["logits.\(index)"]).tensor, 1e-5, "llama-yarn \(index)")
        }
        let stored = try Fixtures.safetensors("gguf/qwen2-yarn.safetensors")
        let model = try LanguageModel.load(Fixtures.url("gguf/qwen2-yarn.gguf"))
        let tokens = try #require(stored["tokens"]).ids
        let logits = model.decoder.logits(model.decoder.alone(tokens))
        expectSmallError(logits, try #require(stored["logits"]).tensor, 1e-5, "qwen2-yarn")
        #expect(
            model.source?["rope_scaling"] == [
                "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 24, "beta_fast": 3.0, "beta_slow": 0.5,
                "attention_factor": 0.75,
            ])
    }

    /// llama.cpp multiplies YaRN's own factor by `attn_factor`; what is below 0 or 1 says nothing.
    @Test func readsTheFactorsOfYaRN() throws {
        func scaling(_ more: [(String, Float)]) throws -> JSONValue? {
            var pairs: [Pair] = [("llama.rope.scaling.type", 8, TestGGUF.string("yarn"))]
            for (key, value) in [("factor", 8)] + more { pairs.append(("llama.rope.scaling.\(key)", 6, littleEndian(value.bitPattern))) }
            return try opening(GGUFModelTests.llama(hidden: 32, heads: 2, more: pairs).bytes, as: "m.gguf") {
                try ModelFolder($0).configuration()["rope_scaling"]
            }
        }
        #expect(try scaling([]) == ["rope_type": "yarn", "factor": 8.0])
        #expect(try scaling([("attn_factor", 1), ("yarn_ext_factor", -1), ("alpha", 0)]) == ["rope_type": "yarn", "factor": 8.0])
        #expect(try scaling([("yarn_ext_factor", 1), ("yarn_attn_factor", 0.7)])?["attention_factor"] == 0.7)
        let own = try #require(try scaling([("attn_factor", 0.5)])?["attention_factor"]?.double)
        #expect(abs(own - 0.5 * (1 + 0.1 * 2.0794415416798357)) < 1e-12)
    }

    @Test func refusesFactorsThatAreNotRead() throws {
        func llama(_ more: Pair...) -> TestGGUF { GGUFModelTests.llama(hidden: 32, heads: 2, more: more) }
        func float(_ key: String, _ value: Float) -> Pair {
            ("llama.rope.scaling.\(key)", 6, littleEndian(value.bitPattern))
        }
        let yarn: Pair = ("llama.rope.scaling.type", 8, TestGGUF.string("yarn"))
        let linear: Pair = ("llama.rope.scaling.type", 8, TestGGUF.string("linear"))
        for (type, key, value) in [
            (yarn, "yarn_log_multiplier", 0.5), (yarn, "yarn_ext_factor", 0.25), (yarn, "yarn_ext_factor", 0), (yarn, "alpha", 50),
            (linear, "attn_factor", 1.5), (linear, "yarn_attn_factor", 1.5), (linear, "alpha", 2),
        ] as [(Pair, String, Float)] {
            let reason = try GGUFModelTests.reason(llama(type, float("factor", 4), float(key, value)))
            #expect(reason.contains("(llama.rope.scaling.\(key))"), "\(key): \(reason)")
        }
        #expect(try GGUFModelTests.reason(llama(float("attn_factor", 1.5))).contains("(llama.rope.scaling.attn_factor)"))
        #expect(try GGUFModelTests.reason(llama(yarn)).contains("rope_scaling.factor is missing"))
        #expect(
            try GGUFModelTests.reason(llama(yarn, float("factor", 4), float("attn_factor", 1.5), float("yarn_attn_factor", 1.5)))
                .contains("two attention factors"))
    }
}
