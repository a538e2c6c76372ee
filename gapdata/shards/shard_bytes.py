"""Bytes of a dataset's shards by range, through a local cache where there is one; a shard that changes is noticed."""

from __future__ import annotations

import threading
import time
from functools import partial

from gapdata.errors import DatasetError
from gapdata.shards.cache import BlockCache
from gapdata.shards.manifest import Manifest
from gapdata.shards.storage import Stat, open_storage

_LOOK_AGAIN_S = 30.0  # how long a remote shard is taken to be as it was


class ShardBytes:
    """Ranges of the shards that a manifest names. Threads may share one."""

    def __init__(self, url: str, manifest: Manifest, cache: BlockCache | None) -> None:
        self._storage = open_storage(url)
        self._shards = {shard.name: shard for shard in manifest.shards}
        self._cache = None if self._storage.is_local else cache
        self._seen: dict[str, tuple[Stat, float]] = {}
        self._lock = threading.Lock()

    @property
    def is_remote(self) -> bool:
        """Whether each request takes a while, so that reading ahead pays."""
        return not self._storage.is_local

    @property
    def is_cached(self) -> bool:
        """Whether what was read once is near."""
        return self._cache is not None

    def read(self, shard: str, start: int, end: int) -> bytes:
        """Bytes `start` to before `end` of a shard.

        Raises DatasetError when the shard is not there, not of the manifest, or another than at first.
        """
        if shard not in self._shards:
            raise DatasetError(
                f"{shard}: is in samples.parquet but not in dataset.json; build again"
            )
        info = self._shards[shard]
        if not 0 <= start <= end <= info.bytes:
            raise DatasetError(
                f"{shard}: samples.parquet names bytes {start} to {end} of {info.bytes}; run gapdata check"
            )
        if self._cache is not None:
            fetch = partial(self._fetch, shard)
            return self._cache.read(info.sha256, info.bytes, start, end, fetch)
        return self._fetch(shard, start, end)

    def require_intact(self, shard: str) -> None:
        """Nothing. Raises DatasetError when the shard is not of the manifest's SHA-256; reads all of it."""
        self.require_unchanged(shard)
        info = self._shards[shard]
        found = self._storage.sha256(shard, info.bytes)
        if found != info.sha256:
            raise DatasetError(
                f"{shard}: expected the SHA-256 {info.sha256} of dataset.json, found {found}; run gapdata check"
            )

    def require_unchanged(self, shard: str) -> None:
        """Nothing. Raises DatasetError when the shard is not of the manifest's size, or another than before."""
        found, expected = self._storage.stat(shard), self._shards[shard].bytes
        if found is None:
            raise DatasetError(f"{shard}: is missing; run gapdata check")
        if found.size != expected:
            raise DatasetError(
                f"{shard}: expected {expected} bytes as in dataset.json, found {found.size}; run gapdata check"
            )
        with self._lock:
            before, _ = self._seen.setdefault(shard, (found, 0.0))
            self._seen[shard] = (before, time.monotonic())
        if found.version != before.version:
            raise DatasetError(
                f"{shard}: was replaced while the dataset was open; open the dataset again"
            )

    def _fetch(self, shard: str, start: int, end: int) -> bytes:
        seen = self._seen.get(shard)
        if not self.is_remote or seen is None or time.monotonic() - seen[1] > _LOOK_AGAIN_S:
            self.require_unchanged(shard)
        try:
            data = self._storage.read(shard, start, end)
        except FileNotFoundError as error:
            raise DatasetError(f"{shard}: is missing; run gapdata check") from error
        if len(data) < end - start:
            self.require_unchanged(shard)
            raise DatasetError(f"{shard}: ends before byte {end}; run gapdata check")
        return data
