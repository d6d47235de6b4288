"""Makes what PyTorch computes with the tiny models of this folder in training, with dropout.

    python Tests/Fixtures/models/make_dropout.py            # writes next to itself; needs what make_models.py needs
    python Tests/Fixtures/models/make_dropout.py qwen2 …    # some models

The masks are ours, made here by another implementation of the generator (Philox 4x32-10, Salmon et al. 2011, in numpy): a mask of
layer l at place s has the stream Philox(SEED).split(l).split(s), where s is 0 for the embeddings, 1 for the weights of attention, 2 for
the output of attention, 3 for that of the MLP (StableLM drops nothing at 2). Element t of row r is dropped where word t % 4 of block r * 2^32 + t / 4 is below rate *
2^32. Rows are counted through all sequences of expected.json, without the last token of each; row r of attention is
query * heads + head. `torch.nn.functional.dropout` is replaced by one that applies them, so that all else is Transformers' own.

<model>/dropout.json
    rates     what config.json is to say instead
    loss      the supervised loss of expected.json's sequences
<model>/dropout.safetensors
    gradients.<name>   d loss / d tensor
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
SEED = 7
MODELS = {
    "opt-pre-norm": {"dropout": 0.3, "attention_dropout": 0.25},
    "opt-post-norm-projected": {"dropout": 0.5, "attention_dropout": 0.0},
    "gpt2": {"embd_pdrop": 0.2, "attn_pdrop": 0.25, "resid_pdrop": 0.3},
    "llama-gqa": {"attention_dropout": 0.4},
    "gpt_neox": {"hidden_dropout": 0.3, "attention_dropout": 0.25},
    "gpt_neox-sequential": {"hidden_dropout": 0.2, "attention_dropout": 0.4},
    "phi": {"embd_pdrop": 0.2, "attention_dropout": 0.25, "resid_pdrop": 0.3},
    # Transformers reads the rate of Phi 3's embeddings and never applies it
    "phi3-window-partial": {"embd_pdrop": 0.5, "attention_dropout": 0.25, "resid_pdrop": 0.3},
    "gptj-tied": {"embd_pdrop": 0.2, "attn_pdrop": 0.25, "resid_pdrop": 0.3},
    "gpt_neo": {"embed_dropout": 0.2, "attention_dropout": 0.25, "resid_dropout": 0.3},
    "bloom": {"hidden_dropout": 0.3, "attention_dropout": 0.25},
    "bloom-post-norm": {"hidden_dropout": 0.2, "attention_dropout": 0.4},
    "stablelm": {"hidden_dropout": 0.3, "attention_dropout": 0.25},
    "stablelm-parallel": {"hidden_dropout": 0.2, "attention_dropout": 0.4},
    "qwen2": {"attention_dropout": 0.4},
    "qwen3": {"attention_dropout": 0.4},
    "mistral": {"attention_dropout": 0.3},
    "gemma2": {"attention_dropout": 0.3},
    "gemma3_text": {"attention_dropout": 0.4},
    "olmo2": {"attention_dropout": 0.3},
    "smollm3": {"attention_dropout": 0.4},
}
EMBEDS = {"gpt2", "gpt_neox", "phi", "gptj", "gpt_neo"}
RESIDUALS = {"opt": [2, 3], "gpt2": [2, 3], "gpt_neox": [2, 3], "phi": [2, 3], "phi3": [2, 3], "gptj": [2, 3], "gpt_neo": [2, 3],
             "bloom": [2, 3], "stablelm": [3]}
MASK32, MASK64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


def block(counter, stream, key):
    """Four words of 32 bits for each of an array of counters of 64 bits."""
    counter = np.asarray(counter, dtype=np.uint64)
    low = np.uint64(MASK32)
    c = [counter & low, counter >> np.uint64(32), np.full_like(counter, stream & MASK32), np.full_like(counter, stream >> 32)]
    k = list(key)
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [
            (b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & low, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & low,
        ]
        k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
    return np.stack(c, -1)


class Philox:
    def __init__(self, key, stream=0):
        self.key, self.stream = key, stream

    def split(self, number):
        words = [int(word) for word in block([number], self.stream ^ 0x9E3779B97F4A7C15, self.key)[0]]
        return Philox((self.key[0] ^ words[2], self.key[1] ^ words[3]), words[0] | words[1] << 32)

    def factors(self, rows, width, rate):
        """What the elements of the given rows are multiplied by: 0 or 1 / (1 - rate)."""
        counters = (np.asarray(rows, dtype=np.uint64)[:, None] << np.uint64(32)) + np.arange((width + 3) // 4, dtype=np.uint64)
        words = block(counters, self.stream, self.key).reshape(len(rows), -1)[:, :width]
        kept = words >= np.uint64(round(rate * 2**32))
        return torch.tensor(kept / (1 - rate), dtype=torch.float32)


class Masks:
    """Stands in for torch.nn.functional.dropout while one sequence is run."""

    def __init__(self, first_row, embeds, sites):
        self.first, self.embeds, self.sites, self.calls, self.attentions, self.residuals = first_row, embeds, sites, 0, 0, 0

    def __call__(self, x, p=0.5, training=True, inplace=False):
        assert training
        attention = x.ndim == 4
        if attention:
            site = 1
        elif self.embeds and self.calls == 0:
            site = 0
        else:
            site = self.sites[self.residuals % len(self.sites)]
            self.residuals += 1
        self.calls += 1
        layer = 0 if site == 0 else self.attentions - 1 if site > 1 else self.attentions
        self.attentions += attention
        random = Philox((SEED, 0)).split(layer).split(site)
        if p == 0:
            return x
        if attention:
            _, heads, queries, keys = x.shape
            rows = [(self.first + q) * heads + h for h in range(heads) for q in range(queries)]
            return x * random.factors(rows, keys, p).reshape(x.shape)
        flat = x.reshape(-1, x.shape[-1])
        rows = range(self.first, self.first + len(flat))
        return (flat * random.factors(rows, x.shape[-1], p)).reshape(x.shape)


def make(name, rates):
    folder = HERE / name
    config = transformers.AutoConfig.from_pretrained(folder, **rates)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, config=config, attn_implementation="eager").train()
    expected = json.loads((folder / "expected.json").read_text())
    total, count, first = 0, 0, 0
    usual = torch.nn.functional.dropout
    for sequence in expected["sequences"]:
        tokens, start = sequence["tokens"], sequence["promptLength"]
        masks = Masks(first, config.model_type in EMBEDS, RESIDUALS.get(config.model_type, []))
        torch.nn.functional.dropout = masks
        try:
            logits = model(input_ids=torch.tensor([tokens[:-1]]), use_cache=False).logits[0]
        finally:
            torch.nn.functional.dropout = usual
        layers = config.num_hidden_layers
        assert masks.attentions == layers, masks.attentions
        assert masks.residuals == len(masks.sites) * layers, masks.residuals
        log_probs = logits[start - 1 :].log_softmax(-1)
        total = total - log_probs.gather(1, torch.tensor(tokens[start:])[:, None]).sum()
        count += len(tokens) - start
        first += len(tokens) - 1
    loss = total / count
    loss.backward()
    renamed = {"lm_head.weight": "embed_out.weight"} if config.model_type == "gpt_neox" else {}
    gradients = {f"gradients.{renamed.get(key, key)}": tensor.grad.contiguous() for key, tensor in model.named_parameters()}
    safetensors.torch.save_file(gradients, folder / "dropout.safetensors", metadata={"format": "pt"})
    result = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "rates": rates,
        "loss": float(f"{loss.item():.9g}"),
    }
    (folder / "dropout.json").write_text(json.dumps(result, indent=2) + "\n")
    print(name, "loss", expected["loss"], "with dropout", result["loss"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for model_name, model_rates in MODELS.items():
        if not sys.argv[1:] or model_name in sys.argv[1:]:
            make(model_name, model_rates)
