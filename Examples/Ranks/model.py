"""Calculates the seconds of a training step with 1 to 64 machines, and the bytes that they send. Nothing is measured.

usage: python3 model.py [--shape 100m,7b] [--freeze 0.8] [--batch 16,256] [--seconds S] [--ranks 1,2,4,8,16,32,64] [--gigabits 1,10,100]
                        [--reached 0.6] [--latency 50] [--copies 10] [--overlap 0.35] [--pass 2.6] [--bytes]

--seconds: for one example in one process on one machine (measured: 100m 0.334, 7b 28.1). --reached: share of the bandwidth that messages
in both directions at once reach. --latency: microseconds from one machine to another. --copies: GB/s that one thread reads and
writes. --overlap: the share of a pass that its backward pass takes, during which gradients travel (0.35 with 80 % of the layers
frozen); default 0, for the time without overlap. --pass: examples of a pass. --bytes: prints bytes per step instead of seconds.

seconds = S × the most examples of a rank + wire + copies + messages - hidden, where

- wire: gradients travel to the owner of each parameter, values from it, as 32-bit floats. A bucket of values has 2^20 floats for each
  owner, and one of gradients an eighth of the largest share, from 2^16 to 2^20 floats. A bucket takes as long as the rank that
  sends or receives most. Owners are chosen as in ParameterShares. With equal shares, a rank sends and receives
  8 × P × (n - 1) / n bytes.
- copies: one thread of each rank reads or writes each trained number 16 times (gathering, sums, buffers, sockets).
- messages: 4 latencies for each bucket (a guard, and a large message that asks before it is sent), and 1 for each of 15 small
  exchanges.
- hidden: at most the smaller of two times: the backward pass of the last pass of a step without the first eighth, during which no
  bucket is complete, and the exchange of gradients. It is what is saved if the exchange takes no time from the computation.

Not modelled: examples of different lengths, small passes that use the processor less well, a network that is shared with others, and
evaluations.
"""
import argparse

# layers, hidden, ffn, width of keys and values, seconds of an example
SHAPES = {"100m": (12, 768, 2048, 768, 0.334), "1b": (22, 2048, 5632, 256, None), "7b": (32, 4096, 11008, 4096, 28.1)}
BUCKET, FLOAT, PASSES_OVER_MEMORY, SMALL_EXCHANGES, PER_MESSAGE = 1 << 20, 4, 16, 15, 5e-6
SMALLEST_BUCKET, WANTED_BUCKETS = 1 << 16, 8


def trained(shape, freeze):
    """The numbers of each trained parameter: the layers above the frozen ones and the last norm."""
    layers, hidden, ffn, keys, _ = SHAPES[shape]
    one = [hidden * hidden] * 2 + [hidden * keys] * 2 + [hidden * ffn] * 3 + [hidden] * 2
    return one * (layers - int(layers * freeze)) + [hidden]


def loads(counts, ranks):
    """The numbers that each rank owns: from the largest to the smallest, each parameter goes to the rank with the fewest."""
    owned = [0] * ranks
    for count in sorted(counts, reverse=True):
        rank = owned.index(min(owned))
        owned[rank] += count
    return owned


def phase(owned, bucket=BUCKET):
    """The buckets of one phase, and the sum over the buckets of the bytes of the rank that sends or receives most."""
    ranks, buckets, slowest = len(owned), 0, 0
    for begin in range(0, max(owned), bucket):
        parts = [min(max(count - begin, 0), bucket) for count in owned]
        slowest += FLOAT * max(max(parts) * (ranks - 1), sum(parts) - min(parts))
        buckets += 1
    return buckets, slowest


def gradients(owned):
    """The phase of the gradients."""
    return phase(owned, min(BUCKET, max(SMALLEST_BUCKET, -(-max(owned) // WANTED_BUCKETS))))


def step(counts, ranks, example, batch, gigabits, latency, copies, overlap=0.0, examples_of_pass=2.6):
    """The seconds of a step."""
    examples = -(-batch // ranks)
    compute = example * examples
    if ranks == 1:
        return compute
    owned = loads(counts, ranks)
    memory = PASSES_OVER_MEMORY * FLOAT * sum(counts) / (copies * 1e9)

    def seconds(buckets, slowest):
        return slowest * 8 / (gigabits * 1e9) + memory / 2 + buckets * (4 * latency + 2 * (ranks - 1) * PER_MESSAGE)

    first, small = seconds(*gradients(owned)), SMALL_EXCHANGES * (latency + (ranks - 1) * PER_MESSAGE)
    backward = overlap * example * min(examples, examples_of_pass)
    hidden = min(backward * (1 - 1 / WANTED_BUCKETS), first)
    return compute + first + seconds(*phase(owned)) + small - hidden


def numbers(text):
    return [float(part) if "." in part else int(part) for part in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shape", default="100m,7b")
    p.add_argument("--freeze", type=float, default=0.8)
    p.add_argument("--batch", type=numbers, default=[16, 256])
    p.add_argument("--seconds", type=float)
    p.add_argument("--ranks", type=numbers, default=[1, 2, 4, 8, 16, 32, 64])
    p.add_argument("--gigabits", type=numbers, default=[1, 10, 100])
    p.add_argument("--reached", type=float, default=0.6)
    p.add_argument("--latency", type=float, default=50)
    p.add_argument("--copies", type=float, default=10)
    p.add_argument("--overlap", type=float, default=0)
    p.add_argument("--pass", type=float, default=2.6, dest="examples_of_pass")
    p.add_argument("--bytes", action="store_true")
    a = p.parse_args()
    for shape in a.shape.split(","):
        if shape not in SHAPES:
            p.error(f"the shape {shape} is unknown; shapes are {', '.join(SHAPES)}")
        counts = trained(shape, a.freeze)
        example = a.seconds or SHAPES[shape][4]
        if example is None and not a.bytes:
            p.error(f"no time was measured for {shape}; give --seconds")
        print(f"{shape}: {sum(counts):,} trained parameters")
        if a.bytes:
            show_bytes(counts, a.ranks)
            continue
        for batch in a.batch:
            print(f"\nbatch of {batch}: seconds of a step (times as fast as one machine)\n")
            print("| machines | " + " | ".join(f"{g} Gbit/s" for g in a.gigabits) + " |")
            print("|---|" + "---|" * len(a.gigabits))
            for ranks in a.ranks:
                if ranks > batch:
                    continue
                cells = []
                for gigabits in a.gigabits:
                    seconds = step(counts, ranks, example, batch, gigabits * a.reached, a.latency * 1e-6, a.copies, a.overlap,
                                   a.examples_of_pass)
                    cells.append(f"{seconds:.3g} ({example * batch / seconds:.1f})")
                print(f"| {ranks} | " + " | ".join(cells) + " |")
        print()


def show_bytes(counts, ranks):
    print("\n| machines | MB sent by a rank, mean | most | MB received by a rank, most | buckets |\n|---|---|---|---|---|")
    for n in ranks:
        owned, total = loads(counts, n), sum(counts)
        sent = [FLOAT * (total - own + (n - 1) * own) for own in owned]
        received = [FLOAT * ((n - 1) * own + total - own) for own in owned]
        buckets = gradients(owned)[0] + phase(owned)[0] if n > 1 else 0
        print(f"| {n} | {sum(sent) / n / 1e6 if n > 1 else 0:.1f} | {max(sent) / 1e6 if n > 1 else 0:.1f} "
              f"| {max(received) / 1e6 if n > 1 else 0:.1f} | {buckets} |")
    print()


main()
