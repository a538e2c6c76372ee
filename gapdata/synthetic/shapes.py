"""Closed surfaces with texture coordinates, all built by one operation: joining rings along a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float, Int32
from scipy.interpolate import PchipInterpolator
from scipy.spatial import ConvexHull

from gapdata.geometry.transforms import rotation_about_z

Array = np.ndarray
Vector = Sequence[float | int] | Array

LEAST_AREA = 1e-10  # square metres: faces of half of it are left out, as at tips of cones


@dataclass(frozen=True, kw_only=True, eq=False)
class Solid:
    """A closed surface with outward faces.

    `uv` is in metres on the surface; the last 2 `cap` vertices are those of the two caps. Its bounds are
    found when first asked for: most small parts are never asked.
    """

    vertices: Float[Array, "V 3"]
    faces: Int32[Array, "F 3"]
    uv: Float[Array, "V 2"]
    cap: int

    @cached_property
    def outline(self) -> Float[Array, "K 2"]:
        """Convex hull of the footprint, counter-clockwise: from `low` to `high` it is the space nothing else may enter."""
        return hull_2d(self.vertices[:, :2])

    @cached_property
    def low(self) -> float:
        """Smallest z."""
        return float(self.vertices[:, 2].min())

    @cached_property
    def high(self) -> float:
        """Largest z."""
        return float(self.vertices[:, 2].max())

    def moved(self, offset: Vector) -> Solid:
        """The solid shifted by (x, y, z) metres."""
        return replace(self, vertices=self.vertices + np.asarray(offset, np.float64))

    def turned(self, yaw: float) -> Solid:
        """The solid rotated about the z axis by `yaw` radians, counter-clockwise from above."""
        return replace(self, vertices=self.vertices @ rotation_about_z(yaw).T)

    def tilted(self, axis: int, angle: float) -> Solid:
        """The solid rotated about coordinate axis 0 (x) or 1 (y) by `angle` radians, right-handed."""
        c, s = np.cos(angle), np.sin(angle)
        rotation = (
            np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
            if axis == 0
            else np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        )
        return replace(self, vertices=self.vertices @ rotation.T)


def hull_2d(points: Float[Array, "n 2"]) -> Float[Array, "k 2"]:
    """Convex hull of points in the plane, counter-clockwise."""
    return np.asarray(points[ConvexHull(points).vertices])


def loft(rings: Float[Array, "R K 3"]) -> Solid:
    """The closed solid whose skin joins consecutive rings and whose first and last ring are capped.

    Rings are convex, flat, of equal length, and run counter-clockwise seen from ahead on the path from first
    to last. Rings may shrink to a point. Skin uv is (length around, length along), cap uv the x and y.
    """
    count, size = rings.shape[:2]
    closed = np.concatenate([rings, rings[:, :1]], axis=1)
    around = _lengths(closed[:, 1:] - closed[:, :-1]).cumsum(axis=1)
    along = _lengths(rings[1:] - rings[:-1]).mean(axis=1).cumsum()
    uv = np.zeros((count * (size + 1) + 2 * size, 2))
    skin = uv[: -2 * size].reshape(count, size + 1, 2)
    skin[:, 1:, 0] = around[around[:, -1].argmax()]
    skin[1:, :, 1] = along[:, None]
    uv[-2 * size :] = rings[[0, -1], :, :2].reshape(-1, 2)
    vertices = np.concatenate([closed.reshape(-1, 3), rings[0], rings[-1]])
    faces = _loft_faces(count, size)
    start, middle, end = (vertices[faces[:, k]] for k in range(3))
    (ax, ay, az), (bx, by, bz) = (middle - start).T, (end - start).T
    normal = np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    has_area = (normal * normal).sum(axis=0) > LEAST_AREA**2
    return Solid(vertices=vertices, faces=faces[has_area], uv=uv, cap=size)


def _lengths(vectors: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    return np.sqrt((vectors * vectors).sum(axis=-1))


@cache
def _loft_faces(count: int, size: int) -> Int32[Array, "F 3"]:
    """Faces of the skin through `count` rings of `size` corners, its seam doubled, and of the two caps."""
    column = np.arange(size)[None, :] + (size + 1) * np.arange(count - 1)[:, None]
    a, b, c, d = column, column + 1, column + size + 2, column + size + 1
    skin = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], axis=2).reshape(-1, 3)
    first, last = count * (size + 1), count * (size + 1) + size
    fan = np.stack(
        [np.zeros(size - 2, np.int64), np.arange(1, size - 1), np.arange(2, size)], axis=-1
    )
    return np.concatenate([skin, fan[:, ::-1] + first, fan + last]).astype(np.int32)


def rectangle(width: float, depth: float) -> Float[Array, "4 2"]:
    """Corners of a rectangle about the origin, counter-clockwise."""
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.5 * np.array([width, depth])


def circle(radius: float, segments: int) -> Float[Array, "k 2"]:
    """Points on a circle about the origin, counter-clockwise, the polygon's flats facing the axes."""
    angle = 2.0 * np.pi * (np.arange(segments) + 0.5) / segments
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _rounded(width: float, depth: float, radius: float) -> Float[Array, "16 2"]:
    corner = np.linspace(0.0, 0.5 * np.pi, 4)
    arc = radius * np.stack([np.cos(corner), np.sin(corner)], axis=-1)
    quarter = [arc, arc[:, ::-1] * [-1, 1], -arc, arc[:, ::-1] * [1, -1]]
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    inner = 0.5 * np.array([width, depth]) - radius
    return np.concatenate([q + s * inner for q, s in zip(quarter, signs, strict=True)])


