"""Rooms that benchmarks evaluate on stay out of training, with all their rescans, unless asked otherwise."""

from __future__ import annotations

from collections import Counter

import pytest

from gapdata.build import build, guard_evaluation
from gapdata.build_config import BuildConfig
from gapdata.derive import split
from gapdata.errors import ConfigError
from gapdata.scene_rooms import evaluation_split, room_of
from gapdata.shards.manifest import read_manifest
from gapdata.shards.reader import open_dataset
from gapdata.sources import open_source
from tests.fixtures.samples import room_sample, write_dataset
from tests.fixtures.scannet import write_labels_tsv, write_scannet_scene

TRAIN, VAL, TEST = "scene0000_00", "scene0011_00", "scene0707_00"


def config(**changes) -> BuildConfig:
    return BuildConfig(**{"source": "scannet", "out": "unused", **changes})


def test_rescans_share_the_fate_of_their_room():
    assert evaluation_split("scannet", TRAIN) == ""
    assert {evaluation_split("scannet", f"scene0011_{n:02d}") for n in range(4)} == {"val"}
    assert [evaluation_split("scannet", f"scene{n:04d}_00") for n in (706, 707, 806, 807)] == [
        "",
        "test",
        "test",
        "",
    ]
    assert evaluation_split("synthetic", VAL) == ""
    assert evaluation_split("scannet", "kitchen") == ""
    assert room_of("scannet", "scene0011_00") == room_of("scannet", "scene0011_07")
    assert room_of("scannet", "scene0011_00") != room_of("scannet", "scene0012_00")
    assert room_of("a", "kitchen") != room_of("b", "kitchen")


def test_there_are_as_many_rooms_as_the_official_list_has():
    rooms = Counter(evaluation_split("scannet", f"scene{n:04d}_00") for n in range(900))
    assert (rooms["val"], rooms["test"]) == (142, 100)


def test_a_training_build_refuses_drops_or_keeps_as_asked():
    scenes = {"train": [TRAIN, VAL, TEST], "val": [VAL]}
    with pytest.raises(
        ConfigError, match=r"2 scenes of split train.*scene0011_00 \(val\), scene0707_00 \(test\)"
    ):
        guard_evaluation(scenes, config())
    kept, reasons = guard_evaluation(scenes, config(evaluation_scenes="drop"))
    assert kept == {"train": [TRAIN], "val": [VAL]}
    assert reasons == {"scene: evaluation split val": 1, "scene: evaluation split test": 1}
    assert guard_evaluation(scenes, config(evaluation_scenes="keep")) == (scenes, Counter())
    assert guard_evaluation({"val": [VAL]}, config()) == ({"val": [VAL]}, Counter())
    with pytest.raises(ConfigError, match="no scenes are left"):
        guard_evaluation({"train": [VAL]}, config(evaluation_scenes="drop"))
    with pytest.raises(ConfigError, match="evaluation_scenes: expected one of refuse"):
        config(evaluation_scenes="maybe")


@pytest.fixture
def root(tmp_path):
    for number, scene in enumerate((TRAIN, VAL)):
        write_scannet_scene(tmp_path / "raw", scene, seed=number)
    write_labels_tsv(tmp_path / "raw")
    return tmp_path / "raw"


def test_without_split_files_the_official_split_holds(root):
    assert open_source("scannet", str(root)).splits() == {"train": (TRAIN,), "val": (VAL,)}


def test_a_wrong_split_file_is_caught_and_the_card_says_what_was_done(root, tmp_path):
    (root / "scannetv2_train.txt").write_text(f"{TRAIN}\n{VAL}\n")
    settings = {
        "source": "scannet", "root": str(root), "accept_terms": ("scannet",),
        "views": 2, "samples_per_scene": 1, "points": 64,
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"scene0011_00 \(val\)"):
        build(BuildConfig(**settings, out=str(tmp_path / "refused")))
    for rule, said, scenes in (
        ("drop", "1 scenes were left out", 1),
        ("keep", "kept on request", 2),
    ):
        out = tmp_path / rule
        build(BuildConfig(**settings, out=str(out), evaluation_scenes=rule))
        assert said in (out / "README.md").read_text()
        assert read_manifest(str(out)).counts["scenes"] == scenes


def test_resplitting_does_not_bring_them_into_training(tmp_path):
    from dataclasses import replace

    scenes = [f"scene{n:04d}_00" for n in (0, 1, 2, 11, 15, 707)]
    samples = [
        replace(
            room_sample(f"s-{i}", height=48, width=64, num_points=40, scene_id=scene),
            source="scannet",
        )
        for i, scene in enumerate(scenes)
    ]
    write_dataset(str(tmp_path / "a"), samples)
    split(str(tmp_path / "a"), str(tmp_path / "b"), {"dev": 0.34})
    found = {sample.scene_id: sample.split for sample in open_dataset(str(tmp_path / "b"))}
    assert sum(name == "dev" for name in found.values()) == 2
    for scene, name in found.items():
        own = evaluation_split("scannet", scene)
        assert name in ({"dev", own} if own else {"dev", "train"})
