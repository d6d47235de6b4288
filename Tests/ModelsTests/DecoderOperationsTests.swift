import Models
import Tensor
import Testing
import _TestSupport

/// Operation counts, against numbers that are calculated by hand for 3 layers with 16 channels, 4 heads of 4, 2 key/value heads and a
/// feed-forward width of 24: 256 weights for queries, 256 for keys and values, 1408 others, 1920 in all.
@Suite struct DecoderOperationsTests {
    /// A prompt of 3 tokens with continuations of 2 and 1: 6 rows, of which 4 predict a token.
    private let texts = [PromptLengths(prompt: 3, continuations: [2, 1])]

    @Test func wantedRowsAndTheirKeys() {
        let texts = texts[0]
        #expect([.all, .predictions, .last].map(texts.rows) == [6, 4, 2])
        // 1 + 2 + 3 in the prompt, 4 + 5 and 4 in the continuations
        #expect([.all, .predictions, .last].map { texts.keys($0) } == [19, 16, 9])
        #expect([.all, .predictions, .last].map { texts.keys($0, window: 2) } == [11, 8, 4])
        let prompt = PromptLengths(prompt: 4)
        #expect([.all, .predictions, .last].map(prompt.rows) == [4, 1, 1])
        #expect([.all, .predictions, .last].map { prompt.keys($0) } == [10, 4, 4])
        #expect(texts.read == PromptLengths(prompt: 3, continuations: [1, 0]))
        #expect(texts.ended == PromptLengths(prompt: 3, continuations: [3, 2]))
    }

