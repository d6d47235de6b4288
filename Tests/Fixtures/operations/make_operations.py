"""Makes operations.json: forward values and gradients of the model operations as PyTorch computes them.

    python Tests/Fixtures/operations/make_operations.py    # writes next to itself

{"versions": …, "cases": {"<operation>.<case>": {
    "settings":  {…}                  numbers that are not tensors
    "inputs":    {name: tensor},      float32 (ids: integers)
    "output":    tensor,
    "upstream":  tensor,              d loss / d output
    "gradients": {name: tensor}}}}    d loss / d input, for every input that has one

with tensor = {"shape": [...], "values": [...]} in row-major order. Inputs are float32; results are computed from them
in float64 and written with nine significant digits.

Conventions, those of transformers: linear is x·Wᵀ + b with W [out, in]; GPT-2's transposed linear is x·W + b with W
[in, out]; the rotary embedding turns the pair (i, i + head size / 2) by position · theta^(-2i / head size); attention
scores are scaled by 1/√(head size), query head h reads key/value head ⌊h · KV / H⌋; queries [T, H, D], keys and values
[S, KV, D]; the last query sees all keys, the one before it all but the last, and so on.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
import transformers
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

HERE = pathlib.Path(__file__).resolve().parent
generator = torch.Generator().manual_seed(11)
cases = {}


def normal(*shape, scale=1.0, shift=0.0):
    return (torch.randn(shape, generator=generator) * scale + shift).float()


def ids(bound, *shape):
    return torch.randint(0, bound, shape, generator=generator)


def rounded(value):
    return int(value) if isinstance(value, int) else float(f"{value:.9g}")


def written(tensor):
    return {"shape": list(tensor.shape), "values": [rounded(value) for value in tensor.detach().reshape(-1).tolist()]}


def case(name, function, settings=None, **inputs):
    """Runs `function` on float64 copies of `inputs` and writes down what it gives and its gradients."""
    wide = {key: value.double().requires_grad_(True) if value.is_floating_point() else value
            for key, value in inputs.items()}
    output = function(**wide)
    upstream = normal(*output.shape)
    (output * upstream.double()).sum().backward()
    cases[name] = {
        "settings": settings or {}, "inputs": {key: written(value) for key, value in inputs.items()},
        "output": written(output), "upstream": written(upstream),
        "gradients": {key: written(value.grad) for key, value in wide.items() if value.is_floating_point()},
    }


def rms_norm(input, weight, epsilon):
    return input * torch.rsqrt(input.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def rotary(input, positions, theta):  # input [T, H, D]
    size = input.shape[-1]
    inverse = 1.0 / (theta ** (torch.arange(0, size, 2).double() / size))
    angles = positions.double()[:, None] * inverse
    both = torch.cat((angles, angles), -1)[None]  # [1, T, D]
    heads_first = input.transpose(0, 1)[None]  # [1, H, T, D]
    turned, _ = apply_rotary_pos_emb(heads_first, heads_first, both.cos(), both.sin())
    return turned[0].transpose(0, 1)


def attention(query, key, value):  # [T, H, D], [S, KV, D] twice
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scores = torch.einsum("thd,shd->hts", query, key) / query.shape[-1] ** 0.5
    length, total = query.shape[0], key.shape[0]
    visible = torch.ones(length, total).tril(total - length).bool()
    return torch.einsum("hts,shd->thd", scores.masked_fill(~visible, -torch.inf).softmax(-1), value)


def main():
    case("linear.bias", F.linear, input=normal(5, 7), weight=normal(6, 7), bias=normal(6))
    case("linear.plain", lambda input, weight: F.linear(input, weight), input=normal(3, 9), weight=normal(4, 9))
    case("linear.transposed", lambda input, weight, bias: input @ weight + bias,
         input=normal(4, 5), weight=normal(5, 3), bias=normal(3))
    case("embedding", lambda ids, weight: F.embedding(ids, weight), ids=ids(7, 9), weight=normal(7, 4))
    case("rmsNorm", lambda input, weight: rms_norm(input, weight, 1e-5), {"epsilon": 1e-5},
         input=normal(4, 13), weight=normal(13, scale=0.3, shift=1))
    case("rmsNorm.small", lambda input, weight: rms_norm(input, weight, 1e-6), {"epsilon": 1e-6},
         input=normal(2, 8, scale=1e-3), weight=normal(8, scale=0.3, shift=1))
    case("layerNorm", lambda input, weight, bias: F.layer_norm(input, [13], weight, bias, 1e-5), {"epsilon": 1e-5},
         input=normal(4, 13, shift=0.5), weight=normal(13, scale=0.3, shift=1), bias=normal(13))
    case("layerNorm.farFromZero", lambda input, weight, bias: F.layer_norm(input, [8], weight, bias, 1e-5),
         {"epsilon": 1e-5}, input=normal(3, 8, shift=50), weight=normal(8, scale=0.3, shift=1), bias=normal(8))
    case("rotary", lambda input, positions: rotary(input, positions, 10000.0), {"theta": 10000.0},
         input=normal(5, 2, 8), positions=torch.tensor([0, 1, 2, 3, 4]))
    case("rotary.shifted", lambda input, positions: rotary(input, positions, 500.0), {"theta": 500.0},
         input=normal(4, 3, 6), positions=torch.tensor([7, 8, 120, 3]))
    case("swiGLU", lambda gate, up: F.silu(gate) * up, gate=normal(4, 11, scale=2), up=normal(4, 11))
    edges = torch.tensor([-20.0, -6.0, -3.0, -1.0, -0.25, 0.125, 1.0, 3.0, 6.0, 20.0])
    case("gelu.exact", F.gelu, input=torch.cat((normal(22, scale=2), edges)))
    case("gelu.tanh", lambda input: F.gelu(input, approximate="tanh"), input=torch.cat((normal(22, scale=2), edges)))
    case("relu", F.relu, input=normal(3, 11))
    case("softmax", lambda input: input.softmax(-1), input=normal(3, 11, scale=3))
    case("softmax.large", lambda input: input.softmax(-1), input=normal(2, 7, scale=30, shift=300))
    case("logSoftmax", lambda input: input.log_softmax(-1), input=normal(3, 11, scale=3))
    case("attention.prefill", attention, query=normal(6, 4, 8), key=normal(6, 2, 8), value=normal(6, 2, 8))
    case("attention.cached", attention, query=normal(2, 4, 6), key=normal(7, 1, 6), value=normal(7, 1, 6))
    case("attention.multiHead", attention, query=normal(5, 3, 4), key=normal(5, 3, 4), value=normal(5, 3, 4))
    case("crossEntropy", lambda logits, targets: F.cross_entropy(logits, targets, reduction="none"),
         logits=normal(5, 13, scale=3), targets=ids(13, 5))
    case("crossEntropy.sure", lambda logits, targets: F.cross_entropy(logits, targets, reduction="none"),
         logits=normal(4, 6, scale=40), targets=ids(6, 4))

    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(cases.items()))
    versions = json.dumps({"torch": torch.__version__, "transformers": transformers.__version__})
    (HERE / "operations.json").write_text(f'{{\n  "versions": {versions},\n  "cases": {{\n{lines}\n  }}\n}}\n')


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
