"""Reading a dataset: random access by byte ranges through the index, ahead of use, on any fsspec URL."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from operator import index as as_index
from typing import SupportsIndex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gapdata.errors import ConfigError, DatasetError
from gapdata.sample import Sample
from gapdata.shards.cache import BlockCache
from gapdata.shards.codec import LAYERS, decode_sample, member_names
from gapdata.shards.index import SAMPLES_SCHEMA, read_questions, read_samples
from gapdata.shards.manifest import Manifest, read_manifest, read_whole_manifest
from gapdata.shards.places import Places, read_places
from gapdata.shards.shard_bytes import ShardBytes
from gapdata.shards.tar import SIZE, TAR_BLOCK

Array = np.ndarray

# Ranges closer than this are fetched as one: about what a request's latency costs in transfer.
_MERGE_GAP = 256 * 1024
_AHEAD = 8  # samples that are fetched while one is used
_THREADS = 4
DEFAULT_CACHE_BYTES = 64 << 30
_LIGHT_COLUMNS = [name for name in SAMPLES_SCHEMA.names if name != "members"]


class Dataset:
    """The samples of a finished dataset, in the order of its shards. Made by `open_dataset`.

    `len`, iteration, `dataset[i]`. Pickles as its arguments and opens again on the other side.
    """

    def __init__(
        self,
        url: str,
        split: str | None,
        layers: Sequence[str],
        cache: str = "",
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        unknown = sorted(set(layers) - set(LAYERS))
        if unknown:
            raise ConfigError(f"unknown layers {unknown}: expected some of {', '.join(LAYERS)}")
        self.url, self.split, self.layers = url, split, tuple(layers)
        self._caching = cache, cache_bytes
        self.manifest: Manifest = read_manifest(url)
        if split is not None and split not in self.manifest.splits:
            found = ", ".join(sorted(self.manifest.splits)) or "none"
            raise ConfigError(f"{url}: unknown split {split!r}: expected one of {found}")
        table = read_samples(url, _LIGHT_COLUMNS)
        self._rows = None if split is None else _rows_of_split(table, split)
        # The rows of samples.parquet without their members.
        self.samples: pa.Table = table if self._rows is None else table.take(self._rows)
        blocks = BlockCache(cache, cache_bytes) if cache else None
        self._shards = ShardBytes(url, self.manifest, blocks)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Dataset], tuple[str, str | None, tuple[str, ...], str, int]]:
        return type(self), (self.url, self.split, self.layers, *self._caching)

    def __len__(self) -> int:
        return int(self.samples.num_rows)

    def __iter__(self) -> Iterator[Sample]:
        members = self.stream(range(len(self)))
        return (self._decoded(i, stored) for i, stored in enumerate(members))

    def __getitem__(self, i: SupportsIndex) -> Sample:
        """Sample `i`, decoded; layers not asked for are None. Negative numbers count from the end."""
        position = self._position(i)
        return self._decoded(position, self.read_members(position))

    def stream(
        self, positions: Iterable[int], names: Collection[str] | None = None
    ) -> Iterator[dict[str, bytes]]:
        """The members of these samples in this order, see `read_members`, the next ones fetched ahead of their use."""
        if not self._shards.is_remote:
            yield from (self.read_members(i, names) for i in positions)
            return
        left = iter(positions)
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead") as pool:
            ahead: deque[Future[dict[str, bytes]]] = deque()
            try:
                while True:
                    for i in islice(left, _AHEAD - len(ahead)):
                        ahead.append(pool.submit(self.read_members, i, names))
                    if not ahead:
                        return
                    yield ahead.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def fetch(self, i: SupportsIndex) -> None:
        """Nothing; all of sample `i` is now in the cache, where there is one, for a later read."""
        if self._shards.is_cached:
            position = self._position(i)
            places = list(self._places.of(self._row(position)).values())
            self._shards.read(
                self._cell("shard", position), places[0][0] - TAR_BLOCK, sum(places[-1])
            )

    def require_intact(self, i: SupportsIndex) -> None:
        """Nothing. Raises DatasetError when the shard of sample `i` is not what the manifest's hash says; reads all of it."""
        try:
            self._shards.require_intact(self._cell("shard", self._position(i)))
        except DatasetError as error:
            raise DatasetError(f"{self.url}: {error}") from error

    def read_members(
        self, i: SupportsIndex, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Member suffix -> stored bytes of sample `i`: those of `names` that are there.

        By default the dataset's layers, points, meta and questions. Raises DatasetError naming the sample when
        the shard holds something else than the index says.
        """
        position = self._position(i)
        if names is None:
            names = member_names(self.samples["num_views"][position].as_py(), self.layers)
        wanted = set(names)
        shard, key = self._cell("shard", position), self._cell("key", position)
        found = self._places.of(self._row(position))
        places = {name: place for name, place in found.items() if name in wanted}
        contents: dict[str, bytes] = {}
        try:
            for group in _merged(places):
                start = places[group[0]][0] - TAR_BLOCK
                data = self._shards.read(shard, start, sum(places[group[-1]]))
                for name in group:
                    offset, size = places[name][0] - start, places[name][1]
                    self._require_member(
                        shard, f"{key}.{name}", size, data[offset - TAR_BLOCK : offset]
                    )
                    contents[name] = bytes(data[offset : offset + size])
        except DatasetError as error:
            raise DatasetError(f"{self.url}: {key}: {error}") from error
        return contents

    @property
    def keys(self) -> pa.ChunkedArray:
        """The keys, in order."""
        return self.samples["key"]

    def index(self, key: str) -> int:
        """Position of the sample with a key. Raises KeyError when there is none."""
        with self._lock:
            return self._position_of[key]

    @cached_property
    def qa(self) -> pa.Table:
        """The rows of qa.parquet that belong to these samples."""
        table = read_questions(self.url)
        return table if self.split is None else table.filter(pc.is_in(table["key"], self.keys))

    def _decoded(self, position: int, members: dict[str, bytes]) -> Sample:
        try:
            return decode_sample(members, layers=self.layers)
        except DatasetError as error:
            key = self._cell("key", position)
            raise DatasetError(f"{self.url}: {key}: {error}; run gapdata check") from error

    def _require_member(self, shard: str, name: str, size: int, header: bytes) -> None:
        if header[: len(name) + 1] == name.encode() + b"\0" and header[SIZE] == b"%011o\0" % size:
            return
        self._shards.require_unchanged(shard)
        raise DatasetError(
            f"{shard}: samples.parquet and the shard disagree: expected {name} of {size} bytes, "
            f"found {header[:100].rstrip(bytes(1))!r}; run gapdata check"
        )

    @property
    def _places(self) -> Places:
        # Most of the index's bytes, needed only when samples are read, and read once however many threads ask.
        with self._lock:
            return self._all_places

    @cached_property
    def _all_places(self) -> Places:
        return read_places(self.url)

    @cached_property
    def _position_of(self) -> dict[str, int]:
        return {key: i for i, key in enumerate(self.keys.to_pylist())}

    def _row(self, position: int) -> int:
        """The row of samples.parquet."""
        return position if self._rows is None else int(self._rows[position].as_py())

    def _cell(self, column: str, i: int) -> str:
        return str(self.samples[column][i].as_py())

    def _position(self, i: SupportsIndex) -> int:
        position = as_index(i)
        position += len(self) if position < 0 else 0
        if not 0 <= position < len(self):
            raise IndexError(f"sample {i} of {len(self)}")
        return position


def open_dataset(
    url: str,
    *,
    split: str | None = None,
    layers: Sequence[str] = LAYERS,
    cache: str = "",
    cache_bytes: int = DEFAULT_CACHE_BYTES,
) -> Dataset:
    """The dataset at a local path or fsspec URL, ready for `len`, `dataset[i]` and iteration.

    split: only this one's samples. layers: image layers to read and decode, some of `rgb`, `depth`, `normal`,
    `instance`; bytes of others are not fetched. cache: a local folder for what is read of remote shards, kept
    below `cache_bytes`, for all processes and datasets that name it. Raises DatasetError for a dataset that is unfinished,
    damaged or of another schema version, ConfigError for an unknown split or layer.
    """
    read_whole_manifest(url)
    return Dataset(url, split, layers, cache, cache_bytes)


def open_recipe(url: str) -> Dataset:
    """The samples of a recipe, for `read_members`. Raises DatasetError as `open_dataset` does."""
    return Dataset(url, None, ())


def _rows_of_split(table: pa.Table, split: str) -> pa.Array:
    return pc.indices_nonzero(pc.equal(table["split"], split))


def _merged(places: dict[str, tuple[int, int]]) -> list[list[str]]:
    """Member names in groups to fetch as one range each."""
    groups: list[list[str]] = []
    end = -_MERGE_GAP
    for name in sorted(places, key=lambda name: places[name]):
        offset, size = places[name]
        if groups and offset - end <= _MERGE_GAP:
            groups[-1].append(name)
        else:
            groups.append([name])
        end = offset + size
    return groups
