"""Numbers of the published code's behaviour, worked out from a description of it, in plain Python: python3 make_original.py > original.json"""
import json, math, statistics

out = {}

# The running moments of advantages: the mean moves first, then the difference to it is squared; the variance is divided by n.
batches = [[0.5, -1.0, 2.0, 0.25], [3.0, 1.0], [-2.0, -2.5, 0.5]]
count, mean, squares, states = 0, 0.0, 0.0, []
for batch in batches:
    own = sum(batch) / len(batch)
    own_squares = sum((x - own) ** 2 for x in batch)
    total = count + len(batch)
    mean += (own - mean) * len(batch) / total
    squares += own_squares + (own - mean) ** 2 * count * len(batch) / total
    count = total
    deviation = math.sqrt(squares / count)
    states.append({"mean": mean, "deviation": deviation, "normalised": [(x - mean) / (1e-8 + deviation) for x in batch]})
out["moments"] = {"batches": batches, "states": states}

# Clipped fractions: where the clipped objective is below the plain one, and where the clipped value has the greater loss.
logs = [(-1.0, -1.4, 1.0), (-1.0, -1.4, -1.0), (-1.4, -1.0, 1.0), (-1.4, -1.0, -1.0), (-1.0, -1.05, 1.0), (-1.0, -1.4, 0.0)]
values = [(1.0, 0.5, 1.5), (1.0, 0.5, 0.0), (0.0, 0.5, 1.0), (0.0, 0.5, -1.0), (0.6, 0.5, 2.0), (1.0, 0.5, 0.75)]
clip = 0.2
policies = sum(min(max(math.exp(new - old), 1 - clip), 1 + clip) * a < math.exp(new - old) * a for new, old, a in logs)
baselines = sum((target - (old + min(max(v - old, -clip), clip))) ** 2 > (target - v) ** 2 for v, old, target in values if abs(v - old) > clip)
out["clipped"] = {"clip": clip, "logs": logs, "values": values, "policies": policies, "baselines": baselines}

# The adaptive KL weight: it sees the mean of the learn batches since the last log line, before this step's rollouts.
def controlled(kls, log_steps, coefficient, target, n, horizon):
    seen, found = [], []
    for step, kl in enumerate(kls, 1):
        if seen:
            error = min(max(sum(seen) / len(seen) / target - 1, -0.2), 0.2)
            coefficient *= 1 + error * n / horizon
        seen.append(kl)
        found.append(coefficient)
        if step % log_steps == 0:
            seen = []
    return found
kls = [0.0, 3.0, 0.1, 0.9, 2.0, 0.0, 0.5]
out["control"] = [{"kls": kls, "logSteps": k, "coefficients": controlled(kls, k, 0.5, 1.0, 2, 10)} for k in (1, 2, 3, 100)]
assert controlled([0, 0, 0, 0], 1, 0.5, 6, 16, 80) == [0.5] * 4

# The loss of an evaluation: the mean of the batches' means.
losses = [[2.0], [1.0, 3.0, 2.0, 2.0], [0.5, 1.5], [4.0], [5.0, 3.0, 1.0]]
def batch_means(rows, size):
    means = []
    for i in range(0, len(rows), size):
        tokens = [x for row in rows[i:i + size] for x in row]
        means.append(sum(tokens) / len(tokens))
    return sum(means) / len(means)
out["evaluation"] = {"losses": losses, "mean2": batch_means(losses, 2), "whole": batch_means(losses, 9)}

# Reward model: scores of answers 0 and 1, ties predict 0.
scores = [[0.3, 1.2], [2.0, -0.5], [0.1, 0.4], [-1.0, -1.5]]
choices = [1, 0, 0, 1]
flat = [x for pair in scores for x in pair]
predictions = [int(b > a) for a, b in scores]
positive = sum(p == c == 1 for p, c in zip(predictions, choices))
out["reward"] = {
    "scores": flat, "choices": choices,
    "loss": sum(math.log(math.exp(a) + math.exp(b)) - (a, b)[c] for (a, b), c in zip(scores, choices)) / 4,
    "accuracy": sum(p == c for p, c in zip(predictions, choices)) / 4,
    "precision": positive / sum(predictions), "recall": positive / sum(choices),
    "mean": statistics.fmean(flat), "std": statistics.pstdev(flat), "median": statistics.median(flat), "ptp": max(flat) - min(flat),
    "normalised": [(x - statistics.fmean(flat)) / statistics.pstdev(flat) for x in flat],
}

# ROUGE-1 inside PPO: the reference is a string, so it is taken for one-character references; the best of them counts.
def rouge_1(text, reference):
    hyp, ref = set(text.split(" ")), set(reference.split(" "))
    common = len(hyp & ref)
    p, r = common / len(hyp), common / len(ref)
    return 2 * p * r / (p + r + 1e-8)
pairs = [("a cat sat", "a dog"), ("the cat", "the cat"), ("I see I", "I"), ("x", "x y")]
out["rougeByCharacter"] = [
    {"text": t, "reference": r, "value": max(rouge_1(t, c) for c in r if c.strip())} for t, r in pairs]

# token_id: ids above the threshold that are not 50256, over the width of the padded batch.
rows = [[30000, 5, 50256, 40000], [26000], [25000, 25001]]
out["tokenID"] = {"rows": rows, "values": [sum(i > 25000 and i != 50256 for i in row) / max(map(len, rows)) for row in rows]}

# Diversity: inputs sorted by text; simulated outputs stand for all; one text has distinct n-grams.
def distinct(texts):
    values = []
    for n in range(1, 6):
        grams = [tuple(w[i:i + n]) for t in texts for w in [[x for x in t.split(" ") if x]] for i in range(len(w) - n + 1)]
        values.append(len(set(grams)) / len(grams) if grams else 0)
    return sum(values) / 5
inputs = {"b": ["one two one two three", "four five"], "a": ["six seven six", "eight"], "c": ["nine", "ten"]}
best = {"b": "one two one two three", "a": "eight", "c": "ten"}
first = sorted(inputs)[:2]
references = {"a": "to be or not to be or", "b": "x y z x y w v", "c": "p q r s t u"}
out["diversity"] = {
    "inputs": inputs, "references": references,
    "limited": distinct([t for i in first for t in inputs[i]]),
    "referencePerInput": sum(distinct([r]) for r in references.values()) / 3,
    # with N = both outputs, every draw is the best one
    "simulatedOverall": distinct([best[i] for i in sorted(inputs) for _ in range(32)]),
    "simulatedFirst": distinct([best[i] for i in sorted(inputs)]),
}
print(json.dumps(out, indent=1))
