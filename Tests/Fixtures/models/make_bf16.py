"""Makes what PyTorch computes with the tiny models of this folder when everything is bfloat16: weights, states and logits.

    python Tests/Fixtures/models/make_bf16.py            # writes next to itself; needs what make_models.py needs

bf16.safetensors
    <model>.<i>   logits [tokens, vocabulary] of sequence i of <model>/expected.json, in bfloat16
bf16.json
    <model>: [distance, …]   ‖logits − exact‖ of each sequence, where exact are Transformers' logits in 32-bit floats with the same rounded weights
bf16/<family>     the first model of a family whose models are all narrower than 16, once more and wider: the package rounds no products with
                  narrower weights. Its logits are bf16/<family>.<i>, of the sequences of <family>/expected.json; its weights are bfloat16.

The script prints the largest of the distances, relative to the size of the logits.
"""

import json

import safetensors.torch
import torch
import transformers

from make_families import FILL, FILLS, MODELS
from make_models import HERE

WIDER = {
    "bloom": {"n_embed": 24}, "gpt_neo": {"hidden_size": 20, "intermediate_size": 24},
    "gemma3_text": {"hidden_size": 24, "intermediate_size": 28},
}


def widen(name):
    values, seed, _ = MODELS[name]
    folder = HERE / "bf16" / name
    folder.mkdir(parents=True, exist_ok=True)
    values = values | WIDER[name] | {"torch_dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(values, indent=2) + "\n")
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder)).float()
    FILLS.get(values["model_type"], FILL)(model, torch.Generator().manual_seed(seed))
    parameters = {key: tensor.detach().to(torch.bfloat16).contiguous() for key, tensor in model.named_parameters()}
    safetensors.torch.save_file(parameters, folder / "model.safetensors", metadata={"format": "pt"})


def load(folder, dtype):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def main():
    for name in WIDER:
        widen(name)
    folders = [file.parent for file in sorted(HERE.glob("*/expected.json"))]
    tensors, distances = {}, {}
    for folder, source in [(folder, folder) for folder in folders] + [(HERE / "bf16" / name, HERE / name) for name in WIDER]:
        sequences = json.loads((source / "expected.json").read_text())["sequences"]
        narrow, wide = load(folder, torch.bfloat16), load(folder, torch.float32)
        assert next(narrow.parameters()).dtype == torch.bfloat16
        for theirs, own in zip(wide.parameters(), narrow.parameters(), strict=True):
            theirs.data.copy_(own.data)
        embedding = wide.get_input_embeddings()
        if hasattr(embedding, "embed_scale"):  # Gemma's factor belongs to what is rounded
            embedding.embed_scale.copy_(embedding.embed_scale.to(torch.bfloat16).float())
        name, off = str(folder.relative_to(HERE)), 0
        distances[name] = []
        with torch.no_grad():
            for index, sequence in enumerate(sequences):
                tokens = torch.tensor([sequence["tokens"]])
                found, exact = (model(input_ids=tokens, use_cache=False).logits[0] for model in (narrow, wide))
                distance = (found.float() - exact).norm()
                distances[name].append(float(f"{distance.item():.6g}"))
                off = max(off, (distance / exact.norm()).item())
                tensors[f"{name}.{index}"] = found.to(torch.bfloat16).contiguous()
        print(f"{name}: {off:.4f}")
    safetensors.torch.save_file(tensors, HERE / "bf16.safetensors", metadata={"format": "pt"})
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(distances.items()))
    (HERE / "bf16.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    main()
