"""Makes small.json and small.safetensors: PPO from learn batches that are smaller than the rollout batch, by PyTorch.

    python Tests/Fixtures/ppo/make_small.py    # after make_ppo.py, whose folders, rollout and settings it reads

Cases (two rows of the four in each learn batch, in the order of `batches`)
    reference    the published behaviour: the columns stay those of the rollout batch, advantages come from the learner's values when a
                 learn batch's turn comes and are normalised within it, means are over its columns; each is an optimiser step
    accumulated  the same with two learn batches a step; their gradients are added, not averaged
    global       as reference, normalised by moments over the run: the mean moves first, then the difference to it is squared; over n
    sane         no padding, advantages once, normalised within the learn batch; means over its tokens; clipped gradients

Numbers of a step are means over its learn batches. small.safetensors holds each case's trainable tensors after the last step.
"""

import json

import safetensors.torch
import torch
import transformers
from make_ppo import (
    CASES, HERE, SETTINGS, Policy, advantages_and_targets, kl_estimates, number, rows_written, token_rewards)

ORDER = [[0, 1], [2, 3], [3, 0], [1, 2]]  # two passes over the rollout batch, the second one mixed


def merged(state, values):
    """The published running moments."""
    count, mean, squares = state
    own, total = values.mean(), count + len(values)
    mean = mean + (own - mean) * len(values) / total
    squares = squares + (values - own).square().sum() + (own - mean) ** 2 * count * len(values) / total
    return total, mean, squares


def make(name, rollout):
    as_original = name != "sane"
    settings = SETTINGS | CASES["reference" if as_original else "sane"]
    behaviour, frozen, learner = (Policy(HERE / folder) for folder in ("behaviour", "reference", "learner"))
    width, columns = max(map(len, rollout["prompts"])), max(map(len, rollout["responses"]))
    lengths = [len(response) for response in rollout["responses"]]

    def run(policy, row):
        prompt, response = rollout["prompts"][row], rollout["responses"][row]
        if as_original:
            return policy.run_padded(prompt, response, width, columns, settings["padding"])
        return policy.run(prompt, response, settings["temperature"])

    with torch.no_grad():
        old, ref = ([run(policy, row) for row in range(4)] for policy in (behaviour, frozen))
    rewards, ends = [], []
    for row in range(4):
        kl = kl_estimates(old[row]["logProbs"], ref[row]["logProbs"])[settings["klApproximation"] - 1]
        reward, end = token_rewards(settings, rollout, row, len(kl), kl)
        rewards.append(reward)
        ends.append(end)

    trainable = {key: value for key, value in learner.parameters.items() if "normalisation" not in key}
    optimizer = torch.optim.Adam(trainable.values(), lr=settings["learningRate"], eps=1e-8, foreach=False)
    state = (0, torch.tensor(0.0), torch.tensor(0.0))

    def learn(rows):
        nonlocal state
        now = [run(learner, row) for row in rows]
        pairs = []
        for row, current in zip(rows, now):
            values = current["values"].detach() if as_original else old[row]["values"]
            bootstrap = values[-1:] if as_original else torch.zeros(1)
            pairs.append(advantages_and_targets(settings, rewards[row], torch.cat((values, bootstrap)), ends[row]))
        together, targets = (torch.cat(part) for part in zip(*pairs))
        if name == "global":
            state = merged(state, together)
            normalised = (together - state[1]) / (1e-8 + (state[2] / state[0]).sqrt())
        else:
            normalised = (together - together.mean()) / (1e-8 + together.std(unbiased=True))
        mask = torch.cat([(torch.arange(len(current["values"])) < lengths[row]).float() for row, current in zip(rows, now)])

        def mean(terms):
            return (terms * mask).sum() / (len(mask) if as_original else mask.sum())

        log_probs, values, entropy = (torch.cat([current[key] for current in now]) for key in ("logProbs", "values", "entropy"))
        before, drawn = (torch.cat([old[row][key] for row in rows]) for key in ("values", "logProbs"))
        ratio = (log_probs - drawn).exp()
        clip = settings["clipPolicy"]
        near = before + (values - before).clamp(-settings["clipBaseline"], settings["clipBaseline"])
        parts = {
            "policyLoss": -mean(torch.minimum(ratio * normalised, ratio.clamp(1 - clip, 1 + clip) * normalised)),
            "valueLoss": settings["baselineCost"] * 0.5 * mean(
                torch.maximum((targets - values).square(), (targets - near).square())),
            "entropyLoss": -settings["entropyCost"] * mean(entropy),
        }
        sum(parts.values()).backward()
        return parts | {"advantages": normalised.mean(), "deviation": normalised.std(unbiased=True)}, normalised

    size = 2 if name == "accumulated" else 1
    batches = ORDER[:2] + (ORDER[2:] if size == 1 else ORDER[:2])
    steps = []
    for begin in range(0, len(batches), size):
        optimizer.zero_grad()
        found = [learn(rows) for rows in batches[begin:begin + size]]
        norms = torch.stack([value.grad.norm() for value in trainable.values()])
        step = {key: number(torch.stack([parts[key].detach() for parts, _ in found]).mean()) for key in found[0][0]}
        step["gradientNorm"] = number(norms.sum().sqrt() if as_original else norms.norm())
        step["normalised"] = rows_written([normalised for _, normalised in found])
        if settings["gradNormClipping"] is not None:
            torch.nn.utils.clip_grad_norm_(trainable.values(), settings["gradNormClipping"])
        optimizer.step()
        steps.append(step)
    print(name, json.dumps(steps))
    tensors = {f"{name}/{key}": value.detach().clone() for key, value in trainable.items()}
    return {"batches": [sum(batches[i:i + size], []) for i in range(0, len(batches), size)], "steps": steps}, tensors


def main():
    rollout = json.loads((HERE / "ppo.json").read_text())["rollout"]
    cases, tensors = {}, {}
    for name in ("reference", "accumulated", "global", "sane"):
        cases[name], new = make(name, rollout)
        tensors |= new
    (HERE / "small.json").write_text(json.dumps(cases) + "\n")
    safetensors.torch.save_file(tensors, HERE / "small.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    main()
