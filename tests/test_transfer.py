"""Copies between places: the same bytes, resumed, verified, the manifest last, nothing else touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gapdata.check import check_dataset
from gapdata.cli import app
from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.energon import write_energon_index
from gapdata.shards.lock import Lock
from gapdata.shards.storage import open_storage
from gapdata.transfer import copy_dataset
from tests.fixtures.samples import room_sample, write_dataset
from tests.test_build import hashes

SAMPLES = [room_sample(f"room-{i:04d}", seed=i, height=48, width=64) for i in range(6)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset")
    write_dataset(str(out), SAMPLES, per_shard=2)
    write_energon_index(str(out))
    return out


@pytest.fixture(params=["s3", "gs"])
def remote(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


def versions(url: str) -> dict[str, str]:
    storage = open_storage(url)
    return {name: storage.stat(name).version for name in storage.names()}


def test_there_and_back_again_is_the_same(source: Path, remote: str, tmp_path: Path) -> None:
    seen = []
    copy_dataset(str(source), remote, on_progress=lambda done, total: seen.append((done, total)))
    copy_dataset(remote, str(tmp_path / "back"))
    assert hashes(tmp_path / "back") == hashes(source)
    assert check_dataset(remote).ok
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_a_copy_that_was_stopped_goes_on(source: Path, remote: str) -> None:
    copy_dataset(str(source), remote)
    storage, before = open_storage(remote), versions(remote)
    storage.remove("dataset.json")
    storage.remove("shards/train-00001.tar")
    size = storage.stat("shards/train-00002.tar").size
    storage.write("shards/train-00002.tar", bytes(size))
    copy_dataset(str(source), remote)
    after = versions(remote)
    assert {name: storage.read(name) for name in after} == {
        str(path.relative_to(source)): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file()
    }
    rewritten = {"dataset.json", "shards/train-00001.tar", "shards/train-00002.tar"}
    kept = set(before) - rewritten
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_damaged_source_never_gets_a_manifest(source: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(source, tmp_path / "copy")
    tar = copy / "shards/train-00001.tar"
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    with pytest.raises(DatasetError, match=r"train-00001\.tar: expected the SHA-256") as caught:
        copy_dataset(str(copy), str(tmp_path / "target"))
    assert "\n" not in str(caught.value)
    left = open_storage(str(tmp_path / "target")).names()
    assert "dataset.json" not in left
    assert "shards/train-00001.tar" not in left
    tar.unlink()
    with pytest.raises(DatasetError, match=r"train-00001\.tar: is missing"):
        copy_dataset(str(copy), str(tmp_path / "target"))


def test_what_is_there_is_never_replaced(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_dataset(str(other), SAMPLES[:2])
    with pytest.raises(ConfigError, match="holds another dataset"):
        copy_dataset(str(source), str(other))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"found thesis\.txt"):
        copy_dataset(str(source), str(mine))
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    with pytest.raises(ConfigError, match="is the dataset itself"):
        copy_dataset(str(source), f"{source}/")


def test_a_place_that_is_written_to_is_refused(source: Path, tmp_path: Path) -> None:
    lock = Lock(open_storage(str(tmp_path / "target")))
    lock.acquire()
    with pytest.raises(ConfigError, match="is writing there"):
        copy_dataset(str(source), str(tmp_path / "target"))
    lock.release()


def test_the_commands(source: Path, s3_url: str, tmp_path: Path) -> None:
    for command in (["push", str(source), s3_url], ["pull", s3_url, str(tmp_path / "back")]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    assert hashes(tmp_path / "back") == hashes(source)
