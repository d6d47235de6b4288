"""Makes the policy-gradient fixtures of this folder: one rollout and three optimiser steps of PPO on a tiny LLaMA
and a tiny OPT.

    python Tests/Fixtures/ppo/make_ppo.py    # writes next to itself; imports ../models/make_models.py

behaviour/, reference/, learner/   model folders with a value head: the policy that sampled, the frozen reference, and
    the policy that learns (behaviour + N(0, 0.015), so that ratios differ from 1 in the first step already)
opt-behaviour/, opt-reference/, opt-learner/   the same of an OPT, for the cases whose names begin with opt
ppo.json
    rollout    prompts, responses (eos included where there is one), scores: one row each
    settings   what all cases share
    cases      name → {settings that differ, rollout numbers, step numbers}; per-token numbers are lists by row
gradients.safetensors    <case>/<tensor>: d total loss / d tensor in the first step, before any clipping
parameters.safetensors   <case>/<tensor>: the trainable tensors after three steps

Cases
    sane        no padding: rows are run alone, numbers exist for response tokens only (eos included). log p of the
                logits divided by the temperature, for policy and reference alike. Advantages from the rollout's values, once.
                Normalised with mean and unbiased deviation of the response tokens. Every mean is over response tokens.
                Gradient norm: of all tensors together; clipped to `gradNormClipping` (factor max / (norm + 1e-6)).
    saneFrozen  the same, lower half of the layers, embeddings and output projection frozen.
    saneKLLoss  the same, with KL as a loss on the learner instead of a reward.
    reference   the published behaviour: left-padded prompts, responses padded with eos to T columns, raw logits, all
                columns computed as if they were tokens; advantages anew in every step from the learner's values,
                bootstrap = the learner's last value; normalised over all B·T; means over all B·T; the reported norm is
                the root of the sum of the tensors' norms, nothing is clipped.
    optSane, optReference   the same two for OPT, whose padding is not its end of sequence; with optReference the lower half of the
                layers and the embeddings are frozen (PyTorch keeps the padding's embedding row out of the gradient).

Formulas (d = log p_ref - log p_behaviour): k1 = -d, k2 = d²/2, k3 = e^d - 1 - d; token reward = scale · (score + length
penalty + eos bonus) on the last token, - coefficient · KL on all, clipped to ± rewardClip after adding;
δ_t = r_t + γ_t V_{t+1} - V_t, A_t = δ_t + γ_t λ A_{t+1}, γ = 0 on the last token, target = A + V.
`withImportance`: ρ = exp(log p_learner - log p_behaviour), δ · min(1, ρ), the trace of the targets · min(1, ρ),
advantage · min(1, ρ). `withoutGAE`: advantage r_t + γ_t target_{t+1} - V_t.
policy loss = -mean min(ρA, clip(ρ, 1 ± c)A);
value loss = cost · 0.5 · mean max((target - v)², (target - clip(v, old ± c))²);
entropy loss = -cost · mean entropy; total = their sum. Optimiser: Adam, lr 1e-3, betas 0.9 / 0.999, eps 1e-8.
"""

import json
import pathlib
import re
import sys

import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "models"))
from make_models import LLAMA, OPT, VOCABULARY, fill, make_head, number  # noqa: E402

EOS = 2
MAX_NEW_TOKENS = 8
SETTINGS = {
    "maxNewTokens": MAX_NEW_TOKENS, "eos": EOS, "temperature": 0.8, "discounting": 0.99, "lambda": 0.95,
    "klCoefficient": 0.5, "klApproximation": 2, "klReward": True, "rewardScale": 1.25, "rewardClip": 1.0,
    "lengthPenaltyCoefficient": 0.1, "lengthPenaltyPower": 5, "eosRewardCoefficient": 0.1, "clipPolicy": 0.2,
    "clipBaseline": 0.2, "baselineCost": 0.1, "entropyCost": 0.01, "gradNormClipping": 0.5, "learningRate": 1e-3,
    "freezeLayers": 0.0, "freezeEmbeddings": False, "mode": "sane", "family": "llama", "padding": EOS,
}
CASES = {
    "sane": {},
    "saneFrozen": {"freezeLayers": 0.5, "freezeEmbeddings": True},
    "saneKLLoss": {"klReward": False, "klCoefficient": 0.7},
    "reference": {"mode": "reference", "temperature": 1.0, "gradNormClipping": None},
    "optSane": {"family": "opt", "padding": 1},
    "optReference": {
        "family": "opt", "padding": 1, "mode": "reference", "temperature": 1.0, "gradNormClipping": None,
        "freezeLayers": 0.5, "freezeEmbeddings": True,
    },
}
# family: (configuration, prefix of the folders, seed of the weights)
FAMILIES = {
    "llama": (LLAMA | {"num_hidden_layers": 2}, "", 21),
    "opt": (OPT | {"max_position_embeddings": 32}, "opt-", 22),
}


