"""Writes pcg64.json: what numpy's SeedSequence and PCG64 give. Made with numpy 2.4.6, Python 3.11."""

import json
import pathlib

import numpy as np


def main():
    sequences = []
    for entropy, key in [(0, ()), (10, ()), (50, ()), (600, ()), (2**40 + 7, ()), (3, (0,)), (3, (1,)), (2**63, (4, 9))]:
        sequence = np.random.SeedSequence(entropy, spawn_key=key)
        words = sequence.generate_state(6, np.uint64)
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy, spawn_key=key)))
        raw = [int(x) for x in generator.bit_generator.random_raw(6)]
        sequences.append({
            "entropy": str(entropy), "spawn_key": list(key), "words": [str(int(x)) for x in words],
            "outputs": [str(x) for x in raw],
        })
    bounded = []
    for seed, n, count in [
        (10, 116722, 11672), (50, 116722, 58361), (10, 1000, 100), (50, 1000, 500), (10, 6447, 644), (50, 7, 3),
        (1, 1, 5), (2, 2**32, 40), (3, 2**32 - 1, 40), (4, 2**31 + 1, 60), (5, 3, 50),
    ]:
        draws = np.random.default_rng(seed).integers(0, n, count)
        choice = np.random.default_rng(seed).choice(n, count)
        assert (draws == choice).all()
        bounded.append({
            "seed": seed, "n": n, "count": count, "first": [int(x) for x in draws[:40]], "sum": int(draws.sum()),
            "distinct": len(set(draws.tolist())),
        })
    # The order of epoch 0 of BatchOrder(seed: 1, count: 100): Fisher and Yates from the end.
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(1, spawn_key=(0,))))
    order = list(range(100))
    for last in range(99, 0, -1):
        other = int(generator.integers(0, last + 1))
        order[last], order[other] = order[other], order[last]
    path = pathlib.Path(__file__).with_name("pcg64.json")
    path.write_text(json.dumps({"sequences": sequences, "bounded": bounded, "permutation": order}, indent=1) + "\n")


if __name__ == "__main__":
    main()
