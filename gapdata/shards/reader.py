"""Reading a dataset: random access by byte ranges through the index, on any fsspec URL."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from operator import index as as_index
from typing import SupportsIndex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gapdata.errors import ConfigError, DatasetError
from gapdata.sample import Sample
from gapdata.shards.codec import LAYERS, decode_sample, member_names
from gapdata.shards.index import SAMPLES_SCHEMA, read_questions, read_samples
from gapdata.shards.manifest import Manifest, read_manifest, read_whole_manifest
from gapdata.shards.storage import open_storage

Array = np.ndarray

# Ranges closer than this are fetched as one: about what a request's latency costs in transfer.
_MERGE_GAP = 256 * 1024
_LIGHT_COLUMNS = [name for name in SAMPLES_SCHEMA.names if name != "members"]


class Dataset:
    """The samples of a finished dataset, in the order of its shards. Made by `open_dataset`.

    `len`, iteration, `dataset[i]`. Pickles as its arguments and opens again on the other side.
    """

    def __init__(self, url: str, split: str | None, layers: Sequence[str]) -> None:
        unknown = sorted(set(layers) - set(LAYERS))
        if unknown:
            raise ConfigError(f"unknown layers {unknown}: expected some of {', '.join(LAYERS)}")
        self.url, self.split, self.layers = url, split, tuple(layers)
        self.manifest: Manifest = read_manifest(url)
        if split is not None and split not in self.manifest.splits:
            found = ", ".join(sorted(self.manifest.splits)) or "none"
            raise ConfigError(f"{url}: unknown split {split!r}: expected one of {found}")
        table = read_samples(url, _LIGHT_COLUMNS)
        self._rows = None if split is None else _rows_of_split(table, split)
        # The rows of samples.parquet without their members.
        self.samples: pa.Table = table if self._rows is None else table.take(self._rows)
        self._storage = open_storage(url)
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Dataset], tuple[str, str | None, tuple[str, ...]]]:
        return type(self), (self.url, self.split, self.layers)

    def __len__(self) -> int:
        return int(self.samples.num_rows)

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: SupportsIndex) -> Sample:
        """Sample `i`, decoded; layers not asked for are None. Negative numbers count from the end."""
        position = self._position(i)
        try:
            return decode_sample(self.read_members(position), layers=self.layers)
        except DatasetError as error:
            raise DatasetError(
                f"{self.url}: {self._cell('key', position)}: {error}; run gapdata check"
            ) from error

    def read_members(
        self, i: SupportsIndex, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Member suffix -> stored bytes of sample `i`: those of `names` that are there.

        By default the dataset's layers, points, meta and questions.
        """
        position = self._position(i)
        if names is None:
            names = member_names(self.samples["num_views"][position].as_py(), self.layers)
        wanted = set(names)
        row = position if self._rows is None else self._rows[position].as_py()
        places = {
            place["name"]: (place["offset"], place["size"])
            for place in self._members[row].as_py()
            if place["name"] in wanted
        }
        shard = self._cell("shard", position)
        contents: dict[str, bytes] = {}
        for names in _merged(places):
            start = places[names[0]][0]
            end = max(sum(places[name]) for name in names)
            data = self._storage.read(shard, start, end)
            if len(data) < end - start:
                raise DatasetError(f"{shard}: ends before byte {end}; run gapdata check")
            for name in names:
                offset, size = places[name]
                contents[name] = bytes(data[offset - start : offset - start + size])
        return contents

    @property
    def keys(self) -> pa.ChunkedArray:
        """The keys, in order."""
        return self.samples["key"]

    def index(self, key: str) -> int:
        """Position of the sample with a key. Raises KeyError when there is none."""
        position = pc.index(self.keys, key).as_py()
        if position < 0:
            raise KeyError(key)
        return int(position)

    @cached_property
    def qa(self) -> pa.Table:
        """The rows of qa.parquet that belong to these samples."""
        table = read_questions(self.url)
        return table if self.split is None else table.filter(pc.is_in(table["key"], self.keys))

    @property
    def _members(self) -> pa.Array | pa.ChunkedArray:
        # Most of the index's bytes, needed only when samples are read, and read once however many threads ask.
        with self._lock:
            return self._all_members

    @cached_property
    def _all_members(self) -> pa.Array | pa.ChunkedArray:
        return read_samples(self.url, ["members"])["members"].combine_chunks()

    def _cell(self, column: str, i: int) -> str:
        return str(self.samples[column][i].as_py())

    def _position(self, i: SupportsIndex) -> int:
        position = as_index(i)
        position += len(self) if position < 0 else 0
        if not 0 <= position < len(self):
            raise IndexError(f"sample {i} of {len(self)}")
        return position


def open_dataset(url: str, *, split: str | None = None, layers: Sequence[str] = LAYERS) -> Dataset:
    """The dataset at a local path or fsspec URL, ready for `len`, `dataset[i]` and iteration.

    split: only this one's samples. layers: image layers to read and decode, some of `rgb`, `depth`, `normal`,
    `instance`; bytes of others are not fetched. Raises DatasetError for a dataset that is unfinished,
    damaged or of another schema version, ConfigError for an unknown split or layer.
    """
    read_whole_manifest(url)
    return Dataset(url, split, layers)


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
