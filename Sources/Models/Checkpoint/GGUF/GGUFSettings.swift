import Formats

/// The settings of a model in a GGUF file, derived from its configuration: the inverse of `GGUFMetadata`. Settings that a file
/// cannot express are rejected, because readers of the file would load a different model.
struct GGUFSettings {
    private let architecture: GGUFArchitecture
    private let file: ConfigurationReader
    private let shape: DecoderShape

    init(_ architecture: GGUFArchitecture, _ file: ConfigurationReader, _ shape: DecoderShape) {
        self.architecture = architecture
        self.file = file
        self.shape = shape
    }

    private typealias Pairs = [(key: String, value: GGUFValue)]

    private func refuse(_ what: String) -> ModelError {
        .noGGUF("GGUF files of architecture \(architecture.rawValue) do not support \(what)")
    }

    private func expect(_ key: String, _ known: [JSONValue]) throws {
        guard let value = file.object[key], !value.isNull, !known.contains(value) else { return }
        let shown = value.string ?? value.bool.map { "\($0)" } ?? value.double.map { "\($0)" }
        throw refuse(shown.map { "\(key) \(OneLine.escaped($0.prefix(80)))" } ?? "this value of \(key)")
    }

    private static func count(_ value: Int) -> GGUFValue { .unsigned(UInt64(max(0, value))) }
    private static func number(_ value: Double) -> GGUFValue { .float(Float(value)) }

    /// The context length of the configuration. That of the model may be smaller (LongRoPE).
    private func context() throws -> Int {
        try file.optionalCount("max_position_embeddings") ?? file.optionalCount("n_positions") ?? shape.contextLength
    }

    /// The metadata, as pairs of a key without the architecture's prefix and a value.
    func metadata() throws -> [(key: String, value: GGUFValue)] {
        var pairs: Pairs = [
            ("vocab_size", Self.count(shape.vocabularySize)), ("context_length", Self.count(try context())),
            ("embedding_length", Self.count(shape.hiddenSize)), ("block_count", Self.count(shape.layerCount)),
            ("attention.head_count", Self.count(shape.heads)),
        ]
        switch architecture {
        case .gpt2: pairs += try gpt2()
        case .gptneox: pairs += try gptNeoX()
        default: pairs += try rotary()
        }
        return pairs
    }

    private func gpt2() throws -> Pairs {
        try expect("activation_function", ["gelu_new", "gelu_pytorch_tanh"])
        try expect("scale_attn_weights", [true])
        try expect("scale_attn_by_inverse_layer_idx", [false])
        return [
            ("feed_forward_length", Self.count(try file.optionalCount("n_inner") ?? 4 * shape.hiddenSize)),
            ("attention.layer_norm_epsilon", Self.number(try file.positiveNumber("layer_norm_epsilon") ?? 1e-5)),
        ]
    }

    private func gptNeoX() throws -> Pairs {
        try expect("hidden_act", ["gelu"])
        try expect("attention_bias", [true])
        let rope = try RotarySettings(reading: file, contextLength: shape.contextLength, baseKeys: ["rotary_emb_base"])
        guard rope.scaling == .none else { throw refuse("scaling of rotary positions") }
        let section = try file.section("rope_scaling") ?? file.section("rope_parameters")
        let share = try section?.positiveNumber("partial_rotary_factor") ?? file.positiveNumber("rotary_pct") ?? 0.25
        return [
            ("feed_forward_length", Self.count(try file.count("intermediate_size"))),
            ("attention.layer_norm_epsilon", Self.number(try file.positiveNumber("layer_norm_eps") ?? 1e-5)),
            ("rope.dimension_count", Self.count(Int(Double(shape.headDim) * share))), ("rope.freq_base", Self.number(rope.base)),
            ("use_parallel_residual", .bool(try file.flag("use_parallel_residual", or: true))),
        ]
    }

    // MARK: Families with rotary positions, RMSNorm and a gated MLP

    private var isGemma: Bool { architecture.addsOneToNorms }

    private func rope() throws -> RotarySettings {
        switch architecture {
        case .gemma3: try RotarySettings(reading: file, contextLength: shape.contextLength, layerKind: "full_attention", base: 1_000_000)
        case .phi3: try RotarySettings(phi3: file, contextLength: context())
        default: try RotarySettings(reading: file, contextLength: context())
        }
    }

