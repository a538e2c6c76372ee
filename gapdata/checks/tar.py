"""A shard's bytes, read once from start to end: hash, headers, members."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from gapdata.errors import DatasetError
from gapdata.shards.tar import NAME_BYTES, SIZE, TAR_BLOCK, TAR_RECORD, tar_header

_CHUNK = 1 << 20


class ShardStream:
    """Reads a tar of `size` bytes once, hashing what it reads; `close_reading` must come last."""

    def __init__(self, file: Any, size: int) -> None:
        self.offset = 0
        self._file, self._size, self._hash = file, size, hashlib.sha256()

    def members(self) -> Iterator[tuple[str, int, bytes]]:
        """(name, offset of the content, content) of each member.

        Raises DatasetError where the file is not the plain USTAR that the writer makes.
        """
        while True:
            start = self.offset
            block = self._read(TAR_BLOCK)
            if not block.strip(b"\0"):
                break
            name, size = _parse(block, start)
            offset = self.offset
            data = self._read(size + -size % TAR_BLOCK)
            if data[size:].strip(b"\0"):
                raise DatasetError(f"byte {offset + size}: expected zeros after {name}")
            yield name, offset, data[:size]
        rest = self._size - self.offset
        if self._read(rest).strip(b"\0") or self._size % TAR_RECORD or rest < TAR_BLOCK:
            raise DatasetError(
                f"byte {start}: expected two empty blocks and zeros to a whole record"
            )

    def close_reading(self) -> str:
        """The SHA-256 of the whole file, after reading what is left of it."""
        while data := self._file.read(_CHUNK):
            self._hash.update(data)
        return self._hash.hexdigest()

    def _read(self, count: int) -> bytes:
        if self.offset + count > self._size:
            raise DatasetError(
                f"byte {self.offset}: expected {count} more bytes, the file ends at {self._size}"
            )
        data = self._file.read(count)
        self._hash.update(data)
        self.offset += len(data)
        return data


def _parse(block: bytes, start: int) -> tuple[str, int]:
    """Name and size of a header. Raises DatasetError for a block that `tar_header` would not make."""
    try:
        name = block[:NAME_BYTES].rstrip(b"\0").decode("ascii")
        size = int(block[SIZE].rstrip(b"\0"), 8)
    except ValueError as error:
        raise DatasetError(f"byte {start}: expected a tar header: {error}") from error
    if "/" in name or "\\" in name:
        raise DatasetError(
            f"byte {start}: {name!r}: expected a plain file name; unpacked, it would leave its folder: "
            "do not unpack this tar"
        )
    if size < 0 or block != tar_header(name, size):
        raise DatasetError(
            f"byte {start}: {name}: expected the header of a regular file of mode 0644 without time, user or group"
        )
    return name, size
