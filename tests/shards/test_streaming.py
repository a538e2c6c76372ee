"""Reading from afar: the same bytes in plan order, a cache that keeps its bounds, shards that changed or disagree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards import cache as cache_module
from gapdata.shards.cache import BLOCK, BlockCache
from gapdata.shards.codec import encode_sample
from gapdata.shards.index import read_questions, read_samples, write_index
from gapdata.shards.places import read_places
from gapdata.shards.reader import open_dataset
from gapdata.shards.storage import open_storage
from tests.fixtures.samples import room_sample, write_dataset

SAMPLES = [room_sample(f"room-{i:04d}", seed=i, height=48, width=64) for i in range(6)]
LIMIT = 32 * BLOCK


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset")
    write_dataset(str(out), SAMPLES, per_shard=3)
    return out


@pytest.fixture
def remote(local: Path, s3_url: str) -> str:
    """The dataset in a bucket."""
    storage = open_storage(s3_url)
    for path in local.rglob("*"):
        if path.is_file():
            storage.write(str(path.relative_to(local)), path.read_bytes())
    return s3_url


@pytest.mark.parametrize("cached", [False, True])
def test_any_order_gives_the_stored_bytes(remote: str, tmp_path: Path, cached: bool) -> None:
    dataset = open_dataset(remote, cache=str(tmp_path / "cache") if cached else "")
    order = [4, 0, 5, 5, 1, 3, 2, 0]
    expected = [encode_sample(SAMPLES[i]) for i in order]
    assert list(dataset.stream(order)) == expected
    assert list(dataset.stream(order)) == expected
    assert [sample.key for sample in dataset] == dataset.keys.to_pylist()
    assert next(iter(dataset)).key == "room-0000"  # what was read ahead is let go of


def test_the_cache_serves_what_the_store_no_longer_can(remote: str, tmp_path: Path) -> None:
    dataset = open_dataset(remote, cache=str(tmp_path / "cache"))
    for i in range(len(dataset)):
        dataset.fetch(i)
    open_storage(remote).remove("shards")
    assert dataset.read_members(2) == encode_sample(SAMPLES[2])
    with pytest.raises(DatasetError, match=r"room-0002: shards/train-00000\.tar: is missing"):
        open_dataset(remote).read_members(2)


def test_an_error_ahead_is_raised_where_it_belongs(remote: str) -> None:
    open_storage(remote).remove("shards/train-00001.tar")
    stream = open_dataset(remote).stream(range(6))
    assert [next(stream)["meta.json"] for _ in range(3)]
    with pytest.raises(DatasetError, match=r"room-0003: .* is missing"):
        next(stream)


class Shard:
    """A shard of random bytes, and how often it was asked for."""

    def __init__(self, size: int, seed: int) -> None:
        self.data = np.random.default_rng(seed).bytes(size)
        self.sha256, self.asked = f"{seed:064x}", 0
        self._lock = threading.Lock()

    def fetch(self, start: int, end: int) -> bytes:
        with self._lock:
            self.asked += 1
        return self.data[start:end]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_ranges_over_blocks_are_exact(tmp_path: Path) -> None:
    shard, cache = Shard(3 * BLOCK + 1000, 1), BlockCache(str(tmp_path), LIMIT)
    rng = np.random.default_rng(0)
    for start, end in [(0, 1), (BLOCK - 1, BLOCK + 1), (0, len(shard.data)), (3 * BLOCK, len(shard.data)),
                       *np.sort(rng.integers(0, len(shard.data), (20, 2)), axis=1).tolist()]:  # fmt: skip
        found = cache.read(shard.sha256, len(shard.data), start, end, shard.fetch)
        assert found == shard.data[start:end]
    assert shard.asked == 4


def test_threads_fetch_a_block_once(tmp_path: Path) -> None:
    shard, cache = Shard(BLOCK, 2), BlockCache(str(tmp_path), LIMIT)
    start = threading.Barrier(8)

    def read() -> None:
        start.wait()
        assert cache.read(shard.sha256, BLOCK, 5, 9, shard.fetch) == shard.data[5:9]

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shard.asked == 1


def test_a_failed_fetch_is_tried_again(tmp_path: Path) -> None:
    cache = BlockCache(str(tmp_path), LIMIT)

    def fail(start: int, end: int) -> bytes:
        raise DatasetError("gone")

    with pytest.raises(DatasetError, match="gone"):
        cache.read("a" * 64, BLOCK, 0, 1, fail)
    assert cache.read("a" * 64, BLOCK, 0, 1, lambda start, end: bytes(end - start)) == b"\0"


def test_the_cache_stays_below_its_limit_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache, shard = BlockCache(str(tmp_path), LIMIT), Shard(BLOCK, 3)
    for number in range(100):
        cache.read(f"{number:064x}", BLOCK, 0, 1, shard.fetch)
        if number >= 50:
            cache.read(f"{50:064x}", BLOCK, 0, 1, shard.fetch)
        assert size_of(tmp_path) <= LIMIT
    asked = shard.asked
    for number in (50, 98, 99):
        cache.read(f"{number:064x}", BLOCK, 0, 1, shard.fetch)
    assert shard.asked == asked
    cache.read(f"{1:064x}", BLOCK, 0, 1, shard.fetch)
    assert shard.asked == asked + 1


def test_processes_share_one_folder_and_its_limit(tmp_path: Path) -> None:
    code = (
        "import sys; from gapdata.shards.cache import BLOCK, BlockCache\n"
        f"cache = BlockCache({str(tmp_path)!r}, {LIMIT})\n"
        "for i in range(60):\n"
        "    data = bytes([i]) * BLOCK\n"
        "    for _ in range(2):\n"
        "        assert cache.read(f'{i:064x}', BLOCK, 0, BLOCK, lambda a, b: data[a:b]) == data\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    seen = [0]
    while any(process.poll() is None for process in running):
        with suppress(FileNotFoundError):
            seen.append(size_of(tmp_path))
    assert [process.returncode for process in running] == [0, 0, 0]
    assert LIMIT // 4 < max(seen) <= LIMIT


def test_a_cache_that_is_too_small_or_full_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at least"):
        BlockCache(str(tmp_path), BLOCK)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        BlockCache(str(tmp_path / "file"), LIMIT)


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_a_shard_that_is_replaced_is_noticed(kind, local, s3_url, tmp_path, monkeypatch) -> None:
    url = str(shutil.copytree(local, tmp_path / "copy")) if kind == "local" else s3_url
    if kind == "remote":
        for path in local.rglob("*"):
            if path.is_file():
                open_storage(url).write(str(path.relative_to(local)), path.read_bytes())
    monkeypatch.setattr("gapdata.shards.shard_bytes._LOOK_AGAIN_S", 0.0)
    dataset, storage = open_dataset(url), open_storage(url)
    dataset.read_members(1)
    data = storage.read("shards/train-00000.tar")
    other = bytearray(data)
    other[-20_000] ^= 1
    storage.write("shards/train-00000.tar", bytes(other))
    with pytest.raises(DatasetError, match=r"room-0001: .*was replaced while the dataset was open"):
        dataset.read_members(1)
    storage.write("shards/train-00000.tar", data[:-10_240])
    with pytest.raises(
        DatasetError, match=r"expected \d+ bytes as in dataset.json, found \d+"
    ) as caught:
        open_dataset(url).read_members(1)
    assert "\n" not in str(caught.value)


def rewrite(copy: Path, change) -> None:
    """The index of a copy with its rows changed."""
    rows = read_samples(str(copy)).to_pylist()
    change(rows)
    table = pa.Table.from_pylist(rows, read_samples(str(copy)).schema)
    write_index(str(copy), table, read_questions(str(copy)))


def swap(rows) -> None:
    rows[0]["members"], rows[1]["members"] = rows[1]["members"], rows[0]["members"]


def beyond(rows) -> None:
    for place in rows[2]["members"]:
        place["offset"] += 1 << 30


def shift(rows) -> None:
    for place in rows[1]["members"]:
        place["offset"] += 512


def grow(rows) -> None:
    rows[1]["members"][-1]["size"] += 1


def elsewhere(rows) -> None:
    rows[1]["shard"] = "../../secrets.tar"


def backwards(rows) -> None:
    rows[1]["members"].reverse()


DISAGREEMENTS = {
    swap: "samples.parquet and the shard disagree: expected room-0000.00.depth",
    beyond: r"names bytes \d+ to \d+ of \d+; run gapdata check",
    shift: "samples.parquet and the shard disagree",
    grow: "samples.parquet and the shard disagree",
    elsewhere: r"secrets\.tar: is in samples\.parquet but not in dataset\.json",
    backwards: "members of a sample are not in order",
}


@pytest.mark.parametrize("change", DISAGREEMENTS, ids=lambda change: change.__name__)
def test_an_index_that_disagrees_with_its_shards_is_one_line(local, tmp_path, change) -> None:
    copy = shutil.copytree(local, tmp_path / "copy")
    rewrite(copy, change)
    with pytest.raises(DatasetError, match=DISAGREEMENTS[change]) as caught:
        list(open_dataset(str(copy)).stream(range(len(SAMPLES))))
    assert "\n" not in str(caught.value)


def test_places_of_samples_of_several_kinds(local: Path, tmp_path: Path) -> None:
    """Against the rows themselves, with some members left out of some samples."""
    copy = shutil.copytree(local, tmp_path / "copy")

    def thin(rows) -> None:
        for number, row in enumerate(rows):
            row["members"] = row["members"][number % 3 :]

    rewrite(copy, thin)
    places = read_places(str(copy))
    assert len(places.layouts) == 3
    for number, row in enumerate(read_samples(str(copy)).to_pylist()):
        expected = {p["name"]: (p["offset"], p["size"]) for p in row["members"]}
        assert list(places.of(number).items()) == list(expected.items())


def test_blocks_of_a_cut_file_are_fetched_again(tmp_path: Path) -> None:
    shard, cache = Shard(BLOCK, 4), BlockCache(str(tmp_path), LIMIT)
    cache.read(shard.sha256, BLOCK, 0, 9, shard.fetch)
    (stored,) = (path for path in tmp_path.rglob(f"{shard.sha256}*") if path.is_file())
    os.truncate(stored, 100)
    assert cache.read(shard.sha256, BLOCK, 0, 9, shard.fetch) == shard.data[:9]
    assert cache_module._stored(stored, BLOCK) == shard.data
