"""Makes the tiny encoders of further architectures in this folder, and what PyTorch computes with them.

    python Tests/Fixtures/encoders/make_architectures.py               # writes beside itself
    python Tests/Fixtures/encoders/make_architectures.py mpnet …       # some of them

Written with torch 2.15, transformers 5.24 and sentence-transformers 6.2. Every folder holds config.json and model.safetensors as
`save_pretrained` writes them, for all but the two `-embedding` folders those of a `…ForSequenceClassification`, and where Transformers 4
spells the configuration differently, config-4.json, which says the same. Weights are random: matrices, tables and biases N(0, 0.2), gains
of norms 1 + N(0, 0.2), those of Gemma, which stand beside a one, N(0, 0.2); rows of padding tokens are filled like others. There are no
tokenizers. Two files of expectations:

expected.json
    model         model_type
    labels        in the order of the logits; absent without a classifier
    problem       problem_type, where the configuration has one
    texts         [{ids, types}]: one token, 7 and 40, sometimes a longer one; `types` only where the model takes token types
    layersOf      the index of the text whose states behind every layer are kept
expected.safetensors
    hidden.<i>    last hidden state of text i, [tokens, width]
    layer.<k>     of text `layersOf`: 0 what the first layer reads, k what the k-th layer gives; the last is behind the final norm where
                  there is one. ALBERT has one for each layer inside of a group.
    logits        [texts, labels]
    embeddings    (`-embedding` folders) what modules.json makes of hidden.<i>, [texts, width]

Texts are run one at a time, with plain attention: nothing is padded. Ids of padding tokens inside of a text are on purpose (xlm-roberta,
mpnet), and at the end of one (qwen3-reward), where the classifier passes over them.
"""

import json
import pathlib
import random
import shutil
import sys

import safetensors.torch
import torch
import transformers
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = 64
SHAPE = {"vocab_size": VOCABULARY, "hidden_size": 36, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20,
         "max_position_embeddings": 64}
