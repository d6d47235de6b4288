"""Makes tiny models of this folder and what PyTorch computes with them. make_families.py makes those of further families.

    python Tests/Fixtures/models/make_models.py            # writes next to itself
    python Tests/Fixtures/models/make_models.py gpt2 …     # some of them

Every folder is a Hugging Face model folder of random weights (matrices N(0, 0.2), normalisation gains 1 + N(0, 0.2),
all tensors float32) with a reward head `v_head.*` among its tensors, and two files of expectations:

expected.json
    versions      of torch and transformers that made the numbers
    parameters    names of the trainable tensors, without the head
    sequences     [{tokens, promptLength}]: the loss is trained on tokens[promptLength...]
    trainedTokens number of those tokens in all sequences
    loss          sum of -log p(token | tokens before it) over the trained tokens / trainedTokens
    adamWLosses   that loss before each of 10 AdamW steps on all parameters (lr 1e-3, betas 0.9 / 0.999, eps 1e-8,
                  weight decay 0.01 on every tensor; the head takes no part)
    greedy        {prompt, tokens, smallestMargin}: greedy continuation with the key/value cache, and the smallest
                  difference between the best and the second logit on the way
    greedyUncached  (dynamic rotary scaling only) the same without a cache: the whole prefix is run again for each
                  token, so its keys are rotated for the present length. A cache keeps the older rotation.
    reward        {pairs: [{first, second, choice}], scores: [[first, second]], loss}: score = head at the last token,
                  (w·h + b + normalisation) / normalisation_std; loss = mean of -log sigmoid(chosen - other)
expected.safetensors
    logits.<i>                 [tokens, vocabulary] for sequence i
    hidden.<i>                 [tokens, head width], what the head reads (after the final norm and any projection)
    gradients.<name>           d loss / d tensor
    reward.gradients.<name>    d reward loss / d tensor (the output projection takes no part unless it is tied)

Sequences are run one at a time: nothing is padded. Dynamic rotary scaling depends on the length of each sequence alone
(the length transformers remembers between calls is reset before every run).

Some gradients are zero in exact arithmetic and rounding noise here: a reward head's bias and the last norm's bias (both
scores move together) and key biases without rotary embedding (softmax does not see them). Adam turns such noise into
full steps, which changes no loss. Compare gradients against the norm of all of them, or with an absolute tolerance.
"""

import json
import pathlib
import sys

import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = 48

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 16,
    "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "hidden_act": "silu", "max_position_embeddings": 256, "initializer_range": 0.02, "rms_norm_eps": 1e-5,
    "use_cache": True, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": False, "rope_theta": 10000.0,
    "rope_scaling": None, "attention_bias": False, "mlp_bias": False, "torch_dtype": "float32",
}
OPT = {
    "architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": VOCABULARY, "hidden_size": 16,
    "ffn_dim": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "activation_function": "relu",
    "max_position_embeddings": 224, "do_layer_norm_before": True, "word_embed_proj_dim": 16, "dropout": 0.1,
    "attention_dropout": 0.0, "layerdrop": 0.0, "init_std": 0.02, "use_cache": True, "pad_token_id": 1,
    "bos_token_id": 2, "eos_token_id": 2, "prefix": "</s>", "torch_dtype": "float32",
}
GPT2 = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2,
    "n_head": 4, "n_positions": 224, "n_ctx": 224, "activation_function": "gelu_new", "attn_pdrop": 0.1,
    "embd_pdrop": 0.1, "resid_pdrop": 0.1, "layer_norm_epsilon": 1e-5, "initializer_range": 0.02,
    "bos_token_id": 47, "eos_token_id": 47, "summary_type": "cls_index", "torch_dtype": "float32",
}
LLAMA3_SCALING = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
# name: (configuration, seed). Seeds are chosen for greedy texts that are not all one token.
MODELS = {
    "llama-gqa": (LLAMA, 3),
    "llama-tied-biases-llama3": (
        LLAMA | {
            "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "head_dim": 8,
            "rope_theta": 500.0, "rope_scaling": LLAMA3_SCALING,
        }, 30),
    "llama-linear": (LLAMA | {"num_hidden_layers": 2, "rope_scaling": {"type": "linear", "factor": 4.0}}, 5),
    "llama-dynamic": (
        LLAMA | {
            "num_hidden_layers": 2, "max_position_embeddings": 12, "rope_theta": 100.0,
            "rope_scaling": {"type": "dynamic", "factor": 2.0},
        }, 23),
    "llama-v5-config": (LLAMA | {"num_hidden_layers": 2, "num_key_value_heads": 4, "rope_theta": 50000.0}, 7),
    "opt-pre-norm": (OPT, 8),
    "opt-post-norm-projected": (OPT | {"do_layer_norm_before": False, "word_embed_proj_dim": 8}, 31),
    "gpt2": (GPT2, 31),
    # post-norm without the two projections of the 350m shape; the released configurations have no flags of their own for the rest
    "opt-post-norm": (OPT | {"do_layer_norm_before": False, "num_hidden_layers": 1, "activation_function": "gelu"}, 8),
    "opt-bare": (
        OPT | {
            "enable_bias": False, "layer_norm_elementwise_affine": False, "_remove_final_layer_norm": True,
            "tie_word_embeddings": False, "activation_function": "silu", "word_embed_proj_dim": 8,
        }, 4),
    "gpt2-scaled": (
        GPT2 | {
            "n_inner": 24, "activation_function": "relu", "scale_attn_weights": False,
            "scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True, "tie_word_embeddings": False,
        }, 2),
}
SPELLED_BY_TRANSFORMERS_5 = {"llama-v5-config"}  # rope_parameters and dtype, not rope_theta, rope_scaling, torch_dtype


