import Formats
import Models
import Tensor

/// An OPT or GPT-2 of ``TinyModel`` whose layers are their formulas, one operation after another, without the common blocks. All else is
/// that of the model.
final class FormulaDecoder: TransformerDecoder {
    private let base: any TransformerDecoder
    private let kind: TinyModel.Kind
    private let weights: [String: Parameter]

    init(_ base: any TransformerDecoder, _ kind: TinyModel.Kind) {
        (self.base, self.kind) = (base, kind)
        weights = Dictionary(base.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A layer's projections and norms by their names, and dropout.
    private struct Layer {
        let weights: [String: Parameter]
        let prefix: String
        let index: Int
        let context: LayerContext
        let rate: Double
        let tape: Tape?

        private func weight(_ name: String) -> Tensor? { weights["\(prefix).\(name)"]?.on(tape) }

        func linear(_ name: String, _ x: Tensor) -> Tensor {
            guard let matrix = weight("\(name).weight") else { preconditionFailure("no projection \(prefix).\(name)") }
            return x.linear(matrix, bias: weight("\(name).bias"))
        }

        func norm(_ name: String, _ x: Tensor) -> Tensor {
            let width = x.shape[1]
            return x.layerNormalised(
                weight: weight("\(name).weight") ?? .filled(1, [width]), bias: weight("\(name).bias") ?? .zeros([width]), epsilon: 1e-5)
        }

        func dropped(_ x: Tensor, _ site: DropoutSite) -> Tensor { context.dropped(x, site, layer: index, rate: rate) }
    }

    func layer(_ index: Int, _ states: Tensor, _ context: LayerContext, on tape: Tape?) -> Tensor {
        let isGPT2 = [.gpt2, .gpt2Scaled].contains(kind)
        let layer = Layer(
            weights: weights, prefix: isGPT2 ? "transformer.h.\(index)" : "model.decoder.layers.\(index)", index: index, context: context,
            rate: dropout.residual, tape: tape)
        return isGPT2 ? gpt2(layer, states) : opt(layer, states)
    }

    private func opt(_ layer: Layer, _ states: Tensor) -> Tensor {
        let isPreNorm = [.opt, .optBare].contains(kind)
        let context = layer.context
        let input = isPreNorm ? layer.norm("self_attn_layer_norm", states) : states
        let queries = layer.linear("self_attn.q_proj", context.selected(input))
        let keys = layer.linear("self_attn.k_proj", input)
        let values = layer.linear("self_attn.v_proj", input)
        let mixed = context.attention(
            queries, keys, values, layer: layer.index, heads: shape.heads, keyHeads: shape.heads, dropout: dropout.attention)
        let sum = context.selected(states) + layer.dropped(layer.linear("self_attn.out_proj", mixed), .attentionOutput)
        let middle = isPreNorm ? sum : layer.norm("self_attn_layer_norm", sum)
        let inner = layer.linear("fc1", isPreNorm ? layer.norm("final_layer_norm", middle) : middle)
        let activation = kind == .optBare ? Activation.gelu : .relu
        let result = middle + layer.dropped(layer.linear("fc2", activation(inner)), .feedForwardOutput)
        return isPreNorm ? result : layer.norm("final_layer_norm", result)
    }

    private func gpt2(_ layer: Layer, _ states: Tensor) -> Tensor {
        let (context, width) = (layer.context, shape.hiddenSize)
        let all = layer.linear("attn.c_attn", layer.norm("ln_1", states))
        let queries = context.selected(all.columns(0..<width))
        let (keys, values) = (all.columns(width..<2 * width), all.columns(2 * width..<3 * width))
        let scale = kind == .gpt2Scaled ? 1 / Float(layer.index + 1) : 1 / Float(shape.headDim).squareRoot()
        let mixed = context.attention(
            queries, keys, values, layer: layer.index, heads: shape.heads, keyHeads: shape.heads,
            scores: AttentionScores(scale: scale), dropout: dropout.attention)
        let middle = context.selected(states) + layer.dropped(layer.linear("attn.c_proj", mixed), .attentionOutput)
        let inner = layer.linear("mlp.c_fc", layer.norm("ln_2", middle))
        return middle + layer.dropped(layer.linear("mlp.c_proj", Activation.geluNew(inner)), .feedForwardOutput)
    }

    var shape: DecoderShape { base.shape }
    var embeddingParameters: [Parameter] { base.embeddingParameters }
    var positionParameter: Parameter? { base.positionParameter }
    var finalParameters: [Parameter] { base.finalParameters }
    var projection: Parameter { base.projection }
    var dropout: DropoutRates { base.dropout }
    var isTied: Bool { base.isTied }
    var adapter: Adapter? { base.adapter }
    func parameters(ofLayer index: Int) -> [Parameter] { base.parameters(ofLayer: index) }
    func embed(_ ids: [Int32], positions: [Int32], on tape: Tape?) -> Tensor { base.embed(ids, positions: positions, on: tape) }
    func finish(_ states: Tensor, on tape: Tape?) -> Tensor { base.finish(states, on: tape) }
    func rebuilt(from weights: any WeightSource) throws -> any TransformerDecoder {
        FormulaDecoder(try base.rebuilt(from: weights), kind)
    }
    func configuration() -> JSONValue { base.configuration() }
}
