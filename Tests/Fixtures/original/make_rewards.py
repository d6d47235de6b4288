"""Rewards of the published code in policy training, and the loss of its supervised evaluations, by PyTorch and plain Python:
python3 make_rewards.py > rewards.json (reads ../ppo and ../encoders/bert)

rewards     greedy responses of ../ppo/learner to random prompts, written with `words` by id (ids up to 2 are left out), and what
            each is worth. A reference is a bare string there, so ROUGE-1 and BLEU take each of its characters for a reference and the
            best one counts. token_id: ids above `threshold` that are not 50256, over the width that a batch of `batch` rows is padded to;
            padding above the threshold counts, too. sentiment: a classifier's probability of class 1 for query + response.
evaluation  losses of rows of unequal length in batches of 4, of which the last is smaller: the mean of the batches' means, and for
            comparison the mean of all tokens
"""

import json
import math
import pathlib

import torch
import transformers

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
WORDS = (
    "<pad> <s> </s> cat t the dog e he B . x hello like c we father main so o then they another does i d n they're no my A a "
    "do-do b r s mother us q y z fri h m ll it if in").split()
END, WIDTH, BATCH, THRESHOLD, PADDING = 2, 8, 4, 20, 30
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = transformers.AutoModelForCausalLM.from_pretrained(FIXTURES / "ppo" / "learner", attn_implementation="eager").eval()
assert len(WORDS) == model.config.vocab_size == 48


@torch.no_grad()
def respond(prompt):
    response = []
    while len(response) < WIDTH and response[-1:] != [END]:
        response.append(int(model(torch.tensor([prompt + response])).logits[0, -1].argmax()))
    return response


def rouge_1(text, reference):
    """Over sets of words; a text is split at full stops, empty pieces are dropped, a piece of blanks is one empty word."""
    def words(of):
        return {word for piece in of.split(".") if piece for word in " ".join(piece.split()).split(" ")}
    hypothesis, wanted = words(text), words(reference)
    if not hypothesis or not wanted:
        return 0
    p, r = len(hypothesis & wanted) / len(hypothesis), len(hypothesis & wanted) / len(wanted)
    return 2 * p * r / (p + r + 1e-8)


def bleu(text, character):
    """Against one word: only single words can match, and each longer n-gram's precision is half the one before over their number."""
    hypothesis = text.split()
    if character not in hypothesis:
        return 0
    precisions, smooth = [1 / len(hypothesis)], 1
    for n in range(2, min(4, len(hypothesis)) + 1):
        smooth *= 2
        precisions.append(1 / (smooth * (len(hypothesis) - n + 1)))
    return math.exp(sum(map(math.log, precisions)) / len(precisions))


def make_rewards():
    generator = torch.Generator().manual_seed(5)
    found = {}
    while len(found) < 8:
        prompt = torch.randint(3, 48, [int(torch.randint(2, 9, [1], generator=generator))], generator=generator).tolist()
        response = respond(prompt)
        # responses of different lengths, so that batches differ in width
        if sum(len(r) == len(response) for _, r in found.values()) < (1 if len(response) in (1, WIDTH) else 2):
            found[len(found)] = (prompt, response)
    pairs = sorted(found.values(), key=lambda pair: len(pair[1]))
    references = ["the cat. So", "a dog", "m", "c. x", "tea", "to B. ", "oh, c", "he is x"]
    folder = FIXTURES / "encoders" / "bert"
    classifier = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, truncation_side="left")
    rows = []
    for place, ((prompt, response), reference) in enumerate(zip(pairs, references)):
        text = " ".join(WORDS[i] for i in response if i > 2)
        query = "a father and the dog " * (12 if place % 3 == 2 else 1)
        width = max(len(r) for _, r in pairs[place // BATCH * BATCH:][:BATCH])
        padded = response + [PADDING] * (width - len(response))
        ids = tokenizer(query + text, truncation=True, max_length=classifier.config.max_position_embeddings, return_tensors="pt")
        with torch.no_grad():
            sentiment = classifier(**ids).logits[0].softmax(-1)[1]
        rows.append({
            "prompt": prompt, "query": query, "reference": reference, "response": response, "text": text,
            "rouge": max(rouge_1(text, character) for character in reference),
            "bleu": max(bleu(text, character) for character in reference),
            "tokenID": sum(i > THRESHOLD and i != 50256 for i in response + [END] * (width - len(response))) / width,
            "tokenIDWithPadding": sum(i > THRESHOLD and i != 50256 for i in padded) / width,
            "sentiment": float(sentiment)})
    return {"words": WORDS, "width": WIDTH, "batch": BATCH, "threshold": THRESHOLD, "padding": PADDING, "rows": rows}


@torch.no_grad()
def make_evaluation():
    generator = torch.Generator().manual_seed(6)
    def draw(count):
        return torch.randint(3, 48, [count], generator=generator).tolist()
    rows = [{"prompt": draw(2 + i % 5), "target": draw([1, 9, 2, 14, 3, 1, 12, 5, 1, 20][i]) + [END]} for i in range(10)]
    means, losses = [], []
    for begin in range(0, len(rows), 4):
        batch = rows[begin:begin + 4]
        width = max(len(row["prompt"] + row["target"]) for row in batch)
        ids, mask, labels = [], [], []
        for row in batch:  # padded on the left
            own = row["prompt"] + row["target"]
            ids.append([END] * (width - len(own)) + own)
            mask.append([0] * (width - len(own)) + [1] * len(own))
            labels.append([-100] * (width - len(row["target"])) + row["target"])
        ids, mask, labels = map(torch.tensor, (ids, mask, labels))
        means.append(float(model(input_ids=ids, attention_mask=mask, labels=labels).loss))
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].double()
        kept = labels[:, 1:] != -100
        losses += torch.nn.functional.cross_entropy(logits[kept], labels[:, 1:][kept], reduction="none").tolist()
    return {
        "rows": rows, "batch": 4, "means": means, "meanOfMeans": sum(means) / len(means), "meanOfTokens": sum(losses) / len(losses)}


print(json.dumps({"rewards": make_rewards(), "evaluation": make_evaluation()}))
