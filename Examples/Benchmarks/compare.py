"""Runs the tasks of a workload with this package and with PyTorch, in turn, and prints the tables of Docs/performance.md.

usage: python compare.py --peers DIR --work DIR [--presets 15m,100m,300m] [--tasks sft,rm,generate,ppo,dpo,lora,grpo] [--dtypes f32,bf16]
                         [--iters 3] [--threads 2] [--limit 1800] [--ideas] [--ours-only] [--benchmarks PROGRAM] [--isa avx2|avx512]
                         [--master-dtype bf16] [--gradient-dtype bf16] [--optimizer NAME]

--peers is a folder with make_workload.py and torch_peer.py. The PyTorch side of dpo, lora and grpo is method_peers.py in this
folder. This Python needs the packages that they import. --work receives one workload per preset and `results.jsonl`, one line per
finished or failed run; runs with a line there are skipped, so that the same command resumes a comparison. --ideas also runs every
task without each optimisation, to measure its effect. --isa limits both sides to an instruction set. --master-dtype, --gradient-dtype
and --optimizer change our side of the tasks that train. Runs with such options have their own lines. The runs are sequential, ours
before PyTorch's for each row of the table; nothing else should run on the machine.

The floor of a row is the number of operations that the task cannot avoid, divided by the rate of large products, which is measured
just before our run with the same dtype and number of threads. Decoding token by token also has to read all weights and the keys and
values of all texts in every step. The floor with memory counts for it the time of these bytes at the bandwidth of memory, measured
with a product of one row, if that is longer than the time of its operations. The tables are also written to `tables.md` in --work.
"""
import argparse, json, os, subprocess, sys, time

TASKS = ["sft", "rm", "generate", "ppo", "dpo", "lora", "grpo"]
METHODS = {"dpo", "lora", "grpo"}  # tasks of method_peers.py
OWN_PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "method_peers.py")
IDEAS = {"generate": ["ragged"], "sft": ["ragged", "rows"], "rm": ["ragged", "rows", "prefix"], "ppo": ["ragged", "trunk", "rows"]}

# What limits the libraries of both sides to an instruction set: ATen, oneDNN and MKL of PyTorch, and our OpenBLAS.
LIMITS = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
             "OPENBLAS_CORETYPE": "Haswell"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16", "MKL_ENABLE_INSTRUCTIONS": "AVX512",
               "OPENBLAS_CORETYPE": "SkylakeX"},
}


