"""Finding ScanNet's scenes and splits below whatever root is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gapdata.errors import SourceError
from gapdata.sources import open_source
from gapdata.sources.scannet import ScanNetSource
from tests.sources.scannet_support import (
    ID,
    assert_refused,
)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven empty scenes, as far as listing them goes."""
    root = tmp_path_factory.mktemp("many")
    for name in (
        "scans/scene0001_00",
        "scans/scene0000_01",
        "scans/scene0000_00",
        "scans/scene0002_00",
    ):
        (root / name).mkdir(parents=True)
    (root / "scans_test" / "scene0707_00").mkdir(parents=True)
    (root / "scans" / "my_room" / "color").mkdir(parents=True)
    (root / "scans" / "not_a_scene").mkdir()
    (root / "scans" / "notes.txt").write_text("")
    return root


def test_scenes_are_sorted(many: Path) -> None:
    assert open_source("scannet", str(many)).splits() == {
        "train": ("my_room", "scene0000_00", "scene0000_01", "scene0001_00", "scene0002_00"),
        "test": ("scene0707_00",),
    }


@pytest.mark.parametrize("place", [".", "Tasks/Benchmark", ".."])
def test_split_files_decide(many: Path, tmp_path: Path, place: str) -> None:
    root = Path(shutil.copytree(many, tmp_path / "data" / "scannet"))
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scannetv2_train.txt").write_text("scene0002_00\nscene0999_00\n")
    (folder / "scannetv2_val.txt").write_text("scene0000_01\nscene0000_00\n")
    (folder / "scannetv2_test.txt").write_text("scene0707_00")
    splits = ScanNetSource(root).splits()
    assert splits == {
        "train": ("my_room", "scene0001_00", "scene0002_00"),
        "val": ("scene0000_00", "scene0000_01"),
        "test": ("scene0707_00",),
    }
    (folder / "scannetv2_test.txt").write_text("scene0000_01")
    with pytest.raises(
        SourceError, match=r"scene0000_01: .*expected each scene in one split, found it in val too"
    ):
        ScanNetSource(root)


def test_each_kind_of_root_finds_scene_and_labels(
    pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in (pristine, pristine / "scans", pristine / "scans" / ID):
        source = ScanNetSource(root)
        assert source.splits() == {"train": (ID,)}
        assert source.load(ID).provenance["labels"] == "scannetv2-labels.combined.tsv"
    monkeypatch.chdir(pristine / "scans" / ID)
    assert ScanNetSource(".").splits() == {"train": (ID,)}


def test_wrong_roots_are_refused(tmp_path: Path, many: Path) -> None:
    for root, problem in (
        ("", "scannet: expected a root folder, found none"),
        (tmp_path / "absent", "expected a folder, found none"),
        (tmp_path, "expected scans/<id>/<id>.sens or scans/<id>/color below it, found none"),
        (many / "scans" / "notes.txt", "expected a folder, found none"),
    ):
        with pytest.raises(SourceError, match=problem):
            ScanNetSource(root)
    (tmp_path / "scans" / ID).mkdir(parents=True)
    (tmp_path / "scans_test" / ID).mkdir(parents=True)
    with pytest.raises(SourceError, match=r"expected one folder for the scene, found .*scans"):
        ScanNetSource(tmp_path)


def test_an_unknown_scene_is_refused(many: Path) -> None:
    assert_refused(
        many, many, r"expected one of 6 scenes \(my_room to scene0707_00\), found no such scene", "scene0500_00"
    )  # fmt: skip
