"""The pinhole camera against hand-computed values and round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.geometry import camera as c
from gapdata.geometry.transforms import look_at

K = c.intrinsics(500.0, 480.0, 319.5, 239.5)


def test_project_by_hand():
    pixel, z = c.project(K, np.array([[0.0, 0.0, 2.0], [1.0, -0.5, 2.0], [0.0, 0.0, -1.0]]))
    np.testing.assert_allclose(pixel[:2], [[319.5, 239.5], [569.5, 119.5]])
    assert np.isnan(pixel[2]).all()
    np.testing.assert_array_equal(z, [2, 2, -1])


@given(st.floats(-200, 900), st.floats(-200, 700), st.floats(0.01, 100))
def test_unproject_then_project_is_identity(u, v, depth):
    pixel = np.array([u, v])
    point = c.unproject_pixels(K, pixel, np.asarray(depth))
    again, z = c.project(K, point)
    np.testing.assert_allclose(again, pixel, atol=1e-6)
    assert z == depth


def test_pointmap_projects_back_to_its_own_pixel_grid():
    rng = np.random.default_rng(0)
    depth = rng.uniform(0.5, 6, (24, 32))
    pixel, z = c.project(K, c.unproject_depth(depth, K))
    u, v = np.meshgrid(np.arange(32), np.arange(24))
    np.testing.assert_allclose(pixel, np.stack([u, v], -1), atol=1e-9)
    np.testing.assert_array_equal(z, depth)


def test_invalid_depth_stays_at_the_origin():
    assert not c.unproject_depth(np.zeros((4, 5)), K).any()


@given(st.integers(1, 8), st.integers(1, 8))
def test_resizing_maps_pixel_edges_to_pixel_edges(sx, sy):
    """The image's left edge is at u = -0.5 before and after; its right edge at width - 0.5."""
    height, width = 480, 640
    camera = c.Camera(K=K, cam2world=np.eye(4), height=height, width=width)
    resized = camera.resized(height * sy, width * sx)
    for u, u_resized in ((-0.5, -0.5), (width - 0.5, width * sx - 0.5)):
        ray = c.unproject_pixels(K, np.array([u, 0.0]), np.asarray(1.0))
        np.testing.assert_allclose(c.project(resized.K, ray)[0][0], u_resized, atol=1e-9)
    assert c.field_of_view(resized.K, resized.height, resized.width) == pytest.approx(
        c.field_of_view(K, height, width)
    )


def test_crop_shifts_pixels():
    camera = c.Camera(K=K, cam2world=np.eye(4), height=480, width=640)
    crop = camera.cropped(10, 25, 100, 200)
    point = np.array([0.1, -0.2, 3.0])
    np.testing.assert_allclose(camera.project(point)[0] - crop.project(point)[0], [25, 10])
    assert (crop.height, crop.width) == (100, 200)


@given(st.floats(0.3, 2.5))
def test_field_of_view_round_trip(fov):
    assert c.field_of_view(c.intrinsics_from_fov(fov, 48, 64), 48, 64)[0] == pytest.approx(fov)


def test_camera_projects_world_points_seen_from_its_pose():
    eye = np.array([2.0, 1.0, 1.5])
    camera = c.Camera(K=K, cam2world=look_at(eye, np.zeros(3)), height=480, width=640)
    pixel, z = camera.project(np.zeros(3))
    np.testing.assert_allclose(pixel, [319.5, 239.5], atol=1e-9)
    assert z == pytest.approx(np.linalg.norm(eye))
    np.testing.assert_array_equal(camera.center_world, eye)


def test_inside_image_uses_pixel_centres_at_integers():
    pixel = np.array([[-0.5, 0], [-0.51, 0], [639.49, 479.49], [639.5, 0], [0, 479.5], [np.nan, 0]])
    assert c.inside_image(pixel, 480, 640).tolist() == [True, False, True, False, False, False]


def test_ray_distance_of_a_sphere_around_the_camera_is_its_radius():
    directions = c.pixel_directions(K, 48, 64, np.float64)
    depth = 3.0 / np.linalg.norm(directions, axis=-1)
    np.testing.assert_allclose(c.ray_distance_from_depth(depth, K), 3.0, rtol=1e-6)
