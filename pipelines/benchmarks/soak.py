"""Builds that are killed at random: how many kills, and whether the bytes are those of an undisturbed build.

Each build is struck one to four times with SIGKILL, then it may finish. A strike comes when the build has a random
number of shards and a random time after that, and takes the driver, one of its workers or, with --store, the S3 server
that is built into, which comes back a few seconds later with what it held. A build that ended is started again with the
same command, as a user would. When it has finished, all its files are held against those of an undisturbed local build.

python pipelines/benchmarks/soak.py [--executor local|ray] [--store] [--kills 20] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import fsspec
import psutil
from machine import describe_run

sys.path.append(str(Path(__file__).parents[2]))
from gapdata.shards.storage import open_storage
from tests.fixtures.stores import BUCKET, Store, seaweed

SHARDS = 12
BUILD = (
    "build", "--source", "synthetic", "--num-scenes", str(SHARDS), "--views", "2", "--samples-per-scene", "1", "--size", "128x96",
    "--workers", "2",
)  # fmt: skip
WORKER_SIGNS = ("spawn_main", "ray::_task")  # in the command lines of processes that run jobs
MOST_STARTS = 20  # of one build; what needs more goes nowhere
MOST_DELAY_S, MOST_AWAY_S = 4.0, 8.0


def hashes(url: str) -> dict[str, str]:
    """SHA-256 of every file."""
    storage = open_storage(url)
    return {name: hashlib.sha256(storage.read(name)).hexdigest() for name in storage.names()}


def shards_at(url: str) -> int:
    """How many shards are finished."""
    return sum(name.endswith(".tar") for name in open_storage(url).names("shards"))


def workers_of(driver: int) -> list[psutil.Process]:
    """The driver's processes that run jobs now."""
    found = []
    for process in psutil.Process(driver).children(recursive=True):
        try:
            if any(sign in " ".join(process.cmdline()) for sign in WORKER_SIGNS):
                found.append(process)
        except psutil.Error:
            continue  # it ended meanwhile
    return found


class Soak:
    """Builds under strikes: `killed` counts them by what was killed, `starts` the build's commands."""

    def __init__(self, command: list[str], rng: random.Random, store: Store | None) -> None:
        self.command, self.rng, self.store = command, rng, store
        self.killed, self.starts = Counter[str](), 0

    def start(self, out: str, log: Path) -> subprocess.Popen[bytes]:
        """The build's process; what it says goes to `log`."""
        self.starts += 1
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self.command, "--out", out], stdout=subprocess.DEVNULL, stderr=output
            )

    def strike(self, build: subprocess.Popen[bytes], out: str, wanted: int) -> str:
        """Kills something when so many shards are there; says what and when, "" when the build ended before."""
        while shards_at(out) < wanted and build.poll() is None:
            time.sleep(0.1)
        try:
            build.wait(self.rng.uniform(0.0, MOST_DELAY_S))
        except subprocess.TimeoutExpired:
            done = shards_at(out)
            workers = workers_of(build.pid)
            victims: dict[str, Callable[[], None]] = {"driver": build.kill}
            if workers:
                victims["worker"] = self.rng.choice(workers).kill
            if self.store is not None:
                victims["store"] = self.store.kill
            what = self.rng.choice(sorted(victims))
            victims[what]()
            if what == "store" and self.store is not None:
                time.sleep(self.rng.uniform(0.0, MOST_AWAY_S))
                self.store.start()
            if what == "driver":
                build.wait()
            self.killed[what] += 1
            return f"{what} at {done}"
        return ""

    def finish(self, out: str, log: Path, kills: int) -> list[str]:
        """What was killed until the build was finished, at most so many times."""
        struck: list[str] = []
        wanted = sorted(self.rng.randrange(SHARDS) for _ in range(kills))
        for _ in range(MOST_STARTS):
            build = self.start(out, log)
            while wanted and (what := self.strike(build, out, wanted[0])):
                struck.append(what)
                del wanted[0]
            if build.wait() == 0:
                return struck
        raise SystemExit(f"{out}: not finished after {MOST_STARTS} starts\n{log.read_text()}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executor", default="local")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(describe_run(), flush=True)
    rng, begin, sound = random.Random(args.seed), time.monotonic(), []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ["RAY_TMPDIR"] = folder
        store, place = None, folder
        if args.store:
            store = stack.enter_context(seaweed(Path(folder) / "store"))
            os.environ.update(store.environment)
            fsspec.filesystem("s3", use_listings_cache=False).mkdir(BUCKET)
            place = store.url
        command = [sys.executable, "-m", "gapdata.cli", *BUILD]
        reference = str(Path(folder) / "reference")
        subprocess.run([*command, "--out", reference], check=True, capture_output=True)
        expected = hashes(reference)
        soak = Soak([*command, "--executor", args.executor], rng, store)
        while (left := args.kills - soak.killed.total()) > 0:
            number = len(sound) + 1
            out, log = f"{place}/out{number}", Path(folder) / f"out{number}.log"
            struck = soak.finish(out, log, min(rng.randint(1, 4), left))
            equal, clean = hashes(out) == expected, "Traceback" not in log.read_text()
            sound.append(equal and clean)
            verdict = ("equal" if equal else "DIFFERENT") + ("" if clean else ", WITH A TRACEBACK")
            print(
                f"build {number}: {', '.join(struck) or 'none'} of {SHARDS} shards: {verdict}",
                flush=True,
            )
            if not sound[-1]:
                print(log.read_text())
    print(
        f"{args.executor}: {soak.killed.total()} kills ({dict(soak.killed)}), {soak.starts} starts, {len(sound)} builds finished, "
        f"{sum(sound)} equal to the undisturbed one without a traceback, {time.monotonic() - begin:.0f} s"
    )
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
