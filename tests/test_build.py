"""Builds: the same bytes however they are run, resume after kills, and refusal to touch what is not theirs."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import gapdata
from gapdata.build import build, choose_scenes, plan_jobs
from gapdata.build_config import BuildConfig
from gapdata.errors import ConfigError, GapdataError
from gapdata.pipeline import sample_key
from gapdata.sources import open_source
from tests.fixtures.scannet import write_labels_tsv, write_scannet_scene

SMALL = {
    "source": "synthetic",
    "num_scenes": 4,
    "views": 2,
    "samples_per_scene": 1,
    "height": 96,
    "width": 128,
    "points": 128,
    "scenes_per_shard": 1,
}


def small(out: Path, **changes) -> BuildConfig:
    return BuildConfig(**{**SMALL, "out": str(out), **changes})


def hashes(out: Path) -> dict[str, str]:
    """sha256 of every file of a dataset."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("build") / "reference"
    build(small(out))
    return out


@pytest.fixture
def scans(tmp_path) -> Path:
    root = tmp_path / "scans_root"
    for number in range(3):
        write_scannet_scene(root, f"scene{number:04d}_00", seed=number)
    write_labels_tsv(root)
    return root


def test_manifest_counts_what_is_there(reference):
    dataset = gapdata.open_dataset(str(reference))
    counts = dataset.manifest.counts
    assert counts["scenes"] == 4
    assert counts["samples"] == len(dataset) == 4
    assert counts["views"] == 8
    assert counts["qa"] == sum(len(sample.qa) for sample in dataset) == dataset.qa.num_rows
    assert not (reference / "_build").exists()


@pytest.mark.parametrize("workers", [2, 3])
def test_bytes_do_not_depend_on_the_number_of_workers(reference, tmp_path, workers):
    build(small(tmp_path / "out", workers=workers))
    assert hashes(tmp_path / "out") == hashes(reference)


def test_a_scene_does_not_depend_on_the_scenes_around_it(reference, tmp_path):
    build(small(tmp_path / "out", scenes=("room_000002",)))
    alone = gapdata.open_dataset(str(tmp_path / "out"))
    among = gapdata.open_dataset(str(reference))
    key = alone[0].key
    assert alone.read_members(0) == among.read_members(among.index(key))


def test_killed_builds_go_on_to_the_same_bytes(reference, tmp_path):
    out = tmp_path / "out"
    code = (
        "from gapdata.build import build; from gapdata.build_config import BuildConfig\n"
        f"build(BuildConfig(**{ {**SMALL, 'out': str(out), 'workers': 2}!r}))"
    )  # fmt: skip
    rng = np.random.default_rng(time.time_ns())
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.5, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (out / "dataset.json").exists():
            break
    build(small(out))
    assert hashes(out) == hashes(reference)


def test_a_finished_build_returns_at_once_and_another_config_is_refused(tmp_path):
    out = tmp_path / "out"
    first = build(small(out, num_scenes=1))
    before = hashes(out)
    assert build(small(out, num_scenes=1)).to_json() == first.to_json()
    with pytest.raises(ConfigError, match=r"finished dataset with other settings \(scenes, seed\)"):
        build(small(out, num_scenes=1, seed=1))
    assert hashes(out) == before
    build(small(out, num_scenes=1, seed=1, overwrite=True))
    assert hashes(out) != before


def test_an_unfinished_build_of_another_config_is_refused(tmp_path, scans):
    out = tmp_path / "out"
    (scans / "scans" / "scene0001_00" / "scene0001_00.sens").write_bytes(b"")
    scan = {
        "source": "scannet",
        "accept_terms": ("scannet",),
        "root": str(scans),
        "num_scenes": None,
        "height": None,
        "width": None,
    }
    with pytest.raises(GapdataError, match="scene0001_00"):
        build(small(out, **scan))
    with pytest.raises(ConfigError, match="unfinished build with other settings"):
        build(small(out, **scan, seed=3))


def test_a_folder_with_other_files_is_never_touched(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="found other files"):
            build(small(out, overwrite=overwrite))
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="found a file"):
        build(small(tmp_path / "file"))


def test_a_bad_scene_is_skipped_and_recorded_only_when_allowed(tmp_path, scans):
    (scans / "scans" / "scene0001_00" / "scene0001_00.sens").write_bytes(b"\x04\x00")
    scan = {
        "source": "scannet",
        "accept_terms": ("scannet",),
        "root": str(scans),
        "num_scenes": None,
        "height": None,
        "width": None,
    }
    with pytest.raises(GapdataError, match=r"scannet: scene0001_00: .*\.sens"):
        build(small(tmp_path / "strict", **scan))
    finished = list((tmp_path / "strict" / "shards").glob("*.tar"))
    assert [path.name for path in finished] == ["train-00000.tar"]  # what was finished is kept
    manifest = build(small(tmp_path / "lenient", **scan, max_failures=1))
    assert [failure.scene for failure in manifest.failures] == ["scene0001_00"]
    assert manifest.counts["scenes"] == 2


