"""The PyTorch counterparts of `train-preference`, `train-ppo --advantage grpo` and `train-sft --lora-rank`: one step of each with PyTorch,
Transformers and PEFT, on the workload that make_workload.py writes.

usage: python method_peers.py DIR --task adapter                                  writes DIR/adapter, the initial adapter of both sides
       python method_peers.py DIR --task dpo|lora|grpo [--dtype f32|bf16] [--iters 3] [--threads 2]
                              [--reference once|each] [--adapter-dtype peft|base] [--prefill once|each]
       python method_peers.py DIR --task check --rollouts FILE [--dtype f32|bf16]
Prints one JSON line. --reference once is like TRL with precompute_ref_log_probs, each like TRL without it. --adapter-dtype peft keeps the
adapter in float32 next to a 16-bit model, which is PEFT's default. --prefill once processes each prompt once and repeats its cache;
--prefill each is what generate() with num_return_sequences does.
"""
import argparse, copy, json, os, resource, statistics, time
import torch, torch.nn.functional as F
from transformers import LlamaForCausalLM

FROZEN, SEQUENCES = 0.8, 2  # fraction of frozen layers; sequences (pairs) per forward pass
BETA, DPO_RATE, LORA_RATE = 0.1, 1e-5, 1e-4
GROUPS, ANSWERS, GRPO_RATE, KL, CLIP = 4, 8, 1e-5, 0.04, 0.2


def model(a):
    return LlamaForCausalLM.from_pretrained(
        os.path.join(a.folder, "model"), dtype=torch.bfloat16 if a.dtype == "bf16" else torch.float32, attn_implementation="sdpa")


def train_top(m):
    """Makes the layers above the frozen ones trainable, without the output projection."""
    for parameter in m.parameters():
        parameter.requires_grad = False
    layers = m.model.layers
    for part in [*layers[int(len(layers) * FROZEN):], m.model.norm]:
        for parameter in part.parameters():
            parameter.requires_grad = True
    return [parameter for parameter in m.parameters() if parameter.requires_grad]


def padded(rows, left=True, fill=0):
    width = max(map(len, rows))
    ids, mask = torch.full((len(rows), width), fill), torch.zeros(len(rows), width, dtype=torch.long)
    for i, row in enumerate(rows):
        part = slice(width - len(row), width) if left else slice(0, len(row))
        ids[i, part], mask[i, part] = torch.tensor(row), 1
    return ids, mask


def token_logprobs(logits, ids):
    logits = logits.float()
    return logits.gather(-1, ids.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)


def timed(step, iterations):
    """The seconds of all iterations except the first, and the results of all iterations."""
    seconds, results = [], []
    for _ in range(iterations + 1):
        start = time.time()
        results.append(step())
        seconds.append(time.time() - start)
    return seconds[1:], results


# One AdamW step of DPO on all pairs: both answers, each after its prompt, in one padded pass (TRL's concatenated forward).

def answer_sums(m, prompts, answers):
    """log p of each answer, summed over its tokens."""
    ids, mask = padded([p + r for p, r in zip(prompts, answers)], left=False)
    each = token_logprobs(m(ids, attention_mask=mask).logits[:, :-1], ids[:, 1:])
    at = torch.arange(1, ids.shape[1])
    first = torch.tensor([[len(p)] for p in prompts])
    end = first + torch.tensor([[len(r)] for r in answers])
    return (each * ((at >= first) & (at < end))).sum(1)


def task_dpo(a, w):
    policy = model(a)
    reference = copy.deepcopy(policy).eval()
    optimizer = torch.optim.AdamW(train_top(policy), lr=DPO_RATE)
    policy.train()
    count = len(w["prompts"])

    def sums(m, i):
        part = slice(i, i + SEQUENCES)
        prompts = w["prompts"][part]
        return answer_sums(m, prompts + prompts, w["responses"][part] + w["rejected"][part]).chunk(2)

    def reference_sums():
        with torch.no_grad():
            return [sums(reference, i) for i in range(0, count, SEQUENCES)]

    start = time.time()
    known = reference_sums() if a.reference == "once" else None
    reference_seconds = time.time() - start
    if known:
        del reference

    def step():
        total = 0.0
        for k, i in enumerate(range(0, count, SEQUENCES)):
            if known:
                rc, rr = known[k]
            else:
                with torch.no_grad():
                    rc, rr = sums(reference, i)
            c, r = sums(policy, i)
            loss = -F.logsigmoid(BETA * ((c - rc) - (r - rr))).sum() / count
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        return total

    seconds, losses = timed(step, a.iters)
    extra = {}
    if known:
        extra = {"checks": {"logps_chosen": sum(c.sum().item() for c, _ in known) / count,
                            "logps_rejected": sum(r.sum().item() for _, r in known) / count},
                 "phases": {"reference": reference_seconds}}
    return seconds, {"first_loss": losses[0], "losses": losses, **extra}


