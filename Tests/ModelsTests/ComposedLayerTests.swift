import Models
import Tensor
import Testing

/// OPT and GPT-2 are composed of the common blocks. Their numbers are those of the formulas, bit by bit, and their parameters keep the
/// order that snapshots of optimisers and sums over all gradients depend on.
@Suite struct ComposedLayerTests {
    static let kinds: [TinyModel.Kind] = [.opt, .optPostNorm, .optProjected, .optBare, .gpt2, .gpt2Scaled]

    @Test("states and gradients have the bits of the formulas, with dropout", arguments: kinds, [Compute.Precision.f32, .bf16])
    func bits(_ kind: TinyModel.Kind, _ precision: Compute.Precision) throws {
        let decoder = try kind.make()
        var batch = TokenBatch(TinyModel.prompts([30, 34]))
        batch.dropout = DropoutSource(Philox(seed: 7))
        let wanted = [3..<30, 33..<64]
        let targets = (0..<58).map { Int32($0 % 37 + 3) }
        func results(_ decoder: any TransformerDecoder) -> (hidden: Tensor, gradients: [Tensor?]) {
            Compute.$precision.withValue(precision) {
                let tape = Tape()
                let hidden = decoder.hidden(batch, wanted: wanted, on: tape)
                tape.backward(
                    from: decoder.crossEntropy(hidden, targets: targets, rowWeights: Array(repeating: 1 / 58, count: 58), on: tape))
                defer { decoder.parameters.forEach { $0.clearGradient() } }
                return (hidden.detached, decoder.parameters.map(\.gradient))
            }
        }
        let (found, expected) = (results(decoder), results(FormulaDecoder(decoder, kind)))
        #expect(found.hidden.isIdentical(to: expected.hidden))
        for (parameter, (gradient, other)) in zip(decoder.parameters, zip(found.gradients, expected.gradients)) {
            #expect(try #require(gradient).isIdentical(to: #require(other)), "\(parameter.name)")
        }
    }

    @Test("OPT's parameters have the order of its state dictionary", arguments: [TinyModel.Kind.opt, .optProjected, .optBare])
    func order(_ kind: TinyModel.Kind) throws {
        let decoder = try kind.make()
        let parts =
            ["k_proj", "v_proj", "q_proj", "out_proj"].map { "self_attn.\($0)" }
            + ["self_attn_layer_norm", "fc1", "fc2", "final_layer_norm"]
        let names = parts.flatMap { part -> [String] in
            let name = "model.decoder.layers.1.\(part)"
            guard kind == .optBare else { return ["\(name).weight", "\(name).bias"] }
            return part.hasSuffix("norm") ? [] : ["\(name).weight"]
        }
        #expect(decoder.parameters(ofLayer: 1).map(\.name) == names)
        let isProjected = kind == .optProjected
        #expect(
            decoder.embeddingParameters.map(\.name)
                == ["embed_tokens", "embed_positions"].map { "model.decoder.\($0).weight" }
                + (isProjected ? ["model.decoder.project_in.weight"] : []))
        let norm = kind == .opt ? ["weight", "bias"].map { "model.decoder.final_layer_norm.\($0)" } : []
        #expect(decoder.finalParameters.map(\.name) == norm + (isProjected ? ["model.decoder.project_out.weight"] : []))
    }
}
