import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Pages of mapped weights that were read once do not stay in memory.
@Suite struct MappedPagesTests {
    /// Weights that take no time to make.
    private struct Zeros: WeightSource {
        func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter { Parameter(name, .zeros(shape)) }
    }

    /// A model whose embeddings alone take 2 MiB in BF16.
    private func save(_ type: ElementType, to folder: URL) throws -> URL {
        let settings = LlamaConfiguration(
            vocabularySize: 8192, hiddenSize: 128, intermediateSize: 16, layerCount: 1, heads: 2, keyHeads: 2, contextLength: 16,
            tiesEmbeddings: true)
        try LanguageModel(decoder: Llama(settings, weights: Zeros())).save(to: folder, as: type)
        return folder.appendingPathComponent("model.safetensors")
    }

    private func expectReleased(_ files: URL..., after: Comment, location: SourceLocation = #_sourceLocation) {
        for file in files {
            guard let resident = residentBytes(ofFile: file) else { return }
            #expect(resident < 512 << 10, after, sourceLocation: location)
        }
    }

    @Test(
        "loading, comparing and sharing leave no pages, in any format", arguments: [ElementType.bfloat16, .float32],
        [ElementType.bfloat16, .float32, .float16])
    func sharing(_ first: ElementType, _ second: ElementType) throws {
        try withTemporaryFolder { folder in
            let names = ["first", "second"].map { folder.appendingPathComponent($0) }
            let files = [try save(first, to: names[0]), try save(second, to: names[1])]
            let models = try names.map { try LanguageModel.load($0).decoder }
            expectReleased(files[0], files[1], after: "loading")
            #expect(Trunk.share(models[0], with: models[1], atMost: 1).layers == 1)
            expectReleased(files[0], files[1], after: "sharing")
            let weight = models[0].embeddingParameters[0]
            _ = weight.value.sum()
            let resident = files.compactMap { residentBytes(ofFile: $0) }
            #expect(resident.isEmpty || resident.contains { $0 > 1 << 20 }, "pages in use are counted: \(resident)")
            // trained weights lie elsewhere
            for model in models { model.embeddingParameters[0].value.update { $0[0] = 1 } }
            expectReleased(files[0], files[1], after: "training")
        }
    }

    @Test("holding frozen weights and saving them leave no pages", arguments: [ElementType.bfloat16, .float32, .float16])
    func holding(_ type: ElementType) throws {
        try withTemporaryFolder { folder in
            let file = try save(type, to: folder.appendingPathComponent("stored"))
            let model = try LanguageModel.load(folder.appendingPathComponent("stored"))
            model.decoder.parameters.forEach { $0.isTrainable = false }
            try FrozenWeights.hold([model.decoder], as: .int8)
            #expect(model.decoder.embeddingParameters[0].value.storage.format == .q8)
            expectReleased(file, after: "holding")
            for (name, type) in [("f32", ElementType.float32), ("bf16", .bfloat16)] {
                try model.save(to: folder.appendingPathComponent(name), as: type)
                expectReleased(file, after: "saving")
            }
        }
    }

    @Test("weights that differ leave no pages of the comparison")
    func differing() throws {
        try withTemporaryFolder { folder in
            let file = try save(.bfloat16, to: folder.appendingPathComponent("stored"))
            let stored = try LanguageModel.load(folder.appendingPathComponent("stored")).decoder
            let other = stored.copy()
            other.embeddingParameters[0].value.update { $0[$0.count - 1] = 1 }
            #expect(Trunk.share(other, with: stored, atMost: 1).layers == 0)
            expectReleased(file, after: "a comparison")
        }
    }
}
