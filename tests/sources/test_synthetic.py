"""The synthetic source's contract: ids, splits, errors, and the same bytes for the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gapdata.errors import ConfigError, SourceError
from gapdata.scene import Scene
from gapdata.sources import open_source
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic import WORLDS

# A digest of each scene named, in the order given: what is drawn must not hang on what was drawn before.
DIGEST = """
import hashlib, sys
from gapdata.renderers import open_renderer
from gapdata.sources.synthetic import SyntheticSource
for scene_id in sys.argv[1:]:
    digest = hashlib.sha256()
    scene = SyntheticSource(num_scenes=2, seed=5, world=scene_id.split("_")[0], difficulty=0.1).load(scene_id)
    mesh = scene.mesh
    for array in (mesh.vertices, mesh.faces, mesh.vertex_color, mesh.face_instance, mesh.uv, mesh.face_texture, *mesh.textures):
        digest.update(array.tobytes())
    for i in scene.instances:
        digest.update(repr((i.id, i.label, i.nyu40, i.attributes, i.support, i.room)).encode())
        digest.update(i.box.center.tobytes() + i.box.size.tobytes() + i.box.rotation.tobytes())
    for frame in scene.frames:
        digest.update(frame.camera.K.tobytes() + frame.camera.cam2world.tobytes())
    for light in scene.lights:
        digest.update(repr([getattr(light, name) for name in light.__slots__]).encode())
    digest.update(repr(sorted(scene.provenance.items())).encode())
    view = open_renderer("raycast", scene, height=48, width=64).render(scene.frames[0])
    for array in (view.rgb, view.depth, view.normal, view.instance):
        digest.update(array.tobytes())
    print(scene_id, digest.hexdigest())
"""


def _same(a: Scene, b: Scene) -> bool:
    assert a.mesh is not None
    assert b.mesh is not None
    return (
        a.mesh.vertices.tobytes() == b.mesh.vertices.tobytes()
        and a.mesh.vertex_color.tobytes() == b.mesh.vertex_color.tobytes()
        and [i.label for i in a.instances] == [i.label for i in b.instances]
        and np.array_equal(
            [f.camera.cam2world for f in a.frames], [f.camera.cam2world for f in b.frames]
        )
    )


def test_ids_and_splits() -> None:
    splits = SyntheticSource(num_scenes=25).splits()
    assert splits["val"] == ["room_000009", "room_000019"]
    assert sorted([*splits["train"], *splits["val"]]) == [f"room_{i:06d}" for i in range(25)]
    assert list(splits["train"]) == sorted(splits["train"])
    assert len(SyntheticSource().splits()["train"]) == 8
    assert open_source("synthetic", num_scenes=2).splits() == {
        "train": ["room_000000", "room_000001"],
        "val": [],
    }


def test_a_scene_depends_on_seed_and_number_only() -> None:
    scene = SyntheticSource(num_scenes=2, seed=3).load("room_s3_000001")
    assert (scene.id, scene.source) == ("room_s3_000001", "synthetic")
    assert _same(scene, SyntheticSource(num_scenes=40, seed=3).load("room_s3_000001"))
    assert not _same(scene, SyntheticSource(num_scenes=2, seed=4).load("room_s4_000001"))
    assert not _same(scene, SyntheticSource(num_scenes=2, seed=3).load("room_s3_000000"))


def test_ids_of_two_seeds_or_worlds_never_meet() -> None:
    ids: list[str] = []
    for seed in (0, 1, 10, 5):
        splits = SyntheticSource(num_scenes=12, seed=seed).splits()
        ids += [*splits["train"], *splits["val"]]
    assert len(set(ids)) == 48
    assert SyntheticSource(num_scenes=1, seed=5).splits()["train"] == ["room_s5_000000"]


def test_provenance_names_world_and_difficulty() -> None:
    scene = SyntheticSource(num_scenes=1, difficulty=0.25).load("room_000000")
    assert scene.provenance["world"] == "room"
    assert scene.provenance["difficulty"] == "0.25"


def test_recorded_scenes_have_no_world() -> None:
    with pytest.raises(
        ConfigError, match=r"scannet: .* expected no world and difficulty, found room, 0.5"
    ):
        open_source("scannet", "somewhere", world="room", difficulty=0.5)


@pytest.mark.parametrize("difficulty", [-0.1, 1.5, float("nan")])
def test_bad_difficulty(difficulty: float) -> None:
    with pytest.raises(ConfigError, match="difficulty of 0 to 1"):
        SyntheticSource(difficulty=difficulty)


def test_unknown_world() -> None:
    with pytest.raises(ConfigError, match=r"unknown world 'moon': expected one of .*room"):
        open_source("synthetic", world="moon")


def test_same_bytes_whatever_the_hash_seed_and_whatever_was_drawn_before() -> None:
    ids = [f"{world}_s5_00000{number}" for world in sorted(WORLDS) for number in (0, 1)]
    told = set()
    for hash_seed, order in (("0", ids), ("77", ids[::-1]), ("4242", ids[1::2])):
        run = subprocess.run(
            [sys.executable, "-c", DIGEST, *order],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        told |= set(run.stdout.splitlines())
    assert sorted(line.split()[0] for line in told) == sorted(ids)
    assert len({line.split()[1] for line in told}) == len(ids)


@pytest.mark.parametrize(
    ("root", "num_scenes", "seed", "message"),
    [
        ("somewhere", None, 0, "no root"),
        ("", 0, 0, "scenes"),
        ("", -3, 0, "scenes"),
        ("", 2_000_000, 0, "scenes"),
        ("", None, -1, "seed"),
        ("", None, 10**18, "seed"),
    ],
)
def test_bad_settings(root: str, num_scenes: int | None, seed: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SyntheticSource(root, num_scenes=num_scenes, seed=seed)


@pytest.mark.parametrize("scene_id", ["room_000008", "room_8", "scene0000_00", ""])
def test_unknown_scene(scene_id: str) -> None:
    with pytest.raises(SourceError, match="room_000000 to room_000007"):
        SyntheticSource().load(scene_id)
