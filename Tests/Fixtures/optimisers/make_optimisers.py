"""Makes optimisers.json: steps of torch.optim.AdamW, of Lion and of AdamW with moments in 8 bits, each on one tensor.

    python Tests/Fixtures/optimisers/make_optimisers.py    # writes next to itself; needs torch and bitsandbytes

{"versions": …,
 "cases": [{"beta1", "beta2", "epsilon", "weightDecay": numbers,
    "start":     tensor,
    "learningRates": [number per step],
    "gradients": [tensor per step],
    "values":    [tensor after each step]}],                                  torch.optim.AdamW, in float64
 "lion": [the same with "momenta": [tensor after each step], no "epsilon"],   the paper's formulas, in float64
 "maps": {"signed", "unsigned": 256 numbers},                                 bitsandbytes' create_dynamic_map
 "codes": [the same as "cases", and after each step
    "first", "second": [codes], "firstScales", "secondScales": [number per block of 256],
    "exact":     [tensor after each step]}]}                                  float32; "exact" by torch.optim.AdamW in float64

with tensor = {"shape": [...], "values": [...]}. Starts and gradients are float32 numbers written with nine significant digits.

In "codes", every number of a moment is rounded to the nearest number of its map (argmin over all 256), relative to the largest
absolute value of its block of 256; a second moment above 0 does not become 0. The maps are computed in float64, as the middles of
equal parts of decades, and rounded to float32; those of bitsandbytes differ from them by rounding.
"""

import json
import pathlib

import numpy
import torch
from bitsandbytes.functional import create_dynamic_map
import bitsandbytes

HERE = pathlib.Path(__file__).resolve().parent
generator = torch.Generator().manual_seed(5)
BLOCK = 256
RATES = [0.1, 0.1, 0.05, 0.01, 0.001]


