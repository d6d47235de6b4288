"""Compares training with several processes over MPI with PyTorch's DistributedDataParallel over gloo, on this machine.

usage: python3 compare.py WORK [--programs .build/release] [--python PYTHON] [--shape 100m | --model DIR --rows FILE] [--batch 16]
                               [--ranks 2] [--threads 1] [--freeze 0.8] [--dtype f32|bf16] [--steps 3] [--turns 3] [--limit 3600]
                               [--ours-only]

The work is supervised fine-tuning with AdamW and clipping. A batch is the first --batch rows of a file with "prompt" and "completion",
the same in every step. Without --model, Examples/SevenBillion/make_model.py writes a model with random weights and rows into WORK. Four
set-ups run in turn, --turns times: ours and PyTorch's (ddp_peer.py), each with --ranks processes of --threads threads, and with one
process of as many threads altogether. The table holds medians over the turns. Equal first losses show that both sides did the same work.
Set-ups that have ended are in WORK/results.jsonl, so the same command resumes.

The programs need a build with MPI (make build MPI=1), PYTHON the packages torch and transformers. Nothing else should run on the
machine. Seconds of our steps are the difference between a run with one step and a run with 1 + --steps steps; PyTorch's exclude the
first step, too.
"""
import argparse, json, math, os, shutil, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work")
    p.add_argument("--programs", default=os.path.join(HERE, "../../.build/release"), help="folder of train-sft")
    p.add_argument("--python", default=sys.executable, help="Python with torch and transformers")
    p.add_argument("--shape", default="100m", help="of a model that is written: 7b, 1b, 100m or tiny")
    p.add_argument("--model", help="folder of a model with a tokenizer")
    p.add_argument("--rows", help="file of rows (JSON lines)")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--threads", type=int, default=1, help="threads of each process")
    p.add_argument("--freeze", type=float, default=0.8, help="share of frozen layers")
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--limit", type=float, default=3600, help="time limit of a run in seconds")
    p.add_argument("--ours-only", action="store_true", help="without PyTorch")
    a = p.parse_args()
    if (a.model is None) != (a.rows is None):
        p.error("--model and --rows need each other")
    a.train = os.path.join(a.programs, "train-sft")
    if not os.access(a.train, os.X_OK):
        p.error(f"{a.train} is no program; build it with make build MPI=1, or give its folder with --programs")
    if shutil.which("mpirun") is None:
        p.error("mpirun was not found; make build MPI=1 installs it")
    return a


def prepare(a):
    """Writes WORK/model and WORK/rows/train.jsonl."""
    os.makedirs(a.work, exist_ok=True)
    model, rows = os.path.join(a.work, "model"), os.path.join(a.work, "rows")
    if not os.path.exists(os.path.join(model, "config.json")):
        if a.model is None:
            subprocess.run([sys.executable, os.path.join(HERE, "../SevenBillion/make_model.py"), a.work, a.shape], check=True)
        else:
            os.symlink(os.path.abspath(a.model), model)
    source = a.rows or os.path.join(a.work, "data", "train.jsonl")
    with open(source) as lines:
        kept = [line for line, _ in zip(lines, range(a.batch))]
    if len(kept) < a.batch:
        sys.exit(f"compare: {source} has {len(kept)} rows; --batch {a.batch} needs as many")
    os.makedirs(rows, exist_ok=True)
    with open(os.path.join(rows, "train.jsonl"), "w") as out:
        out.writelines(line.rstrip("\n") + "\n" for line in kept)


def run(a, command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=a.limit, env=os.environ | (environment or {}))
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done


def ours(a, ranks, threads):
    """Seconds per step after the first, with what the run recorded."""
    runs = os.path.join(a.work, "runs")
    found = {}
    for steps in (1, 1 + a.steps):
        shutil.rmtree(runs, ignore_errors=True)
        launcher = [] if ranks == 1 else ["mpirun", "-n", str(ranks), "--bind-to", "none", "--oversubscribe"]
        if launcher and os.geteuid() == 0:
            launcher.append("--allow-run-as-root")
        done = run(a, launcher + [
            a.train, "--model-name", os.path.join(a.work, "model"), "--dataset", os.path.join(a.work, "rows"), "--output-dir", runs,
            "--run-id", "sft", "--max-steps", str(steps), "--per-device-train-batch-size", str(a.batch), "--freeze-layers", str(a.freeze),
            "--dtype", a.dtype, "--threads", str(threads), "--learning-rate", "3e-5", "--lr-scheduler-type", "constant", "--seed", "0",
            "--max-source-length", "1536", "--max-target-length", "512", "--logging-steps", "1", "--do-eval", "false",
            "--checkpoint-minutes", "0", "--tensorboard", "false"])
        with open(os.path.join(runs, "sft", "timing.json")) as file:
            timing = json.load(file)
        with open(os.path.join(runs, "sft", "metrics.jsonl")) as file:
            lines = [json.loads(line) for line in file]
        logged = [line for line in lines if "loss" in line]
        found[steps] = timing["seconds"]
        sent = [line for line in done.stderr.splitlines() if "MB per step" in line]
        result = {
            "tokens": round(logged[-1]["tokens"] / steps), "first_loss": logged[0]["loss"], "peak_bytes": timing.get("peak_memory", 0),
            "sent": sent[-1].strip() if sent else ""}
    shutil.rmtree(runs, ignore_errors=True)
    return result | {"seconds": (found[1 + a.steps] - found[1]) / a.steps}


