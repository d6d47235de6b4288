"""Runs the tasks of a workload with this package and with PyTorch, in turn, and prints the tables of Docs/performance.md.

usage: python compare.py --peers DIR --work DIR [--presets 15m,100m,300m] [--tasks sft,rm,generate,ppo,dpo,lora,grpo] [--dtypes f32,bf16]
                         [--iters 3] [--threads 2] [--limit 1800] [--ideas] [--ours-only] [--benchmarks PROGRAM]

--peers is a folder with make_workload.py and torch_peer.py. The PyTorch side of dpo, lora and grpo is method_peers.py in this
folder. This Python needs the packages that they import. --work receives one workload per preset and `results.jsonl`, one line per
finished or failed run; runs with a line there are skipped, so that the same command resumes a comparison. --ideas also runs every
task without each optimisation, to measure its effect. The runs are sequential, ours before PyTorch's for each row of the table;
nothing else should run on the machine.
"""
import argparse, json, os, subprocess, sys, time

METHODS = {"dpo", "lora", "grpo"}  # tasks of method_peers.py
IDEAS = {"generate": ["ragged"], "sft": ["ragged", "rows"], "rm": ["ragged", "rows", "prefix"], "ppo": ["ragged", "trunk", "rows"]}


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
    p.add_argument("--ideas", action="store_true")
    p.add_argument("--ours-only", action="store_true")
    p.add_argument("--benchmarks", default=os.path.join(here, "../../.build/benchmarks/release/benchmarks"))
    return p.parse_args()


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
                done = subprocess.run(command, capture_output=True, text=True, timeout=a.limit)
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


def main():
    a = arguments()
    os.makedirs(a.work, exist_ok=True)
    results = Results(os.path.join(a.work, "results.jsonl"))
    rest = ["--iters", str(a.iters), "--threads", str(a.threads)]
    table, worth = [], []
    for preset in a.presets.split(","):
        folder = os.path.join(a.work, preset)
        if not os.path.exists(os.path.join(folder, "workload.json")):
            subprocess.run([sys.executable, os.path.join(a.peers, "make_workload.py"), folder, "--preset", preset], check=True)
        own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "method_peers.py")
        if "lora" in a.tasks.split(",") and not os.path.exists(os.path.join(folder, "adapter")):
            subprocess.run([sys.executable, own, folder, "--task", "adapter"], check=True)
        for task in a.tasks.split(","):
            for dtype in a.dtypes.split(","):
                job = ["--task", task, "--dtype", dtype] + rest
                ours = results.get(a, ("ours", preset, task, dtype, ""), [a.benchmarks, folder] + job)
                script = own if task in METHODS else os.path.join(a.peers, "torch_peer.py")
                peer = {} if a.ours_only else results.get(a, ("torch", preset, task, dtype, ""), [sys.executable, script, folder] + job)
                both = "seconds" in ours and "seconds" in peer
                table.append([
                    preset, task, dtype, number(ours, "seconds", "%.2f"), number(peer, "seconds", "%.2f"),
                    "%.1f" % (peer["seconds"] / ours["seconds"]) if both else "–",
                    number(ours, "peak_rss_mb", "%d") + " / " + number(peer, "peak_rss_mb", "%d"),
                    "%.2f" % (ours["peak_rss_mb"] / peer["peak_rss_mb"]) if both else "–",
                    number(ours, "first_loss", "%.6f") + " / " + number(peer, "first_loss", "%.6f")])
                for idea in IDEAS.get(task, []) if a.ideas else []:
                    less = results.get(a, ("ours", preset, task, dtype, idea), [a.benchmarks, folder] + job + ["--without", idea])
                    if "seconds" in less and "seconds" in ours:
                        worth.append([preset, task, dtype, idea, number(ours, "seconds", "%.2f"), number(less, "seconds", "%.2f"),
                                      "%.2f" % (less["seconds"] / ours["seconds"])])
    show(["preset", "task", "dtype", "ours (s)", "PyTorch (s)", "times faster", "peak memory, ours / PyTorch (MiB)", "ratio", "first loss"],
         table)
    if worth:
        show(["preset", "task", "dtype", "optimisation", "with (s)", "without (s)", "speedup"], worth)
    for key, row in results.lines.items():
        if "failed" in row:
            print("failed:", *key, "-", row["failed"])


def show(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


main()
