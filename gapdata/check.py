"""`gapdata check`: proves a dataset right from its own bytes, or says what is wrong and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gapdata.checks.geometry import geometry_faults
from gapdata.checks.records import record_faults
from gapdata.checks.tar import ShardStream
from gapdata.errors import DatasetError
from gapdata.sample import SCHEMA_VERSION, Sample
from gapdata.shards.codec import decode_sample, member_names
from gapdata.shards.index import (
    QA_SCHEMA,
    count,
    question_rows,
    read_questions,
    read_samples,
    sample_row,
)
from gapdata.shards.manifest import Manifest, ShardInfo, read_whole_manifest
from gapdata.shards.records import META, parse_meta
from gapdata.shards.storage import open_storage
from gapdata.shards.writer import KEY_PATTERN

_KEPT_PER_CODE = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong. `where` is a file, or a shard and a sample's key."""

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.message}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """What a check found. `counts` has all faults by code, `faults` the first 20 of each code."""

    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    samples: int
    views: int
    qa: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts


@dataclass(slots=True)
class _Findings:
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, where: str, message: str) -> None:
        self.counts[code] += 1
        if self.counts[code] <= _KEPT_PER_CODE:
            self.faults.append(Fault(code=code, where=where, message=message))


@dataclass(slots=True)
class _Content:
    """What was found in the shards, to hold the index and the manifest against."""

    keys: set[str] = field(default_factory=set)
    num_views: set[int] = field(default_factory=set)
    scenes: set[tuple[str, str]] = field(default_factory=set)
    unread: int = 0  # shards and samples that cannot be
    samples: int = 0
    views: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample) -> None:
        self.keys.add(sample.key)
        self.num_views.add(len(sample.views))
        self.scenes.add((sample.source, sample.scene_id))
        self.samples += 1
        self.views += len(sample.views)
        self.tasks.update(qa.task for qa in sample.qa)
        self.formats.update(qa.format for qa in sample.qa)

    def counts(self) -> dict[str, Any]:
        return {
            "scenes": len(self.scenes),
            "samples": self.samples,
            "views": self.views,
            "qa": self.tasks.total(),
            "tasks": dict(self.tasks),
            "formats": dict(self.formats),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """One sample as it lies in a tar: `places` are name, offset and size of its members, in order."""

    shard: str
    key: str
    places: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, bytes] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.shard}: {self.key}"


class _Index:
    """The rows of both index files, shard by shard and sample by sample."""

    def __init__(self, url: str) -> None:
        self.samples, self.qa = read_samples(url), read_questions(url)
        self._qa_start = np.concatenate([[0], np.cumsum(self.samples["num_qa"].to_numpy())])

    def of_shard(self, name: str) -> list[tuple[dict[str, Any], pa.Table]]:
        """(row of samples.parquet, rows of qa.parquet) of each sample of a shard, in order."""
        positions = pc.indices_nonzero(pc.equal(self.samples["shard"], name))
        rows = self.samples.take(positions).to_pylist()
        starts = self._qa_start[positions.to_numpy()]
        return [
            (row, self.qa.slice(int(start), row["num_qa"]))
            for row, start in zip(rows, starts, strict=True)
        ]


def check_dataset(url: str, *, progress: Callable[[int, int], None] | None = None) -> CheckReport:
    """What is wrong with a finished dataset: bytes, hashes, schema, index, counts, questions, geometry.

    Every shard is read once, from start to end. `progress` is called with (samples done, samples in total).
    Raises DatasetError when there is no manifest that can be read.
    """
    manifest = read_whole_manifest(url)
    findings, content = _Findings(), _Content()
    try:
        index = _Index(url)
    except DatasetError as error:
        findings.add("index", url, str(error))
        return CheckReport(
            faults=tuple(findings.faults), counts=findings.counts, samples=0, views=0, qa=0
        )
    total = sum(shard.samples for shard in manifest.shards)

    def on_sample() -> None:
        if progress is not None:
            progress(content.samples, total)

    for split in sorted(manifest.splits):
        for shard in manifest.splits[split]:
            _check_shard(url, split, shard, index, content, findings, on_sample)
    _check_files(url, manifest, findings)
    _check_counts(manifest, index, content, findings)
    found = content.counts()
    return CheckReport(
        faults=tuple(findings.faults),
        counts=dict(sorted(findings.counts.items())),
        samples=found["samples"],
        views=found["views"],
        qa=found["qa"],
    )


def _check_files(url: str, manifest: Manifest, findings: _Findings) -> None:
    found = open_storage(url).names("shards")
    named = [shard.name for shard in manifest.shards]
    known = {*named, *(f"{name}.idx" for name in named)}  # Energon's
    for name in sorted(set(found) - known):
        findings.add("files", name, "is not in the manifest")
    if len(set(named)) < len(named):
        findings.add("files", "dataset.json", "names a shard twice")