    @Test func aForwardPassCutsTheLastLayer() throws {
        let model = DecoderOperations(try TinyModel.llama())
        // whole layers: 2 · 1920 · 6 and 4 · 16 · 19; the last one: 2 · (256 · 6 + 1664 · rows) and 4 · 16 · keys
        #expect(model.forward(texts, wanted: .all) == OperationCount(products: 3 * 23_040, attention: 3 * 1216))
        #expect(model.forward(texts, wanted: .predictions) == OperationCount(products: 46_080 + 16_384, attention: 2432 + 1024))
        #expect(model.forward(texts, wanted: .last) == OperationCount(products: 46_080 + 9728, attention: 2432 + 576))
        #expect(model.forward(texts, wanted: .last, layers: 1..<2) == OperationCount(products: 23_040, attention: 1216))
        #expect(model.forward(texts, wanted: .last, layers: 3..<3) == .zero)
        #expect(
            model.forward(texts + texts, wanted: .predictions) == 2 * model.forward(texts, wanted: .predictions))
    }

    @Test func onlyTrainedLayersHaveABackwardPass() throws {
        let decoder = try TinyModel.llama()
        func backward() -> OperationCount { DecoderOperations(decoder).backward(texts, wanted: .predictions) }
        // a whole layer: 4 · 1920 · 6 and 8 · 16 · 19; the last one twice its forward pass
        Freezing(fraction: 0.4).apply(to: decoder)
        #expect(backward() == OperationCount(products: 46_080 + 32_768, attention: 2432 + 2048))
        Freezing(fraction: 0).apply(to: decoder)
        #expect(backward() == OperationCount(products: 2 * 46_080 + 32_768, attention: 2 * 2432 + 2048))
        // trained embeddings need the input gradients of frozen layers
        Freezing(fraction: 0.4, freezesEmbeddings: false).apply(to: decoder)
        #expect(backward() == OperationCount(products: 23_040 + 46_080 + 32_768, attention: 2 * 2432 + 2048))
        decoder.parameters.forEach { $0.isTrainable = false }
        #expect(backward() == .zero)
        // without a trained norm, nothing needs the gradient of the first trained layer's input: 2 · 1920 · 6 + 2 · 1408 · 6
        for parameter in decoder.parameters(ofLayer: 1) where parameter.value.shape.rank == 2 { parameter.isTrainable = true }
        #expect(backward() == OperationCount(products: 23_040 + 16_896 + 16_384, attention: 2432 + 2048))
    }

    /// Rank 2 in layers 1 and 2: 464 weights in each, of which 96 belong to keys and values, and 96 are A of queries, keys and values.
    @Test func anAdapterHasTheOnlyWeightGradients() throws {
        let decoder = try TinyModel.llama().adapted(
            by: AdapterConfiguration(rank: 2, layers: [1, 2]), base: "", using: Philox(seed: 1))
        Freezing().apply(to: decoder)
        let model = DecoderOperations(decoder)
        // layer 1: 2 · 2384 · 6; layer 2: 16384 + 2 · (96 · 6 + 368 · 4)
        #expect(
            model.forward(texts, wanted: .predictions) == OperationCount(products: 23_040 + 28_608 + 20_480, attention: 3456))
        // layer 1: 2 · 6 · (1408 + 464 + 368); layer 2: 16384 + 2 · 4096
        #expect(model.backward(texts, wanted: .predictions) == OperationCount(products: 26_880 + 24_576, attention: 4480))
    }

    @Test func projectionAndHead() throws {
        let decoder = try TinyModel.llama()
        Freezing(fraction: 0.4).apply(to: decoder)
        let model = DecoderOperations(decoder)
        #expect(model.projection(rows: 4).products == 2 * 40 * 16 * 4)
        #expect(model.projection(rows: 4, isDifferentiated: true).products == 2 * 2 * 40 * 16 * 4)
        #expect(model.head(rows: 4).total == 2 * 16 * 4)
        #expect(model.head(rows: 4, isDifferentiated: true).total == 3 * 2 * 16 * 4)
        Freezing(fraction: 0).apply(to: decoder)
        #expect(DecoderOperations(decoder).projection(rows: 4, isDifferentiated: true).products == 3 * 2 * 40 * 16 * 4)
    }

    @Test func aWindowLimitsKeys() throws {
        let decoder = try TinyModel.Kind.mistral.make()
        // 1 + … + 6, then 4 · 6 for the other rows
        #expect(DecoderOperations(decoder).forward([PromptLengths(prompt: 10)], wanted: .all).attention == 3 * 4 * 16 * 45)
    }

    @Test func decodingReadsWeightsInEveryStepAndSharedPromptsOnce() throws {
        let model = DecoderOperations(try TinyModel.llama())
        // two steps read 3 · 1920 weights of layers and 40 · 16 of the projection; keys of 8 channels: 3 + 2 · 1 rows, then 3 + 2
        let texts = [PromptLengths(prompt: 3, continuations: [3, 2])]
        #expect(model.decodingReads(texts) == DecodingReads(weights: 2 * 6400, keysAndValues: 3 * 10 * 16))
        #expect(model.decodingReads(texts + texts) == DecodingReads(weights: 2 * 6400, keysAndValues: 2 * 3 * 10 * 16))
        #expect(model.decodingReads([PromptLengths(prompt: 3, continuations: [1])]) == DecodingReads(weights: 0, keysAndValues: 0))
        #expect(model.decodingReads([PromptLengths(prompt: 3)]) == DecodingReads(weights: 0, keysAndValues: 0))
        // a window of 6 leaves 6 rows in both steps
        let windowed = DecoderOperations(try TinyModel.Kind.mistral.make())
        #expect(windowed.decodingReads([PromptLengths(prompt: 10, continuations: [3])]).keysAndValues == 3 * 12 * 16)
    }

    @Test(arguments: TinyModel.Kind.allCases) func everyMatrixOfEveryFamilyCounts(kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let weights = (0..<decoder.shape.layerCount).flatMap(decoder.parameters(ofLayer:)).map(\.value)
            .filter { $0.shape.rank == 2 }.reduce(0) { $0 + $1.count }
        #expect(DecoderOperations(decoder).forward([PromptLengths(prompt: 7)], wanted: .all).products == 2 * 7 * weights)
    }
}