    private func rotary() throws -> Pairs {
        let usual: [JSONValue] = isGemma ? ["gelu_pytorch_tanh"] : ["silu", "swish"]
        try expect(isGemma ? "hidden_activation" : "hidden_act", usual)
        let rope = try rope()
        var pairs: Pairs = [
            ("feed_forward_length", Self.count(try file.count("intermediate_size"))),
            ("attention.head_count_kv", Self.count(shape.keyHeads)),
            ("attention.layer_norm_rms_epsilon", Self.number(try file.positiveNumber("rms_norm_eps") ?? 1e-6)),
            ("rope.freq_base", Self.number(rope.base)),
        ]
        if isGemma || architecture == .qwen3 || shape.headDim * shape.heads != shape.hiddenSize {
            pairs += [("attention.key_length", Self.count(shape.headDim)), ("attention.value_length", Self.count(shape.headDim))]
        }
        switch rope.scaling {
        case .none, .llama3: break
        case .linear(let factor):
            pairs += [("rope.scaling.type", .string(Array("linear".utf8))), ("rope.scaling.factor", Self.number(factor))]
        case .longRoPE(_, _, let magnitude, let trained):
            // llama.cpp reads the factors of these two architectures only
            guard architecture == .phi3 || architecture == .llama else { throw refuse("LongRoPE") }
            pairs += [
                ("rope.scaling.type", .string(Array("longrope".utf8))), ("rope.scaling.attn_factor", Self.number(magnitude)),
                ("rope.scaling.original_context_length", Self.count(trained)),
            ]
        default: throw refuse("this type of rope scaling")
        }
        switch architecture {
        case .llama: pairs.append(("rope.dimension_count", Self.count(shape.headDim)))
        case .qwen2, .qwen3: if try file.flag("use_sliding_window", or: false) { throw refuse("use_sliding_window") }
        case .phi3: pairs += try phi3()
        case .gemma2: pairs += try gemma2()
        case .gemma3: pairs += try gemma3()
        case .gpt2, .gptneox: break
        }
        return pairs
    }

    private func phi3() throws -> Pairs {
        let share =
            try file.positiveNumber("partial_rotary_factor") ?? file.section("rope_parameters")?.positiveNumber("partial_rotary_factor")
        var pairs: Pairs = [("rope.dimension_count", Self.count(Int(Double(shape.headDim) * (share ?? 1))))]
        if let window = try file.optionalCount("sliding_window") { pairs.append(("attention.sliding_window", Self.count(window))) }
        return pairs
    }

    /// Rejects a scale of queries other than the one that readers of the file assume.
    private func checkQueryScale(largest: Int) throws {
        let assumed = shape.layerCount == largest ? shape.hiddenSize / shape.heads : shape.headDim
        try expect("query_pre_attn_scalar", [JSONValue(assumed), JSONValue(Double(assumed))])
        if file.object["query_pre_attn_scalar"] == nil, assumed != 256 { throw refuse("query_pre_attn_scalar 256") }
    }

    /// Rejects an arrangement of layers with and without windows other than the one that readers of the file assume.
    private func checkLayerTypes(period: Int) throws {
        let assumed = (1...max(1, shape.layerCount)).map { JSONValue.string($0 % period == 0 ? "full_attention" : "sliding_attention") }
        try expect("layer_types", [.array(assumed)])
        try expect("sliding_window_pattern", [JSONValue(period)])
    }

    private func gemma2() throws -> Pairs {
        try checkQueryScale(largest: 46)
        try checkLayerTypes(period: 2)
        return [
            ("attn_logit_softcapping", Self.number(try file.positiveNumber("attn_logit_softcapping") ?? 50)),
            ("final_logit_softcapping", Self.number(try file.positiveNumber("final_logit_softcapping") ?? 30)),
            ("attention.sliding_window", Self.count(try file.optionalCount("sliding_window") ?? 4096)),
        ]
    }

    private func gemma3() throws -> Pairs {
        try checkQueryScale(largest: 62)
        try checkLayerTypes(period: 6)
        try expect("rope_local_base_freq", [10_000, 10_000.0])
        try expect("final_logit_softcapping", [])
        let local = try RotarySettings(reading: file, contextLength: shape.contextLength, layerKind: "sliding_attention", baseKeys: [])
        if try file.section("rope_parameters")?.hasSections == true, local.base != 10_000 || local.scaling != .none {
            throw refuse("different rotary positions in sliding-window layers")
        }
        return [("attention.sliding_window", Self.count(try file.optionalCount("sliding_window") ?? 4096))]
    }

    // MARK: Tensors that are settings

    /// The divisors of rotary frequencies, as tensors of the file.
    func factors() throws -> [(name: String, values: [Double])] {
        guard architecture != .gpt2, architecture != .gptneox else { return [] }
        let rope = try rope()
        switch rope.scaling {
        case .llama3:
            let plain = RotarySettings(base: rope.base).frequencies(dim: shape.headDim, length: 1)
            return [("rope_freqs.weight", zip(plain, rope.frequencies(dim: shape.headDim, length: 1)).map { $0 / $1 })]
        case .longRoPE(let short, let long, _, _):
            return [("rope_factors_long.weight", long), ("rope_factors_short.weight", short)]
        default: return []
        }
    }
}
