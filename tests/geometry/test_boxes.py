"""Boxes: corners, containment, and the upright box of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapdata.geometry.boxes import CORNER_EDGES, Box, aabb_from_points, upright_box_from_points
from gapdata.geometry.transforms import look_at, rotation_about_z

extents = st.floats(0.05, 5)


@given(st.floats(-np.pi, np.pi), extents, extents, extents)
def test_upright_box_recovers_a_box_from_its_corners(yaw, sx, sy, sz):
    box = Box(
        center=np.array([1.0, -2.0, 0.7]),
        size=np.array([sx, sy, sz]),
        rotation=rotation_about_z(yaw),
    )
    found = upright_box_from_points(box.corners)
    assert found.volume <= box.volume * 1.002 + 1e-6
    assert found.contains(box.corners, 1e-6).all()
    assert found.rotation[2, 2] == 1
    angle = np.arctan2(found.rotation[1, 0], found.rotation[0, 0])
    assert -np.pi / 4 - 1e-6 <= angle <= np.pi / 4 + 1e-6


def test_upright_box_is_never_larger_than_the_axis_aligned_one():
    rng = np.random.default_rng(3)
    for _ in range(50):
        points = rng.normal(size=(40, 3)) @ np.diag(rng.uniform(0.1, 3, 3))
        upright, aabb = upright_box_from_points(points), aabb_from_points(points)
        assert upright.volume <= aabb.volume * 1.002
        assert upright.contains(points, 1e-5).all()


def test_corners_and_edges():
    box = Box(center=np.zeros(3), size=np.array([2.0, 4.0, 6.0]), rotation=np.eye(3))
    np.testing.assert_array_equal(box.corners.max(0), [1, 2, 3])
    lengths = [np.linalg.norm(box.corners[i] - box.corners[j]) for i, j in CORNER_EDGES]
    assert sorted(lengths) == [2] * 4 + [4] * 4 + [6] * 4


@given(st.integers(0, 2**31))
def test_containment_moves_with_the_box(seed):
    rng = np.random.default_rng(seed)
    box = Box(
        center=rng.normal(size=3), size=rng.uniform(0.1, 3, 3), rotation=rotation_about_z(1.0)
    )
    points = rng.normal(size=(50, 3)) * 2
    pose = look_at(rng.normal(size=3), rng.normal(size=3) + [5, 0, 0])
    moved = points @ pose[:3, :3].T + pose[:3, 3]
    away_from_faces = box.contains(points, 1e-9) == box.contains(points, -1e-9)
    agree = box.contains(points) == box.transformed(pose).contains(moved)
    assert agree[away_from_faces].all()


def test_no_points_no_box():
    with pytest.raises(ValueError, match="at least one point"):
        aabb_from_points(np.zeros((0, 3)))


def test_degenerate_points_give_flat_boxes():
    point = np.array([[1.0, 2.0, 3.0]])
    assert upright_box_from_points(point).volume == 0
    line = np.array([[0.0, 0, 0], [1, 1, 0], [2, 2, 0]])
    assert upright_box_from_points(line).contains(line, 1e-6).all()
