"""Writes sets.json: generated sets of texts with their n-gram diversity and statistics, recomputed with numpy, scipy and the packages named below.

usage: python make_sets.py [COUNT]       (default 40; the committed file. 2000 for a full check)
Versions the committed file was made with: numpy 2, scipy 1.17.1, vendi-score 0.0.3, sacrebleu 2.6.0, rouge-score 0.1.2, Python 3.11.
"""
import json, math, os, random, sys
import numpy as np, scipy.stats
from collections import Counter
from itertools import combinations
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU

count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
r = random.Random(7)
pool = ("a an the i am going lets go to eat apples. bananas. oranges cat dog sat mat. on it is not well known. NASA "
        "na\u00efve cafe\u0301 caf\u00e9 \u6771\u4eac \U0001f600 e.g. 3.5 don't \u00a0 x\u00a0y -").split(" ")

def text(words):
    n = r.choice([0, 1, 2, 3, 5, 8, 13, 25])
    return "".join(r.choice(words) + r.choice([" "] * 12 + ["  ", "\n", ". ", ".\n", "\t", "."]) for _ in range(n))

def texts():
    words = r.sample(pool, r.randrange(2, len(pool)))
    n = r.choice([2, 2, 3, 4, 6, 8])
    out = [text(words) for _ in range(n)]
    for i in range(n):
        if r.random() < .15: out[i] = r.choice(out)
    return out

def words(t):
    return [w for w in t.replace(".", "").replace("\n", "").split(" ") if w]

def grams(t, n):
    w = words(t)
    return [tuple(w[i:i + n]) for i in range(len(w) - n + 1)]

def distinct(ts, n):
    g = [x for t in ts for x in grams(t, n)]
    return len(set(g)) / len(g) if g else 0

def ead(ts, n, v=50257):
    g = [x for t in ts for x in grams(t, n)]
    return len(set(g)) / (v * -math.expm1(len(g) * math.log1p(-1 / v))) if g else 0

def kernel(ts, n):
    c = [Counter(grams(t, n)) for t in ts]
    keys = {k: i for i, k in enumerate(sorted(set().union(*c)))}
    x = np.zeros((len(ts), max(1, len(keys))))
    for i, ci in enumerate(c):
        for k, m in ci.items(): x[i, keys[k]] = m
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norm > 0, norm, 1)

def cosine(ts, n):
    x = kernel(ts, n)
    return 1 - np.mean([x[i] @ x[j] for i, j in combinations(range(len(ts)), 2)])

import warnings; warnings.filterwarnings("ignore")
import scipy.sparse
if not hasattr(scipy.sparse, "csr"): scipy.sparse.csr = scipy.sparse       # the package asks for a module that newer scipy renamed
elif not hasattr(scipy.sparse.csr, "csr_matrix"): scipy.sparse.csr.csr_matrix = scipy.sparse.csr_matrix
from vendi_score import vendi

def vendi_scores(ts):
    x = kernel(ts, 1)
    k = x @ x.T
    empty = np.array([not words(t) for t in ts])
    k[np.ix_(empty, empty)] = 1           # texts without words are alike
    return {str(q): float(vendi.score_K(k, q=q)) for q in (0.5, 1, 2, 5, "inf")}

bleu, scorer = BLEU(effective_order=True), rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
def self_bleu(ts):
    return float(np.mean([bleu.sentence_score(t, ts[:i] + ts[i + 1:]).score / 100 for i, t in enumerate(ts)]))

def rouge_l(ts):
    return float(np.mean([scorer.score(a, b)["rougeL"].fmeasure for a, b in combinations(ts, 2)]))

def self_repetition(ts, n=4):
    sets = [{tuple(t.split()[i:i + n]) for i in range(len(t.split()) - n + 1)} for t in ts]
    return float(np.mean([math.log1p(sum(g in s for j, s in enumerate(sets) if j != i for g in sets[i])) for i in range(len(ts))]))

def compression(ts):
    data = b"\n".join(sorted(t.encode() for t in ts))
    if not any(ts): return None
    bits = p = 0
    while p < len(data):
        best = 0
        places = [q for q in range(p) if len(data) - p >= 4 and data[q:q + 4] == data[p:p + 4]][-256:]
        for q in places:
            n = 0
            while p + n < len(data) and data[q + n] == data[p + n]: n += 1
            best = max(best, n)
        cost = 1 + 2 * math.floor(math.log2(best)) + 1 + math.floor(math.log2(p)) + 1 if best else math.inf
        copies = cost < 9 * best
        bits += cost if copies else 9
        p += best if copies else 1
    return 8 * len(data) / bits

def number(x):
    return float(f"{x:.13g}")

rows = []
for _ in range(count):
    ts = texts()
    e = [[r.gauss(0, 1) + .5 for _ in range(6)] for _ in ts]
    u = np.array(e, dtype=np.float32).astype(np.float64); u /= np.linalg.norm(u, axis=1, keepdims=True)
    rows.append({"texts": ts, "distinct": [number(distinct(ts, n)) for n in range(1, 6)], "ead": [number(ead(ts, n)) for n in range(1, 6)],
                 "ead100": number(ead(ts, 1, 100)), "cosine": [number(cosine(ts, n)) for n in (1, 3)],
                 "vendi": {k: number(v) for k, v in vendi_scores(ts).items()}, "selfBLEU": number(self_bleu(ts)), "rougeL": number(rouge_l(ts)),
                 "selfRepetition": number(self_repetition(ts)),
                 "compression": None if compression(ts) is None else number(compression(ts)), "embeddings": [[float(np.float32(v)) for v in row] for row in e] if len(rows) < 12 else [],
                 "embeddingDiversity": number(1 - np.mean([u[i] @ u[j] for i, j in combinations(range(len(ts)), 2)])),
                 "embeddingVendi": number(vendi.score_K(u @ u.T, q=1))})
rewards = [r.choice([r.gauss(0, 1), 0.5, 0.5]) for _ in range(6)]
best = [number(np.mean([max(c) for c in combinations(rewards, n)])) for n in range(1, 7)]
values = [number(r.gauss(0, 1)) for _ in range(9)]
stats = {"values": values, "quantiles": {str(q): number(np.quantile(values, q)) for q in (0, .025, .1, .5, .73, .975, 1)},
         "std": number(np.std(values)), "sampleStd": number(np.std(values, ddof=1)),
         "student": {str(v): number(scipy.stats.t.ppf(.975, v)) for v in (1, 2, 3, 4, 5, 9, 19, 30)}}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sets.json")
json.dump({"sets": rows, "bestOfN": {"rewards": rewards, "curve": best}, "statistics": stats}, open(path, "w"), separators=(",", ":"), sort_keys=True)
print(path, os.path.getsize(path), "bytes")
