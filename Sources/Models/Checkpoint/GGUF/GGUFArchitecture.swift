/// The supported architectures of GGUF files, by the values of `general.architecture`.
enum GGUFArchitecture: String, CaseIterable {
    case llama, qwen2, qwen3, gemma2, gemma3, phi3, gpt2, gptneox

    /// The `model_type` in Hugging Face's config.json.
    var modelType: String {
        switch self {
        case .gemma3: "gemma3_text"
        case .gptneox: "gpt_neox"
        default: rawValue
        }
    }

    /// The class of the causal language model in Transformers.
    var className: String {
        switch self {
        case .llama: "LlamaForCausalLM"
        case .qwen2: "Qwen2ForCausalLM"
        case .qwen3: "Qwen3ForCausalLM"
        case .gemma2: "Gemma2ForCausalLM"
        case .gemma3: "Gemma3ForCausalLM"
        case .phi3: "Phi3ForCausalLM"
        case .gpt2: "GPT2LMHeadModel"
        case .gptneox: "GPTNeoXForCausalLM"
        }
    }

    /// The architecture of a `model_type`; nil if it is not supported.
    init?(modelType: String) {
        guard let found = Self.allCases.first(where: { $0.modelType == modelType }) else { return nil }
        self = found
    }

    /// Whether stored norm weights are greater by 1 than Hugging Face's, which adds 1 at run time.
    var addsOneToNorms: Bool { self == .gemma2 || self == .gemma3 }

    // MARK: Names

    /// The tensors outside of layers, without `.weight`: their names in GGUF and in Hugging Face's checkpoints.
    private var outer: KeyValuePairs<String, String> {
        switch self {
        case .gpt2:
            [
                "token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
                "output": "lm_head",
            ]
        case .gptneox: ["token_embd": "gpt_neox.embed_in", "output_norm": "gpt_neox.final_layer_norm", "output": "embed_out"]
        default: ["token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"]
        }
    }

    /// The prefix of the tensors of layers in Hugging Face's checkpoints.
    private var layers: String {
        switch self {
        case .gpt2: "transformer.h"
        case .gptneox: "gpt_neox.layers"
        default: "model.layers"
        }
    }

    /// The tensors of a layer, without `.weight` and `.bias`: their names in GGUF and in Hugging Face's checkpoints.
    private var inner: KeyValuePairs<String, String> {
        switch self {
        case .gpt2:
            [
                "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc",
                "ffn_down": "mlp.c_proj",
            ]
        case .gptneox:
            [
                "attn_norm": "input_layernorm", "attn_qkv": "attention.query_key_value", "attn_output": "attention.dense",
                "ffn_norm": "post_attention_layernorm", "ffn_up": "mlp.dense_h_to_4h", "ffn_down": "mlp.dense_4h_to_h",
            ]
        case .phi3:
            [
                "attn_norm": "input_layernorm", "attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj",
                "ffn_norm": "post_attention_layernorm", "ffn_up": "mlp.gate_up_proj", "ffn_down": "mlp.down_proj",
            ]
        case .gemma2, .gemma3:
            [
                "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
                "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
                "post_ffw_norm": "post_feedforward_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
                "ffn_down": "mlp.down_proj",
            ]
        case .llama, .qwen2, .qwen3:
            [
                "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
                "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
            ]
        }
    }

    /// The components of a tensor's name in GGUF: `blk.3.attn_q.weight` is the weight of attn_q in layer 3.
    struct Name {
        var layer: Int?
        var part: String
        /// `.weight` or `.bias`.
        var suffix: String

        init?(gguf name: String) {
            var parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count >= 2, let suffix = parts.popLast(), suffix == "weight" || suffix == "bias" else { return nil }
            self.suffix = ".\(suffix)"
            if parts.count == 3, parts[0] == "blk", let layer = Int(parts[1]) {
                self.layer = layer
                parts.removeFirst(2)
            }
            guard parts.count == 1, let part = parts.first else { return nil }
            self.part = String(part)
        }

        init(layer: Int?, part: String, suffix: String) {
            self.layer = layer
            self.part = part
            self.suffix = suffix
        }

        /// The full name in a GGUF file.
        var gguf: String { (layer.map { "blk.\($0)." } ?? "") + part + suffix }
    }

    /// The name of a tensor in Hugging Face's checkpoints; nil if it does not exist there.
    func checkpointName(_ name: Name) -> String? {
        if let layer = name.layer {
            return inner.first { $0.key == name.part }.map { "\(layers).\(layer).\($0.value)\(name.suffix)" }
        }
        return outer.first { $0.key == name.part }.map { $0.value + name.suffix }
    }

    /// The name in GGUF of a tensor in Hugging Face's checkpoints; nil if GGUF has no such tensor.
    func name(checkpoint full: String) -> Name? {
        guard let dot = full.lastIndex(of: ".") else { return nil }
        let (stem, suffix) = (full[..<dot], String(full[dot...]))
        if let found = outer.first(where: { $0.value == stem }) { return Name(layer: nil, part: found.key, suffix: suffix) }
        guard stem.hasPrefix("\(layers).") else { return nil }
        let rest = stem.dropFirst(layers.count + 1).split(separator: ".", maxSplits: 1)
        guard rest.count == 2, let layer = Int(rest[0]), let found = inner.first(where: { $0.value == rest[1] }) else { return nil }
        return Name(layer: layer, part: found.key, suffix: suffix)
    }
}
