"""Writes small data sets of the published shapes in every format, and expected.json: what their rows, prompts and splits are.

Rows are invented. Written with pandas (as the `datasets` package does), the csv and json modules and numpy; splits and
subsets are computed with numpy alone. Made with numpy 2.4.6, pandas 3.1.1, Python 3.11.
"""

import csv
import gzip
import io
import json
import pathlib
import pickle
import shutil

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).parent
SUBREDDITS = ["tifu", "relationships", "AskReddit", "dating_advice", "relationship_advice", "pettyrevenge"]
HARD = [
    "plain", "two\nlines", "a \"quoted\" word, a comma", "windows\r\nnewline", "tab\there", " leading and trailing ",
    "emoji \U0001f600 and e\u0301 beside \u00e9", "back\\slash and /slash/", "line\u2028separator", "\"", "\n\n", "a,b,\"c\"\n,",
    "ends with a quote\"", "'single' {braces} [brackets]", "", "\u00a0no-break\u00a0", "\ufefflooks like a mark",
]


def posts(split, count, generator):
    rows = []
    for i in range(count):
        words = [244, 245, 246, 5][i % 4]
        hard = HARD[i % len(HARD)]
        filler = max(0, words - hard.count(" ") - 1)
        rows.append({
            "id": f"t3_{split}{i}", "subreddit": SUBREDDITS[int(generator.integers(len(SUBREDDITS)))],
            "title": f"Title {i}: {HARD[(i * 5 + 3) % len(HARD)]}",
            "post": hard + " w" * filler + ("  " if i % 7 == 0 else ""),
            "summary": f"summary {i} {HARD[(i * 3 + 1) % len(HARD)]}",
        })
    return rows


def comparisons(split, count, generator):
    rows = []
    for i, post in enumerate(posts(split, count, generator)):
        is_news = i % 3 == 2
        rows.append({
            "info": {
                "id": post["id"] if i % 4 else "t3_same", "post": None if is_news else post["post"],
                "title": None if is_news else post["title"], "subreddit": None if is_news else post["subreddit"],
                "site": "cnn" if is_news else None, "article": "News. " + post["post"] if is_news else None,
            },
            "summaries": [
                {"text": " " + post["summary"], "policy": "sup1", "note": None},
                {"text": f" other {i}", "policy": "ref", "note": "x, \"y\""},
            ],
            "choice": int(generator.integers(2)), "worker": "w", "batch": f"cnndm{i}" if is_news else f"batch{i}",
            "split": split, "extra": {"confidence": 7 if i % 2 else None},
        })
    return rows


def news(split, count):
    return [
        {"article": f"({split}) Article {i}. {HARD[i % len(HARD)]}", "highlights": f"One .\nTwo {HARD[(i + 1) % len(HARD)]}",
         "id": f"{split}{i:040x}"} for i in range(count)
    ]


def as_lines(rows):
    buffer = io.StringIO()
    pd.DataFrame(rows).to_json(buffer, orient="records", lines=True, force_ascii=False)
    return buffer.getvalue().encode()


def as_array(rows):
    return json.dumps(rows, indent=1).encode()


def as_csv(rows):
    return pd.DataFrame(rows).to_csv(index=False).encode()


def flat_csv(rows):
    """Nested columns as pandas.json_normalize names them; the list of summaries as JSON; CRLF, as the csv module writes it."""
    buffer = io.StringIO(newline="")
    names = ["info.id", "info.post", "info.title", "info.subreddit", "info.article", "summaries", "choice", "batch"]
    writer = csv.DictWriter(buffer, names)
    writer.writeheader()
    for row in rows:
        flat = {"info." + key: row["info"][key] for key in ["id", "post", "title", "subreddit", "article"]}
        writer.writerow({**flat, "summaries": json.dumps(row["summaries"]), "choice": row["choice"], "batch": row["batch"]})
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def nested_csv(rows):
    """Nested columns as JSON; an index column; the choice as a floating-point number, as pandas writes it beside gaps."""
    frame = pd.DataFrame([{**row, "info": json.dumps(row["info"]), "summaries": json.dumps(row["summaries"]),
                           "choice": float(row["choice"])} for row in rows])
    return frame[["info", "summaries", "choice", "batch"]].to_csv().encode()


