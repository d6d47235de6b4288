"""Makes the folder sentence: tiny sentence encoders as sentence-transformers writes and reads them, and an NLI classifier with a Unigram tokenizer.

    python Tests/Fixtures/encoders/make_sentence.py            # writes beside itself

Written with torch 2.15, transformers 5.24 and sentence-transformers 6.2. Weights are random. `FOLDERS` are saved by SentenceTransformer
itself, each with

expected.json         [{name, prompt, promptName, dimension, task}]: arguments of a call
expected.safetensors  <name>: what encode (encode_query, encode_document where there is a task) gives for texts.json, [texts, width]

overlays.json is a list of changes to the folder ../bert: {name, files, fails}; `files` are JSON values by path, null for a file that is
taken away; `fails` says that sentence-transformers refuses the folder or its texts. overlays.safetensors holds <name>: the vectors.

activations.safetensors: `x`, and for every function of torch.nn that stands behind a Dense its values there.

nli: a DeBERTa-v3 whose labels have no names, with the Unigram tokenizer that is trained here (not quite the same one each time);
expected.json holds pairs of texts with ids, types and the probabilities of the three labels.
"""

import contextlib
import json
import pathlib
import shutil
import tempfile

import safetensors.torch
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Dropout, LayerNorm, Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "sentence"
TEXTS = json.loads((HERE / "texts.json").read_text()) + [
    "the QUICK brown FOX", "Weather THE Other", "he said: they're here", "mother", "a b c d e f g h i j k l m n o p q r s t",
    "The dog. The dog. The dog.", "?!", "ÀÉÎ the then\tthere"]
ACTIVATIONS = ["Identity", "Tanh", "ReLU", "GELU", "Sigmoid", "SiLU", "Mish", "ReLU6", "ELU", "SELU", "CELU", "LeakyReLU", "LogSigmoid",
               "Softplus", "Softsign", "Tanhshrink", "Softshrink", "Hardshrink", "Hardtanh", "Hardswish", "Hardsigmoid"]
WIDTH = 12
nn = torch.nn


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def fill(module):
    with torch.no_grad():
        for key, tensor in module.named_parameters():
            is_gain = tensor.dim() == 1 and key.endswith("weight")
            nn.init.normal_(tensor, 1.0 if is_gain else 0.0, 0.3)


