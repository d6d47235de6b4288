#!/usr/bin/env python3
"""Writes measures.json: numbers of an HTML report computed by other means, with NumPy. Run in this folder."""
import itertools
import json
import math

import numpy as np

rng = np.random.default_rng(5)

values = np.round(rng.normal(size=23), 4)
span = 5
alpha = 2 / (span + 1)
smoothed = [
    float(np.average(values[: t + 1], weights=(1 - alpha) ** np.arange(t, -1, -1))) for t in range(len(values))
]

pairs = np.round(rng.normal(size=(205, 2)) + [0.6, 0], 3)
probability = 1 / (1 + np.exp(-np.abs(pairs[:, 0] - pairs[:, 1])))
right = np.where(pairs[:, 0] > pairs[:, 1], 1.0, np.where(pairs[:, 0] == pairs[:, 1], 0.5, 0.0))
order = np.argsort(probability, kind="stable")
count = min(10, len(pairs) // 20)
bins, error = [], 0.0
z = 1.959963984540054
for b in range(count):
    part = order[b * len(pairs) // count : (b + 1) * len(pairs) // count]
    n, share, mean = len(part), float(right[part].mean()), float(probability[part].mean())
    # the ends are the roots of (share - p)^2 = z^2 p (1 - p) / n
    low, high = sorted(np.roots([1 + z * z / n, -(2 * share + z * z / n), share * share]).real)
    bins.append({"count": n, "predicted": mean, "observed": share, "low": float(low), "high": float(high)})
    error += n / len(pairs) * abs(mean - share)

rewards = [[round(float(x), 3) for x in rng.normal(size=6)] for _ in range(4)]
rewards[1][2] = rewards[1][4]
best = [
    float(np.mean([np.mean([max(c) for c in itertools.combinations(prompt, n)]) for prompt in rewards])) for n in range(1, 7)
]
kl = [math.log(n) - (n - 1) / n for n in range(1, 7)]

with open("measures.json", "w") as file:
    json.dump(
        {
            "values": values.tolist(), "span": span, "smoothed": smoothed, "pairs": pairs.tolist(), "bins": bins, "error": error,
            "rewards": rewards, "best": best, "kl": kl,
        },
        file, indent=1)
    file.write("\n")
