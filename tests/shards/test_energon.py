"""Megatron-Energon reads a dataset as it is: against files that Energon's own tool writes, and through its loader."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gapdata import open_dataset
from gapdata.check import check_dataset
from gapdata.shards.codec import decode_sample
from gapdata.shards.energon import write_energon_index
from tests.fixtures.samples import room_sample, write_dataset

COUNT = 5
LOAD = """
import base64, json, sys
from megatron.energon import (
    Cooker, DefaultTaskEncoder, Sample, WorkerConfig, basic_sample_keys, edataclass, get_loader, get_val_dataset, stateless,
)

@edataclass
class Members(Sample):
    members: dict

@stateless
def keep(sample):
    members = {name: data for name, data in sample.items() if isinstance(data, bytes)}
    return Members(**basic_sample_keys(sample), members=members)

class Keep(DefaultTaskEncoder):
    decoder = None
    cookers = [Cooker(keep)]

config = WorkerConfig(rank=0, world_size=1, num_workers=0)
data = get_val_dataset(
    sys.argv[1], split_part="train", worker_config=config, batch_size=None, task_encoder=Keep()
)
rows = [
    {name: base64.b64encode(data).decode() for name, data in sample.members.items()} | {"__key__": sample.__key__}
    for sample in get_loader(data)
]
print(json.dumps(rows))
"""
PREPARE = """
import sys
from megatron.energon.flavors import BaseWebdatasetFactory
from megatron.energon.flavors.webdataset.prepare import WebdatasetPreparator
WebdatasetPreparator.prepare_dataset(
    sys.argv[1], sys.argv[2:], split_parts_patterns=[("train", "shards/.*")], workers=1
)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    out = str(tmp_path_factory.mktemp("energon") / "out")
    write_dataset(
        out,
        [room_sample(f"s-{i}", height=24, width=32, num_points=20, seed=i) for i in range(COUNT)],
        per_shard=2,
    )
    write_energon_index(out)
    return out


def run(code: str, *args: str) -> str:
    """Energon starts threads and warns as it likes: in a process of its own."""
    pytest.importorskip("megatron.energon", reason="megatron-energon is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *args],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def tables(path: Path) -> dict[str, list[tuple]]:
    with sqlite3.connect(path) as database:
        return {
            name: sorted(database.execute(f"SELECT * FROM {name}"))
            for name in ("samples", "sample_parts")
        }


def test_energon_own_tool_writes_the_same(url, tmp_path):
    theirs = tmp_path / "theirs"
    shutil.copytree(Path(url) / "shards", theirs / "shards", ignore=shutil.ignore_patterns("*.idx"))
    names = sorted(f"shards/{path.name}" for path in (theirs / "shards").glob("*.tar"))
    run(PREPARE, str(theirs), *names)
    ours = Path(url)
    for name in names:
        assert (ours / f"{name}.idx").read_bytes() == (theirs / f"{name}.idx").read_bytes()
    assert tables(ours / ".nv-meta/index.sqlite") == tables(theirs / ".nv-meta/index.sqlite")
    info = json.loads((theirs / ".nv-meta/.info.json").read_text())
    assert (
        json.loads((ours / ".nv-meta/.info.json").read_text())["shard_counts"]
        == info["shard_counts"]
    )


def test_energon_loads_the_same_bytes_and_arrays(url):
    rows = json.loads(run(LOAD, url).splitlines()[-1])
    dataset = open_dataset(url)
    assert len(rows) == COUNT
    for row in rows:
        key = row.pop("__key__").rpartition("/")[2]
        members = {name: base64.b64decode(text) for name, text in row.items()}
        position = dataset.index(key)
        assert members == dataset.read_members(position)
        theirs, ours = decode_sample(members), dataset[position]
        for a, b in zip(theirs.views, ours.views, strict=True):
            for layer in ("rgb", "depth", "normal", "instance"):
                np.testing.assert_array_equal(getattr(a, layer), getattr(b, layer))


def test_the_same_files_every_time_and_nothing_for_check_to_find(url):
    before = {path: path.read_bytes() for path in Path(url).rglob("*") if path.is_file()}
    write_energon_index(url)
    assert {path: path.read_bytes() for path in Path(url).rglob("*") if path.is_file()} == before
    report = check_dataset(url)
    assert report.ok, report.faults
