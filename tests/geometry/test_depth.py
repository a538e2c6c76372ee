"""Depth maps: exact storage, resampling between intrinsics, normals of planes, visibility."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gapdata.geometry import depth as d
from gapdata.geometry.camera import Camera, intrinsics, pixel_directions

HEIGHT, WIDTH = 48, 64
K = intrinsics(60.0, 55.0, 31.0, 23.0)


def plane_depth(camera: Camera, normal_cam, offset: float) -> np.ndarray:
    """z-depth of the plane n . p = offset seen by the camera."""
    directions = pixel_directions(camera.K, camera.height, camera.width, np.float64)
    return (offset / (directions @ np.asarray(normal_cam, float))).astype(np.float32)


def camera(K=K, height=HEIGHT, width=WIDTH) -> Camera:
    return Camera(K=K, cam2world=np.eye(4), height=height, width=width)


@given(arrays(np.uint16, (5, 7)))
def test_stored_depth_round_trips_exactly(stored):
    np.testing.assert_array_equal(d.depth_to_uint16(d.depth_from_uint16(stored)), stored)


def test_depth_beyond_the_range_becomes_invalid_and_never_wraps():
    depth = np.array([[65.535, 65.54, 70.0, -1.0, np.nan, np.inf, 0.0004]], np.float32)
    with np.errstate(invalid="raise"):
        assert d.depth_to_uint16(depth).tolist() == [[65535, 0, 0, 0, 0, 0, 0]]


@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(1, 5))
def test_normals_of_a_tilted_plane_are_its_normal(a, b, offset):
    normal = np.array([a, b, 1.0]) / np.linalg.norm([a, b, 1.0])
    depth = plane_depth(camera(), normal, offset)
    found = d.normals_from_depth(depth, K, max_relative_step=0.5)
    inner = found[1:-1, 1:-1]
    assert (np.linalg.norm(inner, axis=-1) > 0.99).all()
    np.testing.assert_allclose(inner, np.broadcast_to(-normal, inner.shape), atol=2e-3)
    assert not found[0].any()
    assert not found[:, -1].any()


def test_normals_stop_at_edges_and_holes():
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[:, 32:] = 3.0
    depth[10, 10] = 0
    normal = d.normals_from_depth(depth, K)
    assert not normal[:, 31:33].any()
    assert not normal[9:12, 10].any()
    assert not normal[10, 9:12].any()
    np.testing.assert_allclose(normal[20, 20], [0, 0, -1], atol=1e-6)


def test_resampling_a_slanted_plane_equals_rendering_it_in_the_target():
    source = camera()
    target = camera(intrinsics(130.0, 118.0, 70.2, 48.9), 100, 140)
    normal = np.array([0.2, -0.1, 1.0])
    sampled = d.resample_depth(plane_depth(source, normal, 2.0), source, target)
    exact = plane_depth(target, normal, 2.0)
    seen = sampled > 0
    assert 0.5 < seen.mean() < 1
    one_source_pixel = 0.5 * (0.2 / 60 + 0.1 / 55) * exact**2 / 2.0
    assert (np.abs(sampled - exact)[seen] <= one_source_pixel[seen] + 1e-6).all()


def test_resampling_never_blends():
    rng = np.random.default_rng(0)
    depth = rng.choice(np.array([0.0, 1.0, 3.0], np.float32), (HEIGHT, WIDTH))
    sampled = d.resample_depth(
        depth, camera(), camera(intrinsics(133.0, 99.0, 60.0, 41.0), 90, 120)
    )
    assert set(np.unique(sampled)) <= {0.0, 1.0, 3.0}


def test_resampling_to_the_same_camera_changes_nothing():
    depth = np.random.default_rng(1).uniform(0, 4, (HEIGHT, WIDTH)).astype(np.float32)
    np.testing.assert_array_equal(d.resample_depth(depth, camera(), camera()), depth)


def test_resampling_a_smaller_source_leaves_the_outside_invalid():
    narrow = camera().cropped(10, 20, 20, 30)
    depth = np.full((20, 30), 2.0, np.float32)
    sampled = d.resample_depth(depth, narrow, camera())
    expected = np.zeros((HEIGHT, WIDTH))
    expected[10:30, 20:50] = 2.0
    np.testing.assert_array_equal(sampled, expected)


def test_point_states():
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[:, :20] = 0
    points = np.array([
        [0.0, 0.0, 2.0],  # on the surface
        [0.0, 0.0, 2.05],  # within 0.02 + 0.01 * z^2
        [0.0, 0.0, 3.0],  # behind the surface
        [0.0, 0.0, 1.0],  # in front of it: the view sees through
        [-0.8, 0.0, 2.0],  # at a hole
        [9.0, 0.0, 2.0],  # outside
        [0.0, 0.0, -2.0],  # behind the camera
    ])  # fmt: skip
    pixel, state = d.point_visibility(points, camera(), depth)
    assert state.tolist() == [1, 1, 0, 2, 2, 0, 0]
    assert np.isnan(pixel[6]).all()
    np.testing.assert_allclose(pixel[0], [31, 23])
