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
            (linear, "attn_factor", 1.5), (linear, "yarn_attn_factor", 1.5), (linear, "alpha", 2), (linear, "yarn_ext_factor", 1),
            (linear, "yarn_beta_fast", 16), (linear, "yarn_beta_slow", 2), (linear, "beta_fast", 32),
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

    // MARK: LongRoPE and linear scaling

    /// A file of another architecture with metadata under its prefix, and factors of frequencies for heads of 8 channels.
    private static func file(
        _ architecture: String, factors: [String] = ["rope_factors_long.weight", "rope_factors_short.weight"], _ more: Pair...
    ) -> TestGGUF {
        var file = GGUFModelTests.llama(
            hidden: 16, heads: 2, architecture: architecture, more: more.map { ("llama.rope." + $0.key, $0.type, $0.bytes) })
        file.pairs = file.pairs.map { pair in
            (pair.key.hasPrefix("llama.") ? architecture + pair.key.dropFirst(5) : pair.key, pair.type, pair.bytes)
        }
        for (index, name) in factors.enumerated() {
            file.data += [UInt8](repeating: 0, count: (32 - file.data.count % 32) % 32)
            file.entries.append(.init(name, [4], offset: UInt64(file.data.count)))
            file.data += littleEndianBytes([1, 2, 3, Float(4 + index)])
        }
        return file
    }

    private static func number(_ key: String, _ value: Float) -> Pair { (key, 6, littleEndian(value.bitPattern)) }
    private static func text(_ key: String, _ value: String) -> Pair { (key, 8, TestGGUF.string(value)) }
    private static let trained: Pair = ("scaling.original_context_length", 4, littleEndian(UInt32(16)))

    private static func configuration(_ file: TestGGUF) throws -> JSONValue {
        try opening(file.bytes, as: "m.gguf") { try ModelFolder($0).configuration() }
    }

    /// `attn_factor` is the factor of cosines and sines; without it, the two context lengths give it.
    @Test(arguments: ["phi3", "llama"]) func readsTheAttentionFactorOfLongRoPE(architecture: String) throws {
        func rope(_ more: Pair...) throws -> (section: JSONValue?, settings: RotarySettings) {
            var file = Self.file(architecture, Self.trained)
            file.pairs += more.map { (architecture + ".rope." + $0.key, $0.type, $0.bytes) }
            let configuration = try Self.configuration(file)
            return (
                configuration["rope_scaling"], try RotarySettings(reading: ConfigurationReader(configuration), contextLength: 64)
            )
        }
        let (section, settings) = try rope(Self.number("scaling.attn_factor", 1.7), Self.text("scaling.type", "longrope"))
        #expect(section?["rope_type"] == "longrope" && section?["attention_factor"] == 1.7)
        #expect(section?["original_max_position_embeddings"] == 16)
        #expect(settings.scaling == .longRoPE(short: [1, 2, 3, 5], long: [1, 2, 3, 4], magnitude: 1.7, trainedLength: 16))
        let plain = try rope()
        #expect(plain.section?["attention_factor"] == nil)
        // √(1 + ln(64/16) / ln(16))
        #expect(abs(plain.settings.magnitude - 1.5.squareRoot()) < 1e-12)
        #expect(try rope(Self.number("scaling.attn_factor", 1)).settings.magnitude == 1)
    }

    @Test func refusesLongRoPEThatIsNotRead() throws {
        for (key, value) in [
            ("factor", 4), ("yarn_attn_factor", 1.5), ("yarn_ext_factor", 1), ("yarn_log_multiplier", 0.1), ("attn_factor", 0),
            ("attn_factor", -1),
        ] as [(String, Float)] {
            let reason = try GGUFModelTests.reason(Self.file("phi3", Self.number("scaling.\(key)", value)))
            #expect(reason.contains("(phi3.rope.scaling.\(key))"), "\(key): \(reason)")
        }
        #expect(try GGUFModelTests.reason(Self.file("phi3", Self.text("scaling.type", "yarn"))).contains("(phi3.rope.scaling.type)"))
        for name in ["rope_factors_long.weight", "rope_factors_short.weight"] {
            let other = name.contains("long") ? "rope_factors_short.weight" : "rope_factors_long.weight"
            #expect(try GGUFModelTests.reason(Self.file("phi3", factors: [name])).contains("has no tensor \"\(other)\""))
        }
        let all = ["rope_factors_long.weight", "rope_factors_short.weight", "rope_freqs.weight"]
        #expect(try GGUFModelTests.reason(Self.file("phi3", factors: all)).contains("\"rope_freqs.weight\": cannot be used together"))
        let factor = Self.number("scaling.factor", 4)
        let yarn = Self.file("llama", factors: ["rope_freqs.weight"], Self.text("scaling.type", "yarn"), factor)
        #expect(try GGUFModelTests.reason(yarn).contains("(llama.rope.scaling.type)"))
        let divided = Self.file("llama", factors: ["rope_freqs.weight"], factor)
        #expect(try GGUFModelTests.reason(divided).contains("(llama.rope.scaling.factor)"))
    }

    /// A factor without a type divides positions, as in llama.cpp; so does the key of older files. GPT-NeoX has scaling too.
    @Test func readsLinearFactors() throws {
        func scaling(_ architecture: String, _ more: Pair...) throws -> JSONValue? {
            var file = Self.file(architecture, factors: [])
            file.pairs += more.map { (architecture + ".rope." + $0.key, $0.type, $0.bytes) }
            return try Self.configuration(file)["rope_scaling"]
        }
        let (factor, old) = (Self.number("scaling.factor", 4), Self.number("scale_linear", 4))
        for architecture in ["llama", "gptneox"] {
            #expect(try scaling(architecture) == nil)
            #expect(try scaling(architecture, factor) == ["rope_type": "linear", "factor": 4.0])
            #expect(try scaling(architecture, old) == ["rope_type": "linear", "factor": 4.0])
            #expect(try scaling(architecture, old, factor) == ["rope_type": "linear", "factor": 4.0])
            #expect(try scaling(architecture, Self.text("scaling.type", "linear"), old) == ["rope_type": "linear", "factor": 4.0])
            #expect(try scaling(architecture, Self.text("scaling.type", "none"), Self.number("scaling.factor", 1)) == nil)
        }
        for (key, pairs) in [
            ("scaling.factor", [Self.text("scaling.type", "none"), factor]), ("scale_linear", [Self.text("scaling.type", "none"), old]),
            ("scale_linear", [factor, Self.number("scale_linear", 2)]),
            ("scale_linear", [Self.text("scaling.type", "yarn"), factor, Self.number("scale_linear", 2)]),
        ] {
            var file = Self.file("gptneox", factors: [])
            file.pairs += pairs.map { ("gptneox.rope." + $0.key, $0.type, $0.bytes) }
            #expect(try GGUFModelTests.reason(file).contains("(gptneox.rope.\(key))"), "\(key)")
        }
    }
}
