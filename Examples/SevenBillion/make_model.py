#!/usr/bin/env python3
"""Writes a LLaMA with random BF16 weights, a byte-level tokenizer and generated rows: python3 make_model.py DIR [7b|1b|100m|tiny]

The weights are drawn from a normal distribution with a standard deviation of about 0.02, rounded so coarsely that table lookups on random
bytes make them: the exponent follows the distribution in steps of four, the mantissa is uniform. Only the standard library is used.
7b has the shape of LLaMA 6.7B (13.5 GB in three files), 1b that of TinyLlama (2.2 GB), 100m has 134 million parameters, tiny is for a trial of the scripts.
"""

import json
import math
import os
import random
import shutil
import sys

SHAPES = {
    "7b": dict(vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32),
    "1b": dict(
        vocab_size=32000, hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32,
        num_key_value_heads=4),
    "100m": dict(vocab_size=32000, hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12),
    "tiny": dict(vocab_size=512, hidden_size=64, intermediate_size=176, num_hidden_layers=5, num_attention_heads=4),
}
DEVIATION = 0.02
SHARD = 5_000_000_000
CHUNK = 1 << 24


def tensors(shape):
    """Names and shapes in the order of the layers."""
    hidden, inner, vocabulary = shape["hidden_size"], shape["intermediate_size"], shape["vocab_size"]
    keys = hidden // shape["num_attention_heads"] * shape.get("num_key_value_heads", shape["num_attention_heads"])
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for layer in range(shape["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (hidden,)
        for name, rows in ("q", hidden), ("k", keys), ("v", keys), ("o", hidden):
            yield f"{prefix}self_attn.{name}_proj.weight", (rows, hidden)
        yield prefix + "post_attention_layernorm.weight", (hidden,)
        yield prefix + "mlp.gate_proj.weight", (inner, hidden)
        yield prefix + "mlp.up_proj.weight", (inner, hidden)
        yield prefix + "mlp.down_proj.weight", (hidden, inner)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (vocabulary, hidden)


def upper_bytes():
    """For each random byte, the upper byte of a bfloat16 number: its sign and the upper seven bits of its exponent."""
    spread = DEVIATION / 1.5  # uniform mantissas within a step of four raise the deviation by half

    def share(below):  # of normal numbers whose magnitude is below a bound
        return math.erf(below / spread / math.sqrt(2))
    table = bytearray()
    for sign in (0, 128):
        for index in range(128):
            quantile = (index + 0.5) / 128
            exponent = next(e for e in range(40, 80) if share(2.0 ** (2 * e + 2 - 127)) > quantile)
            table.append(sign | exponent)
    return bytes(table)


def random_numbers(count, draw, table, write):
    while count > 0:
        part = min(count, CHUNK)
        numbers = bytearray(2 * part)
        numbers[0::2] = draw.randbytes(part)
        numbers[1::2] = draw.randbytes(part).translate(table)
        write(numbers)
        count -= part


def write_model(folder, shape, draw):
    shards, size = [[]], 0
    for name, dims in tensors(shape):
        length = 2 * math.prod(dims)
        if size + length > SHARD and shards[-1]:
            shards.append([])
            size = 0
        shards[-1].append((name, dims, length))
        size += length
    needed = sum(length for shard in shards for _, _, length in shard)
    if shutil.disk_usage(folder).free < needed + (1 << 30):
        sys.exit(f"make_model: {folder} needs {needed / 1e9:.1f} GB of free space and 1 GB more")
    table, places = upper_bytes(), {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors" if len(shards) > 1 else "model.safetensors"
        header, offset = {}, 0
        for name, dims, length in shard:
            header[name] = dict(dtype="BF16", shape=list(dims), data_offsets=[offset, offset + length])
            offset += length
            places[name] = file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        partial = os.path.join(folder, file + ".partial")
        with open(partial, "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            for name, dims, length in shard:
                if len(dims) == 1:
                    out.write(b"\x80\x3f" * dims[0])
                else:
                    random_numbers(length // 2, draw, table, out.write)
        os.replace(partial, os.path.join(folder, file))
        print(f"wrote {file}: {offset / 1e9:.2f} GB", flush=True)
    if len(shards) > 1:
        write_json(folder, "model.safetensors.index.json", dict(metadata=dict(total_size=needed), weight_map=places))
    config = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_act="silu", rms_norm_eps=1e-6, rope_theta=10000.0,
        max_position_embeddings=2048, bos_token_id=1, eos_token_id=2, initializer_range=DEVIATION, tie_word_embeddings=False,
        torch_dtype="bfloat16", attention_bias=False, mlp_bias=False,
        num_key_value_heads=shape["num_attention_heads"])
    write_json(folder, "config.json", config | shape)


def write_tokenizer(folder):
    """A byte-level tokenizer without merges: three special tokens and one token for each byte, as GPT-2 writes bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {}, 0
    for byte in range(256):
        if byte in plain:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + extra)
            extra += 1
    specials = ["<unk>", "<s>", "</s>"]
    vocabulary = {token: index for index, token in enumerate(specials + [letters[byte] for byte in range(256)])}
    added = [
        dict(id=index, content=token, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
        for index, token in enumerate(specials)]
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    write_json(folder, "tokenizer.json", dict(
        version="1.0", truncation=None, padding=None, added_tokens=added, normalizer=None, pre_tokenizer=byte_level,
        post_processor=byte_level, decoder=byte_level,
        model=dict(
            type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
            byte_fallback=False, vocab=vocabulary, merges=[])))
    write_json(folder, "tokenizer_config.json", dict(
        tokenizer_class="PreTrainedTokenizerFast", bos_token="<s>", eos_token="</s>", unk_token="<unk>", model_max_length=2048))


def write_rows(folder, draw):
    """Prompts of up to 512 bytes with answers of 24 to 47, and pairs of answers."""
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 8))) for _ in range(500)]

    def text(length):
        made = ""
        while len(made) < length:
            made += draw.choice(words) + " "
        return made[:length].rstrip() or "a"

    for name in ("data", "pairs"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    for split, count in ("train", 256), ("validation", 2), ("test", 32):
        rows = [dict(prompt=text(draw.randint(200, 512)), completion=" " + text(draw.randint(23, 46))) for _ in range(count)]
        write_lines(os.path.join(folder, "data", split + ".jsonl"), rows)
        if split != "test":
            pairs = [dict(prompt=row["prompt"], chosen=row["completion"], rejected=" " + text(draw.randint(23, 46))) for row in rows]
            write_lines(os.path.join(folder, "pairs", split + ".jsonl"), pairs)


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w") as out:
        json.dump(value, out, indent=1)


def write_lines(path, rows):
    with open(path, "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[-1] in ("-h", "--help") or (len(sys.argv) == 3 and sys.argv[2] not in SHAPES):
        sys.exit(__doc__)
    folder, shape = sys.argv[1], SHAPES[sys.argv[2] if len(sys.argv) == 3 else "7b"]
    model = os.path.join(folder, "model")
    os.makedirs(model, exist_ok=True)
    draw = random.Random(7)
    write_rows(folder, draw)
    write_tokenizer(model)
    write_model(model, shape, draw)


if __name__ == "__main__":
    main()
