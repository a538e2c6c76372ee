"""One stream of samples, whoever reads it; bad samples stop a run or leave a gap."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
import torch

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.index import read_questions, read_samples, write_index
from gapdata.shards.reader import open_dataset
from gapdata.shards.storage import open_storage
from gapdata.transfer import copy_dataset
from gapmodel.data.augment import USUAL
from gapmodel.data.batch import Batch
from gapmodel.data.index import read_index
from gapmodel.data.loader import Loader
from gapmodel.data.plan import LoaderState
from tests.gapmodel.data.conftest import ALL_NEEDS

EVERYTHING = {"needs": ALL_NEEDS, "input_geometry": True, "augment": USUAL, "phrase_tokens": 96}


def take(loader: Loader, count: int) -> list[Batch]:
    batches = list(itertools.islice(loader, count))
    loader.close()
    return batches


def assert_same(one: Batch, other: Batch) -> None:
    for field in fields(Batch):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, torch.Tensor):
            assert torch.equal(a, b), field.name
        else:
            assert a == b, field.name


@pytest.fixture(scope="module")
def stream(open_loader: Callable[..., Loader]) -> list[Batch]:
    """The first 12 rows, read by the caller itself."""
    return take(open_loader(rows=4, **EVERYTHING), 12)


def test_rows_from_an_object_store_are_the_same(stream, tiny_url, open_loader, s3_url, tmp_path):
    """Read ahead through a cache, they come even when the store has gone since."""
    copy_dataset(tiny_url, s3_url)
    settings = {"data": ((s3_url, 1.0),), "rows": 4, "workers": 2, "cache": "", **EVERYTHING}
    folder = str(tmp_path / "shards")
    for kept in (False, True):
        loader = open_loader(**settings, shard_cache=folder)
        if kept:
            open_storage(s3_url).remove("shards")
        for one, other in zip(take(loader, 12), stream, strict=True):
            assert_same(one, other)


def test_rows_hold_every_field_and_keep_the_budget(stream):
    for batch in stream:
        missing = [f.name for f in fields(Batch) if getattr(batch, f.name) is None]
        assert missing == ["teacher"]
        assert len(batch.input_ids) <= 1200
        assert batch.images.shape[1:] == (96, 128, 3)
    assert sum(len(batch.branches) for batch in stream) > 20
    assert len({key for batch in stream for key in batch.sample_keys}) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_do_not_change_the_stream(open_loader, stream, workers):
    for one, other in zip(
        stream, take(open_loader(rows=4, workers=workers, **EVERYTHING), 12), strict=True
    ):
        assert_same(one, other)


def test_another_seed_is_another_stream(open_loader, stream):
    other = take(open_loader(rows=4, seed=1, **EVERYTHING), 12)
    assert [b.branches for b in other] != [b.branches for b in stream]


def test_a_run_goes_on_where_it_stopped(open_loader, stream):
    loader = open_loader(rows=4, workers=2, **EVERYTHING)
    before = list(itertools.islice(loader, 6))  # a step and a half: the half is done again
    assert loader.state.index == 4
    rest = take(
        open_loader(
            rows=4, state=LoaderState(**json.loads(json.dumps(_ints(loader.state)))), **EVERYTHING
        ),
        8,
    )
    loader.close()
    for one, other in zip(stream, [*before[:4], *rest], strict=True):
        assert_same(one, other)


def test_one_process_goes_on_as_two(open_loader, stream):
    first = open_loader(rows=4, **EVERYTHING)
    before = list(itertools.islice(first, 4))
    ranks = [
        open_loader(rows=4, rank=rank, world_size=2, workers=rank, state=first.state, **EVERYTHING)
        for rank in range(2)
    ]
    parts = [list(itertools.islice(loader, 4)) for loader in ranks]
    assert ranks[0].state == ranks[1].state
    assert ranks[0].state.index == 12
    for loader in ranks:
        loader.close()
    after = [batch for pair in zip(*parts, strict=True) for batch in pair]
    for one, other in zip(stream, [*before, *after], strict=True):
        assert_same(one, other)


def test_places_are_rows_of_the_plan(open_loader):
    plan = open_loader(rows=2).plan
    walked = list(itertools.islice(plan.rows(LoaderState()), 40))
    for start in (0, 7, 23):
        state = walked[start - 1][1] if start else LoaderState()
        assert state.index == start
        assert list(itertools.islice(plan.rows(state), 10)) == walked[start : start + 10]


def test_only_needed_layers_are_there(open_loader):
    (batch,) = take(open_loader(needs=frozenset({"depth"})), 1)
    assert batch.depth is not None
    for name in (
        "normal",
        "instance",
        "input_depth",
        "point_first",
        "object_instance",
        "phrase_token",
    ):
        assert getattr(batch, name) is None, name


# --- bad samples ---------------------------------------------------------------------------------------------------


def _ints(state: LoaderState) -> dict[str, int]:
    return {f.name: getattr(state, f.name) for f in fields(state)}


def spoil(root: Path, sample: int, member: str, change: Callable[[bytes], bytes]) -> str:
    """The key of the sample whose member was changed in place, to something as long."""
    rows = read_samples(str(root)).to_pylist()
    place = next(m for m in rows[sample]["members"] if m["name"] == member)
    shard = root / rows[sample]["shard"]
    data = bytearray(shard.read_bytes())
    part = slice(place["offset"], place["offset"] + place["size"])
    changed = change(bytes(data[part]))
    assert len(changed) == place["size"]
    assert changed != bytes(data[part])
    data[part] = changed
    shard.write_bytes(data)
    return rows[sample]["key"]


def forget(root: Path, sample: int, member: str) -> str:
    """The key of the sample whose member is no longer in the index."""
    rows = read_samples(str(root)).to_pylist()
    rows[sample]["members"] = [m for m in rows[sample]["members"] if m["name"] != member]
    table = pa.Table.from_pylist(rows, schema=read_samples(str(root)).schema)
    write_index(str(root), table, read_questions(str(root)))
    return rows[sample]["key"]


def junk(data: bytes) -> bytes:
    return bytes(len(data))


def nan_scale(data: bytes) -> bytes:
    return data.replace(b'"depth_scale":1000.0', b'"depth_scale":NaN   ', 1)


def other_height(data: bytes) -> bytes:
    return data.replace(b'"height":96', b'"height":97', 1)


def other_version(data: bytes) -> bytes:
    return data.replace(b'"schema_version":1', b'"schema_version":9', 1)


SPOILED = {
    "corrupt picture": ("02.rgb.jpg", junk, r"02\.rgb\.jpg: .*damaged"),
    "corrupt layer": ("01.normal.png", junk, r"01\.normal\.png: .*damaged"),
    "corrupt points": ("points.npz", junk, r"points\.npz: damaged"),
    "corrupt questions": ("qa.json", junk, r"qa\.json: not JSON"),
    "corrupt meta": ("meta.json", junk, r"meta\.json: not JSON"),
    "NaN depth": ("meta.json", nan_scale, r"meta\.json: .*depth_scale.*NaN"),
    "views of different sizes": (
        "meta.json",
        other_height,
        r"views of one size, found 128x96, 128x97",
    ),
    "another version": ("meta.json", other_version, r"schema version 1, found 9"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_bad_sample_stops_the_run_and_is_named(copy_of_tiny, open_loader, case):
    member, change, message = SPOILED[case]
    key = spoil(copy_of_tiny, 2, member, change)
    loader = open_loader(
        data=((str(copy_of_tiny), 1.0),), needs=ALL_NEEDS, phrase_tokens=64, cache=""
    )
    with pytest.raises(DatasetError, match=rf"shards/.*\.tar: {key}: .*{message}") as caught:
        take(loader, 4)
    assert "\n" not in str(caught.value)


def test_a_missing_layer_of_an_enabled_objective_is_named(copy_of_tiny, open_loader):
    key = forget(copy_of_tiny, 1, "03.normal.png")
    data = ((str(copy_of_tiny), 1.0),)
    assert len(take(open_loader(data=data, cache=""), 8)) == 8  # nothing needs it
    with pytest.raises(DatasetError, match=rf"{key}: member 03\.normal\.png is missing"):
        take(open_loader(data=data, cache="", needs=frozenset({"normal"})), 4)


def test_allowed_bad_samples_leave_a_gap_and_nothing_moves(copy_of_tiny, open_loader, tiny_url):
    # The same dataset at the same path before and after, so that only the damage differs.
    settings = {"data": ((str(copy_of_tiny), 1.0),), "cache": "", "row_tokens": 2000, "rows": 2}
    whole = take(open_loader(**settings), 6)
    key = spoil(copy_of_tiny, 2, "00.rgb.jpg", junk)
    loader = open_loader(**settings, max_bad_samples=100, workers=2)
    spoiled = take(loader, 6)
    for one, other in zip(whole, spoiled, strict=True):
        assert other.sample_keys == tuple(k for k in one.sample_keys if k != key)
        assert other.branches == () or {b.key for b in other.branches} <= set(other.sample_keys)
    gone = sum(batch.sample_keys.count(key) for batch in whole)
    assert gone > 0
    assert len(loader.bad_samples) == gone
    assert all(key in fault for fault in loader.bad_samples)


def test_a_row_of_bad_samples_is_a_batch_without_pictures(copy_of_tiny, open_loader):
    for sample in range(4):
        spoil(copy_of_tiny, sample, "00.rgb.jpg", junk)
    data = ((str(copy_of_tiny), 1.0),)
    (batch,) = take(open_loader(data=data, cache="", max_bad_samples=4, needs=ALL_NEEDS), 1)
    assert batch.images.shape == (0, 96, 128, 3)
    assert batch.sample_keys == ()
    assert (batch.labels == -100).all()
    assert (batch.group_ids == -1).all()
    (full,) = take(open_loader(needs=ALL_NEEDS), 1)
    for field in fields(Batch):  # the same fields, each without a row, of the same kind
        none, some = getattr(batch, field.name), getattr(full, field.name)
        if isinstance(some, torch.Tensor) and field.name != "phrase_token":
            assert none.dtype == some.dtype, field.name
            assert none.shape[1:] == some.shape[1:] or field.name == "position_ids", field.name
    with pytest.raises(DatasetError, match="allow more than 3"):
        take(open_loader(data=data, cache="", max_bad_samples=3), 8)


def test_a_sample_longer_than_a_row_is_named(open_loader):
    with pytest.raises(
        DatasetError, match=r"synthetic-room_.*: \d+ tokens without questions, expected at most 40"
    ):
        take(open_loader(row_tokens=40), 1)
    loader = open_loader(row_tokens=40, max_bad_samples=100)
    (batch,) = take(loader, 1)
    assert len(batch.sample_keys) == 0
    assert len(loader.bad_samples) == 4


def test_unusable_datasets_are_named(copy_of_tiny, open_loader, tmp_path):
    data = ((str(copy_of_tiny), 1.0),)
    with pytest.raises(ConfigError, match="unknown split 'val'"):
        open_loader(data=data, split="val")
    manifest = copy_of_tiny / "dataset.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"schema_version": 1', '"schema_version": 7'))
    with pytest.raises(DatasetError, match="expected schema version 1, found 7"):
        open_loader(data=data)
    manifest.unlink()
    with pytest.raises(DatasetError, match=r"found no dataset\.json"):
        open_loader(data=data)
    manifest.write_text(text)
    samples = read_samples(str(copy_of_tiny))
    write_index(
        str(copy_of_tiny), samples.slice(0, 0), read_questions(str(copy_of_tiny)).slice(0, 0)
    )
    with pytest.raises(DatasetError, match="expected samples, found none"):
        open_loader(data=data)
    write_index(str(copy_of_tiny), samples, read_questions(str(copy_of_tiny)).slice(1))
    with pytest.raises(DatasetError, match="in the order of the samples"):
        open_loader(data=data)
    with pytest.raises(ConfigError, match="no data"):
        open_loader(data=())


@pytest.mark.parametrize(("rows", "rank", "world_size"), [(3, 0, 2), (0, 0, 1), (2, 2, 2)])
def test_steps_have_to_divide_among_processes(open_loader, rows, rank, world_size):
    with pytest.raises(ConfigError, match="a multiple of"):
        open_loader(rows=rows, rank=rank, world_size=world_size)


def test_an_object_store_reads_the_same(tiny_url, open_loader):
    store = fsspec.filesystem("memory")
    for path in Path(tiny_url).rglob("*"):
        if path.is_file():
            store.pipe_file(f"/loader/{path.relative_to(tiny_url)}", path.read_bytes())
    local, remote = (
        take(open_loader(data=((url, 1.0),), needs=ALL_NEEDS, phrase_tokens=64), 3)
        for url in (tiny_url, "memory://loader")
    )
    for one, other in zip(local, remote, strict=True):
        assert_same(one, other)


def test_token_counts_are_kept_and_belong_to_the_dataset(tiny_url, copy_of_tiny, prompt, tmp_path):
    dataset, folder = open_dataset(tiny_url, layers=()), tmp_path / "tokens"
    counted = read_index(dataset, prompt, cache=str(folder))
    (kept,) = folder.iterdir()
    stamp = kept.stat().st_mtime_ns
    again = read_index(dataset, prompt, cache=str(folder))
    assert kept.stat().st_mtime_ns == stamp
    assert (again.tokens == counted.tokens).all()
    assert (counted.tokens > 5).all()
    manifest = copy_of_tiny / "dataset.json"
    manifest.write_text(manifest.read_text().replace('"licence": "', '"licence": "other '))
    read_index(open_dataset(str(copy_of_tiny), layers=()), prompt, cache=str(folder))
    assert len(list(folder.iterdir())) == 2


def test_the_data_path_needs_no_build_side_package():
    code = (
        "import sys, gapmodel.data.loader, gapmodel.data.index;"
        "print([m for m in ('open3d', 'trimesh', 'webdataset', 'rich', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
