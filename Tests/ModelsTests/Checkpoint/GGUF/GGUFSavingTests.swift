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
