extension ModelFamily {
    /// Phi 1 and 2 (Gunasekar et al. 2023, Li et al. 2023): one LayerNorm per layer, attention and MLP in parallel, biases in all
    /// projections, and rotary positions in a part of each head.
    public static let phi = ModelFamily("phi", architecture: "PhiForCausalLM", classifier: "PhiForSequenceClassification") { file in
        var settings = try CommonSettings(
            reading: file, .init(epsilonKey: "layer_norm_eps", epsilon: 1e-5, activation: .geluNew))
        let (hidden, epsilon, heads) = (settings.hidden, settings.epsilon, settings.heads)
        let hasHeadNorms = try file.flag("qk_layernorm", or: false)
        let (rope, rotaryDim) = try settings.rotary(reading: file, share: file.rotaryShare(or: 0.5))
        let dropout = try phiDropout(file, embedding: file.dropoutRate("embd_pdrop", or: 0))
        return DecoderPlan(settings.shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try settings.parts(weights, norm: .layer, finalNorm: "final_layernorm", outputBias: true) { _, layer in
                let attention = layer.below("self_attn")
                func headNorm(_ name: String) throws -> HeadNorm {
                    .everyHead(try attention.norm(.layer, name, width: heads.dim, epsilon: epsilon))
                }
                return DecoderLayer(
                    .parallel(attention: try layer.norm(.layer, "input_layernorm", width: hidden, epsilon: epsilon), feedForward: nil),
                    SelfAttention(
                        try settings.separateInputs(attention, bias: true),
                        output: try attention.projection("dense", hidden, heads.width, bias: true), heads: heads,
                        norms: hasHeadNorms ? (try headNorm("q_layernorm"), try headNorm("k_layernorm")) : nil, rotary: rotary),
                    .plain(
                        up: try layer.projection("mlp.fc1", settings.inner, hidden, bias: true),
                        down: try layer.projection("mlp.fc2", hidden, settings.inner, bias: true), settings.activation))
            }
        }
    }

    /// Phi 3 and 3.5 (Abdin et al. 2024): LLaMA with fused projections, and LongRoPE. The context of a LongRoPE model is limited
    /// to its original training length.
    public static let phi3 = ModelFamily("phi3", architecture: "Phi3ForCausalLM", classifier: "Phi3ForSequenceClassification") { file in
        var settings = try CommonSettings(reading: file, .init(context: 4096, epsilon: 1e-5))
        let (hidden, inner, epsilon, heads) = (settings.hidden, settings.inner, settings.epsilon, settings.heads)
        let window = try file.optionalCount("sliding_window")
        let rope = try RotarySettings(phi3: file, contextLength: settings.context)
        let rotaryDim = try settings.rotaryDim(share: file.rotaryShare(or: 1))
        try rope.check(dim: rotaryDim)
        // beyond that length, all keys in a cache would have to be rotated again
        if case .longRoPE(_, _, _, let trained) = rope.scaling { settings.context = min(settings.context, trained) }
        let (shape, dropout, final) = (settings.shape, try phiDropout(file, embedding: 0), settings)
        return DecoderPlan(shape, dropout: dropout) { weights in
            let rotary = RotaryPositions(rope, dim: rotaryDim)
            return try final.parts(weights, norm: .rms) { _, layer in
                DecoderLayer(
                    .normsBefore(
                        attention: try layer.norm(.rms, "input_layernorm", width: hidden, epsilon: epsilon),
                        feedForward: try layer.norm(.rms, "post_attention_layernorm", width: hidden, epsilon: epsilon)),
                    SelfAttention(
                        .fused(try layer.projection("self_attn.qkv_proj", heads.width + 2 * heads.keyWidth, hidden)),
                        output: try layer.projection("self_attn.o_proj", hidden, heads.width), heads: heads, rotary: rotary,
                        scores: .init(window: window)),
                    .gatedFused(
                        gateAndUp: try layer.projection("mlp.gate_up_proj", 2 * inner, hidden),
                        down: try layer.projection("mlp.down_proj", hidden, inner), final.activation))
            }
        }
    }

    private static func phiDropout(_ file: ConfigurationReader, embedding: Double) throws -> DropoutRates {
        DropoutRates(
            embedding: embedding, attention: try file.dropoutRate("attention_dropout", or: 0),
            residual: try file.dropoutRate("resid_pdrop", or: 0))
    }
}

extension ConfigurationReader {
    /// `partial_rotary_factor`, the fraction of a head's channels that are rotated.
    func rotaryShare(or usual: Double) throws -> Double {
        let section = try section("rope_scaling") ?? section("rope_parameters")
        return try section?.positiveNumber("partial_rotary_factor") ?? positiveNumber("partial_rotary_factor") ?? usual
    }
}

extension RotarySettings {
    /// Reads Phi 3's rotary positions, whose LongRoPE scaling has three possible names.
    init(phi3 file: ConfigurationReader, contextLength: Int) throws {
        let trainedLength = try file.optionalCount("original_max_position_embeddings") ?? 4096
        let key = try file.section("rope_scaling") == nil ? "rope_parameters" : "rope_scaling"
        var section = try file.section(key)?.object
        if let type = (section?["rope_type"] ?? section?["type"])?.string, ["su", "yarn"].contains(type) {
            section?["rope_type"] = "longrope"
            section?["type"] = nil
            var object = file.object
            object[key] = section
            try self.init(reading: ConfigurationReader(object), contextLength: contextLength, trainedLength: trainedLength)
            _ = try file.positiveNumber("rope_theta")
        } else {
            try self.init(reading: file, contextLength: contextLength, trainedLength: trainedLength)
        }
    }
}
