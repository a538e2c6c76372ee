"""Builds into a store and on Ray against the same build here: two workers, two processors, the same scenes.

Each build is the command that a user runs, timed from its start to its end; a round has one of each, in turns.

local    into a folder
s3       into an S3 server on this machine, which has to share the processors
ray      on a Ray that the command starts and stops, which is part of its time
cluster  on a Ray that runs already

python pipelines/benchmarks/builds.py [--scenes 8] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from machine import describe_run

sys.path.append(str(Path(__file__).parents[2]))
from tests.fixtures.stores import BUCKET, seaweed

WORKERS = 2


@contextmanager
def ray_cluster() -> Iterator[str]:
    """The address of a Ray of this machine, which ends when the context does."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": WORKERS, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()


def seconds(scenes: int, *options: str) -> float:
    """How long the command takes."""
    command = [sys.executable, "-m", "gapdata.cli", "build", "--source", "synthetic", "--num-scenes", str(scenes),
               "--size", "480x360", "--workers", str(WORKERS), *options]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(describe_run(), flush=True)
    with tempfile.TemporaryDirectory() as folder, seaweed(Path(folder) / "store") as store:
        os.environ.update(store.environment)
        fsspec.filesystem("s3", use_listings_cache=False).mkdir(BUCKET)
        found: dict[str, list[float]] = {name: [] for name in ("local", "s3", "ray", "cluster")}
        seconds(args.scenes, "--out", f"{folder}/first")
        for i in range(args.rounds):
            found["local"].append(seconds(args.scenes, "--out", f"{folder}/local{i}"))
            found["s3"].append(seconds(args.scenes, "--out", f"{store.url}/s3{i}"))
            ray = ("--executor", "ray", "--out")
            found["ray"].append(seconds(args.scenes, *ray, f"{folder}/ray{i}"))
            with ray_cluster() as address:
                cluster = ("--ray-address", address, *ray, f"{folder}/cluster{i}")
                found["cluster"].append(seconds(args.scenes, *cluster))
    for name, spent in found.items():
        ratios = [here / there for here, there in zip(found["local"], spent, strict=True)]
        print(
            f"{name:8} {statistics.median(spent):6.1f} s, {statistics.median(ratios):.2f} of the local speed "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