def columns_of_lists(rows):
    turned = [{**row, "summaries": {key: [s[key] for s in row["summaries"]] for key in row["summaries"][0]}} for row in rows]
    return "".join(json.dumps(row) + "\r\n" for row in turned).encode()


def write(path, content):
    path = HERE / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def prompt(row):
    if "article" in row:
        return "ARTICLE: " + row["article"] + "\nTL;DR:"
    return "SUBREDDIT: r/" + row["subreddit"] + "\nTITLE: " + row["title"] + "\nPOST: " + row["post"] + "\nTL;DR:"


def comparison_expectation(row):
    info = row["info"]
    is_news = info["article"] is not None
    text = {"article": info["article"]} if is_news else {k: info[k] for k in ["subreddit", "title", "post"]}
    return {"id": info["id"], "prompt": prompt(text), "summaries": [s["text"] for s in row["summaries"]],
            "choice": row["choice"], "is_news": is_news}


def write_maps(index):
    """The index as numpy saves a dictionary: of lists, of arrays, of numpy's numbers, and as older protocols have it."""
    (HERE / "maps").mkdir()
    values = {
        "lists": {split: [int(i) for i in rows] for split, rows in index.items()},
        "arrays": {split: np.asarray(rows, [np.int64, np.int32, ">i2"][k]) for k, (split, rows) in enumerate(index.items())},
        "scalars": {split: list(np.asarray(rows, np.int64)) for split, rows in index.items()},
    }
    for name, value in values.items():
        np.save(HERE / "maps" / f"{name}.npy", value, allow_pickle=True)
    header = (HERE / "maps" / "lists.npy").read_bytes()
    header = header[:10 + int.from_bytes(header[8:10], "little")]
    for protocol in [2, 3, 5]:
        for name in ["lists", "arrays"]:
            pickled = pickle.dumps(np.array(values[name], dtype=object), protocol=protocol)
            (HERE / "maps" / f"{name}-{protocol}.npy").write_bytes(header + pickled)


