"""Makes steps.json: three training steps of TRL's trainers on tiny models of ../models.

    python Tests/Fixtures/preferences/make_steps.py    # writes next to itself; needs torch, transformers, trl, peft

The texts are of characters, one for each token id, so that TRL's own tokenisation gives the ids below; what reaches the
models is checked against them. AdamW (lr 1e-3 constant, betas 0.9 / 0.999, eps 1e-8, no weight decay), no dropout, no
clipping, float32, rows in their order, all of them in every step.

{"versions": …, "optimiser": {…},
 "pairs": [{"prompt": [ids], "chosen": [ids], "rejected": [ids]}],    answers end with token 2, the end of text
 "rows":  [{"prompt": [ids], "completion": [ids], "label": bool}],    the same answers, for KTO
 "runs":  [{"name", "model": folder of ../models, "trainer", "settings": {…},
            "microBatch": pairs (KTO: rows) of a forward, "accumulation": forwards of a step,
            "losses": [3], "microBatchLosses": [[…]], "gradientNorms": [3],    before each step; over all parameters, unclipped
            "logged": [3 × {…}],                                     TRL's metrics of each step
            "before" and "after": {"chosen": [sums], "rejected": [sums]},      log p(answer | prompt), before and after the steps
            "adapter": only for runs that train nothing but an adapter: {"folder": of ../adapters, "start": …}}]}

The reference, where there is one, is the model before its first step. A loss is the mean over micro-batches. An adapter
starts "as saved" in its folder, and then the reference has it too, as it was; or "with B zero" and A as saved, as a new
one does, and then the reference is the model without it.
"""

import copy
import tempfile

import datasets
import peft
import safetensors.torch
import tokenizers
import torch
import transformers
from common import HERE, VERSIONS, write  # sets the environment before the rest
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

VOCABULARY, END = 48, 2
datasets.disable_progress_bars()
OPTIMISER = {"name": "adamw", "learningRate": 1e-3, "betas": [0.9, 0.999], "epsilon": 1e-8, "weightDecay": 0.0}
generator = torch.Generator().manual_seed(41)


def draw(count):
    return torch.randint(3, VOCABULARY - 1, [count], generator=generator).tolist()


PAIRS = [
    {"prompt": draw(prompt), "chosen": draw(chosen) + [END], "rejected": draw(rejected) + [END]}
    for prompt, chosen, rejected in [(4, 3, 6), (7, 5, 2), (3, 8, 8), (5, 2, 5)]]
ROWS = [
    {"prompt": pair["prompt"], "completion": pair[side], "label": side == "chosen"}
    for pair in PAIRS for side in ("chosen", "rejected")]


def character(token):
    return "</s>" if token == END else chr(0x4E00 + token)


def text(tokens):
    return "".join(character(token) for token in tokens)


def make_tokenizer():
    whole = tokenizers.Tokenizer(tokenizers.models.WordLevel({character(token): token for token in range(VOCABULARY)}))
    whole.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="</s>", pad_token=character(0))


def load(name):
    return transformers.AutoModelForCausalLM.from_pretrained(
        HERE.parent / "models" / name, dtype=torch.float32, attn_implementation="eager").eval()


def answer_sums(model):
    """log p(answer | prompt), one sequence at a time, without padding."""
    result = {}
    with torch.no_grad():
        for side in ("chosen", "rejected"):
            result[side] = []
            for pair in PAIRS:
                tokens = torch.tensor([pair["prompt"] + pair[side]])
                log_probs = model(tokens).logits[0, :-1].double().log_softmax(-1)
                picked = log_probs.gather(1, tokens[0, 1:, None])[len(pair["prompt"]) - 1 :]
                result[side].append(picked.sum().item())
    return result


