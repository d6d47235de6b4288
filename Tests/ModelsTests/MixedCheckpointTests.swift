import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Checkpoints of models that were loaded in BF16: trained weights as F32, frozen matrices as they were.
@Suite struct MixedCheckpointTests {
    /// A model of the fixtures that was saved in BF16 and of which some layers are frozen, and a folder for more.
    private func withFrozenModel(_ name: String, _ body: (LanguageModel, URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try ModelFixture(name).model.save(to: start, as: .bfloat16)
            let model = try LanguageModel.load(start)
            freeze(model)
            // trained weights that BF16 cannot hold
            for parameter in model.decoder.parameters where parameter.isTrainable {
                parameter.value.update { for index in $0.indices { $0[index] += 1e-4 } }
            }
            try body(model, folder)
        }
    }

    private func freeze(_ model: LanguageModel) { Freezing(fraction: 0.5).apply(to: model.decoder) }

    private func bytes(_ folder: URL) throws -> Data { try Data(contentsOf: folder.appendingPathComponent("model.safetensors")) }

    @Test(
        "frozen matrices stay in BF16, and everything has the same bits and formats again",
        arguments: ["llama-gqa", "gpt2", "opt-post-norm-projected"])
    func checkpoint(_ name: String) throws {
        try withFrozenModel(name) { model, folder in
            let checkpoint = folder.appendingPathComponent("checkpoint")
            try model.save(to: checkpoint, keepingFrozen: true)
            let store = try WeightStore(folder: checkpoint)
            let loaded = try LanguageModel.load(checkpoint)
            freeze(loaded)
            for (a, b) in zip(model.decoder.parameters, loaded.decoder.parameters) {
                let isNarrow = !a.isTrainable && a.value.shape.rank == 2
                #expect(a.name == b.name && a.isTrainable == b.isTrainable && a.value.isIdentical(to: b.value), "\(a.name)")
                #expect(try store.elementType(of: a.name) == (isNarrow ? .bfloat16 : .float32), "\(a.name)")
                for parameter in [a, b] { #expect(parameter.value.storage.format == (isNarrow ? .bf16 : .f32), "\(a.name)") }
            }
            #expect(model.decoder.parameters.contains { $0.isTrainable } && model.decoder.parameters.contains { !$0.isTrainable })
            #expect(try ModelFolder(checkpoint).configuration()["torch_dtype"] == "float32")
            // a resumed run writes the same checkpoint and the same result
            let again = folder.appendingPathComponent("again")
            try loaded.save(to: again, keepingFrozen: true)
            #expect(try bytes(again) == bytes(checkpoint))
            let results = ["first", "second"].map { folder.appendingPathComponent($0) }
            for (result, model) in zip(results, [model, loaded]) { try model.save(to: result) }
            #expect(try bytes(results[0]) == bytes(results[1]))
            let types = try WeightStore(folder: results[0])
            #expect(try types.names.allSatisfy { try types.elementType(of: $0) == .float32 })
            #expect(try bytes(checkpoint).count < bytes(results[0]).count)
        }
    }

    @Test("matrices that are not frozen are stored as F32, even before they change")
    func notYetTrained() throws {
        try withTemporaryFolder { folder in
            let (start, checkpoint) = (folder.appendingPathComponent("start"), folder.appendingPathComponent("checkpoint"))
            try LanguageModel(decoder: TinyModel.llama()).save(to: start, as: .bfloat16)
            let model = try LanguageModel.load(start)
            #expect(model.decoder.parameters.allSatisfy { $0.isTrainable })
            try model.save(to: checkpoint, keepingFrozen: true)
            let store = try WeightStore(folder: checkpoint)
            #expect(try store.names.allSatisfy { try store.elementType(of: $0) == .float32 })
        }
    }

    /// The scale of Gemma's embeddings depends on the type of its folder; it must not change when a run resumes.
    @Test("a checkpoint of Gemma computes what the model does", arguments: ["gemma2", "gemma3_text"])
    func gemma(_ name: String) throws {
        try withFrozenModel(name) { model, folder in
            let checkpoint = folder.appendingPathComponent("checkpoint")
            try model.save(to: checkpoint, keepingFrozen: true)
            let loaded = try LanguageModel.load(checkpoint)
            let text: [Int32] = [3, 5, 7]
            #expect(loaded.decoder.alone(text).isIdentical(to: model.decoder.alone(text)))
            #expect(Trunk.share(model.decoder, with: loaded.decoder, atMost: 9).layers == model.decoder.shape.layerCount)
            let results = ["first", "second"].map { folder.appendingPathComponent($0) }
            for (result, model) in zip(results, [model, loaded]) { try model.save(to: result) }
            for file in ["model.safetensors", "config.json"] {
                let files = try results.map { try Data(contentsOf: $0.appendingPathComponent(file)) }
                #expect(files[0] == files[1], "\(file)")
            }
            let configuration = try ModelFolder(results[0]).configuration()
            #expect((configuration["dtype"] ?? configuration["torch_dtype"]) == "float32")
        }
    }
}