def test_a_mended_scene_is_built_on_the_next_run(tmp_path, scans):
    sens = scans / "scans" / "scene0001_00" / "scene0001_00.sens"
    good = sens.read_bytes()
    scan = {
        "source": "scannet",
        "accept_terms": ("scannet",),
        "root": str(scans),
        "num_scenes": None,
        "height": None,
        "width": None,
    }
    build(small(tmp_path / "whole", **scan))
    sens.write_bytes(good[: len(good) // 2])
    with pytest.raises(GapdataError):
        build(small(tmp_path / "mended", **scan))
    sens.write_bytes(good)
    build(small(tmp_path / "mended", **scan))
    assert hashes(tmp_path / "mended") == hashes(tmp_path / "whole")


def test_a_full_disk_is_one_line_and_keeps_finished_shards(tmp_path):
    """A file size limit makes the kernel refuse writes just as a full disk does."""
    out = tmp_path / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(ConfigError, match=r"shards/train-00000\.tar: cannot be written"):
            build(small(out))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path for path in (out / "shards").iterdir() if path.is_file()]
    with pytest.raises(gapdata.errors.DatasetError, match=r"dataset\.json"):
        gapdata.open_dataset(str(out))


def test_unknown_names_are_refused_before_any_work(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="unknown source 'scanet'"):
        build(small(out, source="scanet"))
    with pytest.raises(ConfigError, match=r"no scene 'room_00002'.*near: room_00000"):
        build(small(out, scenes=("room_00002",)))
    with pytest.raises(ConfigError, match="no split 'test'"):
        build(small(out, split=("test",)))
    with pytest.raises(ConfigError, match="unknown task"):
        small(out, tasks=("object_sise",))
    with pytest.raises(ConfigError, match="renderer: expected one of"):
        small(out, renderer="blender")
    with pytest.raises(ConfigError, match="both or neither"):
        small(out, width=None)
    assert not out.exists()


def test_blocks_are_a_function_of_the_scene_list_alone(tmp_path):
    config = small(tmp_path, num_scenes=30, scenes_per_shard=None, workers=1)
    source = open_source("synthetic", num_scenes=30)
    scenes = choose_scenes(source, config)
    jobs = plan_jobs(config, source, scenes)
    assert [job.scene_ids for job in jobs] == [
        job.scene_ids for job in plan_jobs(small(tmp_path, num_scenes=30, scenes_per_shard=None, workers=3), source, scenes)
    ]  # fmt: skip
    assert sorted(s for job in jobs for s in job.scene_ids) == sorted(
        s for v in scenes.values() for s in v
    )
    assert {job.split for job in jobs} == {"train", "val"}
    assert all(set(job.scene_ids) <= set(scenes[job.split]) for job in jobs)


def test_keys_are_clean_and_unique():
    ids = ["scene0000_00", "Scene0000_00", "a.b", "a_b", "ü", "x" * 300, "x" * 301]
    keys = [sample_key("scannet", scene, 0) for scene in ids]
    assert keys[0] == "scannet-scene0000_00-000"
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= 80 and "." not in key for key in keys)


def test_the_manifest_tells_how_to_build_it_again(reference):
    config = json.loads((reference / "dataset.json").read_text())["config"]
    assert config["seed"] == 0
    assert config["scenes"] == [f"room_{i:06d}" for i in range(4)]
    assert not {"out", "root", "workers", "overwrite"} & set(config)


def test_the_first_n_scenes_are_counted_after_the_split(tmp_path, scans):
    (scans / "scannetv2_train.txt").write_text("scene0000_00\n")
    (scans / "scannetv2_val.txt").write_text("scene0001_00\nscene0002_00\n")
    source = open_source("scannet", str(scans), num_scenes=1)
    config = small(
        tmp_path, source="scannet", accept_terms=("scannet",), num_scenes=1, split=("val",)
    )
    assert choose_scenes(source, config) == {"val": ["scene0001_00"]}


def test_of_two_builds_into_one_place_the_second_is_refused(tmp_path):
    out = tmp_path / "out"
    code = (
        "from gapdata.build import build; from gapdata.build_config import BuildConfig\n"
        f"build(BuildConfig(**{ {**SMALL, 'out': str(out), 'num_scenes': 400}!r}))"
    )  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (out / "_build" / "config.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        for overwrite in (False, True):
            with pytest.raises(ConfigError, match=rf"process {process.pid} on .* is writing there"):
                build(small(out, num_scenes=400, overwrite=overwrite))
    finally:
        process.kill()
        process.wait()
    build(small(out, num_scenes=1, overwrite=True))
    assert "_lock.json" not in hashes(out)
