import Foundation
import Models
import Tensor

/// A custom model family, StarCoder 2: LayerNorm, grouped-query attention, biases, a sliding window, and an ungated feed-forward block.
enum StarCoder2 {
    static let family = ModelFamily("starcoder2", architecture: "Starcoder2ForCausalLM", classifier: "Starcoder2ForSequenceClassification")
    { file in
        let settings = try CommonSettings(
            reading: file,
            .init(
                keyHeads: 2, context: 4096, epsilonKey: "norm_epsilon", epsilon: 1e-5, isTied: true, activation: .geluTanh))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let bias = try file.flag("use_bias", or: true)
        let window = try file.optionalCount("sliding_window")
        let rope = try RotarySettings(reading: file, contextLength: settings.context)
        let rotaryDim = try settings.rotaryDim()
        return DecoderPlan(settings.shape) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .layer) { _, layer in
                let attention = layer.below("self_attn")
                return DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.layer, "input_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.layer, "post_attention_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: bias),
                        output: try attention.projection("o_proj", hidden, heads.width, bias: bias), heads: heads, rotary: rotary,
                        scores: AttentionScores(window: window)),
                    .plain(
                        up: try layer.projection("mlp.c_fc", settings.inner, hidden, bias: bias),
                        down: try layer.projection("mlp.c_proj", hidden, settings.inner, bias: bias), settings.activation))
            }
        }
    }
}

/// Saves a model and loads it by its `model_type`; its responses do not change.
func useYourOwnFamily() throws -> any TransformerDecoder {
    let file = ConfigurationReader([
        "model_type": "starcoder2", "vocab_size": 300, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256, "sliding_window": 6,
    ])
    let model = try StarCoder2.family.build(file, RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try LanguageModel(decoder: model).save(to: folder)
    let loaded = try LanguageModel.load(folder, families: ModelFamily.builtIn + [StarCoder2.family]).decoder
    func answer(_ decoder: any TransformerDecoder) throws -> [Int32] {
        try Generator(decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: [3, 4, 5], streams: [Philox(seed: 2)])], options: .greedy(maxNewTokens: 12))[0][0].tokens
    }
    let (before, after) = (try answer(model), try answer(loaded))
    precondition(before == after)
    return loaded
}
