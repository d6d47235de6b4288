"""Makes optimisers.json: five steps of torch.optim.AdamW on one tensor, in float64.

    python Tests/Fixtures/optimisers/make_optimisers.py    # writes next to itself

{"versions": …, "cases": [{"beta1", "beta2", "epsilon", "weightDecay": numbers,
    "start":     tensor,
    "learningRates": [number per step],
    "gradients": [tensor per step],
    "values":    [tensor after each step]}]}

with tensor = {"shape": [...], "values": [...]}. Starts and gradients are float32 numbers written with nine significant digits.
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).resolve().parent
generator = torch.Generator().manual_seed(5)


def written(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{value:.9g}") for value in tensor.reshape(-1).tolist()]}


def case(beta1, beta2, epsilon, weight_decay, scale):
    start = torch.randn(19, generator=generator)
    gradients = [torch.randn(19, generator=generator) * scale for _ in range(5)]
    gradients[3][:4] = 0  # a step without a gradient
    rates = [0.1, 0.1, 0.05, 0.01, 0.001]
    parameter = torch.nn.Parameter(start.double())
    optimiser = torch.optim.AdamW([parameter], lr=1, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay)
    values = []
    for rate, gradient in zip(rates, gradients):
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = gradient.double()
        optimiser.step()
        values.append(parameter.detach().clone())
    return {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weightDecay": weight_decay, "start": written(start),
            "learningRates": rates, "gradients": [written(gradient) for gradient in gradients],
            "values": [written(value) for value in values]}


cases = [case(0.9, 0.999, 1e-8, 0.0, 1.0), case(0.9, 0.95, 1e-8, 0.1, 0.01), case(0.5, 0.75, 1e-3, 0.5, 1e-3)]
lines = ",\n".join(json.dumps(value) for value in cases)
versions = json.dumps({"torch": torch.__version__})
(HERE / "optimisers.json").write_text(f'{{"versions": {versions}, "cases": [\n{lines}\n]}}\n')
