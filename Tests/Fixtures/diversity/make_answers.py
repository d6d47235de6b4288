"""Writes answers.json: generated answers with what the metrics of classes, meaning and quality are, computed here step by step, and similarity/, a
small DeBERTa-v3 with two labels that stands for NoveltyBench's classifier (its tokenizer is that of ../encoders/sentence/nli).

usage: python make_answers.py
Versions the committed files were made with: numpy 2, torch 2, transformers 5.24.0, Python 3.11.

What follows which publication:
- partition, distinct, utility: NoveltyBench (arXiv 2504.05228). Its file has `distinct` = the greatest class number, one less than the number of
  classes, which its summary averages; this is the latter. Copies of a text are one class here whatever the classifier says.
- entropy, entropy_by_likelihood: semantic entropy (Kuhn et al. 2023, Farquhar et al. 2024) with strict entailment. Their loop lets the first member
  of a later class take answers of earlier ones.
- pass_at_k by counting all subsets (Chen et al. 2021); best_reward_at_k as the mean over all subsets.
- effective: the share of pairs that differ and are both good enough (arXiv 2504.12522).
- coverage: the share of references for which an answer has a ROUGE-L F of at least 0.5.
"""
import bisect, itertools, json, math, pathlib, random, re, shutil
from collections import Counter
import numpy as np, torch, transformers

HERE = pathlib.Path(__file__).resolve().parent
NLI = HERE.parent / "encoders/sentence/nli"
OUT = HERE / "similarity"
r = random.Random(11)
WORDS = ("the quick brown fox dog doesn't mind it's asleep weather whether mother father another other then there their over lazy "
         "Über café x rest cut off end sure they'll say we've seen what he'd done Paris London RED blue .").split()
LEVELS = [-7.71875, -6.28125, -6.0, -5.71875, -5.5, -5.0, -4.375, -3.4375, -2.046875]


def sentence(words, n): return " ".join(r.choice(words) for _ in range(n))


def answers():
    words = r.sample(WORDS, r.randrange(3, len(WORDS)))
    lengths = r.choice([[1, 2, 3], [3, 4, 5, 6, 7], [8, 12, 20], [1, 4, 5, 6, 30], [200]])
    out = [sentence(words, r.choice(lengths)) for _ in range(r.randrange(2, 11))]
    for i in range(len(out)):
        if r.random() < .1: out[i] = r.choice(out)
        if r.random() < .1: out[i] = "  " + out[i].upper() + "\n"
        if r.random() < .03: out[i] = ""
    return out


# ---- the classifier
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
for name in ("tokenizer.json", "tokenizer_config.json"): shutil.copy(NLI / name, OUT / name)
tokenizer = transformers.AutoTokenizer.from_pretrained(str(OUT))
torch.manual_seed(3)
config = transformers.DebertaV2Config(
    vocab_size=len(tokenizer), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, max_position_embeddings=300,
    type_vocab_size=0, relative_attention=True, position_buckets=8, pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm",
    position_biased_input=False, pooler_hidden_size=24, pooler_dropout=0, num_labels=2, initializer_range=0.4, max_relative_positions=-1)
model = transformers.DebertaV2ForSequenceClassification(config).eval()


def pair_ids(a, b):
    ids = [tokenizer.cls_token_id]
    for text in (a, b):
        ids += tokenizer(text, add_special_tokens=False, truncation=True, max_length=128)["input_ids"] + [tokenizer.sep_token_id]
    return ids


@torch.inference_mode()
def logits(a, b): return model(input_ids=torch.tensor([pair_ids(a, b)])).logits[0]


def same_probability(a, b): return logits(a, b).double().softmax(-1)[1].item()


probe = [answers() for _ in range(40)]
with torch.inference_mode():
    differences = [float(logits(a, b)[1] - logits(a, b)[0]) for s in probe for a, b in itertools.islice(itertools.permutations(s, 2), 6)]
    # half of the pairs lie above NoveltyBench's threshold
    model.classifier.bias[1] += math.log(.102 / .898) - float(np.median(differences))
model.save_pretrained(str(OUT))


# ---- classes
def unigrams(text): return text.strip().lower().split()


def by_classifier(a, b):
    if a == b: return True
    x, y = unigrams(a), unigrams(b)
    longer = max(len(x), len(y))
    if longer <= 5: return 2 * len(set(x) & set(y)) >= longer
    return same_probability(a, b) > .102


def rouge_words(text): return re.sub(r"[^a-z0-9]+", " ", text.lower()).split()


def f(common, answer, reference):
    precision, recall = common / max(answer, 1), common / max(reference, 1)
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def by_overlap(a, b):
    if a == b: return True
    x, y = rouge_words(a), rouge_words(b)
    return f(sum((Counter(x) & Counter(y)).values()), len(y), len(x)) > .458