def number(value):
    """Nine significant digits: exact for float32."""
    return float(f"{float(torch.as_tensor(value).detach()):.9g}")


def fill(model, generator, matrices=0.2, embeddings=None, gain=1.0):
    """Deviations of matrices and embeddings; all else is N(0, 0.2), around `gain` where it multiplies what was normalised."""
    embedding = model.get_input_embeddings().weight
    for name, tensor in model.named_parameters():
        deviation = (embeddings or matrices) if tensor is embedding else matrices if tensor.ndim > 1 else 0.2
        mean = gain if tensor.ndim == 1 and name.endswith("weight") else 0.0
        tensor.data = torch.randn(tensor.shape, generator=generator) * deviation + mean


def make_head(width, generator, scalar):
    shape = [] if scalar else [1]
    return {
        "v_head.linear.weight": torch.randn([1, width], generator=generator) * 0.2,
        "v_head.linear.bias": torch.randn([1], generator=generator) * 0.2,
        "v_head.normalisation": torch.full(shape, 0.25),
        "v_head.normalisation_std": torch.full(shape, 1.5),
    }


def forget_length(model):
    """Dynamic rotary scaling remembers the longest sequence it has seen."""
    rotary = getattr(model.base_model, "rotary_emb", None)
    if rotary is not None and getattr(rotary, "rope_type", None) == "dynamic":
        rotary.max_seq_len_cached = rotary.original_max_seq_len
        rotary.register_buffer("inv_freq", rotary.original_inv_freq, persistent=False)


def hidden_states(model, tokens):
    forget_length(model)
    return model.base_model(input_ids=torch.tensor([tokens]), use_cache=False).last_hidden_state[0]


def logits(model, tokens):
    forget_length(model)
    return model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]


def language_loss(model, sequences):
    total, count = 0, 0
    for sequence in sequences:
        tokens, start = sequence["tokens"], sequence["promptLength"]
        log_probs = logits(model, tokens)[start - 1 : -1].log_softmax(-1)
        total = total - log_probs.gather(1, torch.tensor(tokens[start:])[:, None]).sum()
        count += len(tokens) - start
    return total / count, count


def score(model, head, tokens):
    last = hidden_states(model, tokens)[-1]
    value = last @ head["v_head.linear.weight"][0] + head["v_head.linear.bias"][0]
    return (value + head["v_head.normalisation"].reshape([])) / head["v_head.normalisation_std"].reshape([])


def reward_loss(model, head, pairs):
    losses, scores = [], []
    for pair in pairs:
        both = [score(model, head, pair["first"]), score(model, head, pair["second"])]
        losses.append(-torch.nn.functional.logsigmoid(both[pair["choice"]] - both[1 - pair["choice"]]))
        scores.append([number(value) for value in both])
    return torch.stack(losses).mean(), scores


def greedy(model, prompt, count, cached):
    tokens, margin, cache = list(prompt), float("inf"), None
    forget_length(model)
    with torch.no_grad():
        for _ in range(count):
            if cached:
                new = tokens if cache is None else tokens[-1:]
                output = model(input_ids=torch.tensor([new]), cache=cache, use_cache=True)
                cache, last = output.cache, output.logits[0, -1]
            else:
                last = logits(model, tokens)[-1]
            best = last.topk(2)
            margin = min(margin, float(best.values[0] - best.values[1]))
            tokens.append(int(best.indices[0]))
    return {"prompt": prompt, "tokens": tokens[len(prompt) :], "smallestMargin": number(margin)}


