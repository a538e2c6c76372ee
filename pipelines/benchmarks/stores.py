"""Reading speed against what it could be: from an S3 server on loopback, and of `gapdata check` from a disk.

All figures of a table are from one run, taken in turns, so that the machine's other work touches them alike.

raw: s3fs range requests for the same bytes, from as many threads as the reader's read-ahead has.
stream: `Dataset.stream`, with index, tar headers checked and members cut.
check: what `gapdata check` reads a shard with, against reading and hashing the same file in the same pieces.

python pipelines/benchmarks/stores.py [--scenes 8] [--rounds 5]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
from machine import describe_run

sys.path.append(str(Path(__file__).parents[2]))
from gapdata.build import build
from gapdata.build_config import BuildConfig
from gapdata.checks.tar import ShardStream
from gapdata.shards.reader import _THREADS, Dataset, open_dataset
from gapdata.shards.tar import TAR_BLOCK
from gapdata.transfer import copy_dataset
from tests.fixtures.stores import BUCKET, seaweed

_CHUNK = 1 << 20


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ranges(dataset: Dataset) -> list[tuple[str, int, int]]:
    """Shard, start and end of each sample's members."""
    found = []
    for i in range(len(dataset)):
        places = list(dataset._places.of(i).values())
        shard = dataset.samples["shard"][i].as_py()
        found.append((shard, places[0][0] - TAR_BLOCK, sum(places[-1])))
    return found


def measure_reading(url: str, rounds: int) -> None:
    """Print megabytes a second of both and their ratio."""
    dataset = open_dataset(url)
    wanted = ranges(dataset) * 4
    filesystem, root = fsspec.core.url_to_fs(url, use_listings_cache=False)

    def raw() -> None:
        with ThreadPoolExecutor(_THREADS) as pool:
            for data in pool.map(
                lambda r: filesystem.cat_file(f"{root}/{r[0]}", start=r[1], end=r[2]), wanted
            ):
                assert data

    def stream() -> None:
        for members in dataset.stream(list(range(len(dataset))) * 4):
            assert members

    raw(), stream()
    pairs = [(seconds(raw), seconds(stream)) for _ in range(rounds)]
    megabytes = sum(end - start for _, start, end in wanted) / 1e6
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"raw    {megabytes / first:8.0f} MB/s\nstream {megabytes / second:8.0f} MB/s = {ratio:.2f} of raw"
    )


def measure_check(folder: Path, rounds: int) -> None:
    """Print megabytes a second of a shard's bytes, raw and as check reads them."""
    shards = sorted((folder / "shards").glob("*.tar")) * 4

    def raw() -> None:
        for path in shards:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while data := file.read(_CHUNK):
                    digest.update(data)

    def check() -> None:
        for path in shards:
            with path.open("rb") as file:
                stream = ShardStream(file, path.stat().st_size)
                for _ in stream.members():
                    pass
                stream.close_reading()

    raw(), check()
    pairs = [(seconds(raw), seconds(check)) for _ in range(rounds)]
    megabytes = sum(path.stat().st_size for path in shards) / 1e6
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"hash   {megabytes / first:8.0f} MB/s\ncheck  {megabytes / second:8.0f} MB/s = {ratio:.2f} of it"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print(describe_run(), flush=True)
    settings = {"source": "synthetic", "num_scenes": args.scenes, "height": 360, "width": 480, "scenes_per_shard": 2}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, seaweed(Path(folder) / "store") as store:
        os.environ.update(store.environment)
        fsspec.filesystem("s3", use_listings_cache=False).mkdir(BUCKET)
        first = Path(folder) / "first"
        build(BuildConfig(**settings, out=str(first)))  # type: ignore[arg-type]
        copy_dataset(str(first), f"{store.url}/first")
        measure_reading(f"{store.url}/first", args.rounds)
        measure_check(first, args.rounds)


if __name__ == "__main__":
    main()