DISTILBERT = {"vocab_size": VOCABULARY, "dim": 36, "n_layers": 2, "n_heads": 3, "hidden_dim": 20, "max_position_embeddings": 64}
MODERNBERT = SHAPE | {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 20, "pad_token_id": 0, "bos_token_id": 1,
                      "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
DECODER = SHAPE | {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12, "intermediate_size": 28}
NLI = ["contradiction", "entailment", "neutral"]
V3 = {"relative_attention": True, "position_buckets": 8, "max_relative_positions": -1, "share_att_key": True,
      "norm_rel_ebd": "layer_norm", "pos_att_type": "p2c|c2p", "position_biased_input": False, "type_vocab_size": 0,
      "layer_norm_eps": 1e-7, "pooler_dropout": 0, "pooler_hidden_act": "gelu"}

# name: (class, configuration, options). Options: labels and problem of the classifier; lengths of texts; pads {text: {place: id}};
# types, whether the model takes them; four, how Transformers 4 spells keys, with those of Transformers 5 that they stand for.
MODELS = {
    # first of each architecture the forms that are published: log buckets, one set of projections, a norm on the table, no positions added
    "deberta-v3": ("DebertaV2", SHAPE | V3, {
        "labels": ["LABEL_0"], "lengths": [1, 7, 40, 70], "four": ({"pos_att_type": "p2c|c2p"}, [])}),
    "deberta-v2": ("DebertaV2", SHAPE | V3 | {"conv_kernel_size": 3, "conv_act": "gelu", "attention_head_size": 12}, {
        "labels": NLI, "lengths": [1, 7, 40, 70], "four": ({"pos_att_type": "p2c|c2p"}, [])}),
    # plain distances up to 12, projections of their own, positions and types added in another width
    "deberta-absolute": ("DebertaV2", SHAPE | {
        "relative_attention": True, "max_relative_positions": 12, "share_att_key": False, "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": True, "embedding_size": 20, "type_vocab_size": 2, "hidden_act": "gelu_new", "layer_norm_eps": 1e-3}, {
        "labels": ["toxic", "obscene", "threat", "insult"], "problem": "multi_label_classification", "types": True}),
    # one of the two terms, a wider convolution in groups with its usual tanh, another function in the pooler
    "deberta-p2c": ("DebertaV2", SHAPE | {
        "relative_attention": True, "max_relative_positions": 40, "position_buckets": 12, "share_att_key": False, "pos_att_type": ["p2c"],
        "position_biased_input": False, "conv_kernel_size": 5, "conv_groups": 3, "pooler_hidden_act": "tanh"}, {"labels": NLI[:2]}),
    # no distances at all; pos_att_type still divides the scores
    "deberta-plain": ("DebertaV2", SHAPE | {"pos_att_type": ["c2p", "p2c"], "type_vocab_size": 3, "layer_norm_eps": 1e-5}, {
        "labels": NLI, "types": True}),
    "distilbert": ("DistilBert", DISTILBERT, {"labels": ["NEGATIVE", "POSITIVE"]}),
    # the table of sines lies in the file like any other
    "distilbert-sinusoidal": ("DistilBert", DISTILBERT | {
        "n_heads": 4, "hidden_dim": 26, "sinusoidal_pos_embds": True, "activation": "relu"}, {"labels": ["LABEL_0"]}),
    "mpnet": ("MPNet", SHAPE | {"hidden_size": 24, "layer_norm_eps": 1e-5, "max_position_embeddings": 150}, {
        "labels": NLI, "lengths": [1, 7, 40, 140]}),
    # more buckets in the table than the function uses, another padding token than the one that positions are counted by
    "mpnet-buckets": ("MPNet", SHAPE | {
        "relative_attention_num_buckets": 40, "pad_token_id": 5, "hidden_act": "gelu_new", "num_attention_heads": 4}, {
        "labels": ["LABEL_0"], "pads": {1: {3: 1, 4: 5}, 2: {0: 1, 17: 1, 20: 5, 39: 1}}}),
    "xlm-roberta": ("XLMRoberta", SHAPE | {"layer_norm_eps": 1e-5, "type_vocab_size": 1, "max_position_embeddings": 66}, {
        "labels": NLI, "pads": {1: {3: 1}, 2: {5: 1, 6: 1, 39: 1}}}),
    "xlm-roberta-types": ("XLMRoberta", SHAPE | {"pad_token_id": 3, "hidden_act": "relu", "num_attention_heads": 4}, {
        "labels": ["LABEL_0"], "types": True, "pads": {2: {0: 3, 20: 3, 21: 1}}}),
    "electra": ("Electra", SHAPE | {"embedding_size": 20}, {"labels": ["fake", "real"], "types": True}),
    # no projection; the function of the classifier stays the exact gelu
    "electra-wide": ("Electra", SHAPE | {
        "embedding_size": 36, "hidden_act": "relu", "type_vocab_size": 3, "layer_norm_eps": 1e-3}, {
        "labels": ["LABEL_0"], "types": True}),
    "albert": ("Albert", SHAPE | {"embedding_size": 16, "num_hidden_layers": 3}, {"labels": NLI, "types": True}),
    # 3 layers in 2 groups: 0, 0, 1; two layers inside of each
    "albert-groups": ("Albert", SHAPE | {
        "hidden_size": 24, "embedding_size": 24, "num_hidden_layers": 3, "num_hidden_groups": 2, "inner_group_num": 2,
        "hidden_act": "gelu", "layer_norm_eps": 1e-3}, {
        "labels": ["a", "b", "c"], "problem": "multi_label_classification", "types": True}),
    "modernbert": ("ModernBert", MODERNBERT | {"num_hidden_layers": 4, "local_attention": 12}, {
        "labels": NLI, "four": (
            {"global_attn_every_n_layers": 3, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "layer_norm_eps": 1e-5,
             "position_embedding_type": "absolute", "reference_compile": False}, ["layer_types", "rope_parameters"])}),
    # an odd window, every bias, other bases, other functions
    "modernbert-biases": ("ModernBert", MODERNBERT | {
        "num_hidden_layers": 3, "local_attention": 7, "layer_types": ["full_attention", "sliding_attention", "full_attention"],
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 900.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 30.0}},
        "attention_bias": True, "mlp_bias": True, "norm_bias": True, "classifier_bias": True, "classifier_pooling": "mean",
        "classifier_activation": "relu", "hidden_activation": "silu", "norm_eps": 1e-4}, {
        "labels": ["LABEL_0"], "four": (
            {"global_attn_every_n_layers": 2, "global_rope_theta": 900.0, "local_rope_theta": 30.0}, ["layer_types", "rope_parameters"])}),
    # `-embedding`: the model alone, without a prefix in its names, as embedders are published
    "qwen3-embedding": ("Qwen3", DECODER | {"rope_parameters": {"rope_type": "default", "rope_theta": 5000.0}}, {
        "modules": "qwen3", "four": ({"rope_theta": 5000.0, "rope_scaling": None}, ["rope_parameters", "layer_types"])}),
    # a window behind the first layer, ids of the padding token at the end
    "qwen3-reward": ("Qwen3", DECODER | {
        "num_hidden_layers": 3, "num_key_value_heads": 1, "use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1,
        "pad_token_id": 4, "attention_bias": True, "rope_parameters": {"rope_type": "default", "rope_theta": 300.0}}, {
        "labels": ["LABEL_0"], "pads": {1: {2: 4, 5: 4, 6: 4}, 2: {39: 4}},
        "four": ({"rope_theta": 300.0, "rope_scaling": None}, ["rope_parameters", "layer_types"])}),
    # keys on both sides: all, or sliding_window / 2 on each
    "gemma3-embedding": ("Gemma3Text", DECODER | {
        "hidden_size": 24, "num_hidden_layers": 3, "use_bidirectional_attention": True, "sliding_window": 10, "query_pre_attn_scalar": 20,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 2000.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}}}, {
        "modules": "gemma3", "four": (
            {"rope_theta": 2000.0, "rope_local_base_freq": 100.0, "rope_scaling": None, "sliding_window_pattern": 2},
            ["rope_parameters", "layer_types"])}),
    "gemma3-classifier": ("Gemma3Text", DECODER | {
        "hidden_size": 24, "num_hidden_layers": 6, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 8,
        "use_bidirectional_attention": True, "sliding_window": 4, "query_pre_attn_scalar": 8}, {
        "labels": NLI, "four": (
            {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": None}, ["rope_parameters", "layer_types"])}),
}


def fill(name, model):
    """Random weights, except for the sines that a table of positions may be made of."""
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            if name == "distilbert-sinusoidal" and "position_embeddings" in key:
                continue
            is_gain = tensor.dim() == 1 and key.endswith("weight")
            torch.nn.init.normal_(tensor, 1.0 if is_gain and not name.startswith("gemma3") else 0.0, 0.2)


def texts(seed, options):
    numbers = random.Random(seed)
    for index, length in enumerate(options.get("lengths", [1, 7, 40])):
        ids = [numbers.randrange(6, VOCABULARY) for _ in range(length)]
        for place, pad in options.get("pads", {}).get(index, {}).items():
            ids[place] = pad
        if options.get("types"):
            yield {"ids": ids, "types": [int(place * 5 >= 3 * length or length == 1) for place in range(length)]}
        else:
            yield {"ids": ids}


def run(model, text, dtype=torch.float32):
    inputs = {key: torch.tensor([text[value]]) for key, value in [("input_ids", "ids"), ("token_type_ids", "types")] if value in text}
    with torch.no_grad():
        output = model.to(dtype)(**inputs, attention_mask=torch.ones(1, len(text["ids"]), dtype=torch.long), output_hidden_states=True)
    model.to(torch.float32)
    return [states[0] for states in output.hidden_states], output.logits[0] if "logits" in output else None


def error(found, expected):
    return ((found.double() - expected.double()).norm() / expected.double().norm()).item()


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def modules(kind, folder, width, hidden):
    """modules.json with its parts, as published embedders have them, and what they make of the states."""
    if kind == "qwen3":
        parts = [Pooling(width, pooling_mode="lasttoken"), Normalize()]
    else:
        parts = [Pooling(width, pooling_mode="mean"), Dense(width, 48, bias=False, activation_function=torch.nn.Identity()),
                 Dense(48, 20, bias=False, activation_function=torch.nn.Identity()), Normalize()]
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for index, part in enumerate(parts, start=1):
        kind = type(part).__name__
        listed.append({"idx": index, "name": str(index), "path": f"{index}_{kind}", "type": f"sentence_transformers.models.{kind}"})
        if kind == "Dense":
            torch.nn.init.normal_(part.linear.weight, 0.0, 0.2)
        if kind != "Normalize":
            (folder / f"{index}_{kind}").mkdir()
            part.save(str(folder / f"{index}_{kind}"))
    write(folder / "modules.json", listed)
    rows = []
    for states in hidden:
        features = {"token_embeddings": states[None], "attention_mask": torch.ones(1, len(states), dtype=torch.long)}
        for part in parts:
            features = part(features)
        rows.append(features["sentence_embedding"][0].detach())
    return torch.stack(rows)


def make(name, seed):
    kind, settings, options = MODELS[name]
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(seed)
    config = getattr(transformers, kind + "Config")(**settings, attn_implementation="eager")
    labels = options.get("labels")
    if labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: index for index, label in enumerate(labels)}
        config.problem_type = options.get("problem")
    model = getattr(transformers, kind + ("ForSequenceClassification" if labels else "Model"))(config).eval()
    fill(name, model)
    model.save_pretrained(folder)

    expected = {"model": config.model_type}
    if labels:
        expected["labels"] = labels
    if options.get("problem"):
        expected["problem"] = options["problem"]
    expected |= {"texts": list(texts(seed, options)), "layersOf": 2}
    hidden, logits, tensors, worst = [], [], {}, 0.0
    for index, text in enumerate(expected["texts"]):
        states, found = run(model, text)
        exact, exact_found = run(model, text, torch.float64)
        worst = max(worst, error(states[-1], exact[-1]), error(found, exact_found) if labels else 0.0)
        hidden.append(states[-1])
        if labels:
            logits.append(found)
        if index == expected["layersOf"]:
            tensors |= {f"layer.{k}": layer for k, layer in enumerate(states)}
    tensors |= {f"hidden.{index}": states for index, states in enumerate(hidden)}
    if labels:
        tensors["logits"] = torch.stack(logits)
    if "modules" in options:
        tensors["embeddings"] = modules(options["modules"], folder, config.hidden_size, hidden)
    tensors = {key: value.float().contiguous().clone() for key, value in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")

    # the other spelling, and PyTorch's own attention where a model has it, give the same
    if "four" in options:
        new, old = options["four"]
        saved = json.loads((folder / "config.json").read_text())
        write(folder / "config-4.json", {key: value for key, value in saved.items() if key not in old and key[0] != "_"} | new | {
            "transformers_version": "4.57.1"})
    for spelling in ["config.json"] + ["config-4.json"] * ("four" in options):
        for attention in ["eager", "sdpa"][:1 if kind in ["DebertaV2", "MPNet"] else 2]:
            read = type(config).from_pretrained(folder / spelling)
            again = type(model).from_pretrained(folder, config=read, attn_implementation=attention).eval()
            for text, states in zip(expected["texts"], hidden):
                assert error(run(again, text)[0][-1], states) < 3e-6, (name, spelling, attention)
    assert worst < 3e-6, (name, worst)
    print(f"{name}: {sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) // 1024} KiB, rounding {worst:.1e}")


torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
for place, name in enumerate(MODELS):
    if len(sys.argv) == 1 or name in sys.argv[1:]:
        make(name, 101 + place)
