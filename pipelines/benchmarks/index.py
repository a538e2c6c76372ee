"""An index of a million samples: seconds to open, microseconds a lookup, memory.

The rows are made up; each has the members of a sample of 4 views. `first read` is the first lookup of all, which
reads where the members lie; lookups after it are at random. `cpu` is the time of all threads, which other work on the
machine touches least.

python pipelines/benchmarks/index.py [--samples 1000000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time

import numpy as np
import psutil
import pyarrow as pa
from machine import describe_run

from gapdata.shards.codec import member_names
from gapdata.shards.index import QA_SCHEMA, SAMPLES_SCHEMA, write_index
from gapdata.shards.manifest import Manifest, ShardInfo, write_manifest
from gapdata.shards.reader import open_dataset
from gapdata.shards.tar import TAR_BLOCK

PER_SHARD, VIEWS, LOOKUPS = 250, 4, 20_000


def write_rows(url: str, samples: int) -> None:
    """A manifest and an index without shards."""
    names = member_names(VIEWS)
    count, shards = len(names), samples // PER_SHARD
    sizes = np.random.default_rng(0).integers(2_000, 120_000, (shards, PER_SHARD * count))
    steps = sizes + -sizes % TAR_BLOCK + TAR_BLOCK
    offsets = np.cumsum(steps, axis=1) - steps + TAR_BLOCK
    codes = np.tile(np.arange(count, dtype=np.int32), samples)
    members = pa.StructArray.from_arrays(
        [
            pa.DictionaryArray.from_arrays(codes, pa.array(names)).cast(pa.string()),
            pa.array(offsets.ravel()),
            pa.array(sizes.ravel()),
        ],
        names=["name", "offset", "size"],
    )
    numbers = range(samples)
    columns = {
        "key": [f"synthetic-room_{i // 4:06d}-{i % 4:03d}" for i in numbers],
        "shard": [f"shards/train-{i // PER_SHARD:05d}.tar" for i in numbers],
        "scene_id": [f"room_{i // 4:06d}" for i in numbers],
        "source": ["synthetic"] * samples,
        "split": ["train"] * samples,
        "num_views": np.full(samples, VIEWS, np.int32),
        "num_qa": np.full(samples, 40, np.int32),
        "members": pa.ListArray.from_arrays(
            np.arange(samples + 1, dtype=np.int32) * count, members
        ),
    }
    write_index(url, pa.table(columns, SAMPLES_SCHEMA), QA_SCHEMA.empty_table())
    infos = [
        ShardInfo(name=f"shards/train-{i:05d}.tar", bytes=1, sha256="0" * 64, samples=PER_SHARD)
        for i in range(shards)
    ]
    write_manifest(
        url,
        Manifest(
            config={"views": VIEWS}, seed=0, source="", licence="", platform="", counts={}, splits={"train": tuple(infos)}
        ),
    )  # fmt: skip


def measure(url: str) -> dict[str, float]:
    """Figures of this process, which must be a new one."""
    process, clock = psutil.Process(), time.perf_counter
    before, start, busy = process.memory_info().rss, clock(), time.process_time()
    dataset = open_dataset(url)
    figures = {"open_s": clock() - start, "open_cpu_s": time.process_time() - busy}
    start, busy = clock(), time.process_time()
    dataset._places.of(dataset._row(0))
    figures |= {"first_lookup_s": clock() - start, "first_lookup_cpu_s": time.process_time() - busy}
    spent = np.empty(LOOKUPS)
    for i, position in enumerate(np.random.default_rng(1).integers(0, len(dataset), LOOKUPS)):
        start = clock()
        dataset._cell("shard", int(position))
        dataset._places.of(dataset._row(int(position)))
        spent[i] = clock() - start
    figures["lookup_us"] = 1e6 * float(np.median(spent))
    figures["lookup_p99_us"] = 1e6 * float(np.quantile(spent, 0.99))
    figures["memory_mb"] = (process.memory_info().rss - before) / 1e6
    start = clock()
    dataset.index(dataset.keys[len(dataset) // 2].as_py())
    figures["first_key_s"] = clock() - start
    start = clock()
    for position in range(0, len(dataset), len(dataset) // 1000):
        dataset.index(dataset.keys[position].as_py())
    figures["key_us"] = 1e6 * (clock() - start) / 1000
    figures["memory_with_keys_mb"] = (process.memory_info().rss - before) / 1e6
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--measure", metavar="URL", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure)))
        return
    print(describe_run())
    with tempfile.TemporaryDirectory() as folder:
        write_rows(folder, args.samples)
        command = [sys.executable, __file__, "--measure", folder]
        figures = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for name, value in figures.items():
        print(f"{name:20} {value:10.3f}")


if __name__ == "__main__":
    main()
