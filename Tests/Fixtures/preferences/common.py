"""What the makers of this folder share: numbers as JSON, drawn log-probabilities, stand-ins for a trainer's parts."""

import json
import os
import pathlib

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TRL_EXPERIMENTAL_SILENCE="1", CUDA_VISIBLE_DEVICES="")

import accelerate
import peft
import torch
import transformers
import trl

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "trl": trl.__version__}
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()


def plain(value):
    """Numbers of nine significant digits (exact for float32); tensors as nested lists; not-a-number as null."""
    if isinstance(value, torch.Tensor):
        return plain(value.detach().tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return None if value != value else float(f"{value:.9g}")
    return value


def write(name, contents):
    """One case a line: the top level is an object, and every list of objects in it has one object a line."""
    def text(value):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join("    " + json.dumps(plain(item)) for item in value) + "\n  ]"
        return json.dumps(plain(value))

    lines = ",\n".join(f"  {json.dumps(key)}: {text(value)}" for key, value in contents.items())
    (HERE / name).write_text("{\n" + lines + "\n}\n")
    print(name, (HERE / name).stat().st_size, "bytes")


class Draw:
    """Per-token log-probabilities as float32 values, from one stream."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def log_probabilities(self, count):
        return -(self.normal(count).abs() * 1.2 + 0.05)

    def near(self, values, deviation, shift=0.0):
        """Others around `values`, still log-probabilities."""
        return (values + self.normal(*values.shape) * deviation + shift).clamp(max=-0.01)


def padded(rows, width, value=0.0):
    return torch.stack([torch.cat([row, row.new_full((width - len(row),), value)]) for row in rows])


def unpadded(tensor, lengths):
    return [row[:length] for row, length in zip(tensor, lengths, strict=True)]


def stand_in(trainer, **attributes):
    """An object of the trainer's class that was never constructed: its methods run on the attributes given here."""
    instance = object.__new__(trainer)
    model = torch.nn.Module()  # in training mode
    model.is_gradient_checkpointing = False
    instance.__dict__.update(
        accelerator=accelerate.Accelerator(cpu=True), aux_loss_enabled=False, _tp_size=1, _total_train_tokens=0,
        model=model)
    instance.__dict__.update(attributes)
    return instance
