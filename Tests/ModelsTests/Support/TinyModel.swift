import Models
import Tensor

/// Small random models for properties that need no reference.
enum TinyModel {
    /// A LLaMA whose distributions are far from uniform.
    static func llama(
        layers: Int = 3, vocabulary: Int = 40, context: Int = 128, tied: Bool = false, epsilon: Double = 1e-5,
        rope: RotarySettings = RotarySettings(), seed: UInt64 = 1
    ) throws -> Llama {
        try Llama(
            LlamaConfiguration(
                vocabularySize: vocabulary, hiddenSize: 16, intermediateSize: 24, layerCount: layers, heads: 4, keyHeads: 2,
                contextLength: context, normEpsilon: epsilon, rope: rope, tiesEmbeddings: tied),
            weights: RandomWeights(generator: Philox(seed: seed), standardDeviation: 0.35))
    }

    /// One small random model of every family and of every path through its layers, 3 layers of width 16.
    enum Kind: String, CaseIterable {
        case llama, opt, optPostNorm, optProjected, optBare, gpt2, gpt2Scaled

        func make(layers: Int = 3, vocabulary: Int = 40, context: Int = 128, seed: UInt64 = 1) throws -> any TransformerDecoder {
            let random = RandomWeights(generator: Philox(seed: seed), standardDeviation: 0.35)
            var opt = OPTConfiguration(
                vocabularySize: vocabulary, hiddenSize: 16, feedForwardSize: 24, layerCount: layers, heads: 4,
                contextLength: context)
            var gpt2 = GPT2Configuration(
                vocabularySize: vocabulary, hiddenSize: 16, layerCount: layers, heads: 4, contextLength: context)
            switch self {
            case .llama:
                return try TinyModel.llama(layers: layers, vocabulary: vocabulary, context: context, seed: seed)
            case .opt: break
            case .optPostNorm: opt.normalisesBefore = false
            case .optProjected: (opt.normalisesBefore, opt.embeddingSize) = (false, 8)
            case .optBare:
                (opt.removesFinalNorm, opt.hasBiases, opt.normsAreAffine) = (true, false, false)
                (opt.tiesEmbeddings, opt.activation) = (false, .gelu)
            case .gpt2: return try GPT2(gpt2, weights: random)
            case .gpt2Scaled:
                (gpt2.scalesByHeadDim, gpt2.scalesByLayer, gpt2.tiesEmbeddings) = (false, true, false)
                return try GPT2(gpt2, weights: random)
            }
            return try OPT(opt, weights: random)
        }
    }

    /// A head with all its four numbers in use.
    static func head(width: Int = 16, seed: UInt64 = 2, usesTanh: Bool = false) -> ValueHead {
        var random = Philox(seed: seed)
        return ValueHead(
            weight: .normal([1, width], standardDeviation: 0.3, using: &random), bias: 0.2, normalisation: 0.25,
            normalisationStd: 1.5, usesTanh: usesTanh)
    }

    /// Tokens 3..<vocabulary, so that the special ones do not come up in prompts.
    static func tokens(_ count: Int, vocabulary: Int = 40, using random: inout Philox) -> [Int32] {
        (0..<count).map { _ in Int32.random(in: 3..<Int32(vocabulary), using: &random) }
    }

    /// Prompts of the given lengths.
    static func prompts(_ lengths: [Int], vocabulary: Int = 40, seed: UInt64 = 3) -> [[Int32]] {
        var random = Philox(seed: seed)
        return lengths.map { tokens($0, vocabulary: vocabulary, using: &random) }
    }
}

extension TransformerDecoder {
    /// Final hidden states of all tokens of one sequence that is alone in its batch.
    func alone(_ tokens: [Int32]) -> Tensor {
        let batch = TokenBatch([tokens])
        return hidden(batch, wanted: batch.rows)
    }

    /// log p of every token of `continuation` after `prompt`, by one full forward pass.
    func logProbs(
        of continuation: [Int32], after prompt: [Int32], temperature: Float = 1, validTokens: Int? = nil
    ) -> [Float] {
        let states = alone(prompt + continuation.dropLast())
        let predicting = states.rows(prompt.count - 1..<states.shape[0])
        return predicting.logProbs(
            projection.value, targets: continuation, temperature: temperature, validTokens: validTokens
        ).logProbs.values
    }
}
