import Formats

extension GGUFMetadata {
    /// The architecture-dependent keys of config.json.
    func configuration(_ facts: GGUFFacts) throws -> JSONValue {
        switch architecture {
        case .gpt2: try gpt2()
        case .gptneox: try gptNeoX(facts)
        case .llama, .qwen2, .qwen3, .phi3, .gemma2, .gemma3: try rotary(facts)
        }
    }

    private func gpt2() throws -> JSONValue {
        let context = try required("context_length")
        return [
            "n_embd": JSONValue(try required("embedding_length")), "n_inner": JSONValue(try required("feed_forward_length")),
            "n_layer": JSONValue(try layers()), "n_head": JSONValue(try required("attention.head_count")),
            "n_positions": JSONValue(context), "n_ctx": JSONValue(context), "activation_function": "gelu_new",
            "layer_norm_epsilon": JSONValue(try number("attention.layer_norm_epsilon") ?? 1e-5),
        ]
    }

    private func gptNeoX(_ facts: GGUFFacts) throws -> JSONValue {
        let (hidden, heads) = (try required("embedding_length"), try required("attention.head_count"))
        let width = max(1, hidden / heads)
        let rotated = try count("rope.dimension_count") ?? width
        var result: JSONValue = [
            "hidden_size": JSONValue(hidden), "intermediate_size": JSONValue(try required("feed_forward_length")),
            "num_hidden_layers": JSONValue(try layers()), "num_attention_heads": JSONValue(heads),
            "max_position_embeddings": JSONValue(try required("context_length")), "hidden_act": "gelu", "attention_bias": true,
            "rotary_pct": JSONValue(Double(rotated) / Double(width)),
            "rotary_emb_base": JSONValue(try number("rope.freq_base") ?? 10_000),
            "use_parallel_residual": .bool(try flag("use_parallel_residual") ?? true),
            "layer_norm_eps": JSONValue(try number("attention.layer_norm_epsilon") ?? 1e-5),
        ]
        if let scaling = try scaling(width: rotated, facts) { result["rope_scaling"] = scaling }
        return result
    }

    // MARK: Families with rotary positions, RMSNorm and a gated MLP

    private func rotary(_ facts: GGUFFacts) throws -> JSONValue {
        let (hidden, heads) = (try required("embedding_length"), try required("attention.head_count"))
        let rotated = try count("rope.dimension_count")
        let width = try count("attention.key_length") ?? (architecture == .llama ? rotated : nil) ?? max(1, hidden / heads)
        var result: JSONValue = [
            "hidden_size": JSONValue(hidden), "intermediate_size": JSONValue(try required("feed_forward_length")),
            "num_hidden_layers": JSONValue(try layers()), "num_attention_heads": JSONValue(heads),
            "num_key_value_heads": JSONValue(try count("attention.head_count_kv") ?? heads), "head_dim": JSONValue(width),
            "max_position_embeddings": JSONValue(try required("context_length")),
            "rms_norm_eps": JSONValue(try number("attention.layer_norm_rms_epsilon") ?? (architecture == .llama ? 1e-5 : 1e-6)),
            "rope_theta": JSONValue(try number("rope.freq_base") ?? 10_000),
        ]
        if let scaling = try scaling(width: rotated ?? width, facts) { result["rope_scaling"] = scaling }
        if let rotated, rotated != width {
            guard architecture == .phi3 else {
                throw ModelError.inFile(
                    path, .unsupported("rotation of \(rotated) of \(width) channels (\(architecture.rawValue).rope.dimension_count)"))
            }
            result["partial_rotary_factor"] = JSONValue(Double(rotated) / Double(width))
        }
        let own: JSONValue =
            switch architecture {
            case .gemma2: try gemma2(width: width, heads: heads, hidden: hidden)
            case .gemma3: try gemma3(width: width, heads: heads, hidden: hidden)
            case .phi3: try phi3()
            case .qwen2, .qwen3: ["hidden_act": "silu", "attention_bias": .bool(architecture == .qwen2), "use_sliding_window": false]
            default:
                [
                    "hidden_act": "silu", "attention_bias": .bool(facts.has("blk.0.attn_q.bias")),
                    "mlp_bias": .bool(facts.has("blk.0.ffn_up.bias")),
                ]
            }
        for member in own.members ?? [] { result[member.key] = member.value }
        if architecture == .qwen2 {
            // Transformers has no such keys for this family
            result["attention_bias"] = nil
            if !has("attention.key_length") { result["head_dim"] = nil }
        }
        return result
    }

    private func phi3() throws -> JSONValue {
        var result: JSONValue = ["hidden_act": "silu", "attention_bias": false]
        if let window = try window() { result["sliding_window"] = JSONValue(window) }
        if let trained = try count("rope.scaling.original_context_length") {
            result["original_max_position_embeddings"] = JSONValue(trained)
        }
        return result
    }

    /// The sliding window of attention; nil for none, for which files may also store 0.
    private func window() throws -> Int? {
        try has("attention.sliding_window") && values["\(architecture.rawValue).attention.sliding_window"]?.int == 0
            ? nil : count("attention.sliding_window")
    }

    /// The square of the divisor of attention scores (`query_pre_attn_scalar`). GGUF files do not store it; the largest model of
    /// a family has a different value from the others.
    private func queryScale(width: Int, heads: Int, hidden: Int, largest: Int) throws -> JSONValue {
        JSONValue(try layers() == largest ? hidden / heads : width)
    }

    private func gemma2(width: Int, heads: Int, hidden: Int) throws -> JSONValue {
        [
            "hidden_activation": "gelu_pytorch_tanh", "hidden_act": "gelu_pytorch_tanh", "attention_bias": false,
            "query_pre_attn_scalar": try queryScale(width: width, heads: heads, hidden: hidden, largest: 46),
            "attn_logit_softcapping": JSONValue(try number("attn_logit_softcapping") ?? 50),
            "final_logit_softcapping": JSONValue(try number("final_logit_softcapping") ?? 30),
            "sliding_window": JSONValue(try window() ?? 4096), "layer_types": layerTypes(try layers(), period: 2),
        ]
    }

    private func gemma3(width: Int, heads: Int, hidden: Int) throws -> JSONValue {
        let layers = try layers()
        var result: JSONValue = [
            "hidden_activation": "gelu_pytorch_tanh", "attention_bias": false,
            "query_pre_attn_scalar": try queryScale(width: width, heads: heads, hidden: hidden, largest: 62),
            "attn_logit_softcapping": .null,
            "final_logit_softcapping": try number("final_logit_softcapping").map { JSONValue($0) } ?? .null,
            "sliding_window": JSONValue(try window() ?? 4096),
            "rope_local_base_freq": JSONValue(try number("rope.freq_base_swa") ?? 10_000),
        ]
        // most files lack the pattern, which is 5 layers with a window to 1 without in all published models
        let pattern = "attention.sliding_window_pattern"
        if isArray(pattern), let windows = try flags(pattern), windows.count >= layers {
            result["layer_types"] = .array(windows.prefix(layers).map { .string($0 ? "sliding_attention" : "full_attention") })
        } else {
            let period = try isArray(pattern) ? 6 : count(pattern) ?? 6
            result["sliding_window_pattern"] = JSONValue(period)
            result["layer_types"] = layerTypes(layers, period: period)
        }
        return result
    }

    private func layerTypes(_ layers: Int, period: Int) -> JSONValue {
        .array((1...max(1, layers)).map { $0 % period == 0 ? "full_attention" : "sliding_attention" })
    }
}