class Policy:
    """A decoder with a value head; `parameters` are the tensors of model.safetensors."""

    def __init__(self, folder):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
        stored = safetensors.torch.load_file(folder / "model.safetensors")
        self.head = {key: value.requires_grad_(True) for key, value in stored.items() if key.startswith("v_head")}
        for key in ("v_head.normalisation", "v_head.normalisation_std"):
            self.head[key].requires_grad_(False)
        self.parameters = dict(self.model.named_parameters()) | self.head

    def run(self, prompt, response, temperature):
        """log p, value and entropy at the positions that predict each response token, one row alone."""
        ids = torch.tensor([prompt + response])
        start = len(prompt) - 1
        return self.measure(ids, torch.ones_like(ids), response, slice(start, -1), temperature)

    def run_padded(self, prompt, response, width, columns, padding):
        """The same with left padding up to `width` and the response filled with padding up to `columns`."""
        response = response + [padding] * (columns - len(response))
        ids = torch.tensor([[padding] * (width - len(prompt)) + prompt + response])
        mask = torch.ones_like(ids)
        mask[0, : width - len(prompt)] = 0
        return self.measure(ids, mask, response, slice(width - 1, -1), 1.0)

    def measure(self, ids, mask, response, where, temperature):
        hidden = self.model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[0, where]
        # the original's projection has no bias, and neither have these
        log_probs = (self.model.lm_head(hidden) / temperature).log_softmax(-1)
        value = hidden @ self.head["v_head.linear.weight"][0] + self.head["v_head.linear.bias"]
        value = (value + self.head["v_head.normalisation"]) / self.head["v_head.normalisation_std"]
        taken = log_probs.gather(1, torch.tensor(response)[:, None])[:, 0]
        return {"logProbs": taken, "values": value, "entropy": -(log_probs.exp() * log_probs).sum(-1)}


def make_policies(family):
    """The three model folders of a family, and the generator behind them."""
    config, prefix, seed = FAMILIES[family]
    generator = torch.Generator().manual_seed(seed)
    tensors = None
    for name, noise in [("behaviour", 0.0), ("reference", 0.1), ("learner", 0.015)]:
        folder = HERE / (prefix + name)
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        if tensors is None:
            model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
            fill(model, generator)
            tensors = {key: value.detach().clone() for key, value in model.named_parameters()}
            tensors |= make_head(config["hidden_size"], generator, scalar=False)
        moved = {
            key: value if "normalisation" in key else value + noise * torch.randn(value.shape, generator=generator)
            for key, value in tensors.items()}
        safetensors.torch.save_file(moved, folder / "model.safetensors", metadata={"format": "pt"})
    return generator


def make_rollout(generator):
    def draw(length):
        return torch.randint(3, VOCABULARY, [length], generator=generator).tolist()

    prompts = [draw(length) for length in (4, 7, 3, 5)]
    responses = [draw(4) + [EOS], draw(MAX_NEW_TOKENS), draw(2) + [EOS], draw(5) + [EOS]]
    return {"prompts": prompts, "responses": responses, "scores": [0.7, -0.4, 1.3, 0.2]}


def kl_estimates(log_probs, reference):
    d = reference - log_probs
    return [-d, d.square() / 2, d.exp() - 1 - d]


def token_rewards(settings, rollout, row, columns, kl):
    """Rewards of one row over `columns` tokens, and where the row ends."""
    response = rollout["responses"][row]
    end = len(response) - 1
    auxiliary = -settings["lengthPenaltyCoefficient"] * (
        len(response) / settings["maxNewTokens"]) ** settings["lengthPenaltyPower"]
    auxiliary += settings["eosRewardCoefficient"] * (EOS in response)
    rewards = torch.zeros(columns)
    rewards[end] = settings["rewardScale"] * (rollout["scores"][row] + auxiliary)
    if settings["klReward"]:
        rewards = rewards - settings["klCoefficient"] * kl
    return rewards.clamp(-settings["rewardClip"], settings["rewardClip"]), end


