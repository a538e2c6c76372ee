"""The camera walks where a person could, smoothly, level, and sees the room."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.errors import GapdataError
from gapdata.geometry.camera import field_of_view, inside_image
from gapdata.geometry.transforms import is_rigid, rotation_angle
from gapdata.scene import Scene
from gapdata.synthetic.freespace import FreeSpace
from gapdata.synthetic.trajectory import walk
from tests.synthetic.oracle import distance_to


def test_frames_are_a_nearly_level_walk(rooms: list[Scene]) -> None:
    for scene in rooms:
        frames = scene.frames
        assert 24 <= len(frames) <= 40
        assert [f.id for f in frames] == [f"{i:06d}" for i in range(len(frames))]
        assert [f.timestamp_s for f in frames] == pytest.approx(
            [0.5 * i for i in range(len(frames))]
        )
        poses = np.stack([f.camera.cam2world for f in frames])
        assert is_rigid(poses).all()
        roll = np.rad2deg(np.arcsin(np.abs(poses[:, 2, 0])))
        assert 0.0 < roll.max() <= 6.0, "a hand holds the camera nearly level"
        assert (poses[:, 2, 2] < 0).all(), "the camera looks slightly down"
        assert (poses[:, 2, 2] > -0.55).all()
        assert (poses[:, 2, 3] >= 1.0).all()
        assert (poses[:, 2, 3] <= 1.75).all()
        camera = frames[0].camera
        assert (camera.height, camera.width) == (480, 640)
        assert 54 <= np.rad2deg(field_of_view(camera.K, 480, 640)[0]) <= 84
        steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
        assert steps.max() < 0.8
        turns = rotation_angle(np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3])
        assert np.rad2deg(turns.max()) < 35


def test_the_camera_keeps_clear_of_everything(rooms: list[Scene]) -> None:
    for scene in rooms:
        assert scene.mesh is not None
        triangles = scene.mesh.vertices[scene.mesh.faces]
        centers = np.stack([f.camera.center_world for f in scene.frames])
        assert distance_to(centers, triangles).min() >= 0.25
        floor = next(i for i in scene.instances if i.label == "floor").aabb
        assert (np.abs(centers[:, :2] - floor.center[:2]) < floor.size[:2] / 2 - 0.3).all()


def test_the_walk_sees_most_of_the_room(rooms: list[Scene]) -> None:
    shares, spans = [], []
    for scene in rooms:
        things = [
            i
            for i in scene.instances
            if i.label not in ("wall", "floor", "ceiling", "ceiling light")
        ]
        points = np.stack([i.aabb.center for i in things])
        seen = np.zeros(len(points), bool)
        for frame in scene.frames:
            pixel, depth = frame.camera.project(points)
            seen |= (depth > 0.3) & inside_image(np.nan_to_num(pixel, nan=-1e9), 480, 640)
        shares.append(seen.mean())
        centers = np.stack([f.camera.center_world for f in scene.frames])
        spans.append(np.ptp(centers[:, :2], axis=0).max())
    assert np.median(shares) > 0.8
    assert min(shares) > 0.45
    assert np.median(spans) > 2.0


def test_no_free_floor_is_an_error() -> None:
    free = FreeSpace(np.zeros(2), np.ones(2))
    free.blocked[:] = True
    with pytest.raises(GapdataError, match="free floor"):
        walk(np.random.default_rng(0), free, np.zeros((1, 3)), np.ones(1))
