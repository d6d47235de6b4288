"""Rows as people have them, and what TRL makes of them: python make_shapes.py (trl 1.16, datasets 5).

Writes shapes.json: for each case the row, and TRL's prompt, chosen and rejected (extract_prompt where a prompt is implicit), or prompt,
completion and label (unpair_preference_dataset), or messages (maybe_convert_to_chatml), or the tokens of prompt and completion. No row is
taken from a data set.
"""

import copy
import json
import pathlib
import random

from datasets import Dataset
from transformers import AutoTokenizer
from trl.data_utils import (
    _tokenize,
    common_prefix_length,
    is_conversational,
    maybe_convert_to_chatml,
    maybe_extract_prompt,
    maybe_unpair_preference_dataset,
)


def message(role, content):
    return {"role": role, "content": content}


def preference(row):
    found = maybe_extract_prompt(copy.deepcopy(row))
    unpaired = maybe_unpair_preference_dataset(Dataset.from_list([found]))
    return {
        "row": row,
        "conversational": is_conversational({"chosen": found["chosen"]}),
        "expected": {key: found[key] for key in ("prompt", "chosen", "rejected")},
        "unpaired": [{key: answer[key] for key in ("prompt", "completion", "label")} for answer in unpaired],
    }


def texts():
    yield {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}
    yield {"prompt": "", "chosen": "yes", "rejected": "no"}
    yield {"prompt": "Two\nlines:\n", "chosen": "one", "rejected": " two"}
    yield {"chosen": "The sky is blue.", "rejected": "The sky is green."}
    yield {"chosen": "The sky is blue.", "rejected": "The sky is bluish."}
    yield {"chosen": "Count: one two", "rejected": "Count: one two three"}
    yield {"chosen": "Größe: ä", "rejected": "Größe: ö"}
    yield {"chosen": "flags 🇩🇪", "rejected": "flags 🇩🇰"}
    yield {"chosen": "e\u0301a", "rejected": "e\u0300b"}
    yield {"chosen": "a  b", "rejected": "a  c"}


def conversations():
    question, other = message("user", "What colour is the sky?"), message("user", "And at night?")
    system = message("system", "Be short.")
    blue, green, black = (message("assistant", text) for text in ("Blue.", "Green.", "Black."))
    yield {"prompt": [question], "chosen": [blue], "rejected": [green]}
    yield {"prompt": [system, question], "chosen": [blue], "rejected": [green]}
    yield {"chosen": [question, blue], "rejected": [question, green]}
    yield {"chosen": [system, question, blue, other, black], "rejected": [system, question, blue, other, green]}
    yield {"chosen": [question, blue, other, black], "rejected": [question, green, other, blue]}
    yield {"chosen": [question, blue], "rejected": [question, blue, other, black]}
    # as UltraFeedback-binarized has it: the prompt is a text, and stands in both sides once more
    yield {"prompt": "What colour is the sky?", "chosen": [question, blue], "rejected": [question, green]}
    yield {"prompt": "What colour is the sky?", "chosen": [question, blue, other, black], "rejected": [question, blue, other, green]}


def drawn(count):
    words = random.Random(1)
    for _ in range(count):
        start = " ".join(words.choice(["one", "two", "three", "four"]) for _ in range(words.randint(1, 5)))
        ends = [" ".join(words.choice(["a", "ab", "b", "abc", "cä"]) for _ in range(words.randint(1, 4))) for _ in "xx"]
        if ends[0] != ends[1]:
            yield {"chosen": f"{start} {ends[0]}", "rejected": f"{start} {ends[1]}"}


ALPACA = {
    True: "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
    False: "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:",
}


def tokens(kind):
    """What SFTTrainer trains of a prompt and a completion in texts: the end of sequence is put behind the text."""
    tokenizer = AutoTokenizer.from_pretrained(pathlib.Path(__file__).parent.parent / "tokenizers" / kind)
    rows = [
        {"prompt": "The sky is", "completion": " blue."},
        {"prompt": "The sky i", "completion": "s blue."},
        {"prompt": "The sky is ", "completion": "blue."},
        {"prompt": "\n\nHuman: Why?\n\nAssistant:", "completion": " Because."},
        {"prompt": "One\n", "completion": "\ntwo"},
    ]
    for instruction, given, output in [("Sort.", "b, a", "a, b"), ("Name a colour.", "", "Blue, of course"), ("Sag es.", "", "\nÄ")]:
        prompt = ALPACA[given != ""].format(instruction=instruction, input=given)
        row = {"instruction": instruction, "input": given, "output": output}
        rows.append({"prompt": prompt, "completion": output, "row": row})
    for row in rows:
        opening = _tokenize(tokenizer, row["prompt"])["input_ids"]
        whole = _tokenize(tokenizer, row["prompt"] + row["completion"] + tokenizer.eos_token)["input_ids"]
        shared = common_prefix_length(opening, whole)
        given = row.get("row") or {key: row[key] for key in ("prompt", "completion")}
        yield {"tokenizer": kind, "row": given, "prompt": row["prompt"], "untrained": whole[:shared], "trained": whole[shared:]}


fromValue = [
    {"conversations": [{"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}]},
    {"conversations": [{"from": "system", "value": "s"}, {"from": "user", "value": "q"}, {"from": "assistant", "value": "a"}]},
]
cases = {
    "preferences": [preference(row) for row in [*texts(), *conversations(), *drawn(60)]],
    "tokens": [case for kind in ("gpt2", "llama3") for case in tokens(kind)],
    "conversations": [{"row": row, "messages": maybe_convert_to_chatml(copy.deepcopy(row))["messages"]} for row in fromValue],
}
path = pathlib.Path(__file__).parent / "shapes.json"
path.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n")
print(path, {key: len(value) for key, value in cases.items()})
