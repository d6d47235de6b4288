import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// What is wrong with a configuration of a family that is put together from the common pieces, and models of several parts.
@Suite struct BadFamilyTests {
    private static let cases: [(type: String, settings: JSONValue, says: [String])] = [
        ("qwen2", ["layer_types": ["full_attention"]], ["layer_types", "1 entries for 2 layers"]),
        ("qwen2", ["layer_types": ["full_attention", "chunked_attention"]], ["chunked_attention"]),
        ("qwen2", ["layer_types": ["sliding_attention", "full_attention"], "use_sliding_window": false], ["sliding_window", "missing"]),
        ("qwen3", ["head_dim": 1], ["head_dim", "is 1"]),
        ("qwen3", ["num_key_value_heads": 3], ["num_key_value_heads", "(3)"]),
        ("mistral", ["sliding_window": 0], ["sliding_window"]),
        ("mistral", ["sliding_window": "many"], ["sliding_window", "whole number"]),
        ("gemma2", ["hidden_activation": "mish"], ["mish", "gelu_pytorch_tanh"]),
        ("gemma2", ["attn_logit_softcapping": -1], ["attn_logit_softcapping", "above 0"]),
        ("gemma2", ["attn_logit_softcapping": 1e-300], ["attn_logit_softcapping", "32-bit"]),
        ("gemma2", ["query_pre_attn_scalar": 1e300], ["query_pre_attn_scalar", "32-bit"]),
        ("stablelm", ["partial_rotary_factor": 1e30], ["partial_rotary_factor", "at most 1"]),
        ("gpt_neox", ["rotary_pct": 1e19], ["at most 1"]),
        ("llama", ["rope_scaling": ["rope_type": "longrope", "short_factor": [1], "long_factor": [1]]], ["short_factor", "1 numbers"]),
        ("gemma3_text", ["rope_parameters": ["full_attention": ["rope_type": "mystery"]]], ["mystery"]),
        ("gpt_neox", ["hidden_size": 18], ["num_attention_heads", "(4)", "hidden_size"]),
        ("phi3", ["rope_scaling": ["type": "longrope", "short_factor": [1], "long_factor": [1, 1]]], ["short_factor", "1 numbers"]),
        ("smollm3", ["no_rope_layers": [1]], ["no_rope_layers", "2 layers"]),
        ("smollm3", ["no_rope_layers": [1, "x"]], ["no_rope_layers"]),
        ("gpt_neo", ["num_layers": 2, "num_heads": 4], ["attention_types", "missing"]),
        ("gpt_neo", ["num_layers": 2, "num_heads": 4, "attention_types": [[["global", "sideways"], 1]]], ["attention_types"]),
        ("gpt_neo", ["num_layers": 2, "num_heads": 4, "attention_types": [[["local"], 1]]], ["attention_types", "describes 1 layer,"]),
        ("gptj", ["rotary_dim": 3], ["rotary_dim", "(3)"]),
        ("gptj", ["rotary_dim": 64], ["rotary_dim", "(64)"]),
        ("bloom", ["n_head": 5], ["n_head", "(5)"]),
        ("gemma3", [:], ["text_config", "missing"]),
    ]

    @Test func configurations() throws {
        for (type, settings, says) in Self.cases {
            var file: JSONValue = [
                "model_type": .string(type), "vocab_size": 20, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 2,
                "num_attention_heads": 4, "num_key_value_heads": 2, "layer_norm_eps": 1e-5,
            ]
            for member in settings.members ?? [] { file[member.key] = member.value }
            try withTemporaryFolder { folder in
                try file.write(to: folder.appendingPathComponent("config.json"))
                try SafetensorsWriter().write([WritableTensor("x", Tensor([1], shape: [1]))], to: folder)
                do {
                    _ = try LanguageModel.load(folder)
                    Issue.record("\(type) \(settings) was read")
                } catch let error as ModelError {
                    let text = error.description
                    for part in says { #expect(text.contains(part), "“\(part)” is missing in: \(text)") }
                    #expect(!text.contains("\n"))
                }
            }
        }
    }

    @Test(
        "a LongRoPE model is used up to the length that it was trained for, in every family",
        arguments: ["llama", "qwen3", "mistral", "olmo2", "smollm3"])
    func longRoPE(_ type: String) throws {
        let file: JSONValue = [
            "model_type": .string(type), "vocab_size": 20, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "max_position_embeddings": 64,
            "rope_scaling": [
                "rope_type": "longrope", "short_factor": [1, 1], "long_factor": [2, 2], "original_max_position_embeddings": 16,
            ],
        ]
        let decoder = try ModelFamily.builtIn.build(ConfigurationReader(file), weights: RandomWeights(generator: Philox(seed: 1)))
        #expect(decoder.shape.contextLength == 16)
    }

    @Test("what no GGUF file can hold is refused before anything is written")
    func gguf() throws {
        func check(_ kind: TinyModel.Kind) throws { try LanguageModel(decoder: kind.make()).checkGGUF() }
        for kind in [TinyModel.Kind.llama, .qwen3, .gptNeoX] { try check(kind) }
        for kind in [TinyModel.Kind.qwen2, .mistral, .bloom, .olmo2] { #expect(throws: ModelError.self) { try check(kind) } }
    }

    /// As `Gemma3ForConditionalGeneration` is saved by Transformers 5, and by 4.
    @Test(arguments: ["model.language_model.", "language_model.model."]) func languageHalf(_ prefix: String) throws {
        let fixture = try ModelFixture("gemma3_text")
        let parameters = fixture.model.decoder.parameters
        try withTemporaryFolder { folder in
            var text = try ModelFolder(fixture.folder).configuration()
            for key in ["torch_dtype", "dtype", "eos_token_id"] { text[key] = nil }
            let file: JSONValue = [
                "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": text, "vision_config": [:],
                "torch_dtype": "float32", "eos_token_id": [1, 5],
            ]
            try file.write(to: folder.appendingPathComponent("config.json"))
            let tensors = parameters.map { WritableTensor(prefix + $0.name.dropFirst("model.".count), $0.value) }
            let other = WritableTensor(prefix.hasPrefix("model") ? "model.vision_tower.x" : "vision_tower.x", Tensor([1], shape: [1]))
            try SafetensorsWriter().write(tensors + [other], to: folder)
            var notes: [String] = []
            let model = try LanguageModel.load(folder) { notes.append($0) }
            #expect(notes.count == 1 && notes[0].contains("vision_tower"))
            for (a, b) in zip(model.decoder.parameters, parameters) { #expect(a.name == b.name && a.value.isIdentical(to: b.value)) }
            #expect(model.endTokens == [1, 5])
            let saved = folder.appendingPathComponent("saved")
            try model.save(to: saved)
            let configuration = try ModelFolder(saved).configuration()
            #expect(configuration["model_type"] == "gemma3_text" && configuration["text_config"] == nil)
            #expect(try LanguageModel.load(saved).decoder.configuration() == model.decoder.configuration())
        }
    }
}
