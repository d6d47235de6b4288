"""Makes losses.json: preference losses and their gradients as TRL's own trainers compute them.

    python Tests/Fixtures/preferences/make_losses.py    # writes next to itself; needs torch, transformers, trl, peft

The trainers' methods run on stand-ins for their models that answer with the log-probabilities below. Nothing of a loss
is written again here.

{"versions": …,
 "pairs": [{"chosen":   {"policy": […], "reference": […]},      log-probability of each answer token
            "rejected": {"policy": […], "reference": […]},
            "prompt":   […]}],                                  policy, chosen sequence: prompt tokens after the first
 "rows":  [{"policy": […], "reference": […],                    unpaired answers, for KTO
            "mismatchedPolicy": […], "mismatchedReference": […]}],   of the neighbour's answer under this prompt
 "paired":   [case], "referenceFree": [case], "unpaired": [case]}

case of `paired` (DPOTrainer) and `referenceFree` (CPOTrainer, ORPOTrainer):
 {"trainer", "settings": {…},       TRL's names; what is not named has TRL's default (beta 0.1, smoothing 0 …)
  "precision": "float64"|"float32", of the computation (TRL forces float32 on ORPO, and on exo_pair's log ε)
  "value": batch loss,
  "perPair": [loss of each pair alone as a batch of one] or null where the loss needs the batch,
  "logged": {"rewards/chosen": …},  means over the batch, as TRL logs them
  "gradients": {"chosen": [[…]], "rejected": [[…]], "prompt": [[…]]}}   d batch loss / d policy log-probability;
                                    "prompt" only for ORPO, whose likelihood term covers it
case of `unpaired` (KTOTrainer): the same with "labels": [bool] for each row and "gradients": [[…]], "perPair" absent.

Pair 5 has a policy equal to its reference: its reward margin is exactly zero and does not count as accurate in TRL.
"""

import types
from collections import defaultdict

import torch
from common import VERSIONS, Draw, padded, plain, stand_in, unpadded, write
from trl import DPOTrainer, KTOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

draw = Draw(23)
LENGTHS = [(3, 5), (7, 4), (6, 6), (9, 3), (4, 8), (5, 7)]  # of chosen and rejected answers
SHIFTS = [(0.2, -0.3), (-0.4, 0.1), (0.5, 0.5), (0.1, 0.9), (-0.7, 0.4), None]  # of the policy over its reference
PROMPTS = [2, 4, 3, 5, 1, 3]


def make_answer(length, shift):
    reference = draw.log_probabilities(length)
    return {"policy": reference.clone() if shift is None else draw.near(reference, 0.4, shift), "reference": reference}


PAIRS = []
for lengths, shifts, prompt in zip(LENGTHS, SHIFTS, PROMPTS, strict=True):
    sides = [make_answer(length, shifts and shift) for length, shift in zip(lengths, shifts or (None, None))]
    PAIRS.append({"chosen": sides[0], "rejected": sides[1], "prompt": draw.log_probabilities(prompt)})
ROWS = []
for index, (length, shift) in enumerate([(4, 0.3), (6, -0.2), (3, 0.6), (8, 0.1), (5, -0.5), (7, 0.2)]):
    own = make_answer(length, shift)
    ROWS.append(own | {"neighbour": [7, 4, 6, 3, 8, 5][index]})
for row in ROWS:  # the neighbour's answer under this prompt: its length, but other log-probabilities
    other = make_answer(row.pop("neighbour"), 0.12)
    row |= {"mismatchedPolicy": other["policy"], "mismatchedReference": other["reference"]}


def answering(batches):
    """A model whose forward gives the log-probabilities filed under the first token of `input_ids`."""
    def forward(input_ids=None, **_):
        values = batches[int(input_ids[0, 0])]
        zero = torch.zeros_like(values)
        return types.SimpleNamespace(log_probs=values, entropy=zero, mean_logits=zero, is_top1=zero.bool())
    return forward


def masks(lengths, width):
    """Of one prompt token and an answer."""
    return torch.tensor([[0] + [1] * length + [0] * (width - length) for length in lengths])


def logged(metrics):
    keys = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected",
            "nll_loss", "log_odds_ratio", "log_odds_chosen", "kl"]
    last = {key: value[-1] if isinstance(value, list) else value for key, value in metrics.items()}
    return {key: last[key] for key in keys if key in last}


