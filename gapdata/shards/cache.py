"""Parts of remote shards on a local disk: bounded in size, shared by processes, filed under the shards' hashes."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from gapdata.errors import ConfigError
from gapdata.shards.storage import writing

BLOCK = 4 << 20  # bytes that are fetched and kept together
_SMALLEST = 32 * BLOCK
# A process looks through the folder after writing this share of the limit, and then leaves `_KEPT` of it. So up
# to eight processes that write at once stay below the limit.
_LOOK_SHARE = 1 / 32
_KEPT = 0.75

Fetch = Callable[[int, int], bytes]  # the bytes from a start to an end


class BlockCache:
    """Blocks of shards in a folder that stays below `max_bytes`; the least recently used ones go first.

    A block is filed under its shard's SHA-256, so the same shard of any dataset at any URL is one. Threads share
    one object, processes a folder.
    """

    def __init__(self, folder: str, max_bytes: int) -> None:
        if max_bytes < _SMALLEST:
            raise ConfigError(
                f"cache {folder}: expected at least {_SMALLEST} bytes, found {max_bytes}"
            )
        self.folder, self.max_bytes = Path(folder), max_bytes
        with writing(folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._fetching: dict[str, Future[bytes]] = {}
        self._unseen = (
            self.max_bytes
        )  # written since the folder was looked through: at first, who knows

    def read(self, sha256: str, size: int, start: int, end: int, fetch: Fetch) -> bytes:
        """Bytes `start` to before `end` of a shard of `size` bytes, from its blocks; `fetch` gets those not here."""
        numbers = range(start // BLOCK, -(-end // BLOCK))
        blocks = [self._block(sha256, size, number, fetch) for number in numbers]
        if len(blocks) == 1:
            return blocks[0][start - numbers[0] * BLOCK : end - numbers[0] * BLOCK]
        return b"".join(blocks)[start - numbers[0] * BLOCK : end - numbers[0] * BLOCK]

    def _block(self, sha256: str, size: int, number: int, fetch: Fetch) -> bytes:
        start, end = number * BLOCK, min((number + 1) * BLOCK, size)
        path = self.folder / sha256[:2] / f"{sha256}-{number}"
        if (data := _stored(path, end - start)) is not None:
            return data
        with self._lock:
            future = self._fetching.get(path.name)
            mine = future is None
            if future is None:
                future = self._fetching[path.name] = Future()
        if mine:
            self._fill(future, path, start, end, fetch)
        return future.result()

    def _fill(self, future: Future[bytes], path: Path, start: int, end: int, fetch: Fetch) -> None:
        try:
            data = _stored(path, end - start)  # another thread may have been faster
            if data is None:
                data = fetch(start, end)
                if len(data) == end - start:
                    self._store(path, data)
            future.set_result(data)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._fetching[path.name]

    def _store(self, path: Path, data: bytes) -> None:
        staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        with writing(str(path)):
            path.parent.mkdir(exist_ok=True)
            try:
                staged.write_bytes(data)
                staged.replace(path)
            finally:
                staged.unlink(missing_ok=True)
        with self._lock:
            self._unseen += len(data)
            look = self._unseen > self.max_bytes * _LOOK_SHARE
            if look:
                self._unseen = 0
        if look:
            self._evict()

    def _evict(self) -> None:
        """Removes what was used longest ago while the folder is near its limit; one process at a time."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            files = []
            for folder in self.folder.iterdir():
                if folder.is_dir():
                    files += [(entry, _stat(entry)) for entry in os.scandir(folder)]
            found = [(stat.st_mtime_ns, entry.path, stat.st_size) for entry, stat in files if stat]
            total = sum(size for _, _, size in found)
            if total <= self.max_bytes * _KEPT:
                return
            for _, path, size in sorted(found):
                Path(path).unlink(missing_ok=True)
                total -= size
                if total <= self.max_bytes * _KEPT:
                    return


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except FileNotFoundError:
        return None


def _stored(path: Path, size: int) -> bytes | None:
    """A block that is here whole, from now on the one last used."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except FileNotFoundError:
        return None
    return data if len(data) == size else None
