"""Writes pairs.json: generated text pairs with their ROUGE and BLEU scores, exact matches and word stems.

usage: python make_pairs.py [COUNT]      (default 70; the committed file. 3000 for a full check)
Versions the committed file was made with: rouge 1.0.1, rouge-score 0.1.2, nltk 3.10.4, sacrebleu 2.6.0, Python 3.11.
"""
import json, os, random, string, sys
from nltk.stem.porter import PorterStemmer
from rouge import Rouge
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU

count = int(sys.argv[1]) if len(sys.argv) > 1 else 70
r = random.Random(20240607)
plain = ("the a of to and is was cat dog report reports reported reporting relational running hopping hoped flies dies died "
         "skies generously generalization happily enjoyment agreed feeding motoring national conditional I Boston NASA").split()
odd = ["na\u00efve", "caf\u00e9", "cafe\u0301", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03cc\u03c2", "\u0130stanbul", "\u212aelvin",
       "stra\u00dfe", "\u6771\u4eac", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f600", "\u0627\u0644\u0633\u0644\u0627\u0645",
       "1,000.5", "3-4", "$5.99", "e.g.", "U.S.", "a.b", "end.", "end..", "...", ".", ",", "don't", "it's", "co-op", "well-\nknown",
       "&amp;", "&amp;lt;", "&lt;b&gt;", "&quot;", "<skipped>", "(see)", "[1]", "x=y", "50%", "#tag", "@user", "\\", "a/b", "9.", ".9", "1.a",
       "a,1", "\u201cquoted\u201d", "\u2014", "~", "_", "`", "yyyy", "123ing", "abc1ed"]
gaps = [" "] * 30 + ["  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u2028", "\u3000", "\x1c", "\x85", ". ", ".\n", ", ", "; ", "-", ".", " . "]

def text(words):
    n = r.choice([0, 1, 1, 2, 3, 5, 8, 12, 20, 30, 80]) if count < 1000 or r.random() < .9 else 150
    out = ""
    for i in range(n):
        out += r.choice(words) + (r.choice(gaps) if i + 1 < n or r.random() < .2 else "")
    return out

def pair():
    pool = r.sample(plain, r.randrange(2, len(plain))) + r.sample(odd, r.choice([0, 0, 3, 10, len(odd)]))
    hyp = text(pool)
    kind = r.random()
    if kind < .08: return hyp, hyp
    if kind < .14: return hyp, r.choice(["", " ", "\n", ".", "..", " . "])
    if kind < .20: return r.choice(["", " ", "\n", ".", "..", " . "]), text(pool)
    if kind < .26: return hyp, hyp.upper()
    if kind < .36:
        cut = hyp.split(" "); r.shuffle(cut); return hyp, " ".join(cut[: r.randrange(len(cut) + 1)])
    return hyp, text(pool)

fixed = [("", ""), (" ", "a"), ("a", ""), ("a b c d", "a b c d"), ("the cat sat on the mat. the dog ran", "the dog ran.\nthe cat sat")]
pairs = (fixed + [pair() for _ in range(count)])[:count]
package = Rouge()
plain_scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=False)
stem_scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
bleus = {
    "exp": BLEU(effective_order=True), "floor": BLEU(effective_order=True, smooth_method="floor"),
    "floor5": BLEU(effective_order=True, smooth_method="floor", smooth_value=0.5),
    "addk": BLEU(effective_order=True, smooth_method="add-k"), "none": BLEU(effective_order=True, smooth_method="none"),
    "expFull": BLEU(), "lower": BLEU(effective_order=True, lowercase=True), "order2": BLEU(effective_order=True, max_ngram_order=2),
}

def number(x):
    return int(x) if x == int(x) else float(f"{x:.13g}")

def original(hyp, ref):
    try: s = package.get_scores(hyp, ref)[0]
    except ValueError: return [0] * 9       # the package raises on a text without a piece
    return [number(s[m][k]) for m in ("rouge-1", "rouge-2", "rouge-l") for k in "prf"]

def standard(scorer, hyp, ref):
    s = scorer.score(ref, hyp)
    return [number(v) for m in ("rouge1", "rouge2", "rougeL", "rougeLsum") for v in (s[m].precision, s[m].recall, s[m].fmeasure)]

def normalised(t):
    return " ".join("".join(c for c in t.lower() if c not in string.punctuation).split())

rows = []
for i, (hyp, ref) in enumerate(pairs):
    rows.append({"hypothesis": hyp, "reference": ref, "original": original(hyp, ref), "standard": standard(plain_scorer, hyp, ref),
                 "stemmed": standard(stem_scorer, hyp, ref), "exact": int(normalised(hyp) == normalised(ref)),
                 "bleu": {k: number(b.sentence_score(hyp, [ref]).score) for k, b in bleus.items()}})

hyps, refs = [p[0] for p in pairs], [p[1] for p in pairs]
other = refs[1:] + refs[:1]
multi = [number(bleus["exp"].sentence_score(h, [a, b]).score) for h, a, b in zip(hyps, refs, other)]
corpus = {}
for k, b in bleus.items():
    one, two = b.corpus_score(hyps, [refs]), b.corpus_score(hyps, [refs, other])
    corpus[k] = {"score": number(one.score), "precisions": [number(p) for p in one.precisions], "penalty": number(one.bp),
                 "hypothesisLength": one.sys_len, "referenceLength": one.ref_len, "twoReferences": number(two.score)}
suffixes = ("s es ies ed ing ied eed ational tional enci anci izer bli alli entli eli ousli ization ation ator alism iveness fulness "
            "ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent "
            "sion tion ion ou ism ate iti ous ive ize e ll y ly lly atted bbled izing tting lling").split()
starts = "b tr s y ya by tow archaeo ge hop fail fil contro rol prob relat val radic hap enj fl sp d cr happ gener int un yy aeiou xyz 12 c3".split()
words = sorted({s + x + z for s in starts for x in suffixes for z in ("", r.choice(suffixes))})
words = r.sample(words, min(len(words), 350 if count < 1000 else len(words)))
words += "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed".split()
stem = PorterStemmer()
out = {"pairs": rows, "twoReferences": multi, "corpus": corpus, "stems": {w: stem.stem(w) for w in words}}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pairs.json")
json.dump(out, open(path, "w"), ensure_ascii=True, separators=(",", ":"), sort_keys=True)
print(path, os.path.getsize(path), "bytes")
