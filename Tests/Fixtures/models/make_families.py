"""Makes the tiny models of further families, and what PyTorch computes with them; make_models.py says what the files hold.

    python Tests/Fixtures/models/make_families.py            # writes next to itself; needs what make_models.py needs
    python Tests/Fixtures/models/make_families.py qwen2 …    # some families

Matrices are N(0, 0.3), so that scores, soft caps and windows matter; gains of Gemma's norms, which stand beside a one, are N(0, 0.2), and
its embeddings, which it multiplies, N(0, 0.15); BLOOM's matrices are N(0, 0.5), or its normalised embeddings would drown the rest.
Odd numbers are on purpose: heads of 20 channels, one key head, layers of mixed kinds, windows shorter than the texts, small rotary
bases, numbers of heads that are no power of two. The first model of a family is spelled as Transformers 4 writes configurations, others
as Transformers 5 does where the list below says so. Every model is run twice, by Transformers' plain attention and by PyTorch's
`scaled_dot_product_attention`, which must agree; soft caps, ALiBi and unscaled attention are only there in the plain one.

expected.json has one more entry for models with a window:
    greedyAcrossWindow   as `greedy`, 40 tokens behind a prompt that is shorter than the window
For `longrope`, `greedy` is what `generate` gives: behind the trained length all positions are rotated anew by the long factors.

classifiers/<family> holds a `…ForSequenceClassification` with one label (config.json, model.safetensors) and expected.json:
    rows      texts of one batch, padded on the right with `padding`, which one text also has in its middle
    lengths   of the texts without their padding
    scores    one for each, read at its last token that is not padding

Parameters have the names of a checkpoint's file, which for gpt_neox is `embed_out.weight` and not Transformers' `lm_head.weight`.
"""

import functools
import json
import sys

import safetensors.torch
import torch
import transformers

from make_models import HERE, fill, greedy, hidden_states, make, number

FILL = functools.partial(fill, matrices=0.3)
GEMMA_FILL = functools.partial(fill, matrices=0.3, embeddings=0.15, gain=0.0)
FILLS = {"gemma2": GEMMA_FILL, "gemma3_text": GEMMA_FILL, "bloom": functools.partial(fill, matrices=0.5, embeddings=0.3)}

COMMON = {
    "vocab_size": 61, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings": 256, "initializer_range": 0.02,
    "use_cache": True, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
}
WIDE_HEADS = {
    "hidden_size": 12, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 20, "intermediate_size": 14,
}


def family(model_type, architecture, *, without=(), **values):
    common = {key: value for key, value in COMMON.items() if key not in without}
    return {"architectures": [architecture], "model_type": model_type} | common | values


LLAMA = family("llama", "LlamaForCausalLM", rms_norm_eps=1e-5, rope_theta=200.0, rope_scaling=None, tie_word_embeddings=False)
QWEN2 = family("qwen2", "Qwen2ForCausalLM", rms_norm_eps=1e-6, rope_theta=300.0, attention_dropout=0.0)
QWEN3 = family("qwen3", "Qwen3ForCausalLM", rms_norm_eps=1e-6, rope_theta=300.0, attention_bias=False, rope_scaling=None)
MISTRAL = family("mistral", "MistralForCausalLM", rms_norm_eps=1e-5, rope_theta=100.0, tie_word_embeddings=False)
GEMMA2 = family(
    "gemma2", "Gemma2ForCausalLM", rms_norm_eps=1e-6, rope_theta=150.0, hidden_act="silu", hidden_activation="gelu_pytorch_tanh",
    attention_bias=False, attention_dropout=0.0, pad_token_id=0, bos_token_id=2, eos_token_id=1, cache_implementation="hybrid")
GEMMA3 = family(
    "gemma3_text", "Gemma3ForCausalLM", without=["hidden_act"], rms_norm_eps=1e-6, hidden_activation="gelu_pytorch_tanh",
    attention_bias=False, attn_logit_softcapping=None, final_logit_softcapping=None, pad_token_id=0, bos_token_id=2, eos_token_id=1)
