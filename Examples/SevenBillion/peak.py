#!/usr/bin/env python3
"""Runs a command and appends its name, exit status, seconds and peak resident memory to a CSV: python3 peak.py CSV NAME COMMAND…

With KILL_WHEN=PATH in the environment, the command gets SIGKILL as soon as the path exists.
"""

import csv
import os
import resource
import subprocess
import sys
import time


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    table, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    path, begin = os.environ.get("KILL_WHEN"), time.monotonic()
    process = subprocess.Popen(command)
    killed = False
    while path and process.poll() is None:
        if os.path.exists(path):
            process.kill()
            killed = True
            break
        time.sleep(0.01)
    status = process.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    new = not os.path.exists(table)
    with open(table, "a", newline="") as out:
        rows = csv.writer(out)
        if new:
            rows.writerow(["command", "status", "seconds", "peak_bytes"])
        rows.writerow([name, "killed" if killed else status, f"{time.monotonic() - begin:.1f}", peak])
    print(f"{name}: peak {peak / (1 << 30):.2f} GiB, {time.monotonic() - begin:.0f} s", flush=True)
    sys.exit(0 if killed else status)


if __name__ == "__main__":
    main()