def paired(pairs, settings, dtype):
    """DPOTrainer's loss of a batch, what it logs, and gradients."""
    rows = [pair["chosen"] for pair in pairs] + [pair["rejected"] for pair in pairs]
    lengths = [len(row["policy"]) for row in rows]
    width = max(lengths)
    policy, reference = (padded([row[key] for row in rows], width).to(dtype) for key in ("policy", "reference"))
    policy.requires_grad_(True)
    mask = masks(lengths, width)
    inputs = {"input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask), "completion_mask": mask}
    names = {"loss_type": "loss_types"}
    defaults = {
        "loss_types": ["sigmoid"], "loss_weights": None, "ld_alpha": None, "f_divergence_type": "reverse_kl",
        "f_alpha_divergence_coef": 0.5, "label_smoothing": 0.0, "beta": 0.1, "use_weighting": False}
    attributes = defaults | {names.get(key, key): value for key, value in settings.items()}
    attributes["loss_weights"] = attributes["loss_weights"] or [1.0] * len(attributes["loss_types"])
    trainer = stand_in(
        DPOTrainer, precompute_ref_logps=False, ref_model=answering({0: reference}), _metrics={"train": defaultdict(list)},
        args=types.SimpleNamespace(
            gradient_checkpointing_kwargs=None, discopop_tau=attributes.pop("discopop_tau", 0.05)), **attributes)
    loss = trainer._compute_loss(answering({0: policy}), inputs, False)
    loss.backward()
    gradients = unpadded(policy.grad, lengths)
    halves = {"chosen": gradients[: len(pairs)], "rejected": gradients[len(pairs) :]}
    return loss.item(), logged(trainer._metrics["train"]), halves


def reference_free(trainer_class, pairs, settings, dtype):
    """CPOTrainer's or ORPOTrainer's loss of a batch. Two token ids: the logits of the one that is there are its
    log-probability, those of the other the log of what is left, so log-probabilities come back as they were."""
    leaves, lengths = [], []
    for side in ("chosen", "rejected"):
        for pair in pairs:
            prompt = pair["prompt"] if side == "chosen" else torch.full_like(pair["prompt"], -1.0)
            leaves.append(torch.cat([prompt, pair[side]["policy"]]).to(dtype).requires_grad_(True))
            lengths.append((len(prompt) + 1, len(pair[side]["policy"])))
    width = max(sum(length) for length in lengths)
    kept = padded(leaves, width - 1, -1.0)
    logits = torch.stack([kept, torch.log(-torch.expm1(kept))], -1)
    logits = torch.cat([logits, torch.zeros_like(logits[:, :1])], 1)
    batch = {}
    for side, part in (("chosen", slice(0, len(pairs))), ("rejected", slice(len(pairs), None))):
        longest = max(sum(length) for length in lengths[part])
        shape = [(prompt, answer, longest - prompt - answer) for prompt, answer in lengths[part]]
        batch[f"{side}_input_ids"] = torch.zeros(len(pairs), longest, dtype=torch.long)
        batch[f"{side}_attention_mask"] = torch.tensor([[1] * (p + a) + [0] * rest for p, a, rest in shape])
        batch[f"{side}_labels"] = torch.tensor([[-100] * p + [0] * a + [-100] * rest for p, a, rest in shape])
    defaults = {"beta": 0.1, "label_smoothing": 0.0, "loss_type": "sigmoid", "cpo_alpha": 1.0, "simpo_gamma": 0.5, "alpha": 0.0}
    trainer = stand_in(trainer_class, is_encoder_decoder=False, pad_token_id=0, padding_value=0, **(defaults | settings))
    loss, metrics = trainer.get_batch_loss_metrics(
        lambda *_, **__: types.SimpleNamespace(logits=logits), batch, train_eval="train")
    loss.backward()
    whole = [leaf.grad for leaf in leaves]
    answers = [grad[prompt - 1 :] for grad, (prompt, _) in zip(whole, lengths)]
    gradients = {"chosen": answers[: len(pairs)], "rejected": answers[len(pairs) :]}
    if trainer_class is ORPOTrainer:
        gradients["prompt"] = [grad[: prompt - 1] for grad, (prompt, _) in zip(whole, lengths[: len(pairs)])]
    return loss.item(), logged(metrics), gradients


def unpaired(labels, settings):
    """KTOTrainer's loss of a batch. Token 0 marks the answers, token 1 the mismatched ones."""
    lengths = [len(row["policy"]) for row in ROWS]
    other = [len(row["mismatchedPolicy"]) for row in ROWS]
    tensors = {key: padded([row[key] for row in ROWS], max(len(row[key]) for row in ROWS)).double() for key in ROWS[0]}
    tensors["policy"].requires_grad_(True)
    mask, other_mask = masks(lengths, max(lengths)), masks(other, max(other))
    batch = {
        "input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask), "completion_mask": mask,
        "KL_input_ids": torch.ones_like(other_mask), "KL_attention_mask": torch.ones_like(other_mask),
        "KL_completion_mask": other_mask, "label": torch.tensor(labels)}
    defaults = {"beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0, "loss_type": "kto"}
    trainer = stand_in(
        KTOTrainer, precompute_ref_logps=False, _metrics={"train": defaultdict(list)},
        calculate_KL=settings.get("loss_type") != "apo_zero_unpaired", args=types.SimpleNamespace(gradient_checkpointing_kwargs=None),
        ref_model=answering({0: tensors["reference"], 1: tensors["mismatchedReference"]}), **(defaults | settings))
    loss = trainer._compute_loss(answering({0: tensors["policy"], 1: tensors["mismatchedPolicy"]}), batch, False)
    loss.backward()
    return loss.item(), logged(trainer._metrics["train"]), unpadded(tensors["policy"].grad, lengths)


def case(trainer, compute, settings, dtype=torch.float64):
    value, metrics, gradients = compute(PAIRS, settings, dtype)
    together = {"aot", "aot_unpaired", "sft"} & set(settings.get("loss_type", []) if trainer == "DPOTrainer" else [])
    together = together or trainer == "ORPOTrainer" or (trainer == "CPOTrainer" and settings.get("cpo_alpha", 1.0))
    return {
        "trainer": trainer, "settings": settings, "precision": "float32" if trainer == "ORPOTrainer" else str(dtype).removeprefix("torch."),
        "value": value,
        "perPair": None if together else [compute([pair], settings, dtype)[0] for pair in PAIRS],
        "logged": metrics, "gradients": gradients}


def paired_settings():
    for loss in ["sigmoid", "hinge", "ipo", "sigmoid_norm", "nca_pair", "bco_pair", "sppo_hard", "apo_zero", "apo_down", "discopop"]:
        for beta in [0.1, 0.5] + ([2.0] if loss in ("sigmoid", "hinge", "sigmoid_norm") else []):
            yield {"loss_type": [loss], "beta": beta}
    yield {"loss_type": ["discopop"], "beta": 0.5, "discopop_tau": 0.5}
    yield {"loss_type": ["sigmoid"], "beta": 0.5, "label_smoothing": 0.2}  # which TRL ignores
    for smoothing in [0.0, 0.1, 0.3]:
        yield {"loss_type": ["robust"], "beta": 0.5, "label_smoothing": smoothing}
    for smoothing in [0.1, 0.3]:  # conservative DPO(e) is `robust` with -e / (1 - 2e)
        yield {"loss_type": ["robust"], "beta": 0.5, "label_smoothing": -smoothing / (1 - 2 * smoothing)}
    for smoothing in [0.001, 0.1]:
        yield {"loss_type": ["exo_pair"], "beta": 0.5, "label_smoothing": smoothing}
    for loss in ["aot", "aot_unpaired"]:
        for smoothing in [0.0, 0.1]:
            yield {"loss_type": [loss], "beta": 0.5, "label_smoothing": smoothing}
    yield {"loss_type": ["sft"]}
    for alpha in [0.5, 1.0]:  # what was `rpo_alpha`
        yield {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, alpha], "beta": 0.5}
    yield {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]}
    for alpha in [0.0, 0.5, 1.0]:
        yield {"loss_type": ["sigmoid"], "beta": 0.5, "ld_alpha": alpha}
    for loss in ["ipo", "apo_zero", "sigmoid_norm"]:
        yield {"loss_type": [loss], "beta": 0.5, "ld_alpha": 0.3}
    for loss in ["sigmoid", "ipo", "hinge", "sigmoid_norm", "exo_pair", "robust", "discopop"]:
        smoothing = {"label_smoothing": 0.1} if loss in ("robust", "exo_pair") else {}
        for divergence in ["forward_kl", "js_divergence", "alpha_divergence"]:
            yield {"loss_type": [loss], "beta": 0.5, "f_divergence_type": divergence} | smoothing
    for coefficient in [0.2, 0.9, 1.0, 2.0]:
        yield {"loss_type": ["sigmoid"], "beta": 0.5, "f_divergence_type": "alpha_divergence", "f_alpha_divergence_coef": coefficient}
    yield {"loss_type": ["sigmoid"], "beta": 0.5, "f_divergence_type": "js_divergence", "ld_alpha": 0.5}