def _stack(outlines: Sequence[Array], heights: Sequence[float]) -> Solid:
    rings = np.zeros((len(outlines), len(outlines[0]), 3))
    rings[..., :2] = np.stack(outlines)
    rings[..., 2] = np.asarray(heights)[:, None]
    return loft(rings)


def prism(outline: Float[Array, "k 2"], low: float, high: float) -> Solid:
    """An upright prism over a convex counter-clockwise outline."""
    return _stack([outline, outline], [low, high])


def block(size: Vector, at: Vector = (0.0, 0.0, 0.0)) -> Solid:
    """A box of (width, depth, height), the centre of its bottom face at `at`."""
    width, depth, height = (float(s) for s in size)
    return prism(rectangle(width, depth), 0.0, height).moved(at)


def soft_block(size: Vector, radius: float, at: Vector = (0.0, 0.0, 0.0)) -> Solid:
    """A box with rounded vertical edges and a chamfered rim at top and bottom, bottom centre at `at`."""
    width, depth, height = (float(s) for s in size)
    bevel = min(0.6 * radius, 0.4 * height)
    wide = _rounded(width, depth, radius)
    slim = wide * [1.0 - 2.0 * bevel / width, 1.0 - 2.0 * bevel / depth]
    heights = [0.0, bevel, height - bevel, height]
    return _stack([slim, wide, wide, slim], heights).moved(at)


def tapered(low_size: Vector, high_size: Vector, height: float, at: Vector = (0, 0, 0)) -> Solid:
    """A four-sided frustum from (width, depth) at the bottom to (width, depth) at the top."""
    low, high = rectangle(*(float(s) for s in low_size)), rectangle(*(float(s) for s in high_size))
    return _stack([low, high], [0.0, height]).moved(at)


def curve(points: Sequence[Vector], count: int) -> Float[Array, "n d"]:
    """`count` points along a smooth curve through the given ones, which overshoots none of their coordinates."""
    knots = np.asarray(points, np.float64)
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(knots, axis=0), axis=1).cumsum()])
    return np.asarray(PchipInterpolator(along, knots)(np.linspace(0.0, along[-1], count)))


def lathe(
    profile: Sequence[Vector] | Array, at: Vector = (0.0, 0.0, 0.0), segments: int = 20
) -> Solid:
    """A surface of revolution about z through (radius, z) points, from the bottom to the inside or top.

    A profile that turns back down at a smaller radius makes a hollow (a bowl, a mug); both ends are capped.
    """
    unit = circle(1.0, segments)
    return _stack([unit * float(r) for r, _ in profile], [float(z) for _, z in profile]).moved(at)


def cylinder(radius: float, height: float, at: Vector = (0, 0, 0), segments: int = 20) -> Solid:
    """An upright cylinder, the centre of its bottom face at `at`."""
    return lathe([(radius, 0.0), (radius, height)], at, segments)


def ball(radius: float, at: Vector = (0.0, 0.0, 0.0), segments: int = 24) -> Solid:
    """A sphere that rests on `at`."""
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, segments // 2 + 1)
    r, z = radius * np.cos(angle), radius * (1.0 + np.sin(angle))
    r[0] = r[-1] = 0.0
    return lathe(list(np.stack([r, z], axis=-1)), at, segments)


def pillow(size: Vector, at: Vector = (0.0, 0.0, 0.0), segments: int = 24) -> Solid:
    """A stuffed cushion of (width, depth, height): superelliptic outline, bulging, bottom centre at `at`."""
    width, depth, height = (float(s) for s in size)
    angle = 2.0 * np.pi * (np.arange(segments) + 0.5) / segments
    c, s = np.cos(angle), np.sin(angle)
    unit = np.stack([np.sign(c) * np.abs(c) ** 0.45, np.sign(s) * np.abs(s) ** 0.45], axis=-1)
    unit = unit / np.abs(unit).max(axis=0) * 0.5 * np.array([width, depth])
    level = np.array([0.0, 0.12, 0.35, 0.5, 0.65, 0.88, 1.0])
    spread = np.array([0.55, 0.82, 0.97, 1.0, 0.97, 0.82, 0.55])
    return _stack([unit * float(k) for k in spread], list(level * height)).moved(at)


def bar(start: Vector, end: Vector, radius: float, segments: int = 12) -> Solid:
    """A straight round rod between two points."""
    return tube(np.array([start, end], np.float64), radius, segments)


def tube(path: Float[Array, "n 3"], radius: float, segments: int = 12) -> Solid:
    """A round rod swept along a polyline that nowhere runs back on itself."""
    direction = np.diff(path, axis=0)
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    tangent = np.concatenate([direction[:1], direction[:-1] + direction[1:], direction[-1:]])
    tangent = tangent / np.linalg.norm(tangent, axis=1, keepdims=True)
    normal_to_path = np.linalg.svd(direction)[2][-1]
    side = np.cross(normal_to_path, tangent)
    side = side / np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    unit = circle(radius, segments)
    rings = (
        path[:, None, :] + unit[None, :, :1] * side[:, None, :] + unit[None, :, 1:] * other[:, None]
    )
    return loft(rings)