def _check_counts(
    manifest: Manifest, index: _Index, content: _Content, findings: _Findings
) -> None:
    tables: list[tuple[str, Mapping[str, Any]]] = []
    if content.unread:
        message = f"not compared: {content.unread} shards or samples cannot be read"
        findings.add("counts", "dataset.json", message)
    else:
        tables.append(("dataset.json", manifest.counts))
        tables.append(("samples.parquet and qa.parquet", count(index.samples, index.qa)))
    for where, counts in tables:
        for name, found in content.counts().items():
            if counts.get(name) != found:
                findings.add(
                    "counts",
                    where,
                    f"{name}: expected {found} as in the shards, found {counts.get(name)}",
                )
    if len(content.num_views) > 1:
        findings.add(
            "schema",
            "shards",
            f"samples differ in their number of views: {sorted(content.num_views)}",
        )
    unknown = set(pc.unique(index.samples["shard"]).to_pylist()) - {s.name for s in manifest.shards}
    if unknown:
        findings.add(
            "index",
            "samples.parquet",
            f"names shards that are not in the manifest: {sorted(unknown)}",
        )


def _check_shard(
    url: str,
    split: str,
    shard: ShardInfo,
    index: _Index,
    content: _Content,
    findings: _Findings,
    on_sample: Callable[[], None],
) -> None:
    storage = open_storage(url)
    stat = storage.stat(shard.name)
    if stat is None:
        findings.add("files", shard.name, "is missing")
        content.unread += 1
        return
    size = stat.size
    if size != shard.bytes:
        findings.add("bytes", shard.name, f"expected {shard.bytes} bytes, found {size}")
    rows = index.of_shard(shard.name)
    done = 0
    with storage.open(shard.name) as file:
        stream = ShardStream(file, size)
        try:
            for entry in _entries(shard.name, stream):
                row = rows[done] if done < len(rows) else None
                _check_sample(entry, split, row, content, findings)
                done += 1
                on_sample()
        except DatasetError as error:
            findings.add("tar", shard.name, str(error))
            content.unread += 1
        sha256 = stream.close_reading()
    if sha256 != shard.sha256:
        findings.add("sha256", shard.name, f"expected {shard.sha256}, found {sha256}")
    if not done == shard.samples == len(rows):
        findings.add(
            "counts",
            shard.name,
            f"{done} samples in the tar, {shard.samples} in the manifest, {len(rows)} in the index",
        )


def _entries(shard: str, stream: ShardStream) -> Iterator[_Entry]:
    """Each run of members that share a key."""
    entry = _Entry(shard=shard, key="")
    for name, offset, data in stream.members():
        key, _, suffix = name.partition(".")
        if key != entry.key:
            if entry.members:
                yield entry
            entry = _Entry(shard=shard, key=key)
        entry.places.append({"name": suffix, "offset": offset, "size": len(data)})
        entry.members[suffix] = data
    if entry.members:
        yield entry


def _check_sample(
    entry: _Entry,
    split: str,
    row: tuple[dict[str, Any], pa.Table] | None,
    content: _Content,
    findings: _Findings,
) -> None:
    if not KEY_PATTERN.fullmatch(entry.key) or entry.key in content.keys:
        findings.add("key", entry.where, f"expected a new key that matches {KEY_PATTERN.pattern}")
    try:
        version = parse_meta(entry.members.get(META, b""))["schema_version"]
        sample = decode_sample(entry.members)
    except DatasetError as error:
        findings.add("decode", entry.where, str(error))
        content.unread += 1
        return
    content.add(sample)
    names = [place["name"] for place in entry.places]
    expected = list(member_names(len(sample.views)))
    if names != expected:
        findings.add("schema", entry.where, f"expected members {expected}, found {names}")
    found = (sample.key, sample.split, version)
    if found != (entry.key, split, SCHEMA_VERSION):
        findings.add(
            "schema",
            entry.where,
            f"expected key, split and schema version {(entry.key, split, SCHEMA_VERSION)}, found {found}",
        )
    _check_row(entry, sample, row, findings)
    for code, message in (*record_faults(sample), *geometry_faults(sample)):
        findings.add(code, entry.where, message)


def _check_row(
    entry: _Entry,
    sample: Sample,
    row: tuple[dict[str, Any], pa.Table] | None,
    findings: _Findings,
) -> None:
    expected = {**sample_row(sample, entry.shard), "members": list(entry.places)}
    if row is None or row[0] != expected:
        wrong = [name for name in expected if row is None or row[0][name] != expected[name]]
        message = f"samples.parquet differs from the tar in {', '.join(wrong)}"
        findings.add("index", entry.where, message)
    elif not row[1].equals(pa.Table.from_pylist(question_rows(sample.key, sample.qa), QA_SCHEMA)):
        findings.add("index", entry.where, "qa.parquet differs from qa.json")
