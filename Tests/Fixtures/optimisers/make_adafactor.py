"""Makes adafactor.json: steps of the class Adafactor of Transformers with a given learning rate, each on one tensor.

    python Tests/Fixtures/optimisers/make_adafactor.py    # writes next to itself; needs torch and transformers

{"versions": …,
 "cases": [{"weightDecay": number,
    "start":     tensor,
    "learningRates": [number per step],
    "gradients": [tensor per step],
    "values":    [tensor after each step],
    "moments":   {"row", "column"} for a matrix, {"second"} for a vector: the tensor after the last step}]}

with tensor = {"shape": [...], "values": [...]}, in float32. The settings are scale_parameter=False, relative_step=False,
warmup_init=False and no first moment; the others have their defaults: eps[0] 1e-30, clip_threshold 1, decay_rate -0.8.
"""

import json
import pathlib

import torch
import transformers
from transformers.optimization import Adafactor

HERE = pathlib.Path(__file__).resolve().parent
RATES = [0.1, 0.1, 0.05, 0.01, 0.001]
generator = torch.Generator().manual_seed(6)


def written(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{value:.9g}") for value in tensor.reshape(-1).tolist()]}


def case(shape, weight_decay, scales):
    start = torch.randn(shape, generator=generator)
    sizes = torch.exp(2 * torch.randn(shape, generator=generator))  # gradients of very different sizes
    gradients = [torch.randn(shape, generator=generator) * sizes * scale for scale in scales]
    parameter = torch.nn.Parameter(start.clone())
    optimiser = Adafactor(
        [parameter], lr=1.0, beta1=None, weight_decay=weight_decay, scale_parameter=False, relative_step=False, warmup_init=False)
    values = []
    for rate, gradient in zip(RATES, gradients):
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = gradient.clone()
        optimiser.step()
        values.append(written(parameter.detach()))
    state = optimiser.state[parameter]
    names = {"row": "exp_avg_sq_row", "column": "exp_avg_sq_col"} if len(shape) > 1 else {"second": "exp_avg_sq"}
    return {"weightDecay": weight_decay, "start": written(start), "learningRates": RATES,
            "gradients": [written(gradient) for gradient in gradients], "values": values,
            "moments": {name: written(state[key]) for name, key in names.items()}}


cases = [case((7, 19), 0.0, [1, 1, 10, 0.1, 1]), case((1, 33), 0.1, [1e-3, 1, 1, 1e-3, 1]), case((37,), 0.5, [1, 3, 10, 0.3, 1])]
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
listed = ",\n".join(json.dumps(case) for case in cases)
(HERE / "adafactor.json").write_text(f'{{"versions": {json.dumps(versions)}, "cases": [\n{listed}\n]}}\n')
