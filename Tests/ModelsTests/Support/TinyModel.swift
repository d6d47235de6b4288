import Formats
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
        case qwen2, qwen3, mistral, gemma2, gemma3, gptNeoX, gptNeoXSequential, phi, phi3, olmo2, smolLM3, stableLM, stableLMParallel, gptJ,
            gptNeo,
            bloom, bloomPostNorm

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
            default:
                let file = ConfigurationReader(configuration(layers: layers, vocabulary: vocabulary, context: context))
                return try ModelFamily.builtIn.build(file, weights: random)
            }
            return try OPT(opt, weights: random)
        }

        /// The config.json of a family that is made from one, with windows shorter than the texts of the tests.
        private func configuration(layers: Int, vocabulary: Int, context: Int) -> JSONValue {
            var file: JSONValue = [
                "vocab_size": JSONValue(vocabulary), "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": JSONValue(layers),
                "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": JSONValue(context), "sliding_window": 6,
            ]
            func set(_ type: String, _ settings: [String: JSONValue]) {
                file["model_type"] = .string(type)
                for (key, value) in settings { file[key] = value }
            }
            switch self {
            case .qwen2: set("qwen2", ["use_sliding_window": true, "max_window_layers": 1])
            case .qwen3: set("qwen3", ["head_dim": 8, "sliding_window": .null])
            case .mistral: set("mistral", [:])
            case .gemma2: set("gemma2", ["head_dim": 8, "attn_logit_softcapping": 3, "final_logit_softcapping": 4])
            case .gemma3: set("gemma3_text", ["head_dim": 6, "sliding_window_pattern": 2, "query_pre_attn_scalar": 30])
            case .gptNeoX: set("gpt_neox", ["num_key_value_heads": .null, "rotary_pct": 0.5])
            case .gptNeoXSequential: set("gpt_neox", ["num_key_value_heads": .null, "use_parallel_residual": false, "rotary_pct": 1])
            case .phi: set("phi", ["qk_layernorm": true])
            case .phi3: set("phi3", ["partial_rotary_factor": 0.5])
            case .olmo2: set("olmo2", ["attention_bias": true])
            case .smolLM3: set("smollm3", ["no_rope_layer_interval": 2, "use_sliding_window": true])
            case .stableLM: set("stablelm", ["qk_layernorm": true, "partial_rotary_factor": 0.5])
            case .stableLMParallel: set("stablelm", ["use_parallel_residual": true, "partial_rotary_factor": 0.5, "use_qkv_bias": true])
            case .gptJ: set("gptj", ["rotary_dim": 2])
            case .gptNeo:
                set("gpt_neo", ["attention_types": [[["global", "local"], 1], [["local"], JSONValue(layers - 2)]], "window_size": 6])
            case .bloom: set("bloom", [:])
            case .bloomPostNorm: set("bloom", ["apply_residual_connection_post_layernorm": true, "tie_word_embeddings": false])
            case .llama, .opt, .optPostNorm, .optProjected, .optBare, .gpt2, .gpt2Scaled: break
            }
            return file
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
        return self.logProbs(predicting, targets: continuation, temperature: temperature, validTokens: validTokens).logProbs.values
    }
}
