"""Depth maps: storage as uint16, resampling between intrinsics, normals, and visibility by depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8, UInt16

from gapdata.geometry.camera import Camera, inside_image, unproject_depth

Array = np.ndarray

HIDDEN, SEEN, UNKNOWN = 0, 1, 2  # states of a point in a view; see `point_visibility`


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthTolerance:
    """Two depths agree at z metres when they differ by at most `a + b * z**2` metres.

    The quadratic term follows the disparity error of structured-light and time-of-flight sensors
    (Khoshelham and Elberink, Sensors 2012, eq. 10).
    """

    a: float = 0.02
    b: float = 0.01

    def at(self, z: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Tolerance in metres at z-depths in metres."""
        return np.asarray(self.a + self.b * z * z)


def depth_to_uint16(
    depth: Float[Array, "h w"], depth_scale: float = 1000.0
) -> UInt16[Array, "h w"]:
    """Depth in metres as round(depth * depth_scale); 0 = invalid. Depths beyond the range become invalid, never wrap."""
    scaled = np.rint(depth * np.float32(depth_scale))
    valid = np.isfinite(scaled) & (scaled > 0) & (scaled <= 65535)
    return np.where(valid, scaled, 0).astype(np.uint16)


def depth_from_uint16(
    stored: UInt16[Array, "h w"], depth_scale: float = 1000.0
) -> Float32[Array, "h w"]:
    """Depth in metres, float32, from stored integers; 0 stays 0."""
    return stored.astype(np.float32) / np.float32(depth_scale)


def resample_depth(
    depth: Float[Array, "h w"], source: Camera, target: Camera
) -> Float32[Array, "th tw"]:
    """Depth on the target camera's pixel grid by nearest neighbour (never blended), for two cameras at one pose.

    z-depth does not change between cameras that share a pose, so pixels map through the two intrinsics
    alone. Target pixels that see outside the source image get 0.
    """

    def nearest(axis: int, count: int, limit: int) -> tuple[Array, Array]:
        ray = (np.arange(count) - target.K[axis, 2]) / target.K[axis, axis]
        index = np.floor(ray * source.K[axis, axis] + source.K[axis, 2] + 0.5).astype(np.int64)
        return np.clip(index, 0, limit - 1), (index >= 0) & (index < limit)

    columns, column_ok = nearest(0, target.width, source.width)
    rows, row_ok = nearest(1, target.height, source.height)
    sampled = depth[rows[:, None], columns[None, :]].astype(np.float32)
    sampled[~row_ok] = 0
    sampled[:, ~column_ok] = 0
    return sampled


def normals_from_depth(
    depth: Float32[Array, "h w"], K: Float[Array, "3 3"], max_relative_step: float = 0.05
) -> Float32[Array, "h w 3"]:
    """Camera-frame unit normals facing the camera, from central differences of the pointmap.

    (0, 0, 0) where a pixel or one of its four neighbours is invalid, or where a neighbour's depth differs
    by more than `max_relative_step` of the pixel's (an edge between surfaces).
    """
    points = unproject_depth(depth, K)
    normal = np.zeros(points.shape, np.float32)
    if min(depth.shape) < 3:
        return normal
    center = depth[1:-1, 1:-1]
    ok = center > 0
    for neighbour in (depth[1:-1, :-2], depth[1:-1, 2:], depth[:-2, 1:-1], depth[2:, 1:-1]):
        ok &= (neighbour > 0) & (np.abs(neighbour - center) <= max_relative_step * center)
    across = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    cross = np.cross(down, across)  # y x x = -z: towards the camera
    length = np.linalg.norm(cross, axis=-1)
    ok &= length > 0
    unit = cross / np.where(ok, length, 1.0)[..., None]
    facing = (unit * points[1:-1, 1:-1]).sum(axis=-1) < 0
    unit = np.where(facing[..., None], unit, -unit)
    normal[1:-1, 1:-1] = np.where(ok[..., None], unit, 0.0)
    return normal


def point_visibility(
    points_world: Float[Array, "n 3"],
    camera: Camera,
    depth: Float32[Array, "h w"],
    tolerance: DepthTolerance | None = None,
) -> tuple[Float32[Array, "n 2"], UInt8[Array, " n"]]:
    """Pixel (u, v) of each point and its state: 0 hidden or outside the image, 1 seen, 2 unknown.

    Seen: the depth at the nearest pixel agrees within the tolerance. Unknown: that pixel has no depth
    (a sensor hole), or the measured surface lies behind the point (the point is not where the view sees
    it). Pixels of points behind the camera are NaN.
    """
    tolerance = tolerance or DepthTolerance()
    pixel, z = camera.project(points_world.astype(np.float64))
    state = np.zeros(len(points_world), np.uint8)
    index = np.flatnonzero(inside_image(pixel, camera.height, camera.width))
    columns, rows = np.floor(pixel[index].T + 0.5).astype(np.int64)
    measured, expected = depth[rows, columns], z[index]
    allowed = tolerance.at(expected)
    state[index] = np.select(
        [measured <= 0, measured > expected + allowed, measured >= expected - allowed],
        [UNKNOWN, UNKNOWN, SEEN],
        HIDDEN,
    )
    return pixel.astype(np.float32), state