def base(lower):
    """A BERT with the tokenizer of ../bert."""
    folder = pathlib.Path(tempfile.mkdtemp())
    tokenizer = transformers.BertTokenizer.from_pretrained(HERE / "bert", do_lower_case=lower, strip_accents=False)
    tokenizer.model_max_length = 1000
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=16, num_hidden_layers=1, num_attention_heads=3,
        max_position_embeddings=40)
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    fill(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def dense(inputs, outputs, activation, **options):
    module = Dense(inputs, outputs, activation_function=activation, **options)
    fill(module)
    return module


def norm(width):
    module = LayerNorm(width)
    fill(module)
    return module


def call(name, prompt=None, promptName=None, dimension=None, task=None):
    return {"name": name, "prompt": prompt, "promptName": promptName, "dimension": dimension, "task": task}


PROMPTS = {"query": "the query: ", "document": "", "p": "Other the "}
FOLDERS = {
    "poolings": (
        lambda: [Transformer(base(False)), Pooling(WIDTH, pooling_mode=["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean",
                                                                       "lasttoken"]), norm(6 * WIDTH), Normalize()],
        {}, 12, [call("plain")]),
    "functions": (
        lambda: [Transformer(base(False)), Pooling(WIDTH), dense(WIDTH, 20, nn.ReLU(), bias=False), dense(20, 10, nn.GELU()), Dropout(0.3),
                 dense(10, 10, nn.SiLU(), use_residual=True), dense(10, 8, nn.Sigmoid(), use_residual=True), dense(8, 9, nn.Mish())],
        {}, None, [call("plain")]),
    "matryoshka": (
        lambda: [Transformer(base(False)), Pooling(WIDTH, pooling_mode="mean", include_prompt=False), dense(WIDTH, 11, nn.Identity()),
                 Normalize()],
        {"prompts": PROMPTS, "default_prompt_name": "p", "truncate_dim": 5}, 14,
        [call("plain"), call("empty", prompt=""), call("text", prompt="The weather "), call("named", promptName="query"),
         call("query", task="query"), call("document", task="document"), call("three", dimension=3), call("whole", dimension=11)]),
    "lower": (
        lambda: [Transformer(base(False), do_lower_case=True), Pooling(WIDTH, pooling_mode="cls")], {"similarity_fn_name": "dot"}, 9,
        [call("plain")]),
}


def make(name, seed):
    modules, options, length, calls = FOLDERS[name]
    torch.manual_seed(seed)
    model = SentenceTransformer(modules=modules(), device="cpu", **options)
    if length:
        model.max_seq_length = length
    folder = OUT / name
    model.save(str(folder), create_model_card=False)
    if name == "functions":
        # as older folders have it
        for place in [2, 5]:
            path = folder / f"{place}_Dense"
            (path / "model.safetensors").unlink()
            model[place].save_torch_weights(str(path), safe_serialization=False)
    model = SentenceTransformer(str(folder), device="cpu")
    numbers = {}
    for entry in calls:
        encode = {None: model.encode, "query": model.encode_query, "document": model.encode_document}[entry["task"]]
        numbers[entry["name"]] = torch.tensor(encode(
            TEXTS, batch_size=1, prompt=entry["prompt"], prompt_name=entry["promptName"], truncate_dim=entry["dimension"]))
        print(name, entry["name"], numbers[entry["name"]].shape, float(numbers[entry["name"]].abs().mean()))
    write(folder / "expected.json", calls)
    safetensors.torch.save_file({k: v.float().contiguous() for k, v in numbers.items()}, folder / "expected.safetensors")


OLD = "sentence_bert_config.json"
MODULES = json.loads((HERE / "bert/modules.json").read_text())
FLAGS = {"word_embedding_dimension": 24, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
TEXT = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
NEW = {"transformer_task": "feature-extraction", "module_output_name": "token_embeddings", "modality_config": TEXT}
OVERLAYS = {
    "old keys of poolings": {"1_Pooling/config.json": FLAGS},
    "new keys win": {"1_Pooling/config.json": FLAGS | {"pooling_mode": "max"}},
    "no old key is true": {"1_Pooling/config.json": FLAGS | {"pooling_mode_cls_token": False}},
    "several old keys": {"1_Pooling/config.json": FLAGS | {"pooling_mode_lasttoken": True, "pooling_mode_max_tokens": True}},
    "another file name": {OLD: None, "sentence_roberta_config.json": {"max_seq_length": 7, "do_lower_case": True}},
    "an empty file is passed over": {OLD: {}, "sentence_albert_config.json": {"max_seq_length": 6}},
    "lower case": {OLD: {"max_seq_length": 12, "do_lower_case": True}},
    "no length": {OLD: {"max_seq_length": None, "do_lower_case": False}},
    "length of the tokenizer": {OLD: {"max_seq_length": 12, "tokenizer_args": {"model_max_length": 8}}},
    "length of the tokenizer, new name": {OLD: {"max_seq_length": 12, "processor_kwargs": {"model_max_length": 20}}},
    "length of a call": {OLD: NEW | {"max_seq_length": 12, "processing_kwargs": {"text": {"max_length": 5}}}},
    "new names": {OLD: NEW | {"unpad_inputs": False, "model_kwargs": {"attn_implementation": "eager"}, "config_kwargs": {}}},
    "other modalities": {OLD: NEW | {"modality_config": TEXT | {"image": {"method": "forward", "method_output_name": "x"}}}},
    "unknown key": {OLD: {"max_seq_length": 12, "max_length": 3}},
    "unknown task": {OLD: NEW | {"transformer_task": "any"}},
    "no name of the output": {OLD: {"modality_config": TEXT}},
    "the pooler": {OLD: NEW | {"modality_config": {"text": {"method": "forward", "method_output_name": "nothing"}}}},
    "no text": {OLD: NEW | {"modality_config": {"image": TEXT["text"]}}},
    "unknown key of a pooling": {"1_Pooling/config.json": {"embedding_dimension": 24, "pooling": "mean"}},
    "no pooling": {"modules.json": MODULES[:1]},
    "code of its own": {"modules.json": [MODULES[0] | {"type": "custom.Transformer"}] + MODULES[1:]},
    "truncated": {"config_sentence_transformers.json": {"truncate_dim": 7}},
    "truncated beyond": {"config_sentence_transformers.json": {"truncate_dim": 700, "model_type": "SentenceTransformer"}},
    "drop-out": {"modules.json": MODULES + [{"idx": 3, "name": "3", "path": "3", "type": "sentence_transformers.models.Dropout"}],
                 "3/config.json": {"dropout": 0.9}},
    "norms without a file": {"modules.json": MODULES + [MODULES[2] | {"idx": 3, "name": "3", "path": "3_Normalize"}]},
    "plain folder": {"modules.json": None, OLD: None, "1_Pooling/config.json": None},
}


def overlay(name, files):
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent) / "model"
        shutil.copytree(HERE / "bert", folder, ignore=shutil.ignore_patterns("expected.*"))
        for path, value in files.items():
            if value is None:
                (folder / path).unlink()
            else:
                write(folder / path, value)
        try:
            return torch.tensor(SentenceTransformer(str(folder), device="cpu").encode(TEXTS, batch_size=1))
        except Exception as error:  # each kind of refusal has a class of its own
            print(name, type(error).__name__, str(error).splitlines()[0][:120])
            return None


def overlays():
    entries, numbers = [], {}
    for name, files in OVERLAYS.items():
        vectors = overlay(name, files)
        entries.append({"name": name, "files": files, "fails": vectors is None})
        if vectors is not None:
            numbers[name] = vectors.float().contiguous()
    write(OUT / "overlays.json", entries)
    safetensors.torch.save_file(numbers, OUT / "overlays.safetensors")


def activations():
    x = torch.cat([torch.linspace(-9, 9, 181), torch.tensor([-100.0, -20.5, -0.5, -1e-4, 1e-4, 0.5, 3, 6, 19.5, 20.5, 100])])
    numbers = {"x": x} | {name: getattr(nn, name)()(x) for name in ACTIVATIONS}
    safetensors.torch.save_file({k: v.contiguous().clone() for k, v in numbers.items()}, OUT / "activations.safetensors")


PAIRS = [(0, 4), (4, 0), (7, 9), (9, 7), (8, 9), (2, 8), (1, 1), (1, 7), (3, 12), (13, 14), (17, 17), (19, 6), (11, 10), (16, 8)]


def nli():
    folder = OUT / "nli"
    folder.mkdir(parents=True)
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.NFC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(TEXTS, trainers.UnigramTrainer(vocab_size=90, special_tokens=special, unk_token="[UNK]"))
    ids = [(token, tokenizer.token_to_id(token)) for token in special]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ids[1:3])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=30, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", pad_token="[PAD]",
        mask_token="[MASK]", bos_token="[CLS]", eos_token="[SEP]")
    fast.save_pretrained(folder)
    config = transformers.DebertaV2Config(
        vocab_size=len(fast) + 2, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20,
        max_position_embeddings=32, relative_attention=True, position_buckets=8, max_relative_positions=-1, share_att_key=True,
        norm_rel_ebd="layer_norm", pos_att_type="p2c|c2p", position_biased_input=False, type_vocab_size=0, layer_norm_eps=1e-7,
        pooler_dropout=0, pooler_hidden_act="gelu", num_labels=3)
    torch.manual_seed(31)
    model = transformers.DebertaV2ForSequenceClassification(config).eval()
    fill(model)
    model.save_pretrained(folder)
    entries = []
    for first, second in PAIRS:
        found = fast(TEXTS[first], TEXTS[second], truncation="longest_first", return_token_type_ids=True, return_tensors="pt")
        with torch.no_grad():
            logits = model(input_ids=found["input_ids"], attention_mask=torch.ones_like(found["input_ids"])).logits[0]
        entries.append({
            "first": TEXTS[first], "second": TEXTS[second], "ids": found["input_ids"][0].tolist(),
            "types": found["token_type_ids"][0].tolist(), "probabilities": torch.softmax(logits.double(), -1).tolist()})
    write(folder / "expected.json", entries)
    print("nli", [len(entry["ids"]) for entry in entries], entries[0]["probabilities"])


torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
shutil.rmtree(OUT, ignore_errors=True)
write(OUT / "texts.json", TEXTS)
for place, name in enumerate(FOLDERS):
    make(name, 201 + place)
with contextlib.chdir(HERE):
    overlays()
activations()
nli()
print(sum(file.stat().st_size for file in OUT.rglob("*") if file.is_file()) // 1024, "KiB")