def partition(texts, equivalent):
    classes, firsts = [], []
    for text in texts:
        for number, first in enumerate(firsts):
            if equivalent(first, text):
                classes.append(number)
                break
        else:
            classes.append(len(firsts))
            firsts.append(text)
    return classes


def utility(classes, scores, patience=.8):
    first = [s if c not in classes[:i] else 0 for i, (c, s) in enumerate(zip(classes, scores))]
    weights = [patience ** i for i in range(len(classes))]
    return sum(w * s for w, s in zip(weights, first)) / sum(weights)


def level(reward): return bisect.bisect_left(LEVELS, reward) + 1


# ---- meaning
def meanings(n, labels):
    ids, number = [-1] * n, 0
    for i in range(n):
        if ids[i] < 0:
            ids[i] = number
            for j in range(i + 1, n):
                if labels[i][j] == 2 and labels[j][i] == 2: ids[j] = number
            number += 1
    return ids


def entropy(p): return float(-sum(x * math.log(x) for x in p if x > 0))


def entropy_by_likelihood(ids, mean_log_probs):
    normed = np.array(mean_log_probs) - np.log(np.sum(np.exp(mean_log_probs)))
    log_p = [np.log(np.sum(np.exp(normed[[i for i, x in enumerate(ids) if x == c]]))) for c in sorted(set(ids))]
    return float(-np.sum(np.exp(log_p) * log_p))


# ---- coverage
def lcs(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        left = row[:]
        for j, y in enumerate(b): row[j + 1] = left[j] + 1 if x == y else max(left[j + 1], row[j])
    return row[-1]


def covered(texts, references):
    def match(t, ref):
        x, y = rouge_words(t), rouge_words(ref)
        return f(lcs(y, x), len(x), len(y)) >= .5
    return sum(any(match(t, ref) for t in texts) for ref in references) / len(references)


sets = []
for texts in [answers() for _ in range(40)]:
    n = len(texts)
    rewards = [round(r.uniform(-9, 0), r.choice([1, 3])) for _ in texts]
    threshold = round(r.uniform(-8, -1), 2)
    classes = partition(texts, by_classifier)
    overlap = partition(texts, by_overlap)
    labels = [[r.choice([0, 1, 2, 2, 2]) for _ in texts] for _ in texts]
    # copies mean the same and say the same of others
    for i in range(n):
        k = texts.index(texts[i])
        if k != i:
            for j in range(n): labels[i][j], labels[j][i] = labels[k][j], labels[j][k]
    for i, j in itertools.product(range(n), repeat=2):
        if texts[i] == texts[j]: labels[i][j] = 2
    log_probs = [round(r.uniform(-60, -1), 3) for _ in texts]
    tokens = [r.randrange(1, 40) for _ in texts]
    ids = meanings(n, labels)
    c = sum(x >= threshold for x in rewards)
    references = [r.choice([sentence(WORDS, 6), r.choice(texts) + " " + sentence(WORDS, 2), r.choice(texts) + " " + sentence(WORDS, 9)])
                  for _ in range(r.randrange(1, 4))]
    good = [x >= threshold for x in rewards]
    sets.append({
        "texts": texts, "rewards": rewards, "threshold": threshold, "partition": classes, "distinct": max(classes) + 1, "overlap": overlap,
        "probability": same_probability(texts[0], texts[-1]),
        "utility": utility(classes, rewards), "utilityOfLevels": utility(classes, [level(x) for x in rewards]),
        "distinctOfTwo": len(set(classes[:2])), "utilityOfTwo": utility(classes[:2], rewards[:2]),
        "labels": labels, "logProbs": log_probs, "tokens": tokens, "meanings": ids,
        "entropy": entropy([x / n for x in Counter(ids).values()]),
        "entropyByLikelihood": entropy_by_likelihood(ids, [a / b for a, b in zip(log_probs, tokens)]),
        "passAtK": [sum(any(good[i] for i in s) for s in itertools.combinations(range(n), k)) / math.comb(n, k) for k in range(1, n + 1)],
        "bestAtK": [sum(max(rewards[i] for i in s) for s in itertools.combinations(range(n), k)) / math.comb(n, k) for k in range(1, n + 1)],
        "effective": sum(good[i] and good[j] and not by_overlap(texts[i], texts[j]) for i, j in itertools.combinations(range(n), 2)) / math.comb(n, 2),
        "references": references, "coverage": covered(texts, references)})
(HERE / "answers.json").write_text(json.dumps({"levels": LEVELS, "sets": sets}, ensure_ascii=False, separators=(",", ":")))
print(len(sets), Counter(s["distinct"] for s in sets), Counter(round(s["coverage"], 2) for s in sets))
print("classifier", Counter(s["distinct"] == len(set(s["texts"])) for s in sets), "overlap", Counter(max(s["overlap"]) + 1 for s in sets))
print("taken over by a later class", sum(s["meanings"] != partition(range(len(s["texts"])), lambda i, j: s["labels"][i][j] == s["labels"][j][i] == 2) for s in sets))
