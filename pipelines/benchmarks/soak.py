"""Builds whose workers or driver are killed at random: how many kills, and whether the bytes are those of an undisturbed one.

Each kill is SIGKILL after a random time, of the driver or of one of its workers. A build whose driver died is started
again with the same command, one whose worker died goes on or says what to do; when it has finished, all files are
held against the undisturbed build's and the next one starts.

python pipelines/benchmarks/soak.py [--executor local|ray] [--kills 20] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from machine import describe_run

BUILD = (
    "build", "--source", "synthetic", "--num-scenes", "12", "--views", "2", "--samples-per-scene", "1", "--size", "128x96",
)  # fmt: skip
WORKER_SIGNS = ("spawn_main", "_task")  # in the command lines of processes that run jobs


def hashes(out: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def workers_of(driver: psutil.Process) -> list[psutil.Process]:
    """The driver's processes that run jobs now."""
    found = []
    for process in driver.children(recursive=True):
        try:
            if any(sign in " ".join(process.cmdline()) for sign in WORKER_SIGNS):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile
    return found


def strike(process: subprocess.Popen[bytes], rng: random.Random) -> str:
    """Waits, then kills the driver or a worker; says which, "" when the build was over before."""
    try:
        process.wait(rng.uniform(1.0, 12.0))
    except subprocess.TimeoutExpired:
        workers = workers_of(psutil.Process(process.pid))
        if workers and rng.random() < 0.5:
            rng.choice(workers).kill()
            return "worker"
        process.kill()
        process.wait()
        return "driver"
    return ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", default="local")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(describe_run(), flush=True)
    rng, killed, starts, equal = random.Random(args.seed), Counter[str](), 0, []
    command = [sys.executable, "-m", "gapdata.cli", *BUILD]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference"
        subprocess.run([*command, "--out", str(reference)], check=True, capture_output=True)
        expected = hashes(reference)
        while killed.total() < args.kills:
            out = Path(folder) / f"out{len(equal)}"
            while not (out / "dataset.json").exists():
                process = subprocess.Popen(
                    [*command, "--out", str(out), "--workers", "2", "--executor", args.executor],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                starts += 1
                while process.poll() is None:
                    if killed.total() < args.kills and (what := strike(process, rng)):
                        killed[what] += 1
                    elif killed.total() >= args.kills:
                        process.wait()
            equal.append(hashes(out) == expected)
            print(
                f"build {len(equal)}: kills so far {dict(killed)}, equal: {equal[-1]}", flush=True
            )
    print(
        f"{args.executor}: {killed.total()} kills ({dict(killed)}), {starts} starts, {len(equal)} builds finished, "
        f"{sum(equal)} equal to the undisturbed one, {time.monotonic() - begin:.0f} s"
    )
    sys.exit(0 if all(equal) else 1)


if __name__ == "__main__":
    main()
