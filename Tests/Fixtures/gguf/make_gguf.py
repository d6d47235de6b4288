"""Makes the GGUF files of this folder, with what their tensors are in Hugging Face's checkpoints.

    python Tests/Fixtures/gguf/make_gguf.py            # needs gguf, numpy, torch, safetensors, transformers

types.gguf          a matrix of every type that is read, of random blocks; types.safetensors holds what gguf.quants.dequantize makes of them
NAME.gguf           the models llama-gqa, llama-tied-biases-llama3 and gpt2 of ../models, converted
FAMILY.gguf         a small model of random weights of other families; FAMILY.safetensors holds its weights under Transformers' names
llama-mixed.gguf    a model whose tensors have different types, quantised by gguf.quants; its weights after that in llama-mixed.safetensors
llama-yarn.gguf     the model of that name of ../models, whose positions YaRN stretches
qwen2-yarn.gguf     such a model of random weights whose attention factor is not YaRN's own; qwen2-yarn.safetensors holds tokens and Transformers'
                    logits [tokens, vocabulary]
split-0000?-of-00003.gguf   llama-mixed.gguf in three parts

Every model but those of gpt_neox, which it does not read, is loaded with Transformers, which must find the weights that went in.
"""

import json
import pathlib
import tempfile

import gguf
import numpy as np
import safetensors.numpy
import torch
import transformers
from gguf import GGMLQuantizationType as T

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
READ = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K]
# where the 16-bit floats of a block lie
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2],
          T.Q5_K: [0, 2], T.Q6_K: [208]}