# One AdamW step of a LoRA adapter on all linear layers, with the loss on the answers.

def task_adapter(a, w):
    from peft import LoraConfig, get_peft_model
    m = get_peft_model(model(a), LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"))
    m.save_pretrained(os.path.join(a.folder, "adapter"))
    return [0.0], {}


def task_lora(a, w):
    from peft import PeftModel
    m = PeftModel.from_pretrained(
        model(a), os.path.join(a.folder, "adapter"), is_trainable=True, autocast_adapter_dtype=a.adapter_dtype == "peft")
    m.train()
    parameters = [parameter for parameter in m.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LORA_RATE)
    trained = sum(map(len, w["responses"]))

    def step():
        total = 0.0
        for i in range(0, len(w["prompts"]), SEQUENCES):
            answers = w["responses"][i:i + SEQUENCES]
            ids, mask = padded([p + r for p, r in zip(w["prompts"][i:i + SEQUENCES], answers)])
            labels = torch.full_like(ids, -100)
            for row, answer in enumerate(answers):
                labels[row, -len(answer):] = ids[row, -len(answer):]
            logits = m(input_ids=ids, attention_mask=mask).logits[:, :-1]
            loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), labels[:, 1:].reshape(-1), reduction="sum") / trained
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        return total

    seconds, losses = timed(step, a.iters)
    return seconds, {"first_loss": losses[0], "losses": losses, "trained": sum(p.numel() for p in parameters)}


# One step of GRPO: sampled answers, scores of a reward model, group-relative advantages, and one epoch with clipped ratios and the KL
# to the reference model (k3) in the loss.

