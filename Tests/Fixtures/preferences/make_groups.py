"""Makes groups.json: advantages and losses of group methods as TRL's GRPOTrainer and RLOOTrainer compute them.

    python Tests/Fixtures/preferences/make_groups.py    # writes next to itself; needs torch, transformers, trl, peft

Two prompts with four completions each; the trainers' methods run on stand-ins that answer with the values below.

{"versions": …, "groupSize": 4, "maxCompletionLength": 12,
 "completions": [{"new": […], "old": […], "reference": […],   log-probability of each token; lengths differ
                  "entropy": […],                             of the new policy at each token
                  "truncated": bool}],                        has no end-of-text token
 "advantages": [{"name", "method": "grpo"|"rloo", "settings": {…}, "rewards": [8 lists, one reward a function or null],
                 "advantages": [8], "logged": {…}}],
 "losses":     [{"method": "grpo"|"rloo", "settings": {…},
                 "advantages": [8],          that went in
                 "onPolicy": bool,           true: `old` was not given, so every ratio is one
                 "microBatches": [[rows]],   rows of each forward of one step
                 "tokens": n,                trained tokens in the step (after masks): the denominator of dapo and cispo
                 "values": [one a micro-batch], "value": their sum, "logged": [one a micro-batch],
                 "gradients": [[…]]}]}       d value / d new log-probability
Settings have TRL's names and, where absent, its defaults (grpo: loss_type dapo, beta 0, epsilon 0.2, scale_rewards group;
rloo: beta 0.05, epsilon 0.2). A loss of several micro-batches is as TRL scales it, so that values add up to the step's.
"""

import types
from collections import defaultdict

import torch
from common import VERSIONS, Draw, padded, plain, stand_in, unpadded, write
from trl import GRPOTrainer, RLOOTrainer

GROUP, LONGEST, END, PAD = 4, 12, 2, 0
LENGTHS = [5, 9, 3, 6, 4, 8, 12, 2]
TRUNCATED = [length == LONGEST for length in LENGTHS]
draw = Draw(57)
COMPLETIONS = []
for index, length in enumerate(LENGTHS):
    old = draw.log_probabilities(length)
    shift = [0.0, 0.1, -0.2, 0.0, 0.25, -0.1, 0.0, 0.9][index]
    COMPLETIONS.append({
        "new": draw.near(old, 0.25, shift), "old": old, "reference": draw.near(old, 0.3), "entropy": draw.normal(length).abs() * 1.3,
        "truncated": TRUNCATED[index]})
TENSORS = {key: padded([row[key] for row in COMPLETIONS], LONGEST).double() for key in ("new", "old", "reference", "entropy")}
IDS = [[7] * (length - 1) + [8 if cut else END] for length, cut in zip(LENGTHS, TRUNCATED)]
REWARDS = {
    "one function": [[1.0], [0.25], [-0.5], [2.0], [0.0], [0.75], [-0.5], [-1.5]],
    "a group without spread": [[0.5], [0.5], [0.5], [0.5], [1.0], [0.0], [0.0], [1.0]],
    "two functions": [[1.0, 0.2], [0.0, 0.4], [1.0, -0.6], [0.0, 0.1], [0.0, 0.3], [1.0, 0.9], [1.0, -0.2], [0.0, 0.0]],
    "some are missing": [[1.0, None], [0.0, 0.4], [None, None], [0.5, 0.1], [None, 0.3], [1.0, 0.9], [1.0, -0.2], [0.0, 0.0]],
}


def tensor(rewards):
    return torch.tensor([[float("nan") if value is None else value for value in row] for row in rewards], dtype=torch.float64)