def random_blocks(kind, rows, columns, random):
    elements, width = gguf.GGML_QUANT_SIZES[kind]
    if kind in (T.F32, T.F16):
        return random.normal(size=(rows, columns)).astype(np.float32 if kind == T.F32 else np.float16)
    if kind == T.BF16:
        return gguf.quants.quantize(random.normal(size=(rows, columns)).astype(np.float32), kind)
    blocks = random.integers(0, 256, size=(rows * columns // elements, width), dtype=np.uint8)
    for place in SCALES[kind]:
        scale = random.normal(size=len(blocks)).astype(np.float16)
        scale[0], scale[1] = 6e-8, -0.0  # the smallest number, and a zero with a sign
        blocks[:, place:place + 2] = scale.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


def make_types():
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(HERE / "types.gguf", "none")
    expected = {}
    for kind in READ:
        data = random_blocks(kind, 3, 512, random)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        expected[kind.name] = gguf.quants.dequantize(data, kind).astype(np.float32).reshape(3, 512)
    # numbers of many sizes and what the package makes of them when it writes
    numbers = (random.normal(size=(8, 64)) * 10.0 ** random.integers(-6, 3, size=(8, 64))).astype(np.float32)
    numbers[0, :32] = 0
    numbers[1, :32] = np.arange(32) - 16  # of 16 / 127 each
    numbers[2, :32] = (np.arange(32) - 15.5) * 127 / 15.5 / 2  # halves
    writer.add_tensor("numbers", numbers)
    for kind in (T.F16, T.BF16, T.Q8_0):
        writer.add_tensor(f"numbers.{kind.name}", gguf.quants.quantize(numbers, kind), raw_dtype=kind)
    vector = random.normal(size=5).astype(np.float32)
    writer.add_tensor("vector", vector)
    expected["vector"] = vector
    close(writer)
    safetensors.numpy.save_file(expected, HERE / "types.safetensors")


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# What converters do ----------------------------------------------------------------------------------------------------------------

def interleaved(weights, heads):
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def by_kind(weights, heads):
    size = weights.shape[0] // 3 // heads
    return weights.reshape(heads, 3, size, *weights.shape[1:]).swapaxes(0, 1).reshape(weights.shape)


def converted(arch, config, name, weights):
    heads = config.num_attention_heads
    if arch == "llama" and ".attn_q." in name:
        return interleaved(weights, heads)
    if arch == "llama" and ".attn_k." in name:
        return interleaved(weights, config.num_key_value_heads)
    if arch == "gptneox" and ".attn_qkv." in name:
        return by_kind(weights, heads)
    if arch == "gpt2" and name.endswith(("attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight")):
        return weights.T
    if arch in ("gemma2", "gemma3") and name.endswith("norm.weight"):
        return weights + 1
    return weights


def llama3_factors(config):
    scaling = config.rope_parameters
    dim = config.head_dim
    freqs = 1.0 / scaling["rope_theta"] ** (np.arange(0, dim, 2) / dim)
    old, low, high, factor = (scaling[k] for k in
                              ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor", "factor"))
    result = []
    for wave in 2 * np.pi / freqs:
        smooth = (old / wave - low) / (high - low)
        result.append(1 if wave < old / high else factor if wave > old / low else 1 / ((1 - smooth) / factor + smooth))
    return np.array(result, dtype=np.float32)


def metadata(writer, arch, config):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if arch == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_feed_forward_length(config.intermediate_size)
    rope = config.rope_parameters
    if arch == "gptneox":
        writer.add_layer_norm_eps(config.layer_norm_eps)
        writer.add_rope_dimension_count(int(rope["partial_rotary_factor"] * config.hidden_size // config.num_attention_heads))
        writer.add_parallel_residual(config.use_parallel_residual)
        return
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch in ("qwen3", "gemma2", "gemma3"):
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if arch == "llama":
        writer.add_rope_dimension_count(config.head_dim)
    if arch == "phi3":
        writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    if arch == "gemma3":
        rope = rope["full_attention"]
    if arch != "gemma2":
        writer.add_rope_freq_base(rope["rope_theta"])
    if arch in ("gemma2", "gemma3"):
        writer.add_sliding_window(config.sliding_window)
    if arch == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if rope.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if (rope.get("rope_type") or rope.get("type")) == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        for key, add in [("attention_factor", writer.add_rope_scaling_yarn_attn_factor), ("beta_fast", writer.add_rope_scaling_yarn_beta_fast),
                         ("beta_slow", writer.add_rope_scaling_yarn_beta_slow)]:
            if rope.get(key) is not None:
                add(rope[key])


def tokens(writer, config):
    """A vocabulary, without which Transformers does not load the file."""
    pieces = [b"<unk>", b"<s>", b"</s>"] + [f"t{i}".encode() for i in range(config.vocab_size - 3)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(i) for i in range(len(pieces))])
    writer.add_token_types([2, 3, 3] + [1] * (len(pieces) - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_eot_token_id(5)
    writer.add_pad_token_id(0)


def convert(path, arch, config, weights, kind=lambda name, shape: T.F32, **options):
    """Writes a model and returns its weights as they are in the file, under Transformers' names."""
    writer = gguf.GGUFWriter(path, arch, **options)
    metadata(writer, arch, config)
    tokens(writer, config)
    names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[arch], config.num_hidden_layers)
    stored = {}
    for name, tensor in weights.items():
        if name.startswith("v_head") or name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        new = np.ascontiguousarray(converted(arch, config, target, tensor))
        quant = kind(target, new.shape)
        data = gguf.quants.quantize(new, quant)
        writer.add_tensor(target, data, raw_dtype=quant)
        if arch == "gpt2" and target == "token_embd.weight":
            writer.add_tensor("output.weight", data, raw_dtype=quant)
        values = gguf.quants.dequantize(data, quant).astype(np.float32).reshape(new.shape)
        stored[name] = undone(arch, config, target, values)
    if arch == "llama" and config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    close(writer)
    return stored


def undone(arch, config, name, values):
    """The inverse of `converted`; of changed orders, found by converting row numbers."""
    if arch == "gpt2":
        return converted(arch, config, name, values)
    if arch in ("gemma2", "gemma3") and name.endswith("norm.weight"):
        return values - np.float32(1)
    rows = np.arange(values.shape[0]).reshape((-1,) + (1,) * (values.ndim - 1)) * np.ones(values.shape)
    order = converted(arch, config, name, rows)[(slice(None),) + (0,) * (values.ndim - 1)].astype(int)
    result = np.empty_like(values)
    result[order] = values
    return result


def check(path, weights, **options):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / path.name).write_bytes(path.read_bytes())
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=path.name, dtype=torch.float32, **options)
    loaded = model.state_dict()
    for name, tensor in weights.items():
        assert np.array_equal(loaded[name].numpy(), tensor), f"{path.name}: {name} differs"


def make_known(name, arch):
    config = transformers.AutoConfig.from_pretrained(MODELS / name)
    weights = safetensors.numpy.load_file(MODELS / name / "model.safetensors")
    path = HERE / f"{name}.gguf"
    stored = convert(path, arch, config, weights)
    if arch == "gpt2":  # Transformers does not find the number of positions in the file
        check(path, stored, config=config)
    elif "yarn" in name:  # nor how positions are scaled
        check(path, stored, config=config)
    elif "biases" not in name:  # nor that there are biases
        check(path, stored)


COMMON = dict(vocab_size=48, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128,
              bos_token_id=1, eos_token_id=2, pad_token_id=0, rms_norm_eps=1e-5)


def families():
    t = transformers
    yield "qwen2", t.Qwen2Config(**COMMON, num_key_value_heads=2, rope_theta=1e6, tie_word_embeddings=True)
    yield "qwen3", t.Qwen3Config(**COMMON, num_key_value_heads=2, head_dim=16, rope_theta=5e5)
    yield "gemma2", t.Gemma2Config(**COMMON, num_key_value_heads=2, head_dim=16, sliding_window=8, query_pre_attn_scalar=16)
    yield "gemma3", t.Gemma3TextConfig(
        **COMMON | {"num_hidden_layers": 7}, num_key_value_heads=1, head_dim=16, sliding_window=8, query_pre_attn_scalar=16,
        rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
                         "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}})
    yield "phi3", t.Phi3Config(**COMMON, num_key_value_heads=2, rope_theta=1e4)
    yield "gptneox", t.GPTNeoXConfig(
        **{k: v for k, v in COMMON.items() if k != "rms_norm_eps"}, rotary_pct=0.25, use_parallel_residual=False, layer_norm_eps=1e-4)


def make_families():
    for seed, (arch, config) in enumerate(families()):
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config)
        weights = {}
        for name, tensor in model.state_dict().items():
            if "rotary_emb" not in name and not name.endswith((".attention.bias", ".masked_bias")):
                weights[name] = (tensor + 0.2 * torch.randn_like(tensor)).float().numpy()
        if config.tie_word_embeddings:
            weights.pop("lm_head.weight", None)
        stored = convert(HERE / f"{arch}.gguf", arch, config, weights, lambda _, shape: T.F16 if len(shape) > 1 else T.F32)
        if arch != "gptneox":  # with the configuration, because not all of it is read from the file
            check(HERE / f"{arch}.gguf", stored, config=config)
        else:  # as published checkpoints call it
            stored["embed_out.weight"] = stored.pop("lm_head.weight")
        save(stored, HERE / f"{arch}.safetensors")


def make_yarn():
    config = transformers.Qwen2Config(
        **COMMON, num_key_value_heads=2, tie_word_embeddings=True,
        rope_parameters={"rope_type": "yarn", "rope_theta": 500.0, "factor": 4.0, "original_max_position_embeddings": 24,
                         "attention_factor": 0.75, "beta_fast": 3.0, "beta_slow": 0.5})
    torch.manual_seed(12)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for tensor in model.parameters():
            tensor += 0.2 * torch.randn_like(tensor)
        tokens = torch.randint(3, config.vocab_size, [60])
        logits = model(input_ids=tokens[None]).logits[0]
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    stored = convert(HERE / "qwen2-yarn.gguf", "qwen2", config, weights)
    check(HERE / "qwen2-yarn.gguf", stored, config=config)
    safetensors.numpy.save_file(
        {"tokens": tokens.numpy().astype(np.int32), "logits": logits.numpy()}, HERE / "qwen2-yarn.safetensors")


def save(weights, path):
    safetensors.numpy.save_file(
        {k: np.ascontiguousarray(v.astype(np.float16) if np.array_equal(v.astype(np.float16), v) else v) for k, v in weights.items()}, path)


def make_mixed():
    config = transformers.LlamaConfig(**COMMON | {"hidden_size": 64, "intermediate_size": 64}, num_key_value_heads=2)
    torch.manual_seed(11)
    weights = {k: (v + 0.2 * torch.randn_like(v)).numpy()
               for k, v in transformers.AutoModelForCausalLM.from_config(config).state_dict().items()}
    kinds = {"token_embd": T.Q8_0, "attn_q": T.Q4_0, "attn_k": T.Q5_1, "attn_v": T.F16, "attn_output": T.BF16, "ffn_gate": T.Q5_0,
             "ffn_up": T.Q4_1, "ffn_down": T.F32, "output": T.Q8_0}

    def kind(name, shape):
        part = name.removesuffix(".weight").split(".")[-1]
        return T.BF16 if name.startswith("blk.1.") and part in ("attn_q", "attn_k") else kinds.get(part, T.F32)

    path = HERE / "llama-mixed.gguf"
    stored = convert(path, "llama", config, weights, kind)
    save(stored, HERE / "llama-mixed.safetensors")
    check(path, stored)
    convert(HERE / "split", "llama", config, weights, kind, split_max_tensors=8)


if __name__ == "__main__":
    make_types()
    make_known("llama-gqa", "llama")
    make_known("llama-tied-biases-llama3", "llama")
    make_known("gpt2", "gpt2")
    make_known("llama-yarn", "llama")
    make_yarn()
    make_families()
    make_mixed()
    for file in sorted(HERE.glob("*.gguf")):
        print(file.name, file.stat().st_size)