def main():
    generator = np.random.default_rng(20)
    for name in ["posts", "posts-gz", "comparisons", "news", "index", "maps", "scores", "npy"]:
        shutil.rmtree(HERE / name, ignore_errors=True)
    sets = {split: posts(split, count, generator) for split, count in [("train", 60), ("validation", 34), ("test", 23)]}
    write("posts/train.jsonl", as_lines(sets["train"]))
    write("posts/valid.csv", as_csv(sets["validation"]))
    write("posts/test.json", as_array(sets["test"]))
    write("posts-gz/train.csv.gz", as_csv(sets["train"]))
    write("posts-gz/validation.json.gz", as_array(sets["validation"]))
    write("posts-gz/test.jsonl.gz", as_lines(sets["test"]))

    preferences = {name: comparisons(name, 12, generator) for name in ["train", "validation", "test", "ood_test", "ood_train"]}
    write("comparisons/train.jsonl", as_lines(preferences["train"]))
    write("comparisons/validation.json", as_array(preferences["validation"]))
    write("comparisons/test.csv", flat_csv(preferences["test"]))
    write("comparisons/ood_test.csv.gz", nested_csv(preferences["ood_test"]))
    write("comparisons/ood_train.jsonl", columns_of_lists(preferences["ood_train"]))

    articles = {split: news(split, 10) for split in ["train", "validation", "test"]}
    write("news/train.jsonl", as_lines(articles["train"]))
    write("news/validation.csv", as_csv(articles["validation"]))
    write("news/test.jsonl", as_lines(articles["test"]))

    scores = {split: generator.integers(0, 20, len(rows)).astype(np.float32) / 8 for split, rows in sets.items()}
    index = {split: np.sort(np.argsort(-values, kind="stable")[:len(values) // 2]) for split, values in scores.items()}
    (HERE / "index").mkdir()
    (HERE / "scores").mkdir()
    write("index.json", json.dumps({split: rows.tolist() for split, rows in index.items()}).encode())
    for split, rows in index.items():
        kind = {"train": np.int64, "validation": np.int32, "test": np.bool_}[split]
        array = np.isin(np.arange(len(sets[split])), rows) if kind is np.bool_ else rows.astype(kind)
        np.save(HERE / "index" / f"{split}.npy", array)
        np.save(HERE / "scores" / f"{split}.npy", scores[split])

    write_maps(index)

    structures = {}
    for name, inside in {
        "tifu": lambda split, i, row: row["subreddit"] == "tifu",
        "length": lambda split, i, row: len(row["post"].split(" ")) <= 245,
        "sentiment": lambda split, i, row: i in index[split].tolist(),
    }.items():
        structures[name] = {}
        for split, rows in sets.items():
            parts = [(inside(split, i, row), row["id"]) for i, row in enumerate(rows)]
            structures[name][split] = [row for is_inside, row in parts if is_inside]
            structures[name]["ood_" + split] = [row for is_inside, row in parts if not is_inside]
            structures[name]["full_" + split] = [row for _, row in parts]
    random = {}
    for percent, divisor in [(10, 10), (50, 2)]:
        random[str(percent)] = {split: [sets[split][i]["id"] for i in np.random.default_rng(percent).choice(
            len(sets[split]), len(sets[split]) // divisor)] for split in ["train", "validation"]}
        random[str(percent)]["test"] = [row["id"] for row in sets["test"]]

    arrays = {
        "int8": np.array([-128, 0, 127], np.int8), "int16": np.array([-3, 2**15 - 1], ">i2"),
        "int32": np.array([-1, 2**31 - 1], np.int32), "int64": np.array([-2**63, 2**63 - 1], np.int64),
        "big": np.array([1, -2, 3], ">i8"), "uint8": np.array([0, 255], np.uint8), "uint32": np.array([2**32 - 1], "<u4"),
        "flags": np.array([True, False, True]), "float32": np.array([0.1, -2.5], np.float32),
        "float64": np.array([[0.1, 1e300], [-0.0, 3]], np.float64), "bigfloat": np.array([1.5, -0.25], ">f4"),
        "empty": np.zeros(0, np.int64), "scalar": np.array(7),
    }
    (HERE / "npy").mkdir()
    for name, array in arrays.items():
        np.save(HERE / "npy" / f"{name}.npy", array)
    for name, version in [("version2", (2, 0)), ("version3", (3, 0))]:
        arrays[name] = np.arange(5)
        with open(HERE / "npy" / f"{name}.npy", "wb") as file:
            np.lib.format.write_array(file, arrays[name], version=version)
    refused = HERE / "npy" / "refused"
    refused.mkdir()
    np.save(refused / "map.npy", {split: rows for split, rows in index.items()}, allow_pickle=True)
    np.save(refused / "objects.npy", np.array([1, "a"], dtype=object), allow_pickle=True)
    np.save(refused / "structures.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
    np.save(refused / "complex.npy", np.array([1j]))
    np.save(refused / "texts.npy", np.array(["a", "b"]))
    np.save(refused / "half.npy", np.array([1], np.float16))
    np.save(refused / "huge.npy", np.array([2**64 - 1], np.uint64))
    np.save(refused / "fortran.npy", np.asfortranarray(np.arange(6).reshape(2, 3)))
    np.savez(refused / "archive.npz", a=np.arange(3))
    (refused / "pickle.npy").write_bytes(pickle.dumps({"train": [1]}))

    expected = {
        "posts": sets, "prompts": {s: [prompt(row) for row in rows] for s, rows in sets.items()},
        "comparisons": {s: [comparison_expectation(row) for row in rows] for s, rows in preferences.items()},
        "news": articles, "news_prompts": {s: [prompt(row) for row in rows] for s, rows in articles.items()},
        "structures": structures, "random": random, "index": {split: rows.tolist() for split, rows in index.items()},
        "words": [[text, len(text.split(" "))] for text in HARD + ["a  b", "a b\nc", " ", ""]],
        "npy": {name: {"shape": list(a.shape), "numbers": [repr(x) for x in a.astype(a.dtype.newbyteorder("=")).ravel().tolist()]}
                for name, a in arrays.items()},
    }
    write("expected.json", (json.dumps(expected, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
