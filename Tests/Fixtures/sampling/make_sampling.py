"""Makes sampling.json: which tokens Transformers' warpers leave, and with what probabilities.

The order is that of generate(): temperature, top-k, top-p, min-p.

    python make_sampling.py
"""

import json
from pathlib import Path

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList, MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

SETTINGS = [
    dict(min_p=0.0), dict(min_p=0.05), dict(min_p=0.1), dict(min_p=0.5), dict(min_p=1.0),
    dict(min_p=0.1, temperature=0.3), dict(min_p=0.1, temperature=2.5), dict(min_p=0.02, temperature=4.0),
    dict(min_p=0.1, top_k=3), dict(min_p=0.01, top_k=12, temperature=1.5),
    dict(min_p=0.05, top_p=0.6), dict(min_p=0.2, top_p=0.95, temperature=1.5),
    dict(min_p=0.03, top_k=20, top_p=0.9, temperature=2.0), dict(min_p=0.3, top_k=5, top_p=0.5, temperature=0.7),
]


NAMES = dict(temperature="temperature", top_k="topK", top_p="topP", min_p="minP")


def warpers(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0):
    processors = LogitsProcessorList([TemperatureLogitsWarper(temperature)])
    if top_k:
        processors.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        processors.append(TopPLogitsWarper(top_p))
    processors.append(MinPLogitsWarper(min_p))
    return processors


def main():
    torch.manual_seed(3)
    rows = [torch.randn(30) * scale for scale in (0.5, 1.5, 4.0)]
    # two tokens share the first place, and one has no probability at all
    tied = torch.randn(30)
    tied[4] = tied[21] = 3.0
    tied[9] = -torch.inf
    rows.append(tied)
    cases = []
    for settings in SETTINGS:
        for index, row in enumerate(rows):
            kept = torch.softmax(warpers(**settings)(None, row[None].double())[0], -1)
            named = {NAMES[name]: value for name, value in settings.items()}
            cases.append(dict(row=index, **named, probabilities=[float(f"{x:.9g}") for x in kept.tolist()]))
    finite = [[None if x == -torch.inf else x for x in row.tolist()] for row in rows]
    Path(__file__).with_name("sampling.json").write_text(json.dumps(dict(rows=finite, cases=cases)) + "\n")


main()