def advantages_and_targets(settings, rewards, values, end, ratio=None, gae=True):
    """Row by row backwards; `values` has one more element, the bootstrap."""
    columns = len(rewards)
    weight = torch.ones(columns) if ratio is None else ratio.clamp(max=1)
    gamma = torch.full([columns], settings["discounting"])
    gamma[end] = 0
    deltas = weight * (rewards + gamma * values[1:] - values[:-1])
    advantages, targets = torch.zeros(columns), torch.zeros(columns)
    running, trace = torch.tensor(0.0), torch.tensor(0.0)
    for t in reversed(range(columns)):
        running = deltas[t] + gamma[t] * settings["lambda"] * running
        trace = deltas[t] + gamma[t] * settings["lambda"] * weight[t] * trace
        advantages[t], targets[t] = running, values[t] + trace
    if not gae:
        following = torch.cat((targets[1:], values[-1:]))
        advantages = rewards + gamma * following - values[:-1]
    return weight * advantages, targets


def rows_written(rows):
    return [[number(value) for value in row.reshape(-1)] for row in rows]


def make_case(name, rollout):
    settings = SETTINGS | CASES[name]
    reference_mode = settings["mode"] == "reference"
    prefix = FAMILIES[settings["family"]][1]
    behaviour, frozen, learner = (Policy(HERE / (prefix + folder)) for folder in ("behaviour", "reference", "learner"))
    width, columns = max(map(len, rollout["prompts"])), max(map(len, rollout["responses"]))
    rows = range(len(rollout["prompts"]))

    def run(policy):
        if reference_mode:
            outputs = [
                policy.run_padded(rollout["prompts"][row], rollout["responses"][row], width, columns, settings["padding"])
                for row in rows]
        else:
            outputs = [policy.run(rollout["prompts"][row], rollout["responses"][row], settings["temperature"])
                       for row in rows]
        return {key: [output[key] for output in outputs] for key in outputs[0]}

    trainable = dict(learner.parameters)
    for key in list(trainable):
        frozen_layer = any(f"layers.{layer}." in key for layer in range(int(2 * settings["freezeLayers"])))
        frozen_ends = settings["freezeEmbeddings"] and ("embed" in key or "lm_head" in key)
        if frozen_layer or frozen_ends or "normalisation" in key:
            trainable.pop(key).requires_grad_(False)

    with torch.no_grad():
        old, ref, first = run(behaviour), run(frozen), run(learner)
    estimates = [kl_estimates(old["logProbs"][row], ref["logProbs"][row]) for row in rows]
    chosen = [estimates[row][settings["klApproximation"] - 1] for row in rows]
    lengths = [len(response) for response in rollout["responses"]]
    masks = [(torch.arange(len(old["logProbs"][row])) < lengths[row]).float() for row in rows]
    rewards, ends = zip(*(token_rewards(settings, rollout, row, len(chosen[row]), chosen[row]) for row in rows))

    def estimate(current, importance=False, gae=True):
        values = [value.detach() for value in (current if reference_mode else old)["values"]]
        pairs = []
        for row in rows:
            ratio = (current["logProbs"][row].detach() - old["logProbs"][row]).exp() if importance else None
            bootstrap = values[row][-1:] if reference_mode else torch.zeros(1)
            pairs.append(advantages_and_targets(
                settings, rewards[row], torch.cat((values[row], bootstrap)), ends[row], ratio, gae))
        advantages, targets = zip(*pairs)
        together = torch.cat(advantages)  # sane: response tokens; reference: all columns
        mean, deviation = together.mean(), together.std(unbiased=True)
        return advantages, targets, [(row - mean) / (1e-8 + deviation) for row in advantages]

    mask = torch.cat(masks)

    def mean(values):
        return (values * mask).sum() / (len(mask) if reference_mode else mask.sum())

    def losses(current):
        _, targets, normalised = estimate(current)
        log_probs, values, entropy = (torch.cat(current[key]) for key in ("logProbs", "values", "entropy"))
        ratio = (log_probs - torch.cat(old["logProbs"])).exp()
        advantage, target, before = torch.cat(normalised), torch.cat(targets), torch.cat(old["values"])
        clipped = ratio.clamp(1 - settings["clipPolicy"], 1 + settings["clipPolicy"])
        near = before + (values - before).clamp(-settings["clipBaseline"], settings["clipBaseline"])
        parts = {
            "policyLoss": -mean(torch.minimum(ratio * advantage, clipped * advantage)),
            "valueLoss": settings["baselineCost"] * 0.5 * mean(
                torch.maximum((target - values).square(), (target - near).square())),
            "entropyLoss": -settings["entropyCost"] * mean(entropy),
            "klLoss": torch.zeros([]),
        }
        if not settings["klReward"]:
            kl = kl_estimates(log_probs, torch.cat(ref["logProbs"]))[settings["klApproximation"] - 1]
            parts["klLoss"] = settings["klCoefficient"] * mean(kl)
        parts["totalLoss"] = sum(parts.values())
        # Of all columns in either mode: sane has no others than response tokens.
        outside = (ratio.detach() - clipped.detach()).abs() > 0
        parts["clippedPolicyFraction"] = outside.float().mean()
        return parts

    advantages, targets, normalised = estimate(first)
    written = {
        "settings": CASES[name],
        "behaviourLogProbs": rows_written(old["logProbs"]), "referenceLogProbs": rows_written(ref["logProbs"]),
        "behaviourValues": rows_written(old["values"]), "behaviourEntropy": rows_written(old["entropy"]),
        "learnerLogProbs": rows_written(first["logProbs"]), "learnerValues": rows_written(first["values"]),
        "learnerEntropy": rows_written(first["entropy"]),
        "rewards": rows_written(rewards), "advantages": rows_written(advantages), "targets": rows_written(targets),
        "normalisedAdvantages": rows_written(normalised),
        "meanSequenceKL": number(torch.stack([row.sum() for row in chosen]).mean()),
        "steps": [],
    }
    for index in range(3):
        written[f"k{index + 1}"] = rows_written([estimates[row][index] for row in rows])
    for label, options in [
            ("withImportance", {"importance": True}), ("withoutGAE", {"gae": False}),
            ("withImportanceWithoutGAE", {"importance": True, "gae": False})]:
        other, other_targets, _ = estimate(first, **options)
        written[label] = {"advantages": rows_written(other), "targets": rows_written(other_targets)}

    optimizer = torch.optim.Adam(
        trainable.values(), lr=settings["learningRate"], betas=(0.9, 0.999), eps=1e-8, foreach=False)
    for step in range(3):
        optimizer.zero_grad()
        parts = losses(run(learner))
        parts["totalLoss"].backward()
        if step == 0:
            gradients = {f"{name}/{key}": value.grad.clone() for key, value in trainable.items()}
        norms = torch.stack([value.grad.norm() for value in trainable.values()])
        parts["gradientNorm"] = norms.sum().sqrt() if reference_mode else norms.norm()
        if settings["gradNormClipping"] is not None:
            torch.nn.utils.clip_grad_norm_(trainable.values(), settings["gradNormClipping"])
        optimizer.step()
        written["steps"].append({key: number(value) for key, value in parts.items()})
    print(name, json.dumps(written["steps"]))
    return written, gradients, {f"{name}/{key}": value.detach().clone() for key, value in trainable.items()}


def main():
    rollout = make_rollout(make_policies("llama"))
    make_policies("opt")
    expected, gradients, parameters = {}, {}, {}
    for name in CASES:
        expected[name], new_gradients, new_parameters = make_case(name, rollout)
        if name != "saneFrozen":  # its gradients are those of `sane`
            gradients |= new_gradients
        if name != "saneKLLoss":
            parameters |= new_parameters
    safetensors.torch.save_file(gradients, HERE / "gradients.safetensors", metadata={"format": "pt"})
    safetensors.torch.save_file(parameters, HERE / "parameters.safetensors", metadata={"format": "pt"})
    document = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "rollout": rollout, "settings": SETTINGS, "cases": expected,
    }
    text = json.dumps(document, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda row: " ".join(row[0].split()), text)  # one line for each row of numbers
    (HERE / "ppo.json").write_text(text + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    main()