def reference_free_settings():
    for beta, smoothing in [(0.1, 0.0), (0.5, 0.0), (0.5, 0.2)]:
        yield {"loss_type": "sigmoid", "beta": beta, "label_smoothing": smoothing}
    yield {"loss_type": "sigmoid", "beta": 0.5, "cpo_alpha": 0.0}
    yield {"loss_type": "hinge", "beta": 0.5, "cpo_alpha": 0.25}
    yield {"loss_type": "ipo", "beta": 0.5, "cpo_alpha": 0.0}
    for beta, gamma in [(2.0, 0.5), (2.0, 1.6), (10.0, 3.0), (2.0, 0.0)]:
        yield {"loss_type": "simpo", "beta": beta, "simpo_gamma": gamma, "cpo_alpha": 0.0}
    yield {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0, "cpo_alpha": 0.0, "label_smoothing": 0.1}
    yield {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0, "cpo_alpha": 1.0}
    for alpha in [0.25, -0.5]:
        yield {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 0.5, "cpo_alpha": 0.0, "alpha": alpha}


def unpaired_cases():
    mixed, mostly = [True, False, True, True, False, False], [True, True, False, True, True, True]
    settings = [
        (mixed, {}), (mixed, {"beta": 0.5}), (mixed, {"beta": 0.5, "desirable_weight": 1.5, "undesirable_weight": 0.7}),
        (mostly, {"beta": 0.5, "undesirable_weight": 4.0}), ([True] * 6, {"beta": 0.5}), ([False] * 6, {"beta": 0.5}),
        (mixed, {"loss_type": "apo_zero_unpaired", "beta": 0.5, "desirable_weight": 1.2})]
    cases = []
    for labels, values in settings:
        cases.append((labels, values, unpaired(labels, values)))
    for row in ROWS:  # and with a mean below zero, where the term is clamped
        row["mismatchedPolicy"], row["mismatchedReference"] = row["mismatchedReference"], row["mismatchedPolicy"]
    clamped = unpaired(mixed, {"beta": 0.5})
    for row in ROWS:
        row["mismatchedPolicy"], row["mismatchedReference"] = row["mismatchedReference"], row["mismatchedPolicy"]
    assert cases[0][2][1]["kl"] > 0 and clamped[1]["kl"] == 0
    result = [
        {"trainer": "KTOTrainer", "settings": values, "precision": "float64", "labels": labels, "mismatchedSwapped": False,
         "value": value, "logged": metrics, "gradients": gradients}
        for labels, values, (value, metrics, gradients) in cases]
    return result + [
        {"trainer": "KTOTrainer", "settings": {"beta": 0.5}, "precision": "float64", "labels": mixed, "mismatchedSwapped": True,
         "value": clamped[0], "logged": clamped[1], "gradients": clamped[2]}]


if __name__ == "__main__":
    narrow = lambda settings: torch.float32 if settings.get("f_divergence_type") == "alpha_divergence" else torch.float64
    contents = {"versions": VERSIONS, "pairs": plain(PAIRS), "rows": plain(ROWS)}
    contents["paired"] = [case("DPOTrainer", paired, settings, narrow(settings)) for settings in paired_settings()]
    contents["referenceFree"] = [
        case("CPOTrainer", lambda *values: reference_free(CPOTrainer, *values), settings) for settings in reference_free_settings()
    ] + [
        case("ORPOTrainer", lambda *values: reference_free(ORPOTrainer, *values), {"beta": beta}) for beta in [0.1, 1.0]]
    contents["unpaired"] = unpaired_cases()
    write("losses.json", contents)
