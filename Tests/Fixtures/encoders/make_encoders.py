"""Makes the tiny encoders of this folder and what PyTorch computes with them.

    python Tests/Fixtures/encoders/make_encoders.py            # writes beside itself

Written with torch, transformers 5.23 and sentence-transformers 6.2. Both folders are sequence classifiers with NLI labels
(random weights, matrices N(0, 0.2), gains 1 + N(0, 0.2), float32) and sentence encoders at the same time; their tokenizers
are those of ../tokenizers/bert and ../tokenizers/roberta (which names ids up to 400). Each has two files of expectations:

expected.json
    ids            of each text of texts.json, with special tokens, cut to 24
    pairs          [{first, second, limit, ids, types}]: indices of texts, the most tokens, what the tokenizer makes of them
    probabilities  of the labels for each pair, in the order of id2label
expected.safetensors
    hidden.<i>     last hidden state of ids[i], [tokens, width]
    pooled.<mode>  those states under every pooling of sentence-transformers, [texts, width]
    logits         of the pairs, [pairs, labels]
    embeddings     SentenceTransformer(folder).encode(texts), [texts, width]

Texts are run one at a time: nothing is padded.
"""

import json
import pathlib
import shutil

import safetensors.torch
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

HERE = pathlib.Path(__file__).resolve().parent
TOKENIZERS = HERE.parent / "tokenizers"

TEXTS = [
    "The quick brown fox.", "", "hello", "Über naïve façades: café!", "the dog doesn't mind; it's asleep",
    " two  spaces\nand a line ", "日本語のテキスト 👍🏽", "weather whether mother father another other the then there their",
    "The then there their these those other another mother father weather whether and the rest is cut off at the end",
    "I'm sure they'll say we've seen what he'd done.", "x", "</s> [SEP] <mask>",
]
SHAPE = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3}
LABELS = {
    "bert": {"0": "entailment", "1": "neutral", "2": "contradiction"},
    "roberta": {"0": "CONTRADICTION", "1": "NEUTRAL", "2": "ENTAILMENT"},
}
LIMIT = 24


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def modules(folder, width, kinds):
    package = "sentence_transformers.models."
    paths = ["" if kind == "Transformer" else f"{i}_{kind}" for i, kind in enumerate(kinds)]
    write(folder / "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": package + kind} for i, (kind, path) in enumerate(zip(kinds, paths))])


def make(name, seed):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in (TOKENIZERS / name).iterdir():
        if file.name != "expected.json":
            shutil.copy(file, folder)
    torch.manual_seed(seed)
    if name == "bert":
        tokenizer = transformers.BertTokenizer.from_pretrained(folder)
        config = transformers.BertConfig(vocab_size=len(tokenizer) + 3, max_position_embeddings=40, **SHAPE)
        model = transformers.BertForSequenceClassification
        base = transformers.BertModel
    else:
        tokenizer = transformers.RobertaTokenizer.from_pretrained(folder)
        config = transformers.RobertaConfig(
            vocab_size=408, max_position_embeddings=36, type_vocab_size=1, layer_norm_eps=1e-5,
            pad_token_id=tokenizer.pad_token_id, **SHAPE)
        model = transformers.RobertaForSequenceClassification
        base = transformers.RobertaModel
    config.id2label = {int(i): label for i, label in LABELS[name].items()}
    config.label2id = {label: int(i) for i, label in LABELS[name].items()}
    model = model(config).eval()
    with torch.no_grad():
        for key, tensor in model.named_parameters():
            torch.nn.init.normal_(tensor, 1.0 if key.endswith("LayerNorm.weight") else 0.0, 0.2)
    tensors = {key: value.contiguous() for key, value in model.state_dict().items() if not key.endswith("_ids")}
    safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    saved = json.loads(config.to_json_string(use_diff=False))
    saved["architectures"] = [type(model).__name__]
    keys = ["architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
            "num_attention_heads", "hidden_act", "max_position_embeddings", "type_vocab_size", "layer_norm_eps",
            "pad_token_id", "id2label", "label2id"]
    write(folder / "config.json", {key: saved[key] for key in keys})

    width = config.hidden_size
    if name == "bert":
        modules(folder, width, ["Transformer", "Pooling", "Normalize"])
        write(folder / "1_Pooling/config.json", {
            "word_embedding_dimension": width, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False})
        write(folder / "sentence_bert_config.json", {"max_seq_length": 12, "do_lower_case": False})
    else:
        modules(folder, width, ["Transformer", "Pooling", "Dense"])
        write(folder / "1_Pooling/config.json", {"embedding_dimension": width, "pooling_mode": ["cls", "mean_sqrt_len_tokens"]})
        write(folder / "2_Dense/config.json", {
            "in_features": 2 * width, "out_features": 16, "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh"})
        dense = {"linear.weight": torch.randn(16, 2 * width) * 0.2, "linear.bias": torch.randn(16) * 0.2}
        safetensors.torch.save_file(dense, folder / "2_Dense/model.safetensors", metadata={"format": "pt"})
        write(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": True})

    encoder = base(config).eval()
    prefix = name + "."
    missing = encoder.load_state_dict(
        {key[len(prefix):]: value for key, value in tensors.items() if key.startswith(prefix)}, strict=False)
    assert all("pooler" in key or "_ids" in key for key in missing.missing_keys) and not missing.unexpected_keys, missing
    expected, numbers = {"ids": [], "pairs": [], "probabilities": []}, {}
    pooled = {mode: [] for mode in Pooling.POOLING_MODES}
    logits = []
    with torch.no_grad():
        for i, text in enumerate(TEXTS):
            ids = tokenizer(text, truncation=True, max_length=LIMIT)["input_ids"]
            expected["ids"].append(ids)
            mask = torch.ones(1, len(ids), dtype=torch.long)
            hidden = encoder(input_ids=torch.tensor([ids]), attention_mask=mask).last_hidden_state
            numbers[f"hidden.{i}"] = hidden[0].contiguous()
            for mode in pooled:
                features = {"token_embeddings": hidden, "attention_mask": mask}
                pooled[mode].append(Pooling(width, pooling_mode=mode)(features)["sentence_embedding"][0])
        for first, second, limit in [
            (0, 4, 32), (4, 0, 32), (7, 9, 32), (8, 9, 32), (9, 8, 32), (8, 8, 21), (8, 2, 16), (2, 8, 15), (1, 1, 32),
            (1, 7, 12), (11, 3, 32), (3, 8, 8), (8, 3, 9), (10, 10, 32),
        ]:
            found = tokenizer(
                TEXTS[first], TEXTS[second], truncation="longest_first", max_length=limit, return_token_type_ids=True)
            ids, types = found["input_ids"], found["token_type_ids"]
            expected["pairs"].append({"first": first, "second": second, "limit": limit, "ids": ids, "types": types})
            mask = torch.ones(1, len(ids), dtype=torch.long)
            output = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types]), attention_mask=mask).logits
            logits.append(output[0])
            expected["probabilities"].append(torch.softmax(output[0].double(), -1).tolist())
    for mode, rows in pooled.items():
        numbers[f"pooled.{mode}"] = torch.stack(rows)
    numbers["logits"] = torch.stack(logits)
    numbers["embeddings"] = torch.tensor(SentenceTransformer(str(folder), device="cpu").encode(TEXTS, batch_size=1))
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")
    safetensors.torch.save_file({k: v.float().contiguous() for k, v in numbers.items()}, folder / "expected.safetensors")


torch.set_num_threads(1)
write(HERE / "texts.json", TEXTS)
make("bert", 1)
make("roberta", 2)
