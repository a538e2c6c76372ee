"""View selection: measured overlap against a plain loop, ranges kept, seeds, and what is dropped."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from gapdata.errors import ConfigError, SourceError
from gapdata.geometry.depth import DepthTolerance
from gapdata.geometry.transforms import rotation_about_z, transform_points
from gapdata.renderers import open_renderer
from gapdata.selection import (
    BLURRED,
    NO_COVISIBLE_SET,
    POSE_JUMP,
    REPEATED_SET,
    SelectionConfig,
    overlaps,
    select_views,
)
from tests.fixtures.scenes import box_room, camera_at, plane_scene, planned, recorded


def select(scene, seed=0, renderer="raycast", **options):
    config = SelectionConfig(**options)
    return select_views(scene, open_renderer(renderer, scene), config, np.random.default_rng(seed))


def slow_overlap(a, b, tolerance):
    """Share of a's pixels with depth (rows and columns 1, 4, 7, ...) that b's depth confirms, in a loop."""
    (depth_a, camera_a), (depth_b, camera_b) = a, b
    hits = total = 0
    for v in range(1, camera_a.height, 3):
        for u in range(1, camera_a.width, 3):
            z = float(depth_a[v, u])
            if z == 0:
                continue
            total += 1
            K = camera_a.K
            point = np.array([[(u - K[0, 2]) / K[0, 0] * z, (v - K[1, 2]) / K[1, 1] * z, z]])
            (x, y, zb) = transform_points(
                camera_b.world2cam, transform_points(camera_a.cam2world, point)
            )[0]
            if zb <= 0:
                continue
            K = camera_b.K
            column = int(np.floor(x / zb * K[0, 0] + K[0, 2] + 0.5))
            row = int(np.floor(y / zb * K[1, 1] + K[1, 2] + 0.5))
            if not (0 <= column < camera_b.width and 0 <= row < camera_b.height):
                continue
            measured = float(depth_b[row, column])
            hits += measured > 0 and abs(measured - zb) <= tolerance.a + tolerance.b * zb**2
    return hits / total if total else 0.0


def coarse_depths(scene, count):
    renderer = open_renderer("raycast", scene)
    return [renderer.coarse_depth(frame) for frame in scene.frames[:count]]


def test_overlap_equals_the_slow_loop_also_for_mixed_sizes():
    scene = box_room(6)
    depths = coarse_depths(scene, 4)
    small = scene.frames[4].camera.resized(30, 44)
    renderer = open_renderer("raycast", scene, height=30, width=44)
    depths.append((renderer.render(scene.frames[4]).depth, small))
    depths[1][0][10:40, 20:50] = 0  # a hole
    tolerance = DepthTolerance(a=0.05, b=0.02)
    found = overlaps(depths, tolerance)
    for i in range(5):
        assert found[i, i] == 1
        for j in range(i):
            slow = min(
                slow_overlap(depths[i], depths[j], tolerance),
                slow_overlap(depths[j], depths[i], tolerance),
            )
            assert found[i, j] == found[j, i] == pytest.approx(slow, abs=1e-9)
    assert 0 < found[0, 1] < 1


def test_overlap_of_shifted_views_of_a_plane_is_analytic():
    """Moving sideways by s along a plane at z leaves 1 - s f / (z W) of the image common."""
    scene = plane_scene(2.0)
    shift = 0.7
    cameras = [camera_at((0, y, 0), (1, y, 0)) for y in (0.0, shift)]
    scene = replace(scene, frames=planned(cameras))
    expected = 1 - shift * cameras[0].K[0, 0] / (2.0 * cameras[0].width)
    found = overlaps(coarse_depths(scene, 2), DepthTolerance())
    assert found[0, 1] == pytest.approx(expected, abs=0.02)


def test_views_without_depth_overlap_with_nothing():
    depth, camera = coarse_depths(box_room(2), 1)[0]
    found = overlaps([(depth, camera), (np.zeros_like(depth), camera)], DepthTolerance())
    np.testing.assert_array_equal(found, np.eye(2))
    assert overlaps([], DepthTolerance()).shape == (0, 0)


@pytest.mark.parametrize("bounds", [(0.1, 0.4), (0.3, 0.7)])
def test_covisible_sets_keep_their_range(bounds):
    scene = box_room(16)
    low, high = bounds
    samples, _ = select(
        scene, views=3, samples_per_scene=4, min_overlap=low, max_overlap=high, max_tries=50
    )
    assert samples
    renderer = open_renderer("raycast", scene)
    for frames in samples:
        assert len(frames) == len({frame.id for frame in frames}) == 3
        assert [frame.id for frame in frames] == sorted(frame.id for frame in frames)
        depths = [renderer.coarse_depth(frame) for frame in frames]
        overlap = overlaps(depths, SelectionConfig().tolerance)
        np.fill_diagonal(overlap, 0)
        assert overlap.max() <= high  # no two are nearly the same
        assert (overlap.max(axis=1) >= low).all()  # everyone is linked


def test_impossible_overlap_is_counted_not_raised():
    scene = box_room(6)
    samples, drops = select(scene, views=3, samples_per_scene=2, min_overlap=0.999, max_overlap=1.0)
    assert samples == []
    assert drops == {NO_COVISIBLE_SET: 2}


def test_samples_of_a_scene_are_different_sets():
    samples, drops = select(box_room(16), views=2, samples_per_scene=6)
    keys = [tuple(frame.id for frame in frames) for frames in samples]
    assert len(set(keys)) == len(keys)
    assert len(keys) + drops[NO_COVISIBLE_SET] == 6


@pytest.mark.parametrize("strategy", ["clip", "covisible"])
def test_same_seed_same_views_other_seed_others(strategy):
    scene = box_room(24)
    ids = [
        [[frame.id for frame in frames] for frames in select(scene, seed, strategy=strategy)[0]]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert ids[0] == ids[1]
    assert any(other != ids[0] for other in ids[2:])


def test_a_single_clip_is_evenly_spaced_over_the_whole_sequence():
    scene = box_room(41)
    ((frames), *rest), drops = select(scene, strategy="clip", views=4)
    assert rest == []
    assert not drops
    times = np.array([frame.timestamp_s for frame in frames])
    np.testing.assert_allclose(np.diff(times), 1.0, atol=0.1 + 1e-9)  # 4 s in 4 parts
    assert times[0] <= 1.0 + 0.05
    assert times[-1] >= 3.0 - 0.05


def test_clips_follow_time_not_frame_numbers():
    """Frames were lost in the middle: the spacing in seconds stays even."""
    scene = box_room(40)
    kept = tuple(frame for n, frame in enumerate(scene.frames) if n < 10 or n % 3 == 0)
    (frames,), _ = select(replace(scene, frames=kept), strategy="clip", views=5)
    steps = np.diff([frame.timestamp_s for frame in frames])
    assert np.ptp(steps) <= 0.3 + 1e-9


def test_clips_of_several_windows_do_not_cross():
    samples, _ = select(box_room(40), strategy="clip", views=4, samples_per_scene=3)
    assert len(samples) == 3
    ends = [(frames[0].timestamp_s, frames[-1].timestamp_s) for frames in samples]
    assert all(last < first for (_, last), (first, _) in pairwise(ends))


def test_short_sequences_share_frames_and_drop_equal_clips():
    samples, drops = select(box_room(4), strategy="clip", views=4, samples_per_scene=3)
    assert len(samples) == 1
    assert drops == {REPEATED_SET: 2}
    assert [frame.id for frame in samples[0]] == [frame.id for frame in box_room(4).frames]


def test_equal_timestamps_fall_back_to_the_order():
    scene = box_room(12)
    frames = tuple(replace(frame, timestamp_s=0.0) for frame in scene.frames)
    (chosen,), _ = select(replace(scene, frames=frames), strategy="clip", views=3)
    numbers = [int(frame.id) for frame in chosen]
    assert np.diff(numbers).min() >= 3


def test_only_so_many_frames_are_looked_at():
    scene = recorded(box_room(30))
    looked = []

    def watched(frame):
        def read():
            looked.append(frame.id)
            return frame.recording.read_rgb()

        return replace(frame, recording=replace(frame.recording, read_rgb=read))

    scene = replace(scene, frames=tuple(watched(frame) for frame in scene.frames))
    select(scene, renderer="captured", views=3, max_candidates=8)
    assert len(looked) == 8
    assert int(looked[-1]) - int(looked[0]) > 20


def test_blurred_frames_are_dropped_and_counted():
    def blur(number, rgb):
        return cv2.GaussianBlur(rgb, (0, 0), 4.0) if number in (2, 5) else rgb

    scan = recorded(box_room(8), spoil_rgb=blur)
    samples, drops = select(
        scan, renderer="captured", strategy="clip", views=2, samples_per_scene=3
    )
    assert drops[BLURRED] == 2
    assert not {frame.id for frames in samples for frame in frames} & {"000002", "000005"}
    _, none = select(recorded(box_room(8)), renderer="captured", strategy="clip", views=2)
    assert BLURRED not in none


def slow_walk(count=30, step=0.03):
    """A scan that walks along a wall in small steps."""
    cameras = [camera_at((0, step * n, 0), (1, step * n, 0)) for n in range(count)]
    return replace(plane_scene(2.0), frames=planned(cameras))


def jump_at(scene, numbers, offset):
    frames = list(scene.frames)
    for number in numbers:
        pose = frames[number].camera.cam2world.copy()
        pose[:3, 3] += offset
        frames[number] = replace(frames[number], camera=frames[number].camera.moved(pose))
    return recorded(replace(scene, frames=tuple(frames)))


def test_a_stray_pose_drops_one_frame():
    scan = jump_at(slow_walk(), [12], [0, 3.0, 0])
    samples, drops = select(
        scan, renderer="captured", strategy="clip", views=9, samples_per_scene=3
    )
    assert drops == {POSE_JUMP: 1}
    chosen = {frame.id for frames in samples for frame in frames}
    assert "000012" not in chosen
    assert {"000011", "000013"} & chosen


def test_a_lasting_shift_drops_the_frame_where_it_happens():
    scan = jump_at(slow_walk(), range(15, 30), [0, 3.0, 0])
    samples, drops = select(
        scan, renderer="captured", strategy="clip", views=10, samples_per_scene=3
    )
    assert drops[POSE_JUMP] == 1
    assert "000015" not in {frame.id for frames in samples for frame in frames}


def test_a_turned_pose_is_a_jump():
    scan = slow_walk()
    frames = list(scan.frames)
    pose = frames[7].camera.cam2world.copy()
    pose[:3, :3] = rotation_about_z(2.0) @ pose[:3, :3]
    frames[7] = replace(frames[7], camera=frames[7].camera.moved(pose))
    scan = recorded(replace(scan, frames=tuple(frames)))
    _, drops = select(scan, renderer="captured", strategy="clip")
    assert drops == {POSE_JUMP: 1}


def test_planned_cameras_may_cut():
    scene = slow_walk()
    frames = list(scene.frames)
    pose = frames[12].camera.cam2world.copy()
    pose[1, 3] += 3.0
    frames[12] = replace(frames[12], camera=frames[12].camera.moved(pose))
    _, drops = select(replace(scene, frames=tuple(frames)), strategy="clip", views=3)
    assert not drops


def test_too_few_usable_frames_is_one_clear_line():
    with pytest.raises(
        SourceError, match=r"synthetic: box_room: expected at least 4 .* found 3 of 3"
    ):
        select(box_room(3), views=4)
    scan = jump_at(slow_walk(9), [2], [0, 3.0, 0])
    with pytest.raises(SourceError, match="1 pose jump"):
        select(scan, renderer="captured", views=9)


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "random"},
        {"views": 0},
        {"samples_per_scene": 0},
        {"min_overlap": 0.8, "max_overlap": 0.2},
        {"max_overlap": 1.5},
    ],
)
def test_settings_are_checked(options):
    with pytest.raises(ConfigError, match="expected"):
        SelectionConfig(**options)