def check_inputs(inputs, first, count, rows):
    """What the trainer feeds to its model are the ids above, padded on the right."""
    def lines(ids, mask):
        return [[int(i) for i, m in zip(line, keep) if m] for line, keep in zip(ids, mask)]

    if rows:
        expected = [row["prompt"] + row["completion"] for row in ROWS[first : first + count]]
        assert lines(inputs["input_ids"], inputs["attention_mask"]) == expected
        answers = [row["completion"] for row in ROWS[first : first + count]]
        assert lines(inputs["input_ids"], inputs["completion_mask"]) == answers
        mismatched = [row["prompt"] + answers[index - 1] for index, row in enumerate(ROWS[first : first + count])]
        assert lines(inputs["KL_input_ids"], inputs["KL_attention_mask"]) == mismatched
        return
    pairs = PAIRS[first : first + count]
    whole = {side: [pair["prompt"] + pair[side] for pair in pairs] for side in ("chosen", "rejected")}
    if "chosen_input_ids" in inputs:
        for side in whole:
            assert lines(inputs[f"{side}_input_ids"], inputs[f"{side}_attention_mask"]) == whole[side]
            kept = [[int(i) for i in line if i != -100] for line in inputs[f"{side}_labels"]]
            assert kept == [pair[side] for pair in pairs]
    else:
        assert lines(inputs["input_ids"], inputs["attention_mask"]) == whole["chosen"] + whole["rejected"]
        answers = [pair[side] for side in ("chosen", "rejected") for pair in pairs]
        assert lines(inputs["input_ids"], inputs["completion_mask"]) == answers


class Norms(transformers.TrainerCallback):
    def __init__(self):
        self.norms = []

    def on_pre_optimizer_step(self, args, state, control, model=None, **_):
        gradients = [tensor.grad.double() for tensor in model.parameters() if tensor.grad is not None]
        self.norms.append(torch.stack([(gradient**2).sum() for gradient in gradients]).sum().sqrt().item())


def fill_adapter(model, folder):
    """A as saved, B zero."""
    saved = safetensors.torch.load_file(folder / "adapter_model.safetensors")
    for key, tensor in model.named_parameters():
        if tensor.requires_grad:
            tensor.data = saved[key.replace(".default", "")].clone()
            if "lora_B" in key:
                tensor.data.zero_()


def run(name, model_name, trainer_class, config_class, settings, micro_batch, accumulation, adapter=None):
    rows = trainer_class is KTOTrainer
    losses, shown, before_model = [], [], load(model_name)
    if adapter:
        saved = HERE.parent / "adapters" / adapter["folder"]
        if adapter["start"] == "as saved":
            before_model = peft.PeftModel.from_pretrained(before_model, saved).eval()

    class Recording(trainer_class):
        def training_step(self, model, inputs, *rest, **named):
            count = len(losses) % accumulation
            check_inputs(inputs, count * micro_batch, micro_batch, rows)
            loss = super().training_step(model, inputs, *rest, **named)
            losses.append(loss.item() * accumulation)
            return loss

        def log(self, logs, *rest):
            super().log(logs, *rest)
            shown.append(dict(logs))

    data = [
        {"prompt": text(row["prompt"]), "completion": text(row["completion"]), "label": row["label"]} for row in ROWS
    ] if rows else [{key: text(value) for key, value in pair.items()} for pair in PAIRS]
    with tempfile.TemporaryDirectory() as folder:
        args = config_class(
            output_dir=folder, per_device_train_batch_size=micro_batch, gradient_accumulation_steps=accumulation,
            max_steps=3, learning_rate=1e-3, lr_scheduler_type="constant", optim="adamw_torch", weight_decay=0.0,
            max_grad_norm=0.0, train_sampling_strategy="sequential", logging_steps=1, save_strategy="no", report_to="none",
            use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True, seed=0, max_length=64, **settings)
        norms, model = Norms(), load(model_name)
        more = {"ref_model": copy.deepcopy(before_model)} if trainer_class in (DPOTrainer, KTOTrainer) else {}
        if adapter and adapter["start"] == "as saved":
            model, more = peft.PeftModel.from_pretrained(model, saved, is_trainable=True), {}
        elif adapter:
            more = {"peft_config": peft.LoraConfig.from_pretrained(saved)}
            more["peft_config"].inference_mode = False
        trainer = Recording(
            model=model, args=args, train_dataset=datasets.Dataset.from_list(data), processing_class=make_tokenizer(),
            callbacks=[norms], **more)
        trainer.remove_callback(transformers.PrinterCallback)
        model = trainer.model
        if adapter and adapter["start"] == "with B zero":
            fill_adapter(model, saved)
        trained = [key for key, tensor in model.named_parameters() if tensor.requires_grad]
        assert not adapter or (trained and all("lora_" in key and ".default." in key for key in trained))
        trainer.train()
    assert len(losses) == 3 * accumulation and len(norms.norms) == 3
    groups = [losses[step * accumulation : (step + 1) * accumulation] for step in range(3)]
    kept = ("rewards/", "logps/", "kl", "nll_loss", "log_odds", "entropy", "mean_token_accuracy")
    metrics = [{key: value for key, value in logs.items() if key.startswith(kept)} for logs in shown if "loss" in logs]
    for logs, group in zip([logs for logs in shown if "loss" in logs], groups, strict=True):
        assert abs(logs["loss"] - sum(group) / accumulation) < 1e-4, (logs, group)
    result = {
        "name": name, "model": model_name, "trainer": trainer_class.__name__, "settings": settings, "microBatch": micro_batch,
        "accumulation": accumulation, "losses": [sum(group) / accumulation for group in groups], "microBatchLosses": groups,
        "gradientNorms": norms.norms, "logged": metrics, "before": answer_sums(before_model), "after": answer_sums(model.eval())}
    if adapter:
        result["adapter"] = adapter
    print(name, result["losses"], result["gradientNorms"])
    return result


