"""Rigid transforms: inverses, rigidity, angles, named changes of axes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from gapdata.geometry import transforms as t

angles = st.floats(-np.pi, np.pi)
coordinates = st.floats(-50, 50)


@st.composite
def poses(draw):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec([draw(angles) for _ in range(3)]).as_matrix()
    pose[:3, 3] = [draw(coordinates) for _ in range(3)]
    return pose


@given(poses(), poses())
def test_inverse_and_relative_pose_compose_to_identity(a, b):
    np.testing.assert_allclose(t.invert_rigid(a) @ a, np.eye(4), atol=1e-12)
    point = np.array([0.3, -1.2, 2.5])
    in_world = t.transform_points(b, point)
    np.testing.assert_allclose(
        t.transform_points(t.relative_pose(a, b), point),
        t.transform_points(t.invert_rigid(a), in_world),
        atol=1e-11,
    )


@given(poses())
def test_rigid_matrices_are_rigid_and_faulty_ones_are_not(pose):
    assert t.is_rigid(pose)
    for fault in ("scale", "mirror", "nan", "inf", "last row"):
        bad = pose.copy()
        if fault == "scale":
            bad[:3, :3] *= 1.01
        elif fault == "mirror":
            bad[:3, 0] *= -1
        elif fault == "nan":
            bad[1, 2] = np.nan
        elif fault == "inf":
            bad[:] = -np.inf
        else:
            bad[3, 0] = 0.5
        assert not t.is_rigid(bad), fault


@given(poses(), st.integers(0, 2**31))
def test_nearest_rigid_undoes_small_noise(pose, seed):
    noisy = pose.copy()
    noisy[:3, :3] += np.random.default_rng(seed).normal(0, 1e-4, (3, 3))
    repaired = t.nearest_rigid(noisy)
    assert t.is_rigid(repaired, 1e-12)
    np.testing.assert_allclose(repaired, pose, atol=2e-3)


@given(st.floats(0, np.pi), st.integers(0, 2**31))
def test_rotation_angle_is_exact_over_its_whole_range(angle, seed):
    axis = np.random.default_rng(seed).normal(size=3)
    rotation = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis)).as_matrix()
    assert t.rotation_angle(rotation) == pytest.approx(angle, abs=1e-9)


def test_look_at_puts_the_target_on_the_axis_and_up_up():
    eye, target = np.array([1.0, 2.0, 1.5]), np.array([4.0, -1.0, 0.5])
    pose = t.look_at(eye, target)
    assert t.is_rigid(pose, 1e-12)
    in_camera = t.transform_points(t.invert_rigid(pose), target)
    np.testing.assert_allclose(in_camera, [0, 0, np.linalg.norm(target - eye)], atol=1e-12)
    above = t.transform_points(t.invert_rigid(pose), target + np.array([0.0, 0.0, 1.0]))
    assert above[1] < in_camera[1]  # y points down in the image
    right_of_view = t.transform_directions(pose, np.array([1.0, 0.0, 0.0]))
    assert right_of_view[2] == pytest.approx(0)
    with pytest.raises(ValueError, match="parallel"):
        t.look_at(eye, eye + np.array([0.0, 0.0, 2.0]))


def test_opengl_to_opencv_flips_y_and_z_and_is_its_own_inverse():
    opengl = np.eye(4)  # looks along -z with y up
    opencv = t.opengl_to_opencv(opengl)
    np.testing.assert_array_equal(opencv[:3, 2], [0, 0, -1])  # forward
    np.testing.assert_array_equal(opencv[:3, 1], [0, -1, 0])  # down
    np.testing.assert_array_equal(t.opengl_to_opencv(opencv), opengl)


def test_y_up_to_z_up_keeps_handedness():
    moved = t.y_up_to_z_up(np.eye(4))
    np.testing.assert_array_equal(moved[:3, :3] @ [0, 1, 0], [0, 0, 1])
    assert np.linalg.det(moved) == pytest.approx(1)


@given(angles, st.floats(-1.5, 1.5), angles)
def test_euler_zxy_round_trip_and_definition(a, b, c):
    rotation = t.rotation_from_euler_zxy(np.array([a, b, c]))

    def about(axis, angle):
        return Rotation.from_rotvec(np.eye(3)[axis] * angle).as_matrix()

    np.testing.assert_allclose(rotation, about(1, c) @ about(0, b) @ about(2, a), atol=1e-12)
    again = t.rotation_from_euler_zxy(t.euler_zxy_from_rotation(rotation))
    np.testing.assert_allclose(again, rotation, atol=1e-7)


@given(angles)
def test_rotation_about_z_keeps_an_upright_thing_upright(yaw):
    rotation = t.rotation_about_z(yaw)
    np.testing.assert_array_equal(rotation @ [0, 0, 1], [0, 0, 1])
    assert t.is_rigid(np.block([[rotation, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]))
    np.testing.assert_allclose(t.euler_zxy_from_rotation(rotation)[1:], 0, atol=1e-12)
