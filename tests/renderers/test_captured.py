"""Captured views: what was recorded stays as it was, grids fit, and the mesh adds only what the sensor confirms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.geometry.camera import intrinsics
from gapdata.renderers import open_renderer
from gapdata.renderers.captured import CapturedRenderer, resample_color
from tests.fixtures.scenes import box_room, camera_at, plane_scene, recorded


def other_depth_camera(camera):
    """A depth camera with fewer pixels, another aspect and another principal point."""
    K = intrinsics(70.0, 72.0, 41.3, 33.9)
    return replace(camera, K=K, height=66, width=80)


@pytest.fixture(scope="module")
def scan():
    return recorded(box_room(4))


@pytest.fixture(scope="module")
def two_grids():
    return recorded(box_room(4), depth_camera=other_depth_camera)


def test_untouched_grid_keeps_the_recorded_bytes_and_depth(scan):
    renderer = open_renderer("captured", scan)
    for frame in scan.frames:
        view = renderer.render(frame)
        assert view.jpeg == frame.recording.read_jpeg()
        np.testing.assert_array_equal(view.rgb, frame.recording.read_rgb())
        np.testing.assert_array_equal(view.depth, frame.recording.read_depth())
        assert (view.depth_source, view.normal_source) == ("sensor", "mesh")


def test_layers_of_an_ideal_scan_equal_its_ray_casting(scan):
    captured, cast = open_renderer("captured", scan), open_renderer("raycast", scan)
    for frame in scan.frames:
        a, b = captured.render(frame), cast.render(frame)
        assert (a.instance != b.instance).mean() < 2e-3
        assert (np.abs(a.normal - b.normal).max(axis=-1) > 1e-5).mean() < 0.05
        assert [m.instance for m in a.amodal] == [m.instance for m in b.amodal]


def test_depth_from_another_grid_is_the_depth_of_the_colour_camera(two_grids):
    frame = two_grids.frames[0]
    view = open_renderer("captured", two_grids).render(frame)
    truth = open_renderer("raycast", two_grids).render(frame)
    assert view.jpeg is not None
    assert view.depth.shape == truth.depth.shape
    valid = view.depth > 0
    # The depth camera sees a part only: its edges projected into colour pixels bound the valid rectangle.
    depth_K, K = frame.recording.depth_camera.K, frame.camera.K
    left = (-0.5 - depth_K[0, 2]) / depth_K[0, 0] * K[0, 0] + K[0, 2]
    columns = np.flatnonzero(valid.any(axis=0))
    assert columns[0] == max(0, int(np.ceil(left)))
    error = np.abs(view.depth - truth.depth)[valid]
    assert np.median(error) < 0.02
    assert (view.depth == 0).sum() == (~valid).sum()


def test_reverse_keeps_depth_and_resamples_colour(two_grids):
    frame = two_grids.frames[0]
    view = open_renderer("captured_on_depth", two_grids).render(frame)
    np.testing.assert_array_equal(view.depth, frame.recording.read_depth())
    np.testing.assert_array_equal(view.camera.K, frame.recording.depth_camera.K)
    assert view.jpeg is None
    truth = open_renderer("raycast", two_grids).render(
        replace(frame, camera=frame.recording.depth_camera)
    )
    assert (view.instance != truth.instance).mean() < 3e-3


def test_other_size_updates_intrinsics_and_drops_the_jpeg(scan):
    view = open_renderer("captured", scan, height=48, width=64).render(scan.frames[1])
    expected = scan.frames[1].camera.resized(48, 64)
    assert view.jpeg is None
    assert view.rgb.shape == (48, 64, 3)
    np.testing.assert_allclose(view.camera.K, expected.K)
    full = scan.frames[1].recording.read_rgb().astype(float)
    blocks = full.reshape(48, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(view.rgb - blocks).max() <= 1
    truth = open_renderer("raycast", scan, height=48, width=64).render(scan.frames[1])
    assert np.median(np.abs(view.depth - truth.depth)) < 0.02


def test_own_size_by_number_is_still_untouched(scan):
    view = open_renderer("captured", scan, height=96, width=128).render(scan.frames[0])
    assert view.jpeg == scan.frames[0].recording.read_jpeg()


def linear_picture(camera):
    """An image whose red is the ray's x / z and whose green is its y / z, scaled to bytes."""
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    x = (u - camera.K[0, 2]) / camera.K[0, 0]
    y = (v - camera.K[1, 2]) / camera.K[1, 1]
    rgb = np.stack([128 + 100 * x, 128 + 100 * y, np.zeros_like(x)], axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_colour_follows_the_rays_between_intrinsics(scale):
    source = camera_at((0, 0, 0), (1, 0, 0), height=240, width=320)
    K = intrinsics(228.5 * scale, 230.0 * scale, 140.2 * scale, 117.7 * scale)
    target = replace(source, K=K, height=round(200 * scale), width=round(260 * scale))
    found = resample_color(linear_picture(source), source, target).astype(int)
    expected = linear_picture(target).astype(int)
    inside = found.any(axis=-1)
    assert inside.mean() > 0.9
    inner = inside[2:-2, 2:-2]
    assert np.abs(found - expected)[2:-2, 2:-2][inner].max() <= 2


def test_something_the_mesh_lacks_has_no_instance():
    """A board that the sensor saw 0.5 m before the mesh takes the ids away where it stands."""

    def with_board(depth):
        depth = depth.copy()
        depth[30:50, 40:80] = 0.5
        return depth

    scan = recorded(box_room(2), spoil_depth=with_board)
    view = open_renderer("captured", scan).render(scan.frames[0])
    whole = open_renderer("raycast", scan).render(scan.frames[0])
    assert (whole.instance[30:50, 40:80] > 0).all()
    assert not view.instance[30:50, 40:80].any()
    assert not view.normal[30:50, 40:80].any()
    outside = np.ones(view.depth.shape, bool)
    outside[28:52, 38:82] = False
    assert (view.instance == whole.instance)[outside].mean() > 0.998


def test_narrow_holes_keep_their_instance_and_wide_ones_lose_it():
    def with_holes(depth):
        depth = depth.copy()
        depth[20, :] = 0  # a line one pixel wide
        depth[50:80, 40:90] = 0
        return depth

    scan = recorded(box_room(2), spoil_depth=with_holes)
    view = open_renderer("captured", scan).render(scan.frames[0])
    whole = open_renderer("raycast", scan).render(scan.frames[0])
    assert not view.depth[20].any()
    assert (view.instance[20] == whole.instance[20])[3:-3].mean() > 0.98
    assert not view.instance[50:80, 40:90].any()
    assert not view.normal[50:80, 40:90].any()


def test_without_a_mesh_normals_come_from_depth():
    scan = replace(recorded(plane_scene(2.0)), mesh=None, instances=())
    view = open_renderer("captured", scan).render(scan.frames[0])
    assert view.normal_source == "depth"
    assert view.amodal == ()
    assert not view.instance.any()
    np.testing.assert_allclose(view.normal[1:-1, 1:-1, 2], -1, atol=1e-4)


def test_scans_are_needed(scan):
    with pytest.raises(ConfigError, match="needs recorded frames"):
        open_renderer("captured", box_room(2))
    with pytest.raises(ConfigError, match="needs recorded frames"):
        open_renderer("captured_on_depth", box_room(2))
    mixed = replace(scan, frames=(*scan.frames, replace(scan.frames[0], id="x", recording=None)))
    with pytest.raises(ConfigError, match="frame x: expected a recording"):
        open_renderer("captured", mixed).render(mixed.frames[-1])


def test_coarse_depth_is_small_and_true(two_grids):
    frame = two_grids.frames[0]
    depth, camera = CapturedRenderer(two_grids).coarse_depth(frame)
    truth, _ = open_renderer("raycast", two_grids).coarse_depth(frame)
    assert depth.shape == truth.shape == (camera.height, camera.width)
    valid = depth > 0
    assert np.median(np.abs(depth - truth)[valid]) < 0.03
