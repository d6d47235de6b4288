"""Runs llama.cpp on GGUF files that train-sft writes, and compares it with Transformers on the folders that they were made of.

    python Tests/Fixtures/gguf/check_llama_cpp.py .build/release [MODEL_FOLDER...]     # needs xllamacpp, tokenizers, torch, transformers

Without folders, a small model of random weights is made for each architecture that is written, with a tokenizer of its kind that is
trained on the package's documentation. For each of the types f32, f16, bf16 and q8_0 the script prints
  ids     texts whose ids differ between llama.cpp and Transformers
  f32 …   the largest difference between the log-probabilities of the 40 likeliest next tokens behind a text
Random weights are large, so log-probabilities span more than ten nats. The exit status is 1 where an id differs, or f32 by more than 0.01.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import tokenizers
import torch
import transformers
import xllamacpp
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

ROOT = pathlib.Path(__file__).resolve().parents[3]
TEXTS = [
    "The capital of France is", "Hello world", " two  spaces,\n\nlines and\ttabs ", "def f(x): return x**2 # 1234567", "naïve café, Übergröße",
    "日本語のテキスト 한국어", "🙂 👩‍👩‍👧 emoji", "It's what they'll say: don't! (really?)", "a", "ALL CAPS and CamelCase 3.14159",
]
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def corpus():
    return [path.read_text() for path in sorted((ROOT / "Docs").glob("*.md"))]


def byte_level(kind):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "gpt2")
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
        split = pre_tokenizers.Split(tokenizers.Regex(QWEN), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    else:
        tokenizer.pre_tokenizer = level
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1200, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")


def pieces(kind):
    tokenizer = tokenizers.Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never" if kind == "gemma" else "always", split=True)
    special = ["<pad>", "<eos>", "<bos>", "<unk>"] if kind == "gemma" else ["<unk>", "<s>", "</s>"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=special + bytes_, show_progress=False, limit_alphabet=100)
    tokenizer.train_from_iterator(corpus(), trainer)
    spec = json.loads(tokenizer.to_str())
    # bytes belong to the vocabulary alone, and words are not split, as in the tokenizers that LLaMA and Gemma come with
    spec["added_tokens"] = [token for token in spec["added_tokens"] if not token["content"].startswith("<0x")]
    for token in spec["added_tokens"]:
        token["rstrip"] = kind == "phi3" and token["content"] == "</s>"
    spec["pre_tokenizer"] = None
    prepend = [] if kind == "gemma" else [{"type": "Prepend", "prepend": "▁"}]
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    spec["normalizer"] = {"type": "Sequence", "normalizers": prepend + [replace]}
    spec["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]
        + ([] if kind == "gemma" else [{"type": "Strip", "content": " ", "start": 1, "stop": 0}])}
    begin, end = ("<bos>", "<eos>") if kind == "gemma" else ("<s>", "</s>")
    identity = next(token["id"] for token in spec["added_tokens"] if token["content"] == begin)
    spec["post_processor"] = {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": begin, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {begin: {"id": begin, "ids": [identity], "tokens": [begin]}}}
    made = tokenizers.Tokenizer.from_str(json.dumps(spec))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token=begin, eos_token=end, unk_token="<unk>")


def make_models(folder):
    common = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=256,
                  initializer_range=0.2)
    grouped = dict(common, num_key_value_heads=2)
    window = dict(sliding_window=32)
    wanted = {
        "llama": (transformers.LlamaConfig(**grouped), pieces("llama")),
        "llama-byte-level": (transformers.LlamaConfig(**grouped, tie_word_embeddings=True), byte_level("qwen2")),
        "qwen2": (transformers.Qwen2Config(**grouped), byte_level("qwen2")),
        "qwen3": (transformers.Qwen3Config(**grouped, head_dim=32), byte_level("qwen2")),
        "gemma2": (transformers.Gemma2Config(**grouped, **window, head_dim=32, query_pre_attn_scalar=32), pieces("gemma")),
        "gemma3": (transformers.Gemma3TextConfig(**grouped, **window, head_dim=32, query_pre_attn_scalar=32), pieces("gemma")),
        "phi3": (transformers.Phi3Config(**grouped, pad_token_id=0, sliding_window=None), pieces("phi3")),
        "gpt2": (transformers.GPT2Config(n_embd=64, n_layer=3, n_head=4, n_positions=256, initializer_range=0.2), byte_level("gpt2")),
        "gpt_neox": (transformers.GPTNeoXConfig(**common, rotary_pct=0.5), byte_level("gpt2")),
    }
    for seed, (name, (config, tokenizer)) in enumerate(wanted.items()):
        torch.manual_seed(seed)
        config.vocab_size = len(tokenizer)
        config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
        model = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 1:  # norms and biases that matter
                    parameter.add_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    return [folder / name for name in wanted]


def write_gguf(programs, model, out, kind):
    rows = out / "rows"
    rows.mkdir(exist_ok=True)
    for split in ["train", "validation", "test"]:
        (rows / f"{split}.jsonl").write_text(json.dumps({"subreddit": "a", "title": "b", "post": "c", "summary": "d"}) + "\n")
    command = [programs / "train-sft", "--model-name", model, "--dataset", rows, "--output-dir", out, "--run-id", kind, "--do-train", "false",
               "--do-eval", "false", "--save-format", "gguf", "--gguf-type", kind, "--dtype", "f32"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"train-sft: {done.stderr.strip().splitlines()[-1]}")
    return next((out / kind).rglob("model.gguf"))


class LlamaCpp:
    def __init__(self, path):
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_gpu_layers, parameters.warmup, parameters.verbosity = 256, 0, False, 0
        parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(parameters)

    def ask(self, path, body):
        request = urllib.request.Request(
            self.server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))

    def ids(self, text):
        return self.ask("/tokenize", {"content": text, "add_special": True, "parse_special": False})["tokens"]

    def next_tokens(self, ids, letter):
        """Log-probabilities of the 40 likeliest next tokens, by id. `letter`, the id of a letter, is what is sampled: an answer that ends
        in half a character has no probabilities. They are those of the model, without that bias."""
        answer = self.ask("/completion", {
            "prompt": ids, "n_predict": 1, "n_probs": 40, "temperature": 0, "cache_prompt": False, "logit_bias": [[letter, 1000]]})
        return {entry["id"]: entry["logprob"] for entry in answer["completion_probabilities"][0]["top_logprobs"]}


def compare(programs, folder, scratch):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    out = scratch / f"{folder.name}-gguf"
    out.mkdir()
    letter = tokenizer("e", add_special_tokens=False)["input_ids"][-1]
    differing, largest = 0, {}
    for kind in ["f32", "f16", "bf16", "q8_0"]:
        llama = LlamaCpp(write_gguf(programs, folder, out, kind))
        largest[kind] = 0.0
        for text in TEXTS:
            ids = tokenizer(text)["input_ids"]
            differing += kind == "f32" and llama.ids(text) != ids
            if kind == "f32" and llama.ids(text) != ids:
                print(f"  {text!r}: {llama.ids(text)} {ids}")
            with torch.no_grad():
                expected = model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            for identity, value in llama.next_tokens(ids, letter).items():
                largest[kind] = max(largest[kind], abs(value - expected[identity].item()))
        del llama
    print(f"{folder.name:18} ids {differing} of {len(TEXTS)}   " + "   ".join(f"{kind} {value:.6f}" for kind, value in largest.items()), flush=True)
    return differing == 0 and largest["f32"] < 0.01


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        folders = [pathlib.Path(name).resolve() for name in sys.argv[2:]] or make_models(scratch)
        passed = [compare(programs, folder, scratch) for folder in folders]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
