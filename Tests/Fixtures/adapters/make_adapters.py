"""Makes PEFT adapters of tiny models of ../models, and what PyTorch computes with them.

    python Tests/Fixtures/adapters/make_adapters.py    # writes next to itself; needs torch, transformers, peft

Every folder is one that PEFT saved (adapter_config.json with sorted lists, adapter_model.safetensors), with A and B
drawn at random (and DoRA's magnitudes moved from where they start), so that the adapter changes the model:

expected.json
    versions, model (folder of ../models), sequences [{tokens, promptLength}], trainable (tensors' names, as in the file)
    loss, trainedTokens   -log p of tokens[promptLength...], summed over the sequences / number of those tokens
    adamWLosses           that loss before each of 4 AdamW steps on the adapter's tensors alone (lr 1e-2, betas 0.9 / 0.999,
                          eps 1e-8, no weight decay); no dropout
    gradientNorm          over all of the adapter's tensors
expected.safetensors
    logits.<i>            with the adapter on its own branch [tokens, vocabulary]
    merged.<i>            after merge_and_unload
    base.<i>              without the adapter
    gradients.<name>      d loss / d adapter tensor, by its name in the file
    merged.weight.<name>  merged weights of the first targeted layer, by their names in the model's file
"""

import json
import os
import pathlib

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", CUDA_VISIBLE_DEVICES="")

import peft
import safetensors.torch
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "peft": peft.__version__}
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()
QV, FOUR = ["q_proj", "v_proj"], {"r": 4, "lora_alpha": 8}
# name: (model, settings, seed)
ADAPTERS = {
    "lora": ("llama-gqa", FOUR | {"target_modules": QV}, 1),
    "lora-all-linear": ("llama-gqa", FOUR | {"target_modules": "all-linear"}, 2),
    "rslora": ("llama-gqa", FOUR | {"target_modules": QV, "use_rslora": True}, 3),
    "dora": ("llama-gqa", FOUR | {"target_modules": ["q_proj", "v_proj", "down_proj"], "use_dora": True}, 4),
    # other ranks for some layers, and not all layers
    "lora-patterns": ("llama-gqa", FOUR | {
        "target_modules": ["q_proj", "v_proj", "up_proj"], "layers_to_transform": [1, 2],
        "rank_pattern": {"up_proj": 2}, "alpha_pattern": {"v_proj": 6}}, 5),
    # GPT-2 keeps its linear weights as [in, out], and one matrix holds queries, keys and values
    "lora-gpt2": ("gpt2", FOUR | {"target_modules": ["c_attn", "c_proj"], "fan_in_fan_out": True}, 6),
    "dora-gpt2": ("gpt2", FOUR | {"target_modules": ["c_attn"], "fan_in_fan_out": True, "use_dora": True, "use_rslora": True}, 7),
}


def number(value):
    return float(f"{float(value.detach()):.9g}")


def load(name):
    return transformers.AutoModelForCausalLM.from_pretrained(
        HERE.parent / "models" / name, dtype=torch.float32, attn_implementation="eager").eval()


def in_file(name):
    return name.replace(".default", "").replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def language_loss(model, sequences):
    total, count = 0, 0
    for sequence in sequences:
        tokens, start = sequence["tokens"], sequence["promptLength"]
        log_probs = model(torch.tensor([tokens]), use_cache=False).logits[0, start - 1 : -1].log_softmax(-1)
        total = total - log_probs.gather(1, torch.tensor(tokens[start:])[:, None]).sum()
        count += len(tokens) - start
    return total / count, count


def all_logits(model, sequences, name):
    with torch.no_grad():
        return {f"{name}.{index}": model(torch.tensor([sequence["tokens"]]), use_cache=False).logits[0]
                for index, sequence in enumerate(sequences)}


def make(name, model_name, settings, seed):
    folder = HERE / name
    generator = torch.Generator().manual_seed(seed)
    base = load(model_name)
    sequences = [
        {"tokens": torch.randint(3, base.config.vocab_size - 1, [length], generator=generator).tolist(), "promptLength": prompt}
        for length, prompt in [(7, 3), (14, 5)]]
    tensors = all_logits(base, sequences, "base")
    torch.manual_seed(seed)
    config = peft.LoraConfig(task_type="CAUSAL_LM", **settings)
    model = peft.get_peft_model(base, config).eval()
    model.peft_config["default"].base_model_name_or_path = f"../../models/{model_name}"
    adapter = {key: tensor for key, tensor in model.named_parameters() if tensor.requires_grad}
    for key, tensor in adapter.items():
        if "magnitude" in key:
            tensor.data = tensor.data * (1 + 0.2 * torch.randn(tensor.shape, generator=generator))
        else:
            tensor.data = torch.randn(tensor.shape, generator=generator) * 0.25
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    saved = json.loads((folder / "adapter_config.json").read_text())
    saved["target_modules"] = sorted(saved["target_modules"])  # a set has no order
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n")
    kept = safetensors.torch.load_file(folder / "adapter_model.safetensors")
    assert set(kept) == {in_file(key) for key in adapter} and all(torch.equal(kept[in_file(key)], adapter[key]) for key in adapter)

    again = peft.PeftModel.from_pretrained(load(model_name), folder).eval()
    tensors |= all_logits(again, sequences, "logits")
    assert all(torch.equal(value, tensors[key]) for key, value in all_logits(model, sequences, "logits").items())
    first = next(iter(sorted(key for key in kept))).removeprefix("base_model.model.").rsplit(".lora_", 1)[0]
    merged = again.merge_and_unload()
    tensors |= all_logits(merged, sequences, "merged")
    tensors[f"merged.weight.{first}.weight"] = merged.get_parameter(f"{first}.weight")

    expected = {
        "versions": VERSIONS, "model": model_name, "sequences": sequences, "trainable": sorted(kept), "adamWLosses": []}
    optimizer = torch.optim.AdamW(adapter.values(), lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False)
    for step in range(4):
        optimizer.zero_grad()
        loss, count = language_loss(model, sequences)
        loss.backward()
        expected["adamWLosses"].append(number(loss))
        if step == 0:
            expected |= {"loss": number(loss), "trainedTokens": count}
            gradients = {f"gradients.{in_file(key)}": tensor.grad.clone() for key, tensor in adapter.items()}
            expected["gradientNorm"] = number(sum((value.double() ** 2).sum() for value in gradients.values()).sqrt())
            tensors |= gradients
        optimizer.step()
    tensors = {key: value.detach().contiguous() for key, value in tensors.items()}
    safetensors.torch.save_file(tensors, folder / "expected.safetensors", metadata={"format": "pt"})
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(expected.items()))
    (folder / "expected.json").write_text("{\n" + lines + "\n}\n")
    moved = max(float((tensors[f"logits.{index}"] - tensors[f"base.{index}"]).abs().max()) for index in (0, 1))
    apart = max(float((tensors[f"logits.{index}"] - tensors[f"merged.{index}"]).abs().max()) for index in (0, 1))
    print(name, len(kept), "tensors; adapter moves logits by", moved, "merging by", apart, "losses", expected["adamWLosses"])


if __name__ == "__main__":
    for adapter_name, values in ADAPTERS.items():
        make(adapter_name, *values)
