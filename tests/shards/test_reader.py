"""Random access gives what was written, on any filesystem, with no more bytes than asked for."""

from __future__ import annotations

import pickle
import shutil
import time
import uuid
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.codec import encode_sample, member_names
from gapdata.shards.index import SAMPLES_SCHEMA, read_questions, read_samples, write_index
from gapdata.shards.manifest import Failure, Manifest, ShardInfo, read_manifest, write_manifest
from gapdata.shards.reader import open_dataset
from tests.fixtures.samples import room_sample, write_dataset

SAMPLES = [room_sample(f"room-{i:04d}", seed=i, height=48, width=64) for i in range(5)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = str(tmp_path_factory.mktemp("dataset"))
    write_dataset(out, SAMPLES, per_shard=2)
    return out


def test_length_order_and_lookup(url: str) -> None:
    dataset = open_dataset(url)
    assert len(dataset) == 5
    assert dataset.keys.to_pylist() == [sample.key for sample in SAMPLES]
    assert [sample.key for sample in dataset] == dataset.keys.to_pylist()
    assert dataset[-1].key == dataset[4].key == dataset[np.int64(4)].key == "room-0004"
    assert dataset.index("room-0003") == 3
    with pytest.raises(KeyError):
        dataset.index("room-0009")
    for i in (5, -6):
        with pytest.raises(IndexError):
            dataset[i]


def test_members_are_the_stored_bytes(url: str) -> None:
    dataset = open_dataset(url)
    for i, sample in enumerate(SAMPLES):
        assert dataset.read_members(i) == encode_sample(sample)


def test_members_can_be_named(url: str) -> None:
    members = encode_sample(SAMPLES[3])
    for names in (("qa.json",), ("00.rgb.jpg", "points.npz"), ("07.rgb.jpg", "meta.json"), ()):
        expected = {name: members[name] for name in names if name in members}
        assert open_dataset(url, layers=()).read_members(3, names) == expected


@pytest.mark.parametrize("layers", [(), ("depth",), ("rgb", "instance")])
def test_only_the_wanted_layers_are_read(url: str, layers: tuple[str, ...]) -> None:
    dataset = open_dataset(url, layers=layers)
    assert sorted(dataset.read_members(2)) == list(member_names(3, layers))
    view = dataset[2].views[0]
    for layer in ("rgb", "depth", "normal", "instance"):
        assert (getattr(view, layer) is not None) == (layer in layers)


def test_far_members_are_fetched_apart(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gapdata.shards.reader._MERGE_GAP", 0)
    dataset = open_dataset(url, layers=("rgb",))
    expected = {name: encode_sample(SAMPLES[1])[name] for name in member_names(3, ["rgb"])}
    assert dataset.read_members(1) == expected


def test_questions_are_a_table(url: str) -> None:
    dataset = open_dataset(url)
    assert dataset.qa.num_rows == sum(len(sample.qa) for sample in SAMPLES)
    assert dataset.qa["answer"][1].as_py() == "table"


def test_splits(tmp_path: Path) -> None:
    train = write_dataset(str(tmp_path), SAMPLES[:3])
    parts = [read_samples(str(tmp_path))], [read_questions(str(tmp_path))]
    val = write_dataset(
        str(tmp_path), [type(s)(**{n: getattr(s, n) for n in s.__slots__} | {"split": "val"}) for s in SAMPLES[3:]], split="val"
    )  # fmt: skip
    parts[0].append(read_samples(str(tmp_path)))
    parts[1].append(read_questions(str(tmp_path)))
    write_index(str(tmp_path), pa.concat_tables(parts[0]), pa.concat_tables(parts[1]))
    fields = {n: getattr(train, n) for n in train.__slots__}
    write_manifest(str(tmp_path), Manifest(**fields | {"splits": {**train.splits, **val.splits}}))
    assert len(open_dataset(str(tmp_path))) == 5
    dataset = open_dataset(str(tmp_path), split="val")
    assert [sample.key for sample in dataset] == ["room-0003", "room-0004"]
    assert dataset.read_members(0).keys() == encode_sample(SAMPLES[3]).keys()
    assert set(dataset.qa["key"].to_pylist()) == {"room-0003", "room-0004"}
    with pytest.raises(ConfigError, match=r"unknown split 'test': expected one of train, val"):
        open_dataset(str(tmp_path), split="test")


def test_any_filesystem(url: str) -> None:
    target = f"memory://{uuid.uuid4().hex}"
    filesystem = fsspec.filesystem("memory")
    for path in Path(url).rglob("*"):
        if path.is_file():
            filesystem.pipe_file(f"{target}/{path.relative_to(url)}", path.read_bytes())
    assert open_dataset(target).read_members(3) == open_dataset(url).read_members(3)


def test_pickles_without_the_index(url: str) -> None:
    dataset = open_dataset(url, layers=("depth",))
    dataset.read_members(0)
    data = pickle.dumps(dataset)
    assert len(data) < 1000
    assert pickle.loads(data).read_members(4) == dataset.read_members(4)


def test_unknown_layers_and_schemes_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="unknown layers \\['flow'\\]"):
        open_dataset(url, layers=("flow",))
    with pytest.raises(ConfigError, match="cannot be opened"):
        open_dataset("nosuchscheme://bucket/x")


def test_unfinished_and_foreign_datasets_are_refused(url: str, tmp_path: Path) -> None:
    copy = shutil.copytree(url, tmp_path / "copy")
    manifest = copy / "dataset.json"
    text = manifest.read_text()
    for change, message in (
        (text.replace('"schema_version": 1', '"schema_version": 7'), "expected schema version 1, found 7; read it with"),
        (text[:50], "not a gapdata manifest"),
        ("[]", "not a gapdata manifest"),
        (text.replace('"seed"', '"sead"'), "damaged manifest"),
    ):  # fmt: skip
        manifest.write_text(change)
        with pytest.raises(DatasetError, match=message) as caught:
            open_dataset(str(copy))
        assert "\n" not in str(caught.value)
    manifest.unlink()
    with pytest.raises(DatasetError, match="finish the build or correct the path"):
        open_dataset(str(copy))
    with pytest.raises(DatasetError, match=r"found no dataset\.json"):
        open_dataset(str(tmp_path / "nowhere"))


def test_a_damaged_shard_is_named(url: str, tmp_path: Path) -> None:
    copy = shutil.copytree(url, tmp_path / "copy")
    path = copy / "shards/train-00001.tar"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(DatasetError, match=r"room-0003: .*found 9000; run gapdata check"):
        open_dataset(str(copy))[3]


def test_the_manifest_comes_back(tmp_path: Path) -> None:
    manifest = Manifest(
        config={"views": 4, "tasks": ["a"]},
        seed=0,
        source="s",
        licence="l",
        platform="p",
        splits={"train": (ShardInfo(name="shards/a.tar", bytes=1, sha256="0", samples=2),), "val": ()},
        counts={"scenes": 1, "tasks": {"a": 2}},
        drops={"blur": 3},
        failures=(Failure(scene="x", reason="y"),),
    )  # fmt: skip
    write_manifest(str(tmp_path), manifest)
    assert read_manifest(str(tmp_path)) == manifest


def test_index_bytes_do_not_depend_on_how_rows_were_collected(url: str, tmp_path: Path) -> None:
    samples, qa = read_samples(url), read_questions(url)
    chunks = pa.concat_tables([samples.slice(i, 1) for i in range(5)])
    write_index(str(tmp_path / "a"), chunks, qa)
    for name in ("samples.parquet", "qa.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (Path(url) / name).read_bytes()


def test_a_big_index_opens_fast(url: str, tmp_path: Path) -> None:
    """100,000 rows open in a small part of a second: no Python object is made for a row."""
    row = read_samples(url).slice(0, 1)
    count = 100_000
    table = row.take(pa.array(np.zeros(count, np.int64)))
    keys = pa.array([f"k{i}" for i in range(count)])
    table = table.set_column(0, SAMPLES_SCHEMA.field("key"), keys)
    write_index(str(tmp_path), table, read_questions(url))
    write_manifest(str(tmp_path), read_manifest(url))
    start = time.perf_counter()
    dataset = open_dataset(str(tmp_path))
    assert dataset.index(f"k{count - 1}") == count - 1
    assert time.perf_counter() - start < 1.0
