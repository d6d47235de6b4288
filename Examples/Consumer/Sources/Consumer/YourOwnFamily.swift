import Formats
import Foundation
import Models
import Tensor

/// A family of one's own: Qwen2, which is LLaMA with biases on queries, keys and values.
final class Qwen2: TransformerDecoder {
    struct Layer {
        var inputNorm: Parameter
        var query, key, value, output: Projection
        var postNorm: Parameter
        var gate, up, down: Projection
        var parameters: [Parameter] {
            [inputNorm] + [query, key, value, output].flatMap(\.parameters) + [postNorm] + [gate, up, down].flatMap(\.parameters)
        }
    }

    static let family = ModelFamily("qwen2") { try Qwen2(LlamaConfiguration(reading: $0), weights: $1) }

    let settings: LlamaConfiguration
    let embedding: Parameter
    let layers: [Layer]
    let norm: Parameter
    let projection: Parameter
    let rotary: RotaryPositions

    init(_ settings: LlamaConfiguration, weights: some WeightSource) throws {
        let (hidden, keys) = (settings.hiddenSize, settings.keyHeads * settings.headDim)
        self.settings = settings
        embedding = try weights.parameter("model.embed_tokens.weight", [settings.vocabularySize, hidden])
        layers = try (0..<settings.layerCount).map { index in
            func linear(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = false) throws -> Projection {
                try Projection(weights, "model.layers.\(index).\(name)", outputs: outputs, inputs: inputs, bias: bias)
            }
            func norm(_ name: String) throws -> Parameter {
                try weights.parameter("model.layers.\(index).\(name).weight", [hidden], fresh: .ones)
            }
            return Layer(
                inputNorm: try norm("input_layernorm"), query: try linear("self_attn.q_proj", hidden, hidden, bias: true),
                key: try linear("self_attn.k_proj", keys, hidden, bias: true),
                value: try linear("self_attn.v_proj", keys, hidden, bias: true), output: try linear("self_attn.o_proj", hidden, hidden),
                postNorm: try norm("post_attention_layernorm"), gate: try linear("mlp.gate_proj", settings.intermediateSize, hidden),
                up: try linear("mlp.up_proj", settings.intermediateSize, hidden),
                down: try linear("mlp.down_proj", hidden, settings.intermediateSize))
        }
        norm = try weights.parameter("model.norm.weight", [hidden], fresh: .ones)
        projection =
            settings.tiesEmbeddings ? embedding : try weights.parameter("lm_head.weight", [settings.vocabularySize, hidden])
        rotary = RotaryPositions(settings.rope, dim: settings.headDim)
    }

    var shape: DecoderShape {
        DecoderShape(
            hiddenSize: settings.hiddenSize, layerCount: settings.layerCount, heads: settings.heads, keyHeads: settings.keyHeads,
            headDim: settings.headDim, vocabularySize: settings.vocabularySize, contextLength: settings.contextLength,
            headWidth: settings.hiddenSize)
    }
    var embeddingParameters: [Parameter] { [embedding] }
    var positionParameter: Parameter? { nil }
    var finalParameters: [Parameter] { [norm] }
    var dropout: DropoutRates { DropoutRates() }
    var isTied: Bool { settings.tiesEmbeddings }
    func parameters(ofLayer index: Int) -> [Parameter] { layers[index].parameters }

    func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor { embedding.on(tape).embedding(of: ids) }

    func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        let layer = layers[index]
        let epsilon = Float(settings.normEpsilon)
        let normed = states.rmsNormalised(weight: layer.inputNorm.on(tape), epsilon: epsilon)
        let queries = rotary.rotate(
            layer.query(context.selected(normed), on: tape), heads: settings.heads, in: context, wantedOnly: true)
        let keys = rotary.rotate(layer.key(normed, on: tape), heads: settings.keyHeads, in: context, wantedOnly: false)
        let mixed = context.attention(
            queries, keys, layer.value(normed, on: tape), layer: index, heads: settings.heads, keyHeads: settings.keyHeads, dropout: 0)
        let middle = context.selected(states) + layer.output(mixed, on: tape)
        let inner = middle.rmsNormalised(weight: layer.postNorm.on(tape), epsilon: epsilon)
        return middle + layer.down(layer.gate(inner, on: tape).swiglu(up: layer.up(inner, on: tape)), on: tape)
    }

    func finish(_ states: Tensor, on tape: Tape?) -> Tensor {
        states.rmsNormalised(weight: norm.on(tape), epsilon: Float(settings.normEpsilon))
    }

    func copy() -> any TransformerDecoder {
        guard let copy = try? Qwen2(settings, weights: CopiedWeights(of: self)) else {
            preconditionFailure("a model holds its own weights")
        }
        return copy
    }

    func configuration() -> JSONValue {
        [
            "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "vocab_size": JSONValue(settings.vocabularySize),
            "hidden_size": JSONValue(settings.hiddenSize), "intermediate_size": JSONValue(settings.intermediateSize),
            "num_hidden_layers": JSONValue(settings.layerCount), "num_attention_heads": JSONValue(settings.heads),
            "num_key_value_heads": JSONValue(settings.keyHeads), "max_position_embeddings": JSONValue(settings.contextLength),
            "rms_norm_eps": JSONValue(settings.normEpsilon), "rope_theta": JSONValue(settings.rope.base), "hidden_act": "silu",
            "tie_word_embeddings": .bool(settings.tiesEmbeddings),
        ]
    }
}

/// Saved and loaded by its `model_type`, it answers as before.
func useYourOwnFamily() throws -> any TransformerDecoder {
    let shape = LlamaConfiguration(
        vocabularySize: 300, hiddenSize: 16, intermediateSize: 32, layerCount: 2, heads: 4, keyHeads: 2, contextLength: 256)
    let model = try Qwen2(shape, weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try LanguageModel(decoder: model).save(to: folder)
    let loaded = try LanguageModel.load(folder, families: ModelFamily.builtIn + [Qwen2.family]).decoder
    func answer(_ decoder: any TransformerDecoder) throws -> [Int32] {
        try Generator(decoder, endOfSequence: nil).generate(
            [GenerationRequest(prompt: [3, 4, 5], streams: [Philox(seed: 2)])], options: .greedy(maxNewTokens: 12))[0][0].tokens
    }
    let (before, after) = (try answer(model), try answer(loaded))
    precondition(before == after)
    return loaded
}