def make(name, config_values, seed, fill=fill, transformers_5=False, renamed=None, more=None):
    """Writes the folder of one model.

    `renamed` holds the names in a checkpoint of parameters that have others in memory; `more(model, config, draw, expected)`
    checks and adds to the expectations of the untouched weights.
    """
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_values, indent=2) + "\n")
    config = transformers.AutoConfig.from_pretrained(folder)
    generator = torch.Generator().manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    fill(model, generator)
    if transformers_5:
        model.config.save_pretrained(folder)
    renamed = renamed or {}
    parameters = {renamed.get(key, key): tensor for key, tensor in model.named_parameters()}  # a tied tensor once
    width = getattr(config, "word_embed_proj_dim", config.hidden_size)
    head = make_head(width, generator, scalar=config.model_type == "gpt2")
    safetensors.torch.save_file(
        {key: tensor.detach().contiguous() for key, tensor in (parameters | head).items()},
        folder / "model.safetensors", metadata={"format": "pt"})

    again = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    for key, tensor in again.named_parameters():
        assert torch.equal(tensor, parameters[renamed.get(key, key)]), key

    def draw(length):  # ids 0..2 and the last are special in one family or another
        return torch.randint(3, config.vocab_size - 1, [length], generator=generator).tolist()

    sequences = [{"tokens": draw(length), "promptLength": prompt} for length, prompt in [(6, 2), (11, 7), (24, 13)]]
    pairs = []
    for first, second, choice in [(5, 9, 0), (17, 12, 1)]:
        prompt = draw(4)
        pairs.append({"first": prompt + draw(first), "second": prompt + draw(second), "choice": choice})
    tensors = {}

    with torch.no_grad():
        for index, sequence in enumerate(sequences):
            tensors[f"logits.{index}"] = logits(model, sequence["tokens"])
            tensors[f"hidden.{index}"] = hidden_states(model, sequence["tokens"])
    expected = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "parameters": sorted(parameters), "sequences": sequences,
    }
    long_rope = getattr(getattr(model.base_model, "rotary_emb", None), "rope_type", None) == "longrope"
    # where the factors change, `generate` drops the cache and runs everything again, as if there had been none
    expected["greedy"] = greedy(model, draw(5), 200, cached=not long_rope)
    if name == "llama-dynamic":
        expected["greedyUncached"] = greedy(model, expected["greedy"]["prompt"], 60, cached=False)
    else:
        forget_length(model)
        generated = model.generate(
            torch.tensor([expected["greedy"]["prompt"]]), do_sample=False, max_new_tokens=24 if long_rope else 12,
            eos_token_id=None, pad_token_id=0)
        assert generated[0, 5:].tolist() == expected["greedy"]["tokens"][: generated.shape[1] - 5]
    if more is not None:
        more(model, config, draw, expected)

    for tensor in head.values():
        tensor.requires_grad_(True)
    loss, expected["reward"] = reward_loss(model, head, pairs)
    loss.backward()
    expected["reward"] = {"pairs": pairs, "scores": expected["reward"], "loss": number(loss)}
    for key, tensor in (parameters | head).items():
        if tensor.grad is not None and not key.startswith("v_head.normalisation"):
            tensors[f"reward.gradients.{key}"] = tensor.grad.clone()
        tensor.grad = None

    optimizer = torch.optim.AdamW(
        parameters.values(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False)
    expected["adamWLosses"] = []
    for step in range(10):
        optimizer.zero_grad()
        loss, count = language_loss(model, sequences)
        loss.backward()
        if step == 0:
            expected["loss"], expected["trainedTokens"] = number(loss), count
            tensors |= {f"gradients.{key}": tensor.grad.clone() for key, tensor in parameters.items()}
        expected["adamWLosses"].append(number(loss))
        optimizer.step()

    tensors = {key: tensor.detach().contiguous() for key, tensor in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "expected.safetensors", metadata={"format": "pt"})
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(expected.items()))
    (folder / "expected.json").write_text("{\n" + lines + "\n}\n")
    margins = [expected[key]["smallestMargin"] for key in ("greedy", "greedyUncached") if key in expected]
    distinct = len(set(expected["greedy"]["tokens"]))
    print(name, "loss", expected["loss"], "->", expected["adamWLosses"][-1], "margins", margins, "distinct", distinct)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    for model_name, (values, model_seed) in MODELS.items():
        if model_name in (sys.argv[1:] or MODELS):
            make(model_name, values, model_seed, transformers_5=model_name in SPELLED_BY_TRANSFORMERS_5)
