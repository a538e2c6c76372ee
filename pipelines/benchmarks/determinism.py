"""Whether builds have the same bytes whatever runs them: interpreters, hash seeds, numbers of workers.

Builds two small scenes of every world with every interpreter given (each needs gapdata installed) and this one,
with a hash seed of its own each, and with one and three workers, and compares all files' SHA-256 (the manifest's
without the platform that it names). Exit 1 when any differs.

python pipelines/benchmarks/determinism.py [PYTHON ...] [--worlds room street]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from machine import describe_run

from gapdata.synthetic import WORLDS

BUILD = "import sys; sys.argv = ['gapdata', *sys.argv[1:]]; from gapdata.cli import main; main()"
FLAGS = ("--num-scenes", "2", "--samples-per-scene", "1", "--size", "128x96")
HASH_SEEDS = ("0", "1", "77")


def version(python: str) -> str:
    """Of an interpreter."""
    asked = [python, "-c", "import platform; print(platform.python_version())"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def build(python: str, world: str, workers: int, hash_seed: str, out: Path) -> dict[str, str]:
    """SHA-256 of every file of a build, by its name."""
    run = subprocess.run(
        [python, "-c", BUILD, "build", "--source", "synthetic", "--world", world, *FLAGS,
         "--workers", str(workers), "--out", str(out)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True,
    )  # fmt: skip
    if run.returncode:
        raise SystemExit(f"{python}: the build of {world} failed:\n{run.stderr}")
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): digest(path) for path in files}


def digest(path: Path) -> str:
    """SHA-256 of a file, of a manifest without the platform that it names."""
    data = path.read_bytes()
    if path.name == "dataset.json":
        manifest = json.loads(data)
        manifest.pop("platform")
        data = json.dumps(manifest).encode()
    return hashlib.sha256(data).hexdigest()


def compare(world: str, pythons: Sequence[str], scratch: Path) -> bool:
    """Whether every way to build a world gives the bytes of the first; prints a row for each."""
    ways = [(python, 1 + 2 * (n % 2), HASH_SEEDS[n % 3]) for n, python in enumerate(pythons)]
    ways += [(pythons[0], 3, HASH_SEEDS[1]), (pythons[0], 1, HASH_SEEDS[2])]
    first: dict[str, str] = {}
    same = True
    for number, (python, workers, hash_seed) in enumerate(ways):
        made = build(python, world, workers, hash_seed, scratch / f"{world}{number}")
        first = first or made
        names = sorted(set(first) | set(made))
        other = [name for name in names if first.get(name) != made.get(name)]
        together = hashlib.sha256(repr(sorted(made.items())).encode()).hexdigest()[:12]
        verdict = f"differs: {', '.join(other)}" if other else "same"
        print(
            f"| {world} | {version(python)} | {hash_seed} | {workers} | {together} | {verdict} |",
            flush=True,
        )
        same &= not other
    return same


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="*", help="further interpreters with gapdata installed")
    parser.add_argument("--worlds", nargs="+", choices=sorted(WORLDS), default=sorted(WORLDS))
    options = parser.parse_args()
    print("| world | Python | hash seed | workers | all files | |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        results = [
            compare(world, [sys.executable, *options.pythons], Path(scratch))
            for world in options.worlds
        ]
    print(describe_run())
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