class GRPO:
    def __init__(self, a, w):
        self.a, self.w, self.new = a, w, w["max_new_tokens"]
        self.policy = model(a)
        self.reference, self.scorer = copy.deepcopy(self.policy).eval(), copy.deepcopy(self.policy).eval()
        head = json.load(open(os.path.join(a.folder, "reward_head.json")))
        self.weight, self.bias = torch.tensor(head["weight"]).to(self.policy.dtype), head["bias"]
        self.optimizer = torch.optim.Adam(train_top(self.policy), lr=GRPO_RATE)
        self.phases = {}

    @torch.no_grad()
    def sample(self, prompts):
        """Samples `ANSWERS` answers per prompt; those of a prompt are consecutive."""
        ids, mask = padded(prompts)
        if self.a.prefill == "each":
            full = self.policy.generate(
                input_ids=ids, attention_mask=mask, do_sample=True, top_k=0, top_p=1.0, temperature=1.0, num_return_sequences=ANSWERS,
                min_new_tokens=self.new, max_new_tokens=self.new, pad_token_id=self.w["pad"])
            return full[:, -self.new:].tolist()
        places = (mask.cumsum(1) - 1).clamp(min=0)
        out = self.policy(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=True, logits_to_keep=1)
        cache = out.past_key_values
        cache.batch_repeat_interleave(ANSWERS)
        logits = out.logits[:, -1].repeat_interleave(ANSWERS, 0)
        mask, place = mask.repeat_interleave(ANSWERS, 0), places[:, -1:].repeat_interleave(ANSWERS, 0)
        tokens = []
        while True:
            logits[:, self.w["eos"]] = -torch.inf
            tokens.append(torch.multinomial(logits.float().softmax(-1), 1))
            if len(tokens) == self.new:
                return torch.cat(tokens, 1).tolist()
            place, mask = place + 1, torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
            out = self.policy(input_ids=tokens[-1], attention_mask=mask, position_ids=place, past_key_values=cache, use_cache=True)
            logits = out.logits[:, -1]

    def logprobs(self, m, rows):
        """log p of the answers' tokens; only their logits are computed (TRL's logits_to_keep)."""
        ids, mask = padded(rows)
        logits = m(ids, attention_mask=mask, position_ids=(mask.cumsum(1) - 1).clamp(min=0), logits_to_keep=self.new + 1).logits[:, :-1]
        return token_logprobs(logits, ids[:, -self.new:])

    @torch.no_grad()
    def scores(self, rows):
        ids, mask = padded(rows, left=False)
        states = self.scorer.model(ids, attention_mask=mask).last_hidden_state
        return (states[torch.arange(len(rows)), mask.sum(1) - 1] @ self.weight).float() + self.bias

    def advantages(self, rewards):
        groups = rewards.view(-1, ANSWERS)
        return ((groups - groups.mean(1, keepdim=True)) / (groups.std(1, keepdim=True) + 1e-4)).view(-1)

    def learn(self, rows, reference, advantages):
        """One epoch with one optimiser step; the old log-probabilities are those of the same pass."""
        total = 0.0
        for i in range(0, len(rows), SEQUENCES):
            part = slice(i, i + SEQUENCES)
            now = self.logprobs(self.policy, rows[part])
            ratio, scale = (now - now.detach()).exp(), advantages[part, None]
            gain = torch.min(ratio * scale, ratio.clamp(1 - CLIP, 1 + CLIP) * scale)
            apart = reference[part] - now
            loss = (KL * (apart.exp() - apart - 1) - gain).mean(1).sum() / len(rows)
            loss.backward()
            total += loss.item()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total

    def parts(self, items):
        return (items[i:i + SEQUENCES] for i in range(0, len(items), SEQUENCES))

    def step(self):
        prompts, lap, times = self.w["prompts"][:GROUPS], time.time(), []
        self.policy.eval()
        answers = self.sample(prompts)
        times.append(time.time() - lap)
        lap = time.time()
        rows = [prompts[i // ANSWERS] + answer for i, answer in enumerate(answers)]
        rewards = torch.cat([self.scores(part) for part in self.parts([row + [self.w["eos"]] for row in rows])])
        with torch.no_grad():
            reference = torch.cat([self.logprobs(self.reference, part) for part in self.parts(rows)])
        times.append(time.time() - lap)
        lap = time.time()
        self.policy.train()
        loss = self.learn(rows, reference, self.advantages(rewards))
        times.append(time.time() - lap)
        self.phases = dict(zip(["generate", "score", "learn"], times))
        return loss


def task_grpo(a, w):
    grpo = GRPO(a, w)
    seconds, losses = timed(grpo.step, a.iters)
    return seconds, {"first_loss": losses[0], "losses": losses, "phases": grpo.phases}


def task_check(a, w):
    """Repeats every step of GRPO on the answers that the package sampled (benchmarks --task grpo --rollouts FILE); returns the
    greatest differences."""
    rollouts, grpo = json.load(open(a.rollouts)), GRPO(a, w)
    everything = [[p + r for p, r in zip(*step)] for step in zip(rollouts["prompts"], rollouts["responses"])]
    found = {"rewards": 0.0, "losses": 0.0}
    for rows, theirs, loss in zip(everything, rollouts["rewards"], rollouts["losses"]):
        rewards = torch.cat([grpo.scores(part) for part in grpo.parts([row + [w["eos"]] for row in rows])])
        with torch.no_grad():
            reference = torch.cat([grpo.logprobs(grpo.reference, part) for part in grpo.parts(rows)])
        found["rewards"] = max(found["rewards"], (rewards - torch.tensor(theirs)).abs().max().item())
        found["losses"] = max(found["losses"], abs(grpo.learn(rows, reference, grpo.advantages(rewards)) - loss))
    with torch.no_grad():
        for name, m in [("logProbs", grpo.policy), ("initialLogProbs", grpo.reference)]:
            mean = torch.cat([grpo.logprobs(m, part) for part in grpo.parts(everything[0])]).mean().item()
            found[name], found["own " + name] = abs(mean - rollouts[name]), mean
    return [0.0], {"differences": found, "their losses": rollouts["losses"]}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    p.add_argument("--task", required=True)
    p.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    p.add_argument("--iters", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--reference", default="once", choices=["once", "each"])
    p.add_argument("--adapter-dtype", default="peft", choices=["peft", "base"])
    p.add_argument("--prefill", default="once", choices=["once", "each"])
    p.add_argument("--rollouts")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    w = json.load(open(os.path.join(a.folder, "workload.json")))
    seconds, rest = globals()["task_" + a.task](a, w)
    print(json.dumps({
        "engine": "torch " + torch.__version__, "task": a.task, "dtype": a.dtype, "seconds": statistics.median(seconds), "all": seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, **rest}))


if __name__ == "__main__":
    main()
