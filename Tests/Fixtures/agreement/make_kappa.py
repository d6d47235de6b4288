"""Writes kappa.json: slider positions of two people, and Cohen's kappa by scikit-learn 1.9.1."""
import json
import pathlib

import numpy as np
from sklearn.metrics import cohen_kappa_score

random = np.random.default_rng(11)
scale = list(range(-4, 5))
cases = []
for tasks, noise in [(10, 1.0), (25, 2.0), (40, 6.0)]:
    true = random.integers(-4, 5, tasks)
    first, second = (np.clip(np.rint(true + noise * random.standard_normal(tasks)), -4, 4).astype(int).tolist() for _ in range(2))
    # all positions are named: the package would otherwise measure distances by the places of those that occur
    cases.append({
        "first": first, "second": second,
        **{name: cohen_kappa_score(first, second, labels=scale, weights=kind)
           for name, kind in [("equal", None), ("linear", "linear"), ("quadratic", "quadratic")]},
    })
pathlib.Path(__file__).with_name("kappa.json").write_text(json.dumps(cases, indent=1) + "\n")
