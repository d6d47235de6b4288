"""Writes winrates.json: generated comparisons with the length-controlled win rates that alpaca_eval finds for them.

usage: python make_winrates.py
Versions the committed file was made with: alpaca_eval 0.6.6, scikit-learn 1.9.1, numpy 2.4.6, pandas 3.1.1, Python 3.11.

alpaca_eval reads difficulties and the gamed baseline from a file that it downloads; here it reads a generated one of the same columns.
Each rate is computed twice: as it is, where liblinear stops at a tolerance of 1e-4, and with a tolerance of 1e-8 ("exact").
"""
import json, logging, math, os, random, tempfile, warnings
import numpy as np, pandas as pd
import alpaca_eval.metrics.glm_winrate as glm

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
r = random.Random(20240404)
here = os.path.dirname(os.path.abspath(__file__))

INSTRUCTIONS = 120
difficulty = [round(r.gauss(0, 1.2), 4) for _ in range(INSTRUCTIONS)]


def logistic(z):
    return 1 / (1 + math.exp(-z))


gamed = []
for shift in (-1.0, 1.2):
    for i in range(INSTRUCTIONS):
        length = round(r.gauss(shift, 0.7), 4)
        p = logistic(1.3 * math.tanh(length) + 0.4 * difficulty[i] + r.gauss(0, 1))
        gamed.append(dict(preference=round(p, 4), index=i, instruction_difficulty=difficulty[i], std_delta_len=length,
                          not_gamed_baseline=False, model="concise" if shift < 0 else "verbose"))
table = os.path.join(tempfile.mkdtemp(), "df_gamed.csv")
pd.DataFrame(gamed).to_csv(table, index=False)
glm.hf_hub_download = lambda **_: table


def rates(rows):
    frame = pd.DataFrame(dict(
        preference=[x["preference"] for x in rows], index=[x["index"] for x in rows],
        output_1=["x" * x["length_1"] for x in rows], output_2=["x" * x["length_2"] for x in rows],
        generator_1="baseline", generator_2="model", annotator="judge"))
    found = {}
    for name, info in glm.GLM_INFO.items():
        for key, settings in (("default", {}), ("exact", dict(tol=1e-8, max_iter=2_000))):
            fitted = {}
            plain = glm.fit_LogisticRegressionCV

            def remembering(*a, **k):
                fitted["model"] = plain(*a, **k)
                return fitted["model"]

            glm.fit_LogisticRegressionCV = remembering
            try:
                result = glm.get_length_controlled_winrate(
                    frame.copy(), glm_name=name, save_weights_dir=None, is_warn_extreme_changes=False,
                    glm_info=dict(info, kwargs=dict(info["kwargs"], **settings)))
            finally:
                glm.fit_LogisticRegressionCV = plain
            model = fitted["model"]
            found.setdefault(name, {})[key] = dict(
                length_controlled_winrate=float(result["length_controlled_winrate"]),
                lc_standard_error=float(result["lc_standard_error"]), win_rate=float(result["win_rate"]),
                C=float(model.C_[0]), coefficients=[float(c) for c in model.coef_[0]])
    return found


def rows(count, length_effect, difficulty_effect, own, noise, spread, discrete=False, ties=0.0, missing=0.0, equal=False):
    out = []
    for i in sorted(r.sample(range(INSTRUCTIONS), count)) if count <= INSTRUCTIONS else [r.randrange(INSTRUCTIONS) for _ in range(count)]:
        a = r.randrange(50, 400)
        b = a if equal else max(1, a + int(r.gauss(60, spread)))
        p = logistic(length_effect * math.tanh((b - a) / 100) + difficulty_effect * difficulty[i] + own + r.gauss(0, noise))
        preference = 1 + (round(p) if discrete else round(p, 4))
        if r.random() < ties:
            preference = r.choice([0, 1.5])
        if r.random() < missing:
            preference = None
        out.append(dict(preference=preference, index=i, length_1=a, length_2=b))
    return out


cases = {
    "nobody better": rows(60, 0, 0, 0, 1, 80),
    "length decides": rows(100, 3, 0, 0, 0.5, 120),
    "long and better": rows(100, 2, 0.8, 0.7, 0.6, 120),
    "long and worse": rows(120, 2.5, -0.6, -0.9, 0.6, 120),
    "whole verdicts": rows(110, 1.5, 0.9, 0.4, 0.3, 90, discrete=True),
    "ties and gaps": rows(110, 1.5, 0.7, -0.5, 0.5, 90, discrete=True, ties=0.2, missing=0.15),
    "few": rows(7, 1, 0.5, 1.5, 0.3, 90),
    "always": rows(40, 0, 0, 9, 0, 90, discrete=True),
    "many": rows(300, 1, 1.1, 0.3, 1.5, 150),
}
content = dict(
    difficulty=difficulty,
    gamed=[dict(outcome=x["preference"], scaledLengthDifference=x["std_delta_len"], difficulty=x["instruction_difficulty"]) for x in gamed],
    cases=[dict(name=name, rows=list_, rates=rates(list_)) for name, list_ in cases.items()])
# NaN of pandas is null here
with open(os.path.join(here, "winrates.json"), "w") as file:
    json.dump(content, file, separators=(",", ":"))
    file.write("\n")
for case in content["cases"]:
    print(case["name"], {k: (round(v["default"]["length_controlled_winrate"], 3), round(v["exact"]["length_controlled_winrate"], 3),
          v["default"]["C"], v["exact"]["C"]) for k, v in case["rates"].items()})