def arguments():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser()
    p.add_argument("--peers", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--presets", default="15m,100m,300m")
    p.add_argument("--tasks", default="sft,rm,generate,ppo")
    p.add_argument("--dtypes", default="f32,bf16")
    p.add_argument("--iters", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--limit", type=float, default=1800, help="time limit of a run in seconds")
    p.add_argument("--isa", choices=LIMITS)
    p.add_argument("--master-dtype", choices=["f32", "bf16"])
    p.add_argument("--gradient-dtype", choices=["f32", "bf16"])
    p.add_argument("--optimizer")
    p.add_argument("--ideas", action="store_true")
    p.add_argument("--ours-only", action="store_true")
    p.add_argument("--benchmarks", default=os.path.join(here, "../../.build/benchmarks/release/benchmarks"))
    a = p.parse_args()
    a.tasks, a.dtypes, a.presets = a.tasks.split(","), a.dtypes.split(","), a.presets.split(",")
    if unknown := set(a.tasks) - set(TASKS):
        p.error(f"unknown tasks: {', '.join(sorted(unknown))}; expected some of {', '.join(TASKS)}")
    return a


def load():
    """The load average of the last minute, which shows whether other programs are running."""
    return os.getloadavg()[0]


class Results:
    def __init__(self, path):
        self.path, self.lines = path, {}
        if os.path.exists(path):
            for line in open(path):
                row = json.loads(line)
                self.lines[tuple(row["key"])] = row

    def get(self, a, key, command):
        if key not in self.lines:
            print("running", *key, file=sys.stderr, flush=True)
            row = {"key": key, "load": load(), "at": time.strftime("%Y-%m-%dT%H:%M:%S")}
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=a.limit,
                                      env=os.environ | LIMITS.get(a.isa, {}))
                text = done.stdout.strip().splitlines()
                row |= json.loads(text[-1]) if done.returncode == 0 and text else {"failed": done.stderr.strip()[-300:]}
            except subprocess.TimeoutExpired:
                row["failed"] = f"took longer than {a.limit:.0f} s"
            with open(self.path, "a") as f:
                f.write(json.dumps(row) + "\n")
            self.lines[key] = row
        return self.lines[key]


def number(row, key, form):
    return form % row[key] if key in row else "–"


def floor(ours, rate):
    """The least time of a task in seconds; None if the operations or the rate are not known."""
    if "operations" in ours and "gflops" in rate:
        return sum(ours["operations"].values()) / (rate["gflops"] * 1e9)
    return None


def floor_with_memory(ours, rate):
    """The least time of a task that decodes answers, with the bytes that decoding reads; that of other tasks is the floor."""
    least = floor(ours, rate)
    if least is None or "decoding_bytes" not in ours or "gb_per_second" not in rate:
        return least
    return least + max(0, ours["decoding_bytes"] / (rate["gb_per_second"] * 1e9)
                       - ours["decoding_operations"] / (rate["gflops"] * 1e9))


def training_options(a, task):
    """The options of our side for a task that trains."""
    found = []
    for name, value in [("--master-dtype", a.master_dtype), ("--gradient-dtype", a.gradient_dtype), ("--optimizer", a.optimizer)]:
        if value and task != "generate" and (name, task) != ("--master-dtype", "lora"):
            found += [name, value]
    return found


def prepare(a, preset):
    """The folder of a preset's workload, which is made if it does not exist."""
    folder = os.path.join(a.work, preset)
    if not os.path.exists(os.path.join(folder, "workload.json")):
        subprocess.run([sys.executable, os.path.join(a.peers, "make_workload.py"), folder, "--preset", preset], check=True)
    if "lora" in a.tasks and not os.path.exists(os.path.join(folder, "adapter")):
        subprocess.run([sys.executable, OWN_PEER, folder, "--task", "adapter"], check=True)
    return folder


def row(preset, task, dtype, ours, peer, rate):
    both = "seconds" in ours and "seconds" in peer
    least, read = floor(ours, rate), floor_with_memory(ours, rate)
    return [
        preset, task, dtype, number(ours, "seconds", "%.2f"), number(peer, "seconds", "%.2f"),
        "%.1f" % (peer["seconds"] / ours["seconds"]) if both else "–",
        "%.2f" % least if least else "–", "%.2f" % (least / ours["seconds"]) if least and "seconds" in ours else "–",
        "%.2f" % (read / ours["seconds"]) if read and "seconds" in ours else "–",
        number(ours, "peak_rss_mb", "%d") + " / " + number(peer, "peak_rss_mb", "%d"),
        "%.2f" % (ours["peak_rss_mb"] / peer["peak_rss_mb"]) if both else "–",
        number(ours, "first_loss", "%.6f") + " / " + number(peer, "first_loss", "%.6f")]


def main():
    a = arguments()
    os.makedirs(a.work, exist_ok=True)
    results = Results(os.path.join(a.work, "results.jsonl"))
    rest = ["--iters", str(a.iters), "--threads", str(a.threads)]
    limited = ["--instructions", a.isa] if a.isa else []
    table, worth, failed = [], [], []

    def run(side, preset, task, dtype, idea, settings, command):
        """Settings make another line in the results, so that they are not taken for the default."""
        key = (side, preset, task, dtype, idea) + ((" ".join(settings),) if settings else ())
        found = results.get(a, key, command)
        if "failed" in found:
            failed.append("failed: " + " ".join(key) + " - " + found["failed"])
        return found

    for preset in a.presets:
        folder = prepare(a, preset)
        for task in a.tasks:
            for dtype in a.dtypes:
                job, own = ["--task", task, "--dtype", dtype] + rest, limited + training_options(a, task)
                rate = run("rate", preset, task, dtype, "", own,
                           [a.benchmarks, "--task", "rate", "--dtype", dtype, "--threads", str(a.threads)] + limited)
                ours = run("ours", preset, task, dtype, "", own, [a.benchmarks, folder] + job + own)
                script = OWN_PEER if task in METHODS else os.path.join(a.peers, "torch_peer.py")
                peer = {} if a.ours_only else run("torch", preset, task, dtype, "", limited, [sys.executable, script, folder] + job)
                table.append(row(preset, task, dtype, ours, peer, rate))
                for idea in IDEAS.get(task, []) if a.ideas and own == limited else []:
                    less = run("ours", preset, task, dtype, idea, limited,
                               [a.benchmarks, folder] + job + limited + ["--without", idea])
                    if "seconds" in less and "seconds" in ours:
                        worth.append([preset, task, dtype, idea, number(ours, "seconds", "%.2f"), number(less, "seconds", "%.2f"),
                                      "%.2f" % (less["seconds"] / ours["seconds"])])
    parts = [text(["preset", "task", "dtype", "ours (s)", "PyTorch (s)", "times faster", "floor (s)", "floor / ours", "with memory",
                   "peak memory, ours / PyTorch (MiB)", "ratio", "first loss"], table)]
    if worth:
        parts.append(text(["preset", "task", "dtype", "optimisation", "with (s)", "without (s)", "speedup"], worth))
    parts.append("".join(line + "\n" for line in failed))
    print("\n".join(parts))
    with open(os.path.join(a.work, "tables.md"), "w") as f:
        f.write("\n".join(parts))


def text(head, rows):
    """A table in Markdown."""
    return "".join("| " + " | ".join(cells) + " |\n" for cells in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    main()
