"""One shard: a plain USTAR file of samples, with its hash and index rows made in the same pass."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from types import TracebackType
from typing import Any

import pyarrow as pa

from gapdata.errors import DatasetError
from gapdata.sample import Sample
from gapdata.shards.codec import encode_sample
from gapdata.shards.index import QA_SCHEMA, SAMPLES_SCHEMA, question_rows, sample_row
from gapdata.shards.manifest import ShardInfo
from gapdata.shards.storage import staged_file, writing
from gapdata.shards.tar import TAR_BLOCK, TAR_RECORD, tar_header

KEY_PATTERN = re.compile(r"[a-z0-9_-]{1,80}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardRecord:
    """What the manifest and the index need to know of a finished shard."""

    info: ShardInfo
    samples: pa.Table
    qa: pa.Table

    def to_bytes(self) -> bytes:
        """The record as Arrow bytes, so that a resumed build need not read the shard again."""
        sink = pa.BufferOutputStream()
        notes = {name: str(getattr(self.info, name)) for name in ShardInfo.__slots__}
        for table in (self.samples.replace_schema_metadata(notes), self.qa):
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
        return sink.getvalue().to_pybytes()

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> ShardRecord:
        """The record of `to_bytes`. Raises DatasetError naming `where` when the bytes are damaged."""
        try:
            source = pa.BufferReader(data)
            samples = pa.ipc.open_stream(source).read_all()
            qa = pa.ipc.open_stream(source).read_all()
            notes = {
                name.decode(): text.decode()
                for name, text in (samples.schema.metadata or {}).items()
            }
            info = ShardInfo(
                name=notes["name"],
                bytes=int(notes["bytes"]),
                sha256=notes["sha256"],
                samples=int(notes["samples"]),
            )
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise DatasetError(f"{where}: not a complete shard record: {error}") from error
        return cls(info=info, samples=samples.replace_schema_metadata(None), qa=qa)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedSample:
    """A sample as its members' bytes and its index rows, for `ShardWriter.write`."""

    key: str
    members: dict[str, bytes]
    row: dict[str, Any]
    questions: list[dict[str, Any]]


class ShardWriter:
    """Context manager that writes samples to the shard `url/name`; see `record` afterwards.

    The shard appears under its name only after a clean exit with at least one sample; otherwise nothing is
    left behind. Equal samples give equal bytes: members sorted, no time, user or group.
    """

    def __init__(
        self, url: str, name: str, *, depth_scale: float = 1000.0, jpeg_quality: int = 95
    ) -> None:
        self.url, self.name = url, name
        self.record: ShardRecord | None = None  # None until finished, and if there was no sample
        self._encode = partial(encode_sample, depth_scale=depth_scale, jpeg_quality=jpeg_quality)
        self._rows: dict[str, dict[str, Any]] = {}
        self._questions: list[dict[str, Any]] = []
        self._hash = hashlib.sha256()
        self._offset = 0

    def __enter__(self) -> ShardWriter:
        self._session = self._open()
        self._session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    @contextmanager
    def _open(self) -> Iterator[None]:
        with staged_file(self.url, self.name) as path:
            with self._writing():
                self._file = FileIO(path, "w")
            with self._file:
                yield
                if self._rows:
                    end = 2 * TAR_BLOCK
                    self._append(bytes(end + -(self._offset + end) % TAR_RECORD))
            if not self._rows:
                path.unlink()
        if self._rows:
            self.record = self._finished_record()

    def encode(self, sample: Sample) -> EncodedSample:
        """A sample as the bytes and rows that `write` appends; much smaller than its arrays."""
        return EncodedSample(
            key=sample.key,
            members=self._encode(sample),
            row=sample_row(sample, self.name),
            questions=question_rows(sample.key, sample.qa),
        )

    def write(self, sample: EncodedSample) -> None:
        """Appends a sample.

        Raises DatasetError for a key that breaks the rule or was written before, ConfigError for a full disk.
        """
        if not KEY_PATTERN.fullmatch(sample.key):
            raise DatasetError(f"key {sample.key!r}: expected {KEY_PATTERN.pattern}")
        if sample.key in self._rows:
            raise DatasetError(f"key {sample.key!r}: already in {self.name}; keys must be unique")
        places = []
        for suffix, data in sample.members.items():
            header = tar_header(f"{sample.key}.{suffix}", len(data))
            places.append({"name": suffix, "offset": self._offset + len(header), "size": len(data)})
            self._append(header + data + bytes(-len(data) % TAR_BLOCK))
        self._rows[sample.key] = {**sample.row, "members": places}
        self._questions += sample.questions

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        with self._writing():
            while rest:
                rest = rest[self._file.write(rest) :]
        self._hash.update(data)
        self._offset += len(data)

    def _writing(self) -> AbstractContextManager[None]:
        return writing(f"{self.url}/{self.name}")

    def _finished_record(self) -> ShardRecord:
        info = ShardInfo(
            name=self.name,
            bytes=self._offset,
            sha256=self._hash.hexdigest(),
            samples=len(self._rows),
        )
        return ShardRecord(
            info=info,
            samples=pa.Table.from_pylist(list(self._rows.values()), SAMPLES_SCHEMA),
            qa=pa.Table.from_pylist(self._questions, QA_SCHEMA),
        )
