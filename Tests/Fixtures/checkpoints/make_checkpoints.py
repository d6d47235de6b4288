"""Makes the checkpoint files of this folder as PyTorch and safetensors write them.

    python Tests/Fixtures/checkpoints/make_checkpoints.py    # writes next to itself

types.safetensors      one tensor of each element type, a scalar, an empty one, a name beyond ASCII
views.bin              torch.save of a dictionary: element types, transposed, sliced, shifted, expanded and tied
                       views, a parameter, and values that are no tensors
protocol4.bin          the same with pickle protocol 4
module.bin             the state dictionary of a module, which carries `_metadata`
legacy.bin             the format of before PyTorch 1.6
sharded-safetensors/   shards with an index, written by huggingface_hub
sharded-torch/         shards with an index in PyTorch's format
hostile-*.bin          archives whose pickles try to call something (creating a file named `executed`)
expected.json          {file or folder: {tensor: {shape, type, values}}}, with values as float32 (integers as they are)
"""

import collections
import json
import pathlib
import pickle
import zipfile

import huggingface_hub
import safetensors
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).resolve().parent
generator = torch.Generator().manual_seed(31)
TYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def normal(*shape):
    return torch.randn(shape, generator=generator)


def described(tensor):
    tensor = tensor.detach()
    values = tensor.float() if tensor.is_floating_point() else tensor.long()
    values = [float(f"{v:.9g}") if tensor.is_floating_point() else v for v in values.reshape(-1).tolist()]
    return {"shape": list(tensor.shape), "type": TYPES[tensor.dtype], "values": values}


def of_each_type():
    tensors = {str(name).lower(): (normal(2, 3) * 20).to(dtype) for dtype, name in TYPES.items()}
    half = [0.0, -0.0, 1.0, -2.5, 65504.0, 2.0**-24, 2.0**-14, 0.33325195]
    return tensors | {
        "half edges": torch.tensor(half).half(), "scalar": torch.tensor(3.5), "empty": torch.zeros(0, 4),
        "größe.weight": normal(3),
    }


def of_views():
    base = normal(4, 6)
    tensors = collections.OrderedDict(of_each_type())
    tensors["base"] = base
    tensors["tied"] = base
    tensors["transposed"] = base.t()
    tensors["columns"] = base[:, 1::2]
    tensors["shifted"] = base[2:]
    tensors["expanded"] = normal(3)[None].expand(2, 3)
    tensors["permuted"] = normal(2, 3, 4).bfloat16().permute(2, 0, 1)
    tensors["one row"] = base.t()[1:2]
    tensors["parameter"] = torch.nn.Parameter(normal(2, 2), requires_grad=False)
    tensors["step"] = 3
    tensors["rate"] = 0.5
    tensors["names"] = ["a", ("b", None, True), {"c": -70000, "d": 1 << 40}]
    return tensors


class Hostile:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def write_hostile(name, value):
    with zipfile.ZipFile(HERE / f"hostile-{name}.bin", "w") as archive:
        member = zipfile.ZipInfo("archive/data.pkl", date_time=(1980, 1, 1, 0, 0, 0))
        archive.writestr(member, pickle.dumps(value, protocol=2))


def main():
    import os

    expected = {}

    def expect(name, tensors):
        expected[name] = {key: described(value) for key, value in tensors.items() if isinstance(value, torch.Tensor)}

    types = of_each_type()
    safetensors.torch.save_file(types, HERE / "types.safetensors", metadata={"format": "pt"})
    expect("types.safetensors", types)
    views = of_views()
    torch.save(views, HERE / "views.bin")
    expect("views.bin", views)
    torch.save(views, HERE / "protocol4.bin", pickle_protocol=4)
    torch.save(views, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.manual_seed(31)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict()
    torch.save(module, HERE / "module.bin")
    expect("module.bin", module)

    weights = {f"layer.{index}.weight": normal(3, index + 2) for index in range(5)}
    folder = HERE / "sharded-safetensors"
    folder.mkdir(exist_ok=True)
    huggingface_hub.save_torch_state_dict(weights, folder, max_shard_size=130)
    expect("sharded-safetensors", weights)
    folder = HERE / "sharded-torch"
    folder.mkdir(exist_ok=True)
    places = {}
    for number, names in enumerate([list(weights)[:2], list(weights)[2:]], 1):
        shard = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save({name: weights[name] for name in names}, folder / shard)
        places |= {name: shard for name in names}
    index = {"metadata": {"total_size": sum(w.nbytes for w in weights.values())}, "weight_map": places}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")
    expect("sharded-torch", weights)

    write_hostile("system", {"weight": Hostile(os.system, "touch executed")})
    write_hostile("eval", Hostile(eval, "open('executed', 'w')"))
    write_hostile("torch-function", {"weight": Hostile(torch.load, "executed")})

    lines = []
    for name, tensors in expected.items():
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in tensors.items())
        lines.append(f"{json.dumps(name)}: {{\n{rows}\n}}")
    versions = {"torch": torch.__version__, "safetensors": safetensors.__version__}
    (HERE / "expected.json").write_text(
        "{\n" + f'"versions": {json.dumps(versions)},\n' + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
