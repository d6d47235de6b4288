"""What sentence-transformers makes of prompts, on the tiny encoder ../encoders/bert: prompts/expected.json and prompts/expected.safetensors.

    python Tests/Fixtures/encoders/make_prompts.py            # writes beside itself

Written with transformers 5.24 and sentence-transformers 6.2. Each case is the bert folder with another config_sentence_transformers.json
and another pooling; tests make the same folders. expected.json is a list of

    name      of the case; <name> in expected.safetensors are SentenceTransformer(folder).encode(texts), [texts, width]
    prompts   config_sentence_transformers.json; null for none
    pooling   1_Pooling/config.json; null for a folder without modules.json
    lower     do_lower_case of sentence_bert_config.json
    fails     whether sentence-transformers refuses the folder

Where a text has nothing left to pool, `max` gives −∞; such numbers are stored as they are.
"""

import json
import pathlib
import shutil
import tempfile

import safetensors.torch
import torch
from sentence_transformers import SentenceTransformer

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = json.loads((HERE / "texts.json").read_text())
WIDTH = 24
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


def prompts(text="the query: ", default="p", **more):
    return {"prompts": {"p": text, "other": "Another: "}, "default_prompt_name": default, "similarity_fn_name": "cosine"} | more


def pooling(mode, include):
    return {"embedding_dimension": WIDTH, "pooling_mode": mode, "include_prompt": include}


LONG = "weather whether mother father another other the then there their these those other another"
CASES = [
    ("no file", None, pooling("mean", False)),
    ("no default", prompts(default=None), pooling("mean", False)),
    ("empty prompt", prompts(text=""), pooling("mean", False)),
    ("null prompt", prompts(text=None), pooling("mean", False)),
    ("usual prompt", {"prompts": {}, "default_prompt_name": "query"}, pooling("mean", False)),
    ("filled usual prompt", {"prompts": {"query": "the dog "}, "default_prompt_name": "query"}, pooling("mean", True)),
    ("no default of that name", prompts(default="absent"), pooling("mean", True)),
    ("no folder of modules", prompts(), None),
    ("a word goes on", prompts(text="the th"), pooling("mean", False)),
    ("ends in a special token", prompts(text="the [SEP]"), pooling("mean", False)),
    ("spaces alone", prompts(text="  "), pooling("mean", False)),
    ("dot", prompts(similarity_fn_name="dot"), pooling("mean", True)),
    ("several", prompts(), pooling(["cls", "weightedmean"], False)),
    ("lower", prompts(text="THE Query: "), pooling("mean", False)),
]
for mode in MODES:
    for include in [True, False]:
        CASES.append((f"{mode} {include}", prompts(), pooling(mode, include)))
    CASES.append((f"{mode} long", prompts(text=LONG), pooling(mode, False)))


def make(folder, name, prompts, pooling):
    shutil.copytree(HERE / "bert", folder)
    for file in ["expected.json", "expected.safetensors"]:
        (folder / file).unlink()
    if prompts is not None:
        (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    if pooling is None:
        (folder / "modules.json").unlink()
    else:
        (folder / "1_Pooling/config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 12, "do_lower_case": name == "lower"}))


torch.set_num_threads(1)
expected, numbers = [], {}
for name, prompt, pool in CASES:
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent) / "model"
        make(folder, name, prompt, pool)
        try:
            vectors = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, batch_size=1)
        except ValueError as error:
            print(name, error)
            vectors = None
    expected.append({"name": name, "prompts": prompt, "pooling": pool, "lower": name == "lower", "fails": vectors is None})
    if vectors is not None:
        numbers[name] = torch.tensor(vectors)
        print(name, vectors.shape, float(abs(vectors[torch.isfinite(torch.tensor(vectors)).numpy()]).mean()))
(HERE / "prompts").mkdir(exist_ok=True)
(HERE / "prompts/expected.json").write_text(json.dumps(expected, indent=1) + "\n")
safetensors.torch.save_file({k: v.float().contiguous() for k, v in numbers.items()}, HERE / "prompts/expected.safetensors")
