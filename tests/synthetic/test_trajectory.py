"""The camera walks where a person could, smoothly, level, and sees the room."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.errors import GapdataError
from gapdata.geometry.camera import field_of_view, inside_image
from gapdata.geometry.transforms import is_rigid, rotation_angle
from gapdata.scene import Scene, Sky
from gapdata.sources import open_source
from gapdata.synthetic.freespace import FreeSpace
from gapdata.synthetic.trajectory import TRAJECTORIES, Sights, WalkConfig
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


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_no_free_floor_is_an_error(name: str) -> None:
    free = FreeSpace(np.zeros(2), np.ones(2))
    free.blocked[:] = True
    sights = Sights(targets=np.zeros((1, 3)), radii=np.ones(1))
    with pytest.raises(GapdataError, match="free floor"):
        TRAJECTORIES[name](np.random.default_rng(0), free, sights, WalkConfig())


@pytest.fixture(scope="module")
def by_trajectory() -> dict[str, list[Scene]]:
    return {
        name: [open_source("synthetic", num_scenes=4, trajectory=name).load(f"room_00000{i}") for i in range(4)]
        for name in TRAJECTORIES
    }  # fmt: skip


def test_a_trajectory_moves_nothing_but_the_camera(by_trajectory: dict[str, list[Scene]]) -> None:
    for walked, *others in zip(*by_trajectory.values(), strict=True):
        assert walked.mesh is not None
        for other in others:
            assert other.mesh is not None
            np.testing.assert_array_equal(walked.mesh.vertices, other.mesh.vertices)
            np.testing.assert_array_equal(walked.mesh.face_glow, other.mesh.face_glow)
            assert [light.color.tolist() for light in walked.lights if not isinstance(light, Sky)] == [
                light.color.tolist() for light in other.lights if not isinstance(light, Sky)
            ]  # fmt: skip
            poses = [scene.frames[0].camera.cam2world for scene in (walked, other)]
            assert not np.allclose(*poses)


@pytest.mark.parametrize("name", ["scan", "random"])
def test_other_cameras_keep_clear_too(name: str, by_trajectory: dict[str, list[Scene]]) -> None:
    for scene in by_trajectory[name]:
        assert scene.mesh is not None
        centers = np.stack([f.camera.center_world for f in scene.frames])
        assert distance_to(centers, scene.mesh.vertices[scene.mesh.faces]).min() >= 0.25
        assert is_rigid(np.stack([f.camera.cam2world for f in scene.frames])).all()


def test_a_scan_is_swept_over_the_room_in_small_steps(
    by_trajectory: dict[str, list[Scene]],
) -> None:
    for walked, scanned in zip(by_trajectory["walk"], by_trajectory["scan"], strict=True):
        poses = np.stack([f.camera.cam2world for f in scanned.frames])
        assert len(poses) > 1.5 * len(walked.frames)
        assert np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).max() < 0.5
        turns = rotation_angle(np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3])
        assert np.rad2deg(turns.max()) < 45
        pitch = np.rad2deg(np.arcsin(-poses[:, 2, 2]))
        assert np.ptp(pitch) > 35
        level = np.rad2deg(
            np.arcsin(-np.stack([f.camera.cam2world for f in walked.frames])[:, 2, 2])
        )
        assert np.ptp(pitch) > 1.5 * np.ptp(level)


def test_random_views_know_nothing_of_each_other(by_trajectory: dict[str, list[Scene]]) -> None:
    steps, heights = [], []
    for scene in by_trajectory["random"]:
        centers = np.stack([f.camera.center_world for f in scene.frames])
        steps.append(np.median(np.linalg.norm(np.diff(centers, axis=0), axis=1)))
        heights.append(np.ptp(centers[:, 2]))
    assert np.mean(steps) > 1.0
    assert np.mean(heights) > 0.8
