"""The index files by which Megatron-Energon reads a dataset as it is, written without Energon and without torch.

Facts of the format are from megatron-energon 7.4 (https://nvidia.github.io/Megatron-Energon): `.nv-meta/` with
`.info.json` (samples a shard), `split.yaml`, `dataset.yaml` and `index.sqlite` (places of samples and their parts),
and beside each tar a `.tar.idx` of little-endian uint64: where each sample begins, and where the last one ends.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from gapdata.shards.index import read_samples
from gapdata.shards.manifest import read_whole_manifest
from gapdata.shards.storage import write_file
from gapdata.shards.tar import TAR_BLOCK

FOLDER = ".nv-meta"
ENERGON_VERSION = "7.4.1"  # of the format
_TABLES = """
CREATE TABLE samples (
    tar_file_id INTEGER NOT NULL, sample_key TEXT NOT NULL UNIQUE, sample_index INTEGER NOT NULL,
    byte_offset INTEGER, byte_size INTEGER
);
CREATE TABLE sample_parts (
    tar_file_id INTEGER, sample_index INTEGER, part_name TEXT, content_byte_offset INTEGER, content_byte_size INTEGER
);
"""
_SEARCH = """
CREATE INDEX idx_samples_by_tar_and_idx ON samples(tar_file_id, sample_index);
CREATE INDEX idx_sample_parts_seq ON sample_parts(tar_file_id, sample_index, content_byte_offset);
CREATE INDEX idx_sample_parts_full
    ON sample_parts(tar_file_id, sample_index, part_name, content_byte_offset, content_byte_size);
"""


def write_energon_index(url: str) -> list[str]:
    """Names of the files written into a finished dataset, so that Energon reads it. The tars stay as they are.

    Raises DatasetError when the dataset is unfinished, ConfigError when the files cannot be written.
    """
    manifest = read_whole_manifest(url)
    rows = read_samples(url, ["key", "shard", "members"]).to_pylist()
    shards = [(name, list(group)) for name, group in groupby(rows, key=lambda row: row["shard"])]
    splits = {split: [shard.name for shard in infos] for split, infos in manifest.splits.items()}
    files: dict[str, bytes] = {
        f"{name}.idx": np.array(_borders(samples), "<u8").tobytes() for name, samples in shards
    }
    files[f"{FOLDER}/index.sqlite"] = _database([samples for _, samples in shards])
    files[f"{FOLDER}/index.uuid"] = str(uuid.uuid5(uuid.NAMESPACE_OID, manifest.to_json())).encode()
    records: dict[str, Any] = {
        ".info.json": {
            "energon_version": ENERGON_VERSION,
            "shard_counts": {name: len(samples) for name, samples in shards},
        },
        # JSON is YAML.
        "split.yaml": {"split_parts": splits, "exclude": []},
        "dataset.yaml": {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"},
    }
    for name, record in records.items():
        files[f"{FOLDER}/{name}"] = json.dumps(record, indent=1).encode()
    for name, data in files.items():
        write_file(url, name, data)
    return list(files)


def _borders(samples: Sequence[dict[str, Any]]) -> list[int]:
    """Where each sample of a shard begins, and where the last one ends."""
    begins = [row["members"][0]["offset"] - TAR_BLOCK for row in samples]
    last = samples[-1]["members"][-1]
    return [*begins, last["offset"] + last["size"] + -last["size"] % TAR_BLOCK]


def _database(shards: Sequence[Sequence[dict[str, Any]]]) -> bytes:
    """The bytes of index.sqlite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite"
        database = sqlite3.connect(path)
        database.executescript(_TABLES)
        database.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?)", _sample_rows(shards))
        database.executemany("INSERT INTO sample_parts VALUES (?, ?, ?, ?, ?)", _part_rows(shards))
        database.executescript(_SEARCH)
        database.commit()
        database.close()
        return path.read_bytes()


def _sample_rows(shards: Sequence[Sequence[dict[str, Any]]]) -> Iterator[tuple[Any, ...]]:
    for shard, samples in enumerate(shards):
        borders = _borders(samples)
        for number, row in enumerate(samples):
            begin, end = borders[number : number + 2]
            yield shard, row["key"], number, begin, end - begin


def _part_rows(shards: Sequence[Sequence[dict[str, Any]]]) -> Iterator[tuple[Any, ...]]:
    for shard, samples in enumerate(shards):
        for number, row in enumerate(samples):
            for part in row["members"]:
                yield shard, number, part["name"], part["offset"], part["size"]