GPT_NEOX = family(
    "gpt_neox", "GPTNeoXForCausalLM", without=["num_key_value_heads"], layer_norm_eps=1e-5, hidden_act="gelu", rotary_pct=0.25,
    rotary_emb_base=100, num_attention_heads=2, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0)
PHI = family(
    "phi", "PhiForCausalLM", layer_norm_eps=1e-5, hidden_act="gelu_new", rope_theta=100.0, rope_scaling=None, attention_dropout=0.0,
    embd_pdrop=0.0, resid_pdrop=0.0, tie_word_embeddings=False)
PHI3 = family(
    "phi3", "Phi3ForCausalLM", rms_norm_eps=1e-5, rope_theta=100.0, rope_scaling=None, attention_dropout=0.0, embd_pdrop=0.0,
    resid_pdrop=0.0, original_max_position_embeddings=256, pad_token_id=0, sliding_window=None, tie_word_embeddings=False)
OLMO2 = family("olmo2", "Olmo2ForCausalLM", rms_norm_eps=1e-6, rope_theta=200.0, attention_bias=False, pad_token_id=0)
SMOLLM3 = family("smollm3", "SmolLM3ForCausalLM", rms_norm_eps=1e-6, attention_bias=False, mlp_bias=False, pad_token_id=0)
STABLELM = family("stablelm", "StableLmForCausalLM", layer_norm_eps=1e-5, rope_theta=100, hidden_dropout=0.0, attention_dropout=0.0)
GPTJ = {
    "architectures": ["GPTJForCausalLM"], "model_type": "gptj", "vocab_size": 61, "n_embd": 16, "n_layer": 2, "n_head": 2,
    "n_inner": None, "n_positions": 256, "rotary_dim": 4, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
    "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0, "bos_token_id": 50, "eos_token_id": 50,
    "tie_word_embeddings": False, "torch_dtype": "float32",
}
GPT_NEO = {
    "architectures": ["GPTNeoForCausalLM"], "model_type": "gpt_neo", "vocab_size": 61, "hidden_size": 10, "num_layers": 3,
    "num_heads": 2, "intermediate_size": 17, "attention_types": [[["global", "local"], 1], [["local"], 1]],
    "attention_layers": ["global", "local", "local"], "window_size": 4, "max_position_embeddings": 208,
    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "attention_dropout": 0, "embed_dropout": 0, "resid_dropout": 0,
    "bos_token_id": 50, "eos_token_id": 50, "torch_dtype": "float32",
}
BLOOM = {
    "architectures": ["BloomForCausalLM"], "model_type": "bloom", "vocab_size": 61, "n_embed": 12, "n_layer": 2, "n_head": 6,
    "apply_residual_connection_post_layernorm": False, "layer_norm_epsilon": 1e-5, "attention_dropout": 0.0, "hidden_dropout": 0.0,
    "slow_but_exact": False, "pretraining_tp": 1, "masked_softmax_fusion": True, "bias_dropout_fusion": True, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
}
YARN = {"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 32, "beta_fast": 4.0, "beta_slow": 1.0}
LONG_ROPE = {"type": "longrope", "short_factor": [1.0, 1.1, 1.3], "long_factor": [1.5, 3.0, 12.0]}
SLIDING, FULL = "sliding_attention", "full_attention"

# name: (configuration, seed, spelled by Transformers 5). Seeds are chosen for greedy texts that are varied and nowhere close to a tie.
MODELS = {
    # the window holds from the second of three layers on; tied
    "qwen2": (
        QWEN2 | {
            "num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1, "intermediate_size": 14,
            "tie_word_embeddings": True,
        }, 22, False),
    "qwen2-wide-heads": (
        QWEN2 | WIDE_HEADS | {
            "use_sliding_window": True, "sliding_window": 6, "layer_types": [SLIDING, FULL], "tie_word_embeddings": False,
        }, 39, True),
    "qwen3": (QWEN3 | WIDE_HEADS | {"tie_word_embeddings": True}, 35, False),
    "qwen3-window-biases": (
        QWEN3 | {
            "head_dim": 6, "num_attention_heads": 3, "num_key_value_heads": 3, "attention_bias": True, "use_sliding_window": True,
            "sliding_window": 5, "max_window_layers": 1, "intermediate_size": 13,
        }, 49, True),
    "mistral": (MISTRAL | WIDE_HEADS | {"sliding_window": 5}, 27, False),
    "mistral-no-window": (
        MISTRAL | {
            "num_hidden_layers": 3, "head_dim": None, "sliding_window": None, "intermediate_size": 15, "tie_word_embeddings": True,
        }, 30, True),
    # sliding and full by the family's own rule
    "gemma2": (
        GEMMA2 | WIDE_HEADS | {
            "query_pre_attn_scalar": 11, "sliding_window": 5, "attn_logit_softcapping": 3.0, "final_logit_softcapping": 2.0,
        }, 94, False),
    "gemma2-biases": (
        GEMMA2 | {
            "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 10, "intermediate_size": 9,
            "query_pre_attn_scalar": 6, "sliding_window": 6, "layer_types": [FULL, SLIDING, SLIDING], "attention_bias": True,
            "attn_logit_softcapping": 1.5, "final_logit_softcapping": None,
        }, 52, True),
    # two local layers to one global, whose positions are stretched
    "gemma3_text": (
        GEMMA3 | WIDE_HEADS | {
            "num_hidden_layers": 3, "head_dim": 10, "query_pre_attn_scalar": 7, "sliding_window": 5, "sliding_window_pattern": 3,
            "rope_theta": 1000.0, "rope_local_base_freq": 50.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0},
        }, 81, False),
    # the family's own rule: five local layers to one global
    "gemma3_text-six-layers": (
        GEMMA3 | {
            "hidden_size": 12, "num_hidden_layers": 6, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 6,
            "intermediate_size": 7, "query_pre_attn_scalar": 6, "sliding_window": 6, "rope_theta": 400.0,
            "rope_local_base_freq": 20.0, "final_logit_softcapping": 2.5,
        }, 86, True),
    # two of eight channels turn
    "gpt_neox": (GPT_NEOX | {"use_parallel_residual": True}, 2, False),
    "gpt_neox-sequential": (
        GPT_NEOX | {
            "use_parallel_residual": False, "hidden_size": 18, "num_attention_heads": 3, "rotary_pct": 1.0, "hidden_act": "gelu_new",
            "num_hidden_layers": 1,
        }, 39, True),
    "gpt_neox-no-biases": (
        GPT_NEOX | {"attention_bias": False, "rotary_pct": 0.5, "hidden_act": "gelu_fast", "tie_word_embeddings": True}, 28, False),
    "phi3": (PHI3 | {"num_key_value_heads": 1}, 28, False),
    "phi3-window-partial": (
        PHI3 | {
            "num_hidden_layers": 3, "num_attention_heads": 2, "num_key_value_heads": 2, "partial_rotary_factor": 0.5,
            "sliding_window": 5, "tie_word_embeddings": True, "intermediate_size": 12,
        }, 42, True),
    # the third text is longer than what the short factors are for, the others are not; six of eight channels turn
    "phi3-longrope": (
        PHI3 | {
            "num_attention_heads": 2, "num_key_value_heads": 1, "partial_rotary_factor": 0.75, "rope_scaling": LONG_ROPE,
            "original_max_position_embeddings": 16,
        }, 57, False),
    # four of eight channels turn
    "phi": (PHI | {"num_attention_heads": 2, "num_key_value_heads": None, "partial_rotary_factor": 0.5, "qk_layernorm": True}, 27, False),
    "phi-grouped": (
        PHI | {
            "hidden_size": 18, "num_attention_heads": 3, "num_key_value_heads": 1, "partial_rotary_factor": 0.34,
            "qk_layernorm": False, "hidden_act": "gelu",
        }, 2, True),
    "olmo2": (OLMO2 | {"tie_word_embeddings": False}, 51, False),
    "olmo2-wide-heads": (OLMO2 | WIDE_HEADS | {"attention_bias": True, "tie_word_embeddings": True}, 11, True),
    # the family's own base, which is large, and tied by its own default; the second layer does not rotate
    "smollm3": (SMOLLM3 | {"num_hidden_layers": 3, "intermediate_size": 14, "no_rope_layers": [1, 0, 1]}, 40, False),
    # layers without rotation, every second, have the window
    "smollm3-window": (
        SMOLLM3 | {
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "no_rope_layer_interval": 2,
            "use_sliding_window": True, "sliding_window": 5, "mlp_bias": True, "tie_word_embeddings": False, "rope_theta": 90.0,
        }, 60, True),
    "stablelm": (
        STABLELM | {"partial_rotary_factor": 0.25, "num_attention_heads": 2, "num_key_value_heads": 1, "use_qkv_bias": True}, 44, False),
    "stablelm-parallel": (
        STABLELM | {
            "hidden_size": 18, "num_attention_heads": 3, "num_key_value_heads": 3, "partial_rotary_factor": 0.7,
            "use_parallel_residual": True, "qk_layernorm": True, "intermediate_size": 14,
        }, 11, True),
    "gptj": (GPTJ | {"n_layer": 1}, 29, False),
    "gptj-tied": (
        GPTJ | {
            "n_embd": 18, "n_head": 3, "n_inner": 20, "rotary_dim": 6, "tie_word_embeddings": True, "activation_function": "relu",
        }, 57, True),
    "gpt_neo": (GPT_NEO, 55, False),
    "gpt_neo-untied": (
        GPT_NEO | {
            "hidden_size": 9, "num_layers": 2, "num_heads": 3, "attention_types": [[["local", "global"], 1]],
            "attention_layers": ["local", "global"], "window_size": 6, "intermediate_size": None,
            "activation_function": "gelu", "tie_word_embeddings": False,
        }, 45, True),
    # six heads: the slopes of four and two in between
    "bloom": (BLOOM, 192, False),
    "bloom-post-norm": (
        BLOOM | {
            "n_embed": 12, "n_head": 4, "apply_residual_connection_post_layernorm": True, "tie_word_embeddings": False,
        }, 110, True),
    "llama-wide-heads": (LLAMA | WIDE_HEADS, 6, False),
    "llama-yarn": (LLAMA | {"num_attention_heads": 2, "rope_scaling": YARN, "tie_word_embeddings": True}, 58, False),
}
# name: (configuration, seed)
SMALL = {
    "hidden_size": 12, "num_attention_heads": 3, "num_key_value_heads": 1, "intermediate_size": 9, "pad_token_id": 0,
    "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
}
CLASSIFIERS = {
    "llama": (LLAMA | SMALL, 1),
    "qwen2": (QWEN2 | SMALL | {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}, 2),
    "qwen3": (QWEN3 | SMALL | {"head_dim": 6, "tie_word_embeddings": True}, 3),
    "gemma2": (
        GEMMA2 | SMALL | {
            "head_dim": 6, "query_pre_attn_scalar": 5, "sliding_window": 5, "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 0.5,  # of the language model, not of the score
        }, 4),
    "gemma3_text": (
        GEMMA3 | SMALL | {
            "head_dim": 6, "query_pre_attn_scalar": 5, "sliding_window": 5, "sliding_window_pattern": 2, "rope_theta": 1000.0,
            "rope_local_base_freq": 50.0,
        }, 5),
    "gpt_neox": (GPT_NEOX | SMALL | {"rotary_pct": 0.5}, 6),
    "mistral": (MISTRAL | SMALL | {"sliding_window": 5}, 7),
}
ONLY_PLAIN = {"gemma2", "gpt_neo", "bloom"}  # have no other attention, or one that forgets something


