"""Writes alpha.json: slider positions of several people with missing ones, and Krippendorff's alpha by the package krippendorff 0.9.0."""
import json
import pathlib

import krippendorff
import numpy as np

random = np.random.default_rng(7)
cases = []
for people, tasks, noise, missing in [(2, 12, 1.0, 0.0), (3, 20, 1.5, 0.3), (5, 30, 3.0, 0.5), (2, 8, 6.0, 0.2)]:
    true = random.integers(-4, 5, tasks)
    values = np.clip(np.rint(true + noise * random.standard_normal((people, tasks))), -4, 4)
    values[random.random((people, tasks)) < missing] = np.nan
    cases.append({
        "units": [[v for v in column if not np.isnan(v)] for column in values.T.tolist()],
        **{level: krippendorff.alpha(reliability_data=values, level_of_measurement=level) for level in ["nominal", "ordinal", "interval"]},
    })
file = pathlib.Path(__file__).with_name("alpha.json")
file.write_text(json.dumps(cases, indent=1) + "\n")
