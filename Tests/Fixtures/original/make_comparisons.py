"""Which comparisons belong to which split under the published code's options, worked out from a description of it, with numpy alone:
python3 make_comparisons.py > comparisons.json (reads ../corpora/comparisons)

A comparison goes by its number in its file, also in an index (the published set has no news, and nothing else to number by). A set of
posts has no comparisons on news (batches named cnndm), so subsets are drawn from the rest.
    random      n // 10 or n // 2 rows of train and validation, drawn with replacement, in the order drawn, by a generator that is seeded
                with the percentage anew for each split; the test split stays whole
    structured  rows inside by subreddit, number of pieces between single spaces (245 at most), or an index of rows; the rest is ood_,
                both together in the order of the file are full_
    news        all comparisons on news, never a subset
    raw         prompt, a space, summary, end of sequence as text; published summaries begin with a space of their own
"""

import csv
import io
import json
import pathlib

import numpy as np

SETS = pathlib.Path(__file__).resolve().parent.parent / "corpora" / "comparisons"


def flat(row):
    info = {key.removeprefix("info."): value for key, value in row.items() if key.startswith("info.")}
    return {"info": info, "summaries": json.loads(row["summaries"]), "choice": int(row["choice"]), "batch": row["batch"]}


files = {
    "train": [json.loads(line) for line in (SETS / "train.jsonl").read_text("utf-8").split("\n") if line],
    "validation": json.loads((SETS / "validation.json").read_text("utf-8")),
    "test": [flat(row) for row in csv.DictReader(io.StringIO((SETS / "test.csv").read_bytes().decode("utf-8-sig"), newline=""))],
}
news = {split: [i for i, row in enumerate(rows) if "cnndm" in row["batch"]] for split, rows in files.items()}
posts = {split: [i for i in range(len(rows)) if i not in news[split]] for split, rows in files.items()}
index = {"train": [0, 3, 4, 7, 8], "validation": [1, 2, 6], "test": [5, 7]}

inside = {
    "tifu": lambda split, number, info: info["subreddit"] == "tifu",
    "AskReddit": lambda split, number, info: info["subreddit"] == "AskReddit",
    "length": lambda split, number, info: len(info["post"].split(" ")) <= 245,
    "sentiment": lambda split, number, info: number in index[split],
}
out = {"posts": posts, "news": news, "index": index, "random": {}, "structured": {}, "choices": {}, "raw": []}
for percent in (10, 50):
    out["random"][percent] = {"test": posts["test"]}
    for split in ("train", "validation"):
        count = len(posts[split])
        places = np.random.default_rng(percent).integers(0, count, count // (10 if percent == 10 else 2))
        out["random"][percent][split] = [posts[split][place] for place in places]
for name, belongs in inside.items():
    own = out["structured"][name] = {}
    for split, numbers in posts.items():
        flags = [bool(belongs(split, number, files[split][number]["info"])) for number in numbers]
        own[split] = [number for number, flag in zip(numbers, flags) if flag]
        if split != "train":
            own["ood_" + split] = [number for number, flag in zip(numbers, flags) if not flag]
            own["full_" + split] = numbers
for split, rows in files.items():
    out["choices"][split] = [row["choice"] for row in rows]
for split, number in [("train", posts["train"][0]), ("validation", posts["validation"][3]), ("test", news["test"][1])]:
    row = files[split][number]
    info = row["info"]
    prompt = (
        f"ARTICLE: {info['article']}\nTL;DR:" if number in news[split]
        else f"SUBREDDIT: r/{info['subreddit']}\nTITLE: {info['title']}\nPOST: {info['post']}\nTL;DR:")
    out["raw"].append({
        "split": split, "number": number, "news": number in news[split],
        "texts": [prompt + " " + summary["text"] + "</s>" for summary in row["summaries"]]})
assert all(text.count("TL;DR:  ") == 1 for row in out["raw"] for text in row["texts"])
print(json.dumps(out))