def window(config):
    kinds = getattr(config, "layer_types", None)
    if config.model_type == "gpt_neo":
        return config.window_size
    return getattr(config, "sliding_window", None) if kinds is None or SLIDING in kinds else None


def check_and_extend(folder, model, config, draw, expected):
    texts = [sequence["tokens"] for sequence in expected["sequences"]]
    with torch.no_grad():
        if config.model_type not in ONLY_PLAIN:
            other = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa").eval()
            for text in texts:
                wanted = hidden_states(model, text)
                difference = ((hidden_states(other, text) - wanted).norm() / wanted.norm()).item()
                assert difference < 1e-5, f"plain attention and scaled_dot_product_attention differ by {difference}"
    found = greedy(model, expected["greedy"]["prompt"], 40, cached=False)["tokens"]
    assert found == expected["greedy"]["tokens"][:40], "greedy text depends on the cache"
    if window(config) is not None:
        assert window(config) > 3
        expected["greedyAcrossWindow"] = greedy(model, draw(3), 40, cached=True)
        found = greedy(model, expected["greedyAcrossWindow"]["prompt"], 40, cached=False)
        assert found["tokens"] == expected["greedyAcrossWindow"]["tokens"]


def make_family(name):
    values, seed, transformers_5 = MODELS[name]
    kind = values["model_type"]
    make(
        name, values, seed, fill=FILLS.get(kind, FILL), transformers_5=transformers_5,
        renamed={"lm_head.weight": "embed_out.weight"} if kind == "gpt_neox" else None,
        more=lambda *parts: check_and_extend(HERE / name, *parts))