if __name__ == "__main__":
    dpo, kto, cpo, orpo = (DPOTrainer, DPOConfig), (KTOTrainer, KTOConfig), (CPOTrainer, CPOConfig), (ORPOTrainer, ORPOConfig)
    llama, gpt2 = "llama-gqa", "gpt2"
    runs = [
        ("sigmoid", llama, *dpo, {"loss_type": ["sigmoid"], "beta": 0.1}, 4, 1),
        ("sigmoid-gpt2", gpt2, *dpo, {"loss_type": ["sigmoid"], "beta": 0.5}, 4, 1),
        ("sigmoid-accumulated", llama, *dpo, {"loss_type": ["sigmoid"], "beta": 0.5}, 2, 2),
        ("sigmoid-sft-accumulated", llama, *dpo, {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5], "beta": 0.5}, 2, 2),
        ("sigmoid-forward-kl", llama, *dpo, {"loss_type": ["sigmoid"], "beta": 0.5, "f_divergence_type": "forward_kl"}, 4, 1),
        ("sigmoid-adapter", llama, *dpo, {"beta": 0.5}, 4, 1, {"folder": "lora", "start": "as saved"}),
        ("sigmoid-new-adapter", llama, *dpo, {"beta": 0.5}, 4, 1, {"folder": "lora", "start": "with B zero"}),
        ("ipo", llama, *dpo, {"loss_type": ["ipo"], "beta": 0.5}, 4, 1),
        ("kto", llama, *kto, {"beta": 0.5, "desirable_weight": 1.2}, 8, 1),
        ("kto-accumulated", llama, *kto, {"beta": 0.5}, 4, 2),
        ("simpo", llama, *cpo, {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 1.0, "cpo_alpha": 0.0}, 4, 1),
        ("simpo-accumulated", llama, *cpo, {"loss_type": "simpo", "beta": 2.0, "simpo_gamma": 0.5, "cpo_alpha": 0.5}, 2, 2),
        ("cpo", llama, *cpo, {"loss_type": "sigmoid", "beta": 0.1, "cpo_alpha": 1.0}, 4, 1),
        ("orpo", llama, *orpo, {"beta": 0.1}, 4, 1),
        ("orpo-gpt2-accumulated", gpt2, *orpo, {"beta": 1.0}, 2, 2),
    ]
    write("steps.json", {
        "versions": VERSIONS, "optimiser": OPTIMISER, "pairs": PAIRS, "rows": ROWS, "runs": [run(*values) for values in runs]})