def scoring(trainer_class, rewards, settings):
    """The trainer's own code from completions to advantages: sampling and reward functions answer with what is above."""
    values = tensor(rewards)
    functions = values.shape[1]
    policy, reference = torch.nn.Module(), torch.nn.Module()
    policy.is_gradient_checkpointing = False
    kept = {
        "scale_rewards": "group", "beta": 0.0 if trainer_class is GRPOTrainer else 0.05, "normalize_advantages": False,
        "reward_clip_range": None, "mask_truncated_completions": False, "multi_objective_aggregation": "sum_then_normalize"} | settings
    kept["reward_weights"] = torch.tensor(kept.pop("reward_weights", [1.0] * functions))
    trainer = stand_in(
        trainer_class, _metrics={"train": defaultdict(list)}, environment_factories=None, environments=None, tools=[],
        pad_to_multiple_of=None, eos_token_ids=[END], _tokenizer=types.SimpleNamespace(pad_token_id=PAD),
        use_vllm=False, vllm_importance_sampling_correction=False, num_iterations=1, num_generations=GROUP, ref_model=reference,
        reward_func_names=[f"f{index}" for index in range(functions)], reward_funcs=[None] * functions, log_multimodal=False,
        chat_template_kwargs={}, reward_processing_classes=[None] * functions, args=types.SimpleNamespace(
            per_device_train_batch_size=8, steps_per_generation=1, gradient_accumulation_steps=1,
            gradient_checkpointing_kwargs=None), _pending_extra_logs={}, _pending_metrics={},
        _logs={"prompt": [], "completion": [], "advantages": [], "rewards": defaultdict(list), "extra": defaultdict(list)}, **kept)
    trainer.model = policy
    prompts, texts = [[5]] * len(IDS), [""] * len(IDS)
    if trainer_class is GRPOTrainer:
        trainer._generate = lambda _: (prompts, IDS, None, texts, None, {}, None, None)
    else:
        trainer._generate = lambda _: (prompts, IDS, texts)
    trainer._calculate_rewards = lambda *_: values.clone()
    trainer._get_per_token_logps_and_entropies = lambda model, *_, **__: (
        TENSORS["reference" if model is reference else "old"], None, None)
    output = trainer._generate_and_score_completions([{"prompt": ""}] * len(IDS))
    logged = {key: value[-1] for key, value in trainer._metrics["train"].items()
              if key in ("reward", "reward_std", "frac_reward_zero_std", "kl")}
    return output, logged


def loss(trainer_class, settings, advantages, micro_batches, on_policy):
    """The trainer's own loss of each micro-batch, and the gradient of their sum."""
    settings = dict(settings)
    masking = {"mask_truncated_completions": settings.pop("mask_truncated_completions", False)}
    scored, _ = scoring(trainer_class, REWARDS["one function"], masking)
    mask = scored["completion_mask"]
    new = TENSORS["new"].clone().requires_grad_(True)
    old = TENSORS["new"] if on_policy else TENSORS["old"]
    high, coefficient = settings.pop("epsilon_high", None), settings.pop("entropy_coef", 0.0)
    args = {
        "delta": None, "use_bias_correction_kl": True, "steps_per_generation": len(micro_batches), "sapo_temperature_neg": 1.05,
        "sapo_temperature_pos": 1.0, "vespo_k_pos": 2.0, "vespo_lambda_pos": 3.0, "vespo_k_neg": 3.0, "vespo_lambda_neg": 2.0}
    kept = {
        "loss_type": "dapo", "beta": 0.0, "epsilon": 0.2, "importance_sampling_level": "token", "top_entropy_quantile": 1.0,
        "off_policy_mask_threshold": None, "max_completion_length": LONGEST}
    args |= {key: settings.pop(key) for key in list(settings) if key in args}
    kept |= settings
    low = kept.pop("epsilon")
    values, logged = [], []
    for rows in micro_batches:
        trainer = stand_in(
            trainer_class, _metrics={"train": defaultdict(list)}, epsilon_low=low, epsilon_high=low if high is None else high,
            use_vllm=False, vllm_importance_sampling_correction=False, use_adaptive_entropy=False, entropy_coef=coefficient,
            _entropy_bonus_enabled=coefficient != 0, current_gradient_accumulation_steps=len(micro_batches),
            args=types.SimpleNamespace(**args), **kept)
        part = torch.tensor(rows)
        trainer._get_per_token_logps_and_entropies = lambda *_, **__: (new[part], TENSORS["entropy"][part], None)
        inputs = {
            "prompt_ids": scored["prompt_ids"][part], "prompt_mask": scored["prompt_mask"][part],
            "completion_ids": scored["completion_ids"][part], "completion_mask": mask[part],
            "advantages": advantages[part], "ref_per_token_logps": TENSORS["reference"][part],
            "num_items_in_batch": scored.get("num_items_in_batch")}
        if trainer_class is RLOOTrainer:
            inputs["old_logps"] = (old * mask).sum(1)[part]
        elif not on_policy:
            inputs["old_per_token_logps"] = old[part]
        value = trainer.compute_loss(trainer.model, inputs)
        if trainer_class is RLOOTrainer:  # the training loop divides what RLOO leaves undivided
            assert trainer_class.loss_is_scaled_for_ga is False
            value = value / len(micro_batches)
        else:
            assert trainer_class.loss_is_scaled_for_ga is True
        values.append(value)
        logged.append({key: number[-1] for key, number in trainer._metrics["train"].items()})
    total = sum(values)
    total.backward()
    return {
        "tokens": int(mask.sum()), "values": [value.item() for value in values], "value": total.item(), "logged": logged,
        "gradients": unpadded(new.grad, LENGTHS)}