def make_classifier(name):
    values, seed = CLASSIFIERS[name]
    folder = HERE / "classifiers" / name
    folder.mkdir(parents=True, exist_ok=True)
    stem = "Gemma3Text" if name == "gemma3_text" else values["architectures"][0].removesuffix("ForCausalLM")
    architectures = {"architectures": [stem + "ForSequenceClassification"]}
    (folder / "config.json").write_text(json.dumps(values | architectures, indent=2) + "\n")
    config = transformers.AutoConfig.from_pretrained(folder)
    generator = torch.Generator().manual_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model = auto.from_config(config, attn_implementation="eager").eval()
    FILLS.get(name, FILL)(model, generator)
    parameters = {key: tensor.detach().contiguous() for key, tensor in model.named_parameters()}
    safetensors.torch.save_file(parameters, folder / "model.safetensors", metadata={"format": "pt"})
    again, loading = auto.from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    assert type(again).__name__ == architectures["architectures"][0]

    lengths = [3, 16, 9, 12]
    texts = [torch.randint(3, config.vocab_size - 1, [length], generator=generator).tolist() for length in lengths]
    texts[2][4] = config.pad_token_id
    rows = torch.tensor([text + [config.pad_token_id] * (max(lengths) - len(text)) for text in texts])
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        scores = again.eval()(input_ids=rows, attention_mask=mask.long()).logits
        alone = torch.cat([model(input_ids=torch.tensor([text])).logits for text in texts])
    assert scores.shape == (4, 1) and (scores - alone).abs().max() < 1e-5, (scores, alone)
    expected = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "padding": config.pad_token_id,
        "rows": rows.tolist(), "lengths": lengths, "scores": [number(score) for score in scores[:, 0]],
    }
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(expected.items()))
    (folder / "expected.json").write_text("{\n" + lines + "\n}\n")
    print("classifiers/" + name, "scores", expected["scores"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for model_name, (settings, _, _) in MODELS.items():
        if not sys.argv[1:] or settings["model_type"] in sys.argv[1:]:
            make_family(model_name)
    for model_type in CLASSIFIERS:
        if not sys.argv[1:] or model_type in sys.argv[1:]:
            make_classifier(model_type)