def peer(a, ranks, threads):
    command = [
        a.python, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), os.path.join(HERE, "ddp_peer.py"), a.work,
        "--freeze", str(a.freeze), "--dtype", a.dtype, "--threads", str(threads), "--steps", str(a.steps)]
    done = run(a, command, {"OMP_NUM_THREADS": str(threads)})
    result = json.loads(done.stdout.strip().splitlines()[-1])
    return result | {"seconds": statistics.median(result["seconds"]), "sent": ""}


def main():
    a = arguments()
    prepare(a)
    path = os.path.join(a.work, "results.jsonl")
    settings = [a.batch, a.freeze, a.dtype, a.steps, a.shape if a.model is None else os.path.abspath(a.model)]
    rows = {}
    if os.path.exists(path):
        with open(path) as lines:
            for line in lines:
                row = json.loads(line)
                rows[json.dumps(row["key"])] = row
    sides = [("ours", ours)] + ([] if a.ours_only else [("PyTorch", peer)])
    kinds = [(a.ranks, a.threads), (1, a.ranks * a.threads)]
    measured = {}
    for turn in range(a.turns):
        for ranks, threads in kinds:
            for name, measure in sides:
                key = [name, ranks, threads, turn, *settings]
                row = rows.get(json.dumps(key))
                if row is None:
                    print(f"turn {turn + 1} of {a.turns}: {name}, {ranks} × {threads} threads", file=sys.stderr, flush=True)
                    try:
                        row = {"key": key, "load": os.getloadavg()[0]} | measure(a, ranks, threads)
                    except (RuntimeError, subprocess.TimeoutExpired) as error:
                        sys.exit(f"compare: {name}, {ranks} × {threads} threads: {error}")
                    with open(path, "a") as out:
                        out.write(json.dumps(row) + "\n")
                measured.setdefault((name, ranks, threads), []).append(row)
    show(a, measured, [(name, ranks, threads) for ranks, threads in kinds for name, _ in sides])


def show(a, measured, order):
    def seconds(key):
        return statistics.median(row["seconds"] for row in measured[key])

    print("| program | processes × threads | seconds a step | tokens/s | first loss | peak memory of a process |")
    print("|---|---|---|---|---|---|")
    for key in order:
        last = measured[key][-1]
        print(
            f"| {key[0]} | {key[1]} × {key[2]} | {seconds(key):.2f} | {last['tokens'] / seconds(key):.0f} | {last['first_loss']:.5f} "
            f"| {last['peak_bytes'] / 1e6:.0f} MB |")
    print()
    several, one = (a.ranks, a.threads), (1, a.ranks * a.threads)
    if not a.ours_only:
        for kind in (several, one):
            times = statistics.median(
                theirs["seconds"] / own["seconds"] for own, theirs in zip(measured["ours", *kind], measured["PyTorch", *kind]))
            print(f"{kind[0]} × {kind[1]} threads: {times:.2f} times as fast as PyTorch")
    for name in dict.fromkeys(key[0] for key in order):
        print(f"{name}: {a.ranks} processes reach {seconds((name, *one)) / seconds((name, *several)):.2f} of the speed of one process")
    sent = measured["ours", *several][-1]["sent"]
    if sent:
        print(f"ours: {sent}")
    check(a, measured, order)


def check(a, measured, order):
    """Says if two set-ups did not do the same work."""
    first = measured[order[0]][-1]
    within = 1e-3 if a.dtype == "f32" else 2e-2
    for key in order[1:]:
        row = measured[key][-1]
        if row["tokens"] != first["tokens"]:
            print(f"note: a batch has {first['tokens']} tokens for ours and {row['tokens']} for {key[0]}, so times cannot be compared")
        if not math.isclose(row["first_loss"], first["first_loss"], rel_tol=within):
            print(f"note: the first losses {first['first_loss']:.5f} and {row['first_loss']:.5f} ({key[0]}) differ")


main()
