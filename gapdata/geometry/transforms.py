"""Rigid transforms, changes of axes and rotations. Column vectors, right-handed frames, metres."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

Array = np.ndarray

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
Z_UP_FROM_Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])


def transform_points(
    matrix: Float[Array, "4 4"], points: Float[Array, "*n 3"]
) -> Float[Array, "*n 3"]:
    """Points moved by a 4x4 affine matrix; keeps the points' dtype."""
    return np.asarray(
        points @ matrix[:3, :3].T.astype(points.dtype) + matrix[:3, 3].astype(points.dtype)
    )


def transform_directions(
    matrix: Float[Array, "4 4"], directions: Float[Array, "*n 3"]
) -> Float[Array, "*n 3"]:
    """Directions turned by the rotation of a rigid 4x4 matrix (no translation); keeps the dtype."""
    return np.asarray(directions @ matrix[:3, :3].T.astype(directions.dtype))


def invert_rigid(matrix: Float[Array, "*n 4 4"]) -> Float[Array, "*n 4 4"]:
    """Inverse of rigid transforms: R^T and -R^T t, exact to rounding."""
    inverse = np.zeros_like(matrix)
    rotation_t = np.swapaxes(matrix[..., :3, :3], -1, -2)
    inverse[..., :3, :3] = rotation_t
    inverse[..., :3, 3] = -(rotation_t @ matrix[..., :3, 3:])[..., 0]
    inverse[..., 3, 3] = 1.0
    return inverse


def is_rigid(matrix: Float[Array, "*n 4 4"], tolerance: float = 1e-3) -> Bool[Array, "*n"]:
    """Whether each matrix is finite with R^T R = I, det R = +1 and last row (0, 0, 0, 1), within tolerance."""
    finite = np.isfinite(matrix).all(axis=(-1, -2))
    safe = np.where(finite[..., None, None], matrix, 0.0)
    rotation = safe[..., :3, :3]
    gram = np.swapaxes(rotation, -1, -2) @ rotation
    orthonormal = np.abs(gram - np.eye(3)).max(axis=(-1, -2)) <= tolerance
    last_row = np.abs(safe[..., 3, :] - np.array([0.0, 0.0, 0.0, 1.0])).max(axis=-1) <= tolerance
    proper = np.linalg.det(rotation) > 0
    return np.asarray(finite & orthonormal & last_row & proper)


def nearest_rigid(matrix: Float[Array, "4 4"]) -> Float[Array, "4 4"]:
    """The rigid transform nearest to an almost rigid one (polar decomposition of R), float64."""
    u, _, vt = np.linalg.svd(matrix[:3, :3].astype(np.float64))
    rigid = np.eye(4)
    rigid[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    rigid[:3, 3] = matrix[:3, 3]
    return rigid


def relative_pose(
    cam2world_a: Float[Array, "4 4"], cam2world_b: Float[Array, "4 4"]
) -> Float[Array, "4 4"]:
    """Pose of camera b in the frame of camera a (b-to-a): it maps x_b to x_a."""
    return np.asarray(invert_rigid(cam2world_a) @ cam2world_b)


def rotation_angle(rotation: Float[Array, "*n 3 3"]) -> Float[Array, "*n"]:
    """Angle of rotations in radians, in [0, pi], accurate near 0 and near pi (atan2 of sine and cosine)."""
    skew = rotation - np.swapaxes(rotation, -1, -2)
    sine = 0.5 * np.sqrt(skew[..., 2, 1] ** 2 + skew[..., 0, 2] ** 2 + skew[..., 1, 0] ** 2)
    cosine = 0.5 * (np.trace(rotation, axis1=-2, axis2=-1) - 1.0)
    return np.asarray(np.arctan2(sine, cosine))


def look_at(
    eye: Float[Array, "3"], target: Float[Array, "3"], up: Float[Array, "3"] | None = None
) -> Float[Array, "4 4"]:
    """cam2world of an OpenCV camera at `eye` looking at `target`, image top towards `up` (default world z).

    Raises ValueError when the viewing direction is parallel to `up` or the points coincide.
    """
    forward = np.asarray(target, np.float64) - eye
    right = np.cross(forward, np.array([0.0, 0.0, 1.0]) if up is None else up)
    if np.linalg.norm(right) < 1e-9 * max(1.0, float(np.linalg.norm(forward))):
        raise ValueError("look_at: viewing direction is zero or parallel to up")
    forward = forward / np.linalg.norm(forward)
    right = right / np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose


def opengl_to_opencv(cam2world_opengl: Float[Array, "*n 4 4"]) -> Float[Array, "*n 4 4"]:
    """cam2world for OpenCV camera axes, from one for OpenGL axes (x right, y up, z backward); own inverse."""
    return np.asarray(cam2world_opengl @ OPENGL_FROM_OPENCV)


def y_up_to_z_up(matrix: Float[Array, "*n 4 4"]) -> Float[Array, "*n 4 4"]:
    """A something-to-world matrix for a z-up world, from one for a y-up world (+90 degrees about x)."""
    return np.asarray(Z_UP_FROM_Y_UP @ matrix)


def rotation_about_z(angle: float) -> Float[Array, "3 3"]:
    """Rotation by `angle` radians about world z, counter-clockwise seen from above."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def euler_zxy_from_rotation(rotation: Float[Array, "3 3"]) -> Float[Array, "3"]:
    """Extrinsic z, x, y Euler angles in radians: R = Ry(c) Rx(b) Rz(a) gives (a, b, c).

    This is scipy's lower-case "zxy", the order of 9-DoF text boxes. See `rotation_from_euler_zxy`.
    """
    if np.hypot(rotation[0, 2], rotation[2, 2]) < 1e-7:  # where a and c turn about one axis
        return np.asarray(Rotation.from_matrix(rotation).as_euler("zxy"))
    a = np.arctan2(rotation[1, 0], rotation[1, 1])
    b = np.arctan2(-rotation[1, 2], np.hypot(rotation[0, 2], rotation[2, 2]))
    return np.array([a, b, np.arctan2(rotation[0, 2], rotation[2, 2])])


def rotation_from_euler_zxy(angles: Float[Array, "3"]) -> Float[Array, "3 3"]:
    """Rotation from extrinsic z, x, y Euler angles in radians; inverse of `euler_zxy_from_rotation`."""
    return np.asarray(Rotation.from_euler("zxy", angles).as_matrix())
