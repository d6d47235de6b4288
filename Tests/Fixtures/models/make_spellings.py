"""Makes spellings.json: configurations as Transformers 4 and 5 write them, and what Transformers makes of both.

    python Tests/Fixtures/models/make_spellings.py           # writes next to itself; needs what make_models.py needs

A list of {name, family, v4, v5, resolved}. `v4` is written by hand, with keys left out where published files do so. `v5` is what
Transformers 5 saves of it, or written by hand too. Both are read by Transformers' own classes and must come to the same:

resolved
    headDimension, keyHeads, tied    of the model that the configuration makes
    dtype                            null where the configuration names none
    activation                       of the MLP, a name of Transformers' ACT2FN; BLOOM's own is gelu_new
    scoreScale                       what products of queries and keys are multiplied by
    softCaps                         [of scores, of logits]; null where there is none
    parallel                         whether attention and MLP read the same rows
    biases                           [of queries, keys and values; of attention's output]
    layers                           [{kind: full|sliding, window, rotates}]
    rotary                           per kind of layer, or null: {base, scaling, channels, attentionFactor, inverseFrequencies}, the last
                                     of which are the first four at most;
                                     scaling is the dictionary without base and share of the channels
"""

import json

import torch
import transformers

from make_models import HERE, number

SIZES = {
    "vocab_size": 61, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
NO_KEY_HEADS = {key: value for key, value in SIZES.items() if key != "num_key_value_heads"}
OF_GPTJ = {"vocab_size": 61, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64, "rotary_dim": 4}
OF_GPT_NEO = {"vocab_size": 61, "hidden_size": 16, "num_layers": 3, "num_heads": 2, "max_position_embeddings": 64}
OF_BLOOM = {"vocab_size": 61, "n_layer": 2}
LLAMA3 = {
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32, "rope_type": "llama3",
}
SLIDING, FULL = "sliding_attention", "full_attention"
FACTORS = {"short_factor": [1.0, 1.25], "long_factor": [2.0, 8.0]}

# name: (family, as Transformers 4 spells it, as Transformers 5 does or None for what it saves)
CASES = {
    "llama, keys left out": ("llama", SIZES, SIZES | {"rope_parameters": None}),
    "llama, no key heads named": ("llama", NO_KEY_HEADS | {"torch_dtype": "bfloat16"}, NO_KEY_HEADS | {"dtype": "bfloat16"}),
    "llama 3": (
        "llama", SIZES | {
            "head_dim": 8, "rope_theta": 500000.0, "rope_scaling": LLAMA3, "max_position_embeddings": 256, "torch_dtype": "bfloat16",
            "tie_word_embeddings": True,
        }, None),
    "llama, linear by the old key": ("llama", SIZES | {"head_dim": None, "rope_scaling": {"type": "linear", "factor": 2.0}}, None),
    "llama, both names of the type": (
        "llama", SIZES | {
            "torch_dtype": "float16", "dtype": "bfloat16", "rope_scaling": {"rope_type": "linear", "type": "linear", "factor": 3.0},
        }, None),
    "llama, yarn": (
        "llama", SIZES | {
            "head_dim": 8, "rope_theta": 1000.0, "max_position_embeddings": 128,
            "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32},
        }, None),
    "qwen2, window switched off": (
        "qwen2", SIZES | {
            "use_sliding_window": False, "sliding_window": 7, "max_window_layers": 1, "rope_theta": 1000000.0, "torch_dtype": "bfloat16",
            "tie_word_embeddings": True, "rope_scaling": None,
        }, None),
    "qwen2, window from a layer on": (
        "qwen2", SIZES | {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 2}, None),
    "qwen2, window on layers beyond the last": ("qwen2", SIZES | {"use_sliding_window": True, "sliding_window": 7}, None),
    "qwen2, window's size left out": ("qwen2", SIZES | {"use_sliding_window": True, "max_window_layers": 0}, None),
    "qwen2, kinds of layers": (
        "qwen2", SIZES | {"use_sliding_window": True, "sliding_window": 7, "layer_types": [SLIDING, FULL, SLIDING]}, None),
    "qwen2, a head's width named": ("qwen2", SIZES | {"head_dim": 6, "rope_theta": 500.0}, None),
    "qwen2, key heads null": ("qwen2", SIZES | {"num_key_value_heads": None}, None),
    "qwen3, a head's width left out": ("qwen3", SIZES | {"torch_dtype": "bfloat16", "attention_bias": False}, None),
    "qwen3": (
        "qwen3", SIZES | {
            "head_dim": 8, "rope_theta": 1000000, "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": None,
            "max_window_layers": 3, "attention_bias": True, "rope_scaling": None,
        }, None),
    "qwen3, yarn": (
        "qwen3", SIZES | {
            "head_dim": 8, "rope_theta": 1000000, "max_position_embeddings": 64,
            "rope_scaling": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32},
        }, None),
    "mistral, window left out": ("mistral", SIZES, SIZES | {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}),
    "mistral, no window": (
        "mistral", SIZES | {"sliding_window": None, "head_dim": 6, "rope_theta": 1000000.0, "torch_dtype": "bfloat16"}, None),
    "mistral": ("mistral", SIZES | {"sliding_window": 5, "head_dim": None}, None),
    "gemma2, keys left out": ("gemma2", SIZES, SIZES | {"rope_parameters": None}),
    "gemma2": (
        "gemma2", SIZES | {
            "head_dim": 6, "query_pre_attn_scalar": 9, "sliding_window": 5, "attn_logit_softcapping": 40.0, "rope_theta": 5000.0,
            "final_logit_softcapping": 20.0, "hidden_act": "relu", "hidden_activation": "gelu_pytorch_tanh", "torch_dtype": "bfloat16",
            "cache_implementation": "hybrid", "attention_bias": True,
        }, None),
    "gemma2, no caps, kinds of layers": (
        "gemma2", SIZES | {
            "attn_logit_softcapping": None, "final_logit_softcapping": None, "layer_types": [FULL, FULL, SLIDING], "head_dim": 6,
            "hidden_act": "silu", "tie_word_embeddings": False,
        }, None),
    "gemma3_text, keys left out": (
        "gemma3_text", SIZES | {"num_hidden_layers": 7}, SIZES | {"num_hidden_layers": 7, "rope_parameters": None}),
    "gemma3_text": (
        "gemma3_text", SIZES | {
            "num_hidden_layers": 5, "sliding_window_pattern": 2, "sliding_window": 6, "rope_theta": 1000000.0,
            "rope_local_base_freq": 20000.0, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "head_dim": 8,
            "query_pre_attn_scalar": 12, "torch_dtype": "bfloat16",
        }, None),
    "gemma3_text, one base": ("gemma3_text", SIZES | {"rope_theta": 3000.0, "head_dim": 8, "sliding_window_pattern": 3}, None),
    "gemma3_text, one kind scaled": (
        "gemma3_text", SIZES | {
            "head_dim": 8, "layer_types": [FULL, SLIDING, FULL], "rope_scaling": {"factor": 4.0, "rope_type": "linear"},
            "final_logit_softcapping": 30.0,
        }, SIZES | {
            "head_dim": 8, "layer_types": [FULL, SLIDING, FULL], "final_logit_softcapping": 30.0,
            "rope_parameters": {FULL: {"rope_type": "linear", "factor": 4.0}},
        }),
    "gpt_neox, keys left out": ("gpt_neox", NO_KEY_HEADS, NO_KEY_HEADS | {"rope_parameters": {}}),
    "gpt_neox": (
        "gpt_neox", NO_KEY_HEADS | {
            "rotary_pct": 1.0, "rotary_emb_base": 5000, "use_parallel_residual": False, "hidden_act": "gelu_fast",
            "attention_bias": False, "tie_word_embeddings": True, "torch_dtype": "float16",
        }, None),
    "gpt_neox, scaled": ("gpt_neox", NO_KEY_HEADS | {"rotary_pct": 0.5, "rope_scaling": {"type": "linear", "factor": 2.0}}, None),
    "gpt_neox, the usual key of the base, which it ignores": ("gpt_neox", NO_KEY_HEADS | {"rotary_pct": 1.0, "rope_theta": 77.0}, None),
    "phi3, keys left out": (
        "phi3", NO_KEY_HEADS | {"pad_token_id": None}, NO_KEY_HEADS | {"pad_token_id": None, "rope_parameters": None}),
    "phi3": (
        "phi3", SIZES | {
            "pad_token_id": 0, "partial_rotary_factor": 0.5, "sliding_window": 5, "rope_theta": 300.0, "tie_word_embeddings": True,
        }, None),
    "phi3, long": (
        "phi3", SIZES | {
            "pad_token_id": 0, "rope_scaling": {"type": "longrope"} | FACTORS, "original_max_position_embeddings": 16,
            "max_position_embeddings": 64, "torch_dtype": "bfloat16",
        }, None),
    "phi3, long by its older name": (
        "phi3", SIZES | {
            "pad_token_id": 0, "rope_scaling": {"type": "su", "original_max_position_embeddings": 16} | FACTORS,
            "original_max_position_embeddings": 16,
            "max_position_embeddings": 128,
        }, None),
    "phi, keys left out": ("phi", NO_KEY_HEADS, NO_KEY_HEADS | {"rope_parameters": None}),
    "phi": (
        "phi", SIZES | {
            "partial_rotary_factor": 1.0, "rope_theta": 500.0, "qk_layernorm": True, "hidden_act": "gelu", "torch_dtype": "float16",
        }, None),
    "phi, key heads null": ("phi", SIZES | {"num_key_value_heads": None, "rope_scaling": None}, None),
    "olmo2, keys left out": ("olmo2", NO_KEY_HEADS, NO_KEY_HEADS | {"rope_parameters": None}),
    "olmo2": (
        "olmo2", SIZES | {
            "rope_theta": 500000, "rope_scaling": None, "attention_bias": False, "torch_dtype": "float32", "head_dim": 6,
        }, None),
    "smollm3, keys left out": (
        "smollm3", SIZES | {"num_hidden_layers": 5, "pad_token_id": 0}, SIZES | {"num_hidden_layers": 5, "pad_token_id": 0}),
    "smollm3": (
        "smollm3", SIZES | {
            "no_rope_layers": [0, 1, 1], "rope_theta": 5000000.0, "use_sliding_window": False, "sliding_window": None, "pad_token_id": 0,
            "layer_types": [FULL] * 3, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "mlp_bias": False,
        }, None),
    "smollm3, window where nothing rotates": (
        "smollm3", SIZES | {"no_rope_layer_interval": 2, "use_sliding_window": True, "sliding_window": 6, "pad_token_id": 0}, None),
    "stablelm, keys left out": ("stablelm", SIZES, SIZES | {"rope_parameters": None}),
    "stablelm": (
        "stablelm", SIZES | {
            "partial_rotary_factor": 0.5, "rope_theta": 200, "use_qkv_bias": True, "use_parallel_residual": True, "qk_layernorm": True,
            "torch_dtype": "float16", "hidden_act": "silu",
        }, None),
    "gptj": ("gptj", OF_GPTJ | {"torch_dtype": "float16"}, None),
    "gptj, tied, in the common names": (
        "gptj", {
            "vocab_size": 61, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
            "rotary_dim": 6, "tie_word_embeddings": True, "activation_function": "relu",
        }, None),
    "gpt_neo": ("gpt_neo", OF_GPT_NEO | {"attention_types": [[["global", "local"], 1], [["global"], 1]], "window_size": 5}, None),
    "gpt_neo, window's size left out, untied": (
        "gpt_neo", OF_GPT_NEO | {"attention_types": [[["local"], 3]], "tie_word_embeddings": False, "activation_function": "gelu"}, None),
    "bloom": ("bloom", OF_BLOOM | {"n_embed": 16, "num_attention_heads": 4, "torch_dtype": "float16"}, None),
    "bloom, both names of the width": ("bloom", OF_BLOOM | {"n_embed": 12, "hidden_size": 16, "n_head": 2}, None),
    "bloom, in the common names": (
        "bloom", {"vocab_size": 61, "hidden_size": 12, "num_hidden_layers": 3, "num_attention_heads": 6, "tie_word_embeddings": False},
        None),
}
PARALLEL = {"phi", "gptj"}