def advantage_cases():
    for name, rewards in REWARDS.items():
        weights = {"reward_weights": [1.0, 0.5]} if len(rewards[0]) == 2 else {}
        for scale in ["group", "batch", "none"]:
            yield name, GRPOTrainer, rewards, {"scale_rewards": scale} | weights
        if weights:
            yield name, GRPOTrainer, rewards, {"multi_objective_aggregation": "normalize_then_sum"} | weights
        for more in [{"beta": 0.0}, {"beta": 0.05}, {"beta": 0.0, "normalize_advantages": True},
                     {"beta": 0.2, "reward_clip_range": [-1.0, 0.8], "normalize_advantages": True}]:
            yield name, RLOOTrainer, rewards, more | weights
    yield "one function", RLOOTrainer, REWARDS["one function"], {"beta": 0.05, "mask_truncated_completions": True}


def loss_cases():
    whole, halves, on_policy = [list(range(8))], [[0, 1, 2, 3], [4, 5, 6, 7]], True
    for kind in ["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "luspo", "sapo", "vespo"]:
        more = {"epsilon_high": 1.3} if kind == "cispo" else {}
        yield {"loss_type": kind} | more, whole, False
        yield {"loss_type": kind} | more, halves, False
        yield {"loss_type": kind} | more, whole, on_policy
        yield {"loss_type": kind, "beta": 0.1} | more, whole, False
        yield {"loss_type": kind, "mask_truncated_completions": True} | more, halves, False
        if kind not in ("vespo",):
            yield {"loss_type": kind, "importance_sampling_level": "sequence"} | more, whole, False
    for kind in ["grpo", "dapo"]:
        yield {"loss_type": kind, "beta": 0.1, "use_bias_correction_kl": False}, whole, False
        yield {"loss_type": kind, "beta": 0.1, "importance_sampling_level": "sequence"}, whole, False
        yield {"loss_type": kind, "epsilon_high": 0.28}, whole, False
        yield {"loss_type": kind, "delta": 1.5}, whole, False
        yield {"loss_type": kind, "delta": 1.5, "beta": 0.1}, whole, False
        yield {"loss_type": kind, "importance_sampling_level": "sequence", "epsilon": 3e-2, "epsilon_high": 4e-2}, whole, False
        yield {"loss_type": kind, "top_entropy_quantile": 0.4}, whole, False
        yield {"loss_type": kind, "top_entropy_quantile": 0.4, "beta": 0.1, "entropy_coef": 0.05}, halves, False
        yield {"loss_type": kind, "off_policy_mask_threshold": 0.05}, whole, False
    yield {"loss_type": "dapo", "beta": 0.1}, whole, on_policy
    yield {"loss_type": "cispo", "epsilon_high": 5.0}, whole, False


if __name__ == "__main__":
    contents = {"versions": VERSIONS, "groupSize": GROUP, "maxCompletionLength": LONGEST, "completions": plain(COMPLETIONS)}
    contents["advantages"] = []
    for name, trainer_class, rewards, settings in advantage_cases():
        output, logged = scoring(trainer_class, rewards, settings)
        contents["advantages"].append({
            "name": name, "method": "grpo" if trainer_class is GRPOTrainer else "rloo", "settings": settings, "rewards": rewards,
            "advantages": output["advantages"], "logged": logged})
    contents["losses"] = []
    for method, trainer_class, scored in [
        ("grpo", GRPOTrainer, {"scale_rewards": "group"}), ("rloo", RLOOTrainer, {"beta": 0.05})]:
        advantages = scoring(trainer_class, REWARDS["one function"], scored)[0]["advantages"]
        cases = loss_cases() if method == "grpo" else [
            (settings, batches, on_policy) for settings in [{}, {"epsilon": 0.5, "epsilon_high": 0.9}, {"mask_truncated_completions": True}]
            for batches in [[list(range(8))], [[0, 1, 2, 3], [4, 5, 6, 7]]] for on_policy in ([False] if settings else [False, True])]
        for settings, micro_batches, on_policy in cases:
            contents["losses"].append({
                "method": method, "settings": settings, "advantages": advantages, "onPolicy": on_policy,
                "microBatches": micro_batches} | loss(trainer_class, settings, advantages, micro_batches, on_policy))
    write("groups.json", contents)
