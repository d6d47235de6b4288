"""Supervised fine-tuning with PyTorch's DistributedDataParallel over gloo: the PyTorch side of compare.py, which starts it with torchrun.

usage: torchrun --standalone --nproc-per-node N ddp_peer.py WORK [--freeze 0.8] [--dtype f32|bf16] [--threads 1] [--steps 3]

WORK holds model/ and rows/train.jsonl. All rows are one batch. Each process takes every N-th row, in padded passes of two rows, and the
gradients of a batch are summed once. Embeddings, the output projection and the given share of the layers are frozen. Process 0 prints
one line of JSON: the seconds of every step after the first, the tokens of a batch without padding, the first loss and the peak memory.
"""
import argparse, contextlib, json, os, resource, time
import torch, torch.distributed as dist, torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM, AutoTokenizer

ROWS_PER_PASS, RATE, CLIP = 2, 3e-5, 1.0


def load(a):
    dtype = torch.bfloat16 if a.dtype == "bf16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(os.path.join(a.work, "model"), dtype=dtype, attn_implementation="sdpa")
    layers = model.model.layers
    for part in [model.get_input_embeddings(), model.get_output_embeddings(), *layers[:int(len(layers) * a.freeze)]]:
        for parameter in part.parameters():
            parameter.requires_grad = False
    return model.train()


def examples(a, tokenizer):
    """The rows as pairs of prompt and target tokens; the target ends with the end-of-sequence token."""
    with open(os.path.join(a.work, "rows", "train.jsonl")) as lines:
        rows = [json.loads(line) for line in lines]
    return [
        (tokenizer(row["prompt"]).input_ids,
         tokenizer(row["completion"], add_special_tokens=False).input_ids + [tokenizer.eos_token_id]) for row in rows]


class Answers(torch.nn.Module):
    """The cross-entropy of the target tokens, summed. As in our programs, logits are computed for the rows that predict a target, and for
    the tokens that the tokenizer has."""

    def __init__(self, model, tokens):
        super().__init__()
        self.model, self.tokens = model, tokens

    def forward(self, ids, mask, labels):
        states = self.model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
        predicts = labels[:, 1:] >= 0
        logits = F.linear(states[predicts], self.model.lm_head.weight[:self.tokens])
        return F.cross_entropy(logits.float(), labels[:, 1:][predicts], reduction="sum")


def loss_sum(model, pairs):
    """The loss of a padded batch of pairs."""
    width = max(len(prompt) + len(target) for prompt, target in pairs)
    ids, mask = torch.zeros(len(pairs), width, dtype=torch.long), torch.zeros(len(pairs), width, dtype=torch.long)
    labels = torch.full((len(pairs), width), -100)
    for i, (prompt, target) in enumerate(pairs):
        end = len(prompt) + len(target)
        ids[i, :end], mask[i, :end] = torch.tensor(prompt + target), 1
        labels[i, len(prompt):end] = torch.tensor(target)
    return model(ids, mask, labels)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work")
    p.add_argument("--freeze", type=float, default=0.8)
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--steps", type=int, default=3, help="timed steps, after one that is not timed")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    dist.init_process_group("gloo")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    tokenizer = AutoTokenizer.from_pretrained(os.path.join(a.work, "model"))
    batch = examples(a, tokenizer)
    own = batch[rank::ranks]
    passes = [own[i:i + ROWS_PER_PASS] for i in range(0, len(own), ROWS_PER_PASS)]
    if not passes:
        raise SystemExit(f"ddp_peer: {len(batch)} rows for {ranks} processes; give at least one row for each")
    targets = sum(len(target) for _, target in batch)
    model = Answers(load(a), len(tokenizer))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    if ranks > 1:
        model = DistributedDataParallel(model, gradient_as_bucket_view=True)

    def step():
        total = 0.0
        for number, rows in enumerate(passes):
            waits = ranks > 1 and number < len(passes) - 1
            with model.no_sync() if waits else contextlib.nullcontext():
                # DistributedDataParallel takes the mean of the processes' gradients
                loss = loss_sum(model, rows) * (ranks / targets)
                loss.backward()
            total += loss.item() / ranks
        torch.nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()
        optimizer.zero_grad()
        return total

    seconds, losses = [], []
    for _ in range(a.steps + 1):
        dist.barrier()
        start = time.monotonic()
        loss = step()
        dist.barrier()
        seconds.append(time.monotonic() - start)
        losses.append(loss)
    first, peak = torch.tensor([losses[0]], dtype=torch.float64), torch.tensor([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])
    dist.all_reduce(first)
    dist.all_reduce(peak, op=dist.ReduceOp.MAX)
    if rank == 0:
        print(json.dumps({
            "seconds": seconds[1:], "tokens": sum(len(prompt) + len(target) for prompt, target in batch), "first_loss": first.item(),
            "peak_bytes": peak.item() * 1024, "trained": sum(parameter.numel() for parameter in trained), "torch": torch.__version__}))
    dist.destroy_process_group()


main()