def first(module, *names):
    return next((getattr(module, name) for name in names if getattr(module, name, None) is not None), None)


def describe_rotary(module, parameters, kind):
    prefix = f"{kind}_" if kind else ""
    frequencies = getattr(module, prefix + "inv_freq")
    scaling = {key: value for key, value in parameters.items() if key not in ("rope_theta", "partial_rotary_factor", "type")}
    return {
        "base": parameters["rope_theta"], "scaling": scaling, "channels": 2 * len(frequencies),
        "attentionFactor": number(getattr(module, prefix + "attention_scaling")),
        "inverseFrequencies": [number(value) for value in frequencies[:4]],
    }


def resolve(values):
    config = transformers.AutoConfig.for_model(**values)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    base, kind = model.base_model, config.model_type
    blocks = first(base, "layers", "h")
    attention = [first(block, "self_attn", "attention", "attn", "self_attention") for block in blocks]
    if kind == "gpt_neo":
        attention = [module.attention for module in attention]
    a = attention[0]
    query = first(a, "q_proj", "qkv_proj", "query_key_value")
    width = first(a, "head_dim", "head_size")
    output = first(a, "o_proj", "dense", "out_proj")
    rotary_module = getattr(base, "rotary_emb", None)
    rotary = None
    if kind == "gptj":
        rotary = {FULL: {"base": 10000.0, "scaling": {"rope_type": "default"}, "channels": config.rotary_dim, "attentionFactor": 1.0}}
        rotary[FULL]["inverseFrequencies"] = [
            number(10000.0 ** (-channel / config.rotary_dim)) for channel in range(0, config.rotary_dim, 2)]
    elif kind == "gemma3_text":
        rotary = {key: describe_rotary(rotary_module, config.rope_parameters[key], key) for key in sorted(set(config.layer_types))}
    elif rotary_module is not None:
        rotary = {None: describe_rotary(rotary_module, config.rope_parameters, None)}
    layers = []
    for index, module in enumerate(attention):
        if kind == "gpt_neo":
            window = config.window_size if module.attention_type == "local" else None
        elif kind in ("mistral", "phi3"):
            window = config.sliding_window
        else:
            sliding = getattr(config, "layer_types", None) and config.layer_types[index] == SLIDING
            window = config.sliding_window if sliding else None
            assert window == getattr(module, "sliding_window", None)
        rotates = rotary is not None and bool(getattr(module, "use_rope", True))
        layers.append({"kind": "full" if window is None else "sliding", "window": window, "rotates": rotates})
    if rotary is not None:
        names = {SLIDING: "sliding", FULL: "full"}
        kinds = sorted({layer["kind"] for layer in layers})
        rotary = {names[key]: value for key, value in rotary.items()} if None not in rotary else {key: rotary[None] for key in kinds}
    activation = first(config, "hidden_activation", "activation_function", "hidden_act") or "gelu_new"
    heads = config.num_attention_heads
    scale = 1.0 if kind == "gpt_neo" else first(a, "scaling", "inv_norm_factor")
    caps = [getattr(a, "attn_logit_softcapping", None) if kind == "gemma2" else None, getattr(config, "final_logit_softcapping", None)]
    input_embedding, projection = model.get_input_embeddings(), model.get_output_embeddings()
    return {
        "headDimension": width, "keyHeads": getattr(config, "num_key_value_heads", heads) or heads,
        "tied": projection.weight is input_embedding.weight,
        "dtype": None if values.get("dtype", values.get("torch_dtype")) is None else str(config.dtype).removeprefix("torch."),
        "activation": activation, "scoreScale": number(scale), "softCaps": caps,
        "parallel": kind in PARALLEL or bool(getattr(config, "use_parallel_residual", False)),
        "biases": [query.bias is not None, output.bias is not None], "layers": layers, "rotary": rotary,
    }


def saved(values):
    """What Transformers 5 writes into config.json; without a type of numbers where none was named."""
    config = transformers.AutoConfig.for_model(**values)
    written = json.loads(config.to_json_string())
    return {key: value for key, value in written.items() if key not in ("transformers_version", "architectures")}


def make_case(name):
    family, v4, v5 = CASES[name]
    v4 = {"model_type": family} | v4
    v5 = {"model_type": family} | v5 if v5 is not None else saved(v4)
    found = resolve(json.loads(json.dumps(v4)))
    again = resolve(json.loads(json.dumps(v5)))
    assert found == again, f"{name}:\n{found}\n{again}"
    return {"name": name, "family": family, "v4": v4, "v5": v5, "resolved": found}


if __name__ == "__main__":
    transformers.utils.logging.set_verbosity_error()
    torch.manual_seed(0)
    cases = [json.dumps(make_case(name)) for name in CASES]
    (HERE / "spellings.json").write_text("[\n  " + ",\n  ".join(cases) + "\n]\n")
    print(len(cases), "cases")
