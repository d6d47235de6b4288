import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Models written as GGUF files.
struct GGUFSavingTests {
    /// Saves a model and opens the file.
    private static func saved<Result>(
        _ model: LanguageModel, as type: LanguageModel.GGUFType = .f32, note: (String) -> Void = { _ in }, _ body: (URL) throws -> Result
    ) throws -> Result {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.gguf")
            try model.saveGGUF(to: url, tokens: SpecialTokens(begin: 1, end: 2, padding: 0), as: type, note: note)
            return try body(url)
        }
    }

    /// Files from checkpoints hold the tensors that the converter with the `gguf` package wrote, by name, shape and value.
    @Test(arguments: ["llama-gqa", "llama-tied-biases-llama3", "gpt2"]) func writesWhatConvertersWrite(name: String) throws {
        let wanted = try GGUFFile(Fixtures.url("gguf/\(name).gguf"))
        let model = try LanguageModel.load(Fixtures.url("models/\(name)"))
        var notes: [String] = []
        try Self.saved(model, note: { notes.append($0) }) { url in
            let file = try GGUFFile(url)
            let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
            #expect(Set(tensors.keys) == Set(wanted.tensors.map(\.name)))
            for tensor in wanted.tensors {
                let own = try #require(tensors[tensor.name])
                #expect(own.shape == tensor.shape)
                // divisors of frequencies are computed here and there
                let close = try zip(own.floats(), tensor.floats()).allSatisfy {
                    $0 == $1 || tensor.name == "rope_freqs.weight" && abs($0 / $1 - 1) < 1e-6
                }
                #expect(close, "\(tensor.name)")
            }
            for (key, value) in wanted.metadata where !key.hasPrefix("tokenizer.") && !key.hasPrefix("general.") {
                #expect(file.metadata[key]?.double == value.double, "\(key)")
            }
        }
        #expect(notes == ["the value head is not saved, because the GGUF format does not support it"])
    }

    /// What is loaded from a file and saved as one is the same model, for every architecture.
    @Test(arguments: ["llama-mixed", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gptneox", "gpt2", "llama-tied-biases-llama3"])
    func roundTrips(name: String) throws {
        let model = try LanguageModel.load(Fixtures.url("gguf/\(name).gguf"))
        try Self.saved(model) { url in
            let again = try LanguageModel.load(url)
            #expect(again.decoder.parameters.map(\.name) == model.decoder.parameters.map(\.name))
            for (a, b) in zip(again.decoder.parameters, model.decoder.parameters) {
                let (own, wanted) = (a.value.widened().values, b.value.widened().values)
                // 1 is added to norms of Gemma and subtracted again
                let tolerance: Float = name.hasPrefix("gemma") && a.name.contains("norm") ? 1e-6 : 0
                #expect(zip(own, wanted).allSatisfy { abs($0 - $1) <= tolerance }, "\(a.name)")
            }
            var (own, wanted) = (again.decoder.configuration(), model.decoder.configuration())
            for key in ["torch_dtype", "dtype"] {
                own[key] = nil
                wanted[key] = nil
            }
            #expect(Set((own.members ?? []).map(\.key)) == Set((wanted.members ?? []).map(\.key)))
            for member in wanted.members ?? [] where member.key != "rope_scaling" {
                #expect(own[member.key] == member.value, "\(member.key)")
            }
            #expect(again.endTokens == [2])
        }
    }

    /// LongRoPE is the same in the file, with its factor of cosines and sines: that of the configuration, or the one that follows
    /// from the two context lengths. The second sequence is longer than the trained length.
    @Test(arguments: [nil, 1.75] as [Double?], ["longrope", "su"]) func keepsLongRoPE(factor: Double?, type: String) throws {
        try withTemporaryFolder { folder in
            let copy = folder.appendingPathComponent("model")
            try FileManager.default.copyItem(at: Fixtures.url("models/phi3-longrope"), to: copy)
            let place = copy.appendingPathComponent("config.json")
            var configuration = try JSONValue(contentsOf: place)
            var section = try #require(configuration["rope_scaling"])
            section["type"] = .string(type)
            if let factor { section["attention_factor"] = JSONValue(factor) }
            configuration["rope_scaling"] = section
            try FileManager.default.removeItem(at: place)
            try configuration.write(to: place)
            let model = try LanguageModel.load(copy)
            try Self.saved(model) { url in
                let metadata = try GGUFFile(url).metadata
                let written = try #require(metadata["phi3.rope.scaling.attn_factor"]?.double)
                // √(1 + ln(256/16) / ln(16))
                #expect(abs(written - (factor ?? 2.0.squareRoot())) < 1e-6)
                #expect(metadata["phi3.rope.scaling.original_context_length"]?.int == 16)
                #expect(metadata["phi3.rope.scaling.type"]?.string == "longrope")
                let again = try LanguageModel.load(url)
                for length in [12, 30] {
                    let tokens = (0..<length).map { Int32($0 * 7 % 61) }
                    expectSmallError(
                        again.decoder.logits(again.decoder.alone(tokens)), model.decoder.logits(model.decoder.alone(tokens)), 1e-5,
                        "\(length) tokens")
                }
            }
        }
    }

    /// llama.cpp reads the factors of LongRoPE for two architectures only.
    @Test func refusesLongRoPEThatIsNotRead() throws {
        func model(_ type: String) throws -> LanguageModel {
            let file: JSONValue = [
                "model_type": .string(type), "vocab_size": 20, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1,
                "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4, "max_position_embeddings": 64,
                "rope_scaling": [
                    "rope_type": "longrope", "short_factor": [1, 1], "long_factor": [2, 2], "original_max_position_embeddings": 16,
                ],
            ]
            return LanguageModel(
                decoder: try ModelFamily.builtIn.build(ConfigurationReader(file), weights: RandomWeights(generator: Philox(seed: 1))))
        }
        #expect(throws: ModelError.noGGUF("GGUF files of architecture qwen3 do not support LongRoPE")) { try model("qwen3").checkGGUF() }
        try model("llama").checkGGUF()
        try Self.saved(try model("llama")) { url in
            let magnitude = try GGUFFile(url).metadata["llama.rope.scaling.attn_factor"]?.double
            #expect(try abs(#require(magnitude) - 1.5.squareRoot()) < 1e-6)
        }
    }

    /// Matrices in the type that is asked for, vectors and positions in F32, and F16 where rows do not fit blocks.
    @Test(arguments: LanguageModel.GGUFType.allCases) func storesMatricesAsAsked(type: LanguageModel.GGUFType) throws {
        let types: [LanguageModel.GGUFType: GGMLType] = [.f32: .float32, .f16: .float16, .bf16: .bfloat16, .q8_0: .q8_0]
        let wanted = try #require(types[type])
        let model = try LanguageModel.load(Fixtures.url("gguf/llama-mixed.gguf"))
        try Self.saved(model, as: type) { url in
            for entry in try GGUFFile(url).entries { #expect(entry.type == (entry.shape.count == 2 ? wanted : .float32), "\(entry.name)") }
            let again = try LanguageModel.load(url)
            for (a, b) in zip(again.decoder.parameters, model.decoder.parameters) {
                let (own, exact) = (a.value.widened().values, b.value.widened().values)
                let largest = exact.map(abs).max() ?? 0
                #expect(zip(own, exact).allSatisfy { abs($0 - $1) <= largest / 128 }, "\(a.name)")
            }
        }
        let small = try LanguageModel.load(Fixtures.url("models/gpt2"))
        try Self.saved(small, as: type) { url in
            for entry in try GGUFFile(url).entries {
                let isMatrix = entry.shape.count == 2 && entry.name != "position_embd.weight"
                let fits = wanted != .q8_0 || (entry.shape.last ?? 0) % 32 == 0
                #expect(entry.type == (isMatrix ? fits ? wanted : .float16 : .float32), "\(entry.name)")
            }
        }
    }

    @Test(arguments: [
        ("opt-pre-norm", "models of type 'opt' cannot be saved as GGUF"),
        ("gpt2-scaled", "GGUF files of architecture gpt2 do not support activation_function relu"),
        ("llama-dynamic", "GGUF files of architecture llama do not support this type of rope scaling"),
    ])
    func refusesWhatAFileCannotSay(name: String, reason: String) throws {
        let model = try LanguageModel.load(Fixtures.url("models/\(name)"))
        try withTemporaryFolder { folder in
            #expect(throws: ModelError.noGGUF(reason)) { try model.saveGGUF(to: folder.appendingPathComponent("m.gguf")) }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left == [])
        }
    }
}