def written(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{value:.9g}") for value in tensor.reshape(-1).tolist()]}


def adamw(start, gradients, beta1, beta2, epsilon, weight_decay):
    parameter = torch.nn.Parameter(start.double())
    optimiser = torch.optim.AdamW([parameter], lr=1, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay)
    values = []
    for rate, gradient in zip(RATES, gradients):
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = gradient.double()
        optimiser.step()
        values.append(parameter.detach().clone())
    return values


def settings(beta1, beta2, weight_decay, start, gradients):
    return {"beta1": beta1, "beta2": beta2, "weightDecay": weight_decay, "start": written(start), "learningRates": RATES,
            "gradients": [written(gradient) for gradient in gradients]}


def case(beta1, beta2, epsilon, weight_decay, scale):
    start = torch.randn(19, generator=generator)
    gradients = [torch.randn(19, generator=generator) * scale for _ in range(5)]
    gradients[3][:4] = 0  # a step without a gradient
    values = adamw(start, gradients, beta1, beta2, epsilon, weight_decay)
    return {**settings(beta1, beta2, weight_decay, start, gradients), "epsilon": epsilon, "values": [written(value) for value in values]}


def lion(beta1, beta2, weight_decay, scale):
    start = torch.randn(19, generator=generator)
    gradients = [torch.randn(19, generator=generator) * scale for _ in range(5)]
    gradients[3][:4] = 0
    gradients[0][4] = 0  # no momentum either: the sign of 0
    value, momentum = start.double().numpy(), numpy.zeros(19)
    values, momenta = [], []
    for rate, gradient in zip(RATES, gradients):
        gradient = gradient.double().numpy()
        value = value * (1 - rate * weight_decay)
        value = value - rate * numpy.sign(beta1 * momentum + (1 - beta1) * gradient)
        momentum = beta2 * momentum + (1 - beta2) * gradient
        values.append(written(torch.from_numpy(value)))
        momenta.append(written(torch.from_numpy(momentum)))
    return {**settings(beta1, beta2, weight_decay, start, gradients), "values": values, "momenta": momenta}


def dynamic_map(signed):
    numbers = [0.0, 1.0]
    for index in range(7):
        count = 2 ** (index if signed else index + 1)
        parts = [10.0 ** (index - 6) * (0.1 + 0.9 * (part + 0.5) / count) for part in range(count)]
        numbers += parts + [-number for number in parts if signed]
    return numpy.sort(numpy.array(numbers, dtype=numpy.float32))


def rounded(numbers, values, keeps_positive):
    """The codes and scales of a moment, and the numbers that they stand for."""
    codes, scales, found = [], [], []
    for begin in range(0, len(numbers), BLOCK):
        block = numbers[begin:begin + BLOCK]
        scale = numpy.abs(block).max()
        relative = block / scale if scale > 0 else block
        nearest = numpy.abs(relative[:, None].astype(numpy.float64) - values.astype(numpy.float64)).argmin(axis=1)
        if keeps_positive:
            nearest = numpy.where((block > 0) & (nearest == 0), 1, nearest)
        codes += nearest.tolist()
        scales.append(scale)
        found.append(values[nearest] * scale)
    return codes, scales, numpy.concatenate(found)


def eight_bits(beta1, beta2, epsilon, weight_decay, scale):
    f = numpy.float32
    beta1, beta2 = float(f(beta1)), float(f(beta2))  # 1 - beta2 has few digits in common with that of the decimal number
    count = BLOCK + 44
    start = torch.randn(count, generator=generator)
    sizes = torch.exp(2 * torch.randn(count, generator=generator))  # gradients of very different sizes
    gradients = [torch.randn(count, generator=generator) * scale * sizes for _ in range(5)]
    gradients[3][:40] = 0
    exact = adamw(start, gradients, beta1, beta2, epsilon, weight_decay)
    value, first, second = start.numpy(), numpy.zeros(count, f), numpy.zeros(count, f)
    steps = {name: [] for name in ["values", "first", "second", "firstScales", "secondScales"]}
    for number, (rate, gradient) in enumerate(zip(RATES, gradients), 1):
        gradient = gradient.numpy()
        first = first * f(beta1) + gradient * f(1 - beta1)
        second = second * f(beta2) + gradient * gradient * f(1 - beta2)
        deviation = numpy.sqrt(second) / f((1 - beta2 ** number) ** 0.5) + f(epsilon)
        value = value * f(1 - rate * weight_decay) - f(rate / (1 - beta1 ** number)) * (first / deviation)
        for name, signed in [("first", True), ("second", False)]:
            codes, scales, numbers = rounded(first if signed else second, dynamic_map(signed), keeps_positive=not signed)
            steps[name].append(codes)
            steps[name + "Scales"].append([float(f"{scale:.9g}") for scale in scales])
            if signed:
                first = numbers
            else:
                second = numbers
        steps["values"].append(written(torch.from_numpy(value)))
    return {**settings(beta1, beta2, weight_decay, start, gradients), "epsilon": epsilon, **steps,
            "exact": [written(value) for value in exact]}


cases = [case(0.9, 0.999, 1e-8, 0.0, 1.0), case(0.9, 0.95, 1e-8, 0.1, 0.01), case(0.5, 0.75, 1e-3, 0.5, 1e-3)]
lions = [lion(0.9, 0.99, 0.0, 1.0), lion(0.95, 0.98, 0.5, 1e-3)]
maps = {name: [float(f"{number:.9g}") for number in create_dynamic_map(signed).tolist()]
        for name, signed in [("signed", True), ("unsigned", False)]}
codes = [eight_bits(0.9, 0.999, 1e-8, 0.0, 1e-2), eight_bits(0.9, 0.95, 1e-6, 0.1, 1.0)]
versions = {"torch": torch.__version__, "bitsandbytes": bitsandbytes.__version__, "numpy": numpy.__version__}


def listed(values):
    return "[\n" + ",\n".join(json.dumps(value) for value in values) + "\n]"


(HERE / "optimisers.json").write_text(
    f'{{"versions": {json.dumps(versions)}, "cases": {listed(cases)},\n"lion": {listed(lions)},\n"maps": {json.dumps(maps)},\n'
    f'"codes": {listed(codes)}}}\n')
