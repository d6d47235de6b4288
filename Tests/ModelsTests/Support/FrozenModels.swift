import Formats
import Foundation
import Models
import Tensor

/// A small LLaMA in a file, with frozen layers: matrices of 16 and more rows in whole blocks of 32 numbers, and some of fewer rows.
enum FrozenModels {
    /// Saves the model as F32, BF16 or F16.
    static func save(_ type: ElementType, to folder: URL, tied: Bool = false) throws {
        let settings = LlamaConfiguration(
            vocabularySize: 48, hiddenSize: 32, intermediateSize: 64, layerCount: 3, heads: 4, keyHeads: 1, contextLength: 64,
            tiesEmbeddings: tied)
        let decoder = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.2))
        try LanguageModel(decoder: decoder, head: TinyModel.head(width: 32)).save(to: folder, as: type)
    }

    /// Loads the model with its embeddings and two of its three layers frozen.
    static func load(_ folder: URL) throws -> LanguageModel {
        let model = try LanguageModel.load(folder)
        Freezing(fraction: 0.67).apply(to: model.decoder)
        return model
    }

    /// A copy of which everything is frozen, as a reference model.
    static func reference(of decoder: any TransformerDecoder) -> any TransformerDecoder {
        let copy = decoder.copy()
        copy.parameters.forEach { $0.isTrainable = false }
        return copy
    }

    /// Whether a parameter is one of those that are held in another format.
    static func isHeld(_ parameter: Parameter) -> Bool {
        let shape = parameter.value.shape.dimensions
        return !parameter.isTrainable && shape.count == 2 && shape.allSatisfy { $0 >= 16 }
    }

    static let text: [Int32] = [3, 17, 9, 30, 4, 22, 8, 1, 12]

    static func logits(_ decoder: any TransformerDecoder) -> Tensor { decoder.logits(decoder.alone(text)) }
}
