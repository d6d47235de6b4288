import Models
import Tensor
import Testing
import _TestSupport

/// Reference behaviour, § 2.3.
@Suite struct FreezingTests {
    private func trainable(_ decoder: some TransformerDecoder) -> Set<String> {
        Set(decoder.parameters.filter(\.isTrainable).map(\.name))
    }
    private func names(_ decoder: some TransformerDecoder, layers: Range<Int>, and others: [String]) -> Set<String> {
        Set(layers.flatMap { decoder.parameters(ofLayer: $0).map(\.name) } + others)
    }

    @Test("a fraction of 0 freezes nothing, not even the embeddings")
    func nothing() throws {
        let decoder = try TinyModel.llama()
        Freezing(fraction: 0.5).apply(to: decoder)
        Freezing(fraction: 0, freezesEmbeddings: true).apply(to: decoder)
        #expect(decoder.parameters.allSatisfy { $0.isTrainable })
        #expect(decoder.frozenTrunk == 0)
        #expect(decoder.parameterCounts.trainable == decoder.parameterCounts.total)
    }

    @Test(
        "the first ⌊layers · fraction⌋ layers, embeddings and projection",
        arguments: [(0.8, 4), (0.5, 2), (0.79, 3), (0.1, 0), (1, 5)])
    func layers(fraction: Double, frozen: Int) throws {
        let decoder = try TinyModel.llama(layers: 5)
        Freezing(fraction: fraction).apply(to: decoder)
        #expect(trainable(decoder) == names(decoder, layers: frozen..<5, and: ["model.norm.weight"]))
        #expect(decoder.frozenTrunk == frozen)
        let count = decoder.parameters.filter(\.isTrainable).reduce(0) { $0 + $1.value.count }
        #expect(decoder.parameterCounts.trainable == count)
    }

    @Test("trainable embeddings: no layer is constant")
    func embeddings() throws {
        let decoder = try TinyModel.llama(layers: 5)
        Freezing(fraction: 0.4, freezesEmbeddings: false).apply(to: decoder)
        #expect(
            trainable(decoder)
                == names(
                    decoder, layers: 2..<5, and: ["model.norm.weight", "model.embed_tokens.weight", "lm_head.weight"]))
        #expect(decoder.frozenTrunk == 0)
    }

    @Test("a reward model never trains its projection, and freezes the embeddings with the layers")
    func rewardModels() throws {
        let decoder = try TinyModel.llama(layers: 5)
        Freezing(fraction: 0.4, freezesEmbeddings: false).apply(to: decoder, isRewardModel: true)
        #expect(trainable(decoder) == names(decoder, layers: 2..<5, and: ["model.norm.weight"]))
        Freezing(fraction: 0).apply(to: decoder, isRewardModel: true)
        #expect(
            trainable(decoder) == names(decoder, layers: 0..<5, and: ["model.norm.weight", "model.embed_tokens.weight"]))
        // a tied projection is the embedding, which a reward model reads
        let tied = try TinyModel.llama(tied: true)
        Freezing(fraction: 0).apply(to: tied, isRewardModel: true)
        #expect(tied.parameters.allSatisfy { $0.isTrainable })
        Freezing(fraction: 0.5).apply(to: tied)
        #expect(!tied.projection.isTrainable)
    }
}
