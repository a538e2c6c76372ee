"""Oriented 3D boxes: construction from points, corners, containment."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import cv2
import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.transforms import rotation_about_z

Array = np.ndarray

# Corner i has offset sign bit 0 -> x, bit 1 -> y, bit 2 -> z (0 = minus, 1 = plus).
CORNER_SIGNS = np.array(
    [[(i >> axis & 1) * 2 - 1 for axis in range(3)] for i in range(8)], np.float64
)
# The twelve edges join corners whose numbers differ in one bit.
CORNER_EDGES = tuple((i, i | 1 << axis) for axis in range(3) for i in range(8) if not i >> axis & 1)

# The 24 ways to name a box's axes that keep it right-handed.
_AXIS_NAMINGS = np.array(
    [
        named
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
        if np.linalg.det(named := np.eye(3)[:, list(order)] * signs) > 0
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Box:
    """A 3D box. `size` is the full extents along the box's own axes, `rotation` is box-to-parent-frame."""

    center: Float[Array, "3"]
    size: Float[Array, "3"]
    rotation: Float[Array, "3 3"]

    @property
    def corners(self) -> Float[Array, "8 3"]:
        """Corners in the parent frame, in the order of CORNER_SIGNS."""
        return np.asarray(0.5 * CORNER_SIGNS * self.size @ self.rotation.T + self.center)

    @property
    def volume(self) -> float:
        """Volume in cubic metres."""
        return float(np.prod(self.size))

    def contains(self, points: Float[Array, "*n 3"], margin: float = 0.0) -> Bool[Array, "*n"]:
        """Whether points lie in the box grown by `margin` metres on every side."""
        local = (points - self.center) @ self.rotation
        return np.asarray((np.abs(local) <= 0.5 * self.size + margin).all(axis=-1))

    def transformed(self, matrix: Float[Array, "4 4"]) -> Box:
        """The box moved by a rigid 4x4 transform."""
        center = matrix[:3, :3] @ self.center + matrix[:3, 3]
        return Box(center=center, size=self.size, rotation=matrix[:3, :3] @ self.rotation)

    def with_nearest_axes(self) -> Box:
        """The same box with its axes named so that its rotation is the smallest of all namings.

        The angle is then below 63 degrees: Euler angles stay away from their singularity, where an upright
        box lies in the axes of every level camera as long as its z axis is its height.
        """
        candidates = self.rotation @ _AXIS_NAMINGS
        # Rounding makes ties (45 degrees) fall the same way whatever the last bits are.
        best = int(np.trace(candidates, axis1=1, axis2=2).round(9).argmax())
        size = np.abs(_AXIS_NAMINGS[best]).T @ self.size
        return Box(center=self.center, size=size, rotation=candidates[best])


def aabb_from_points(points: Float[Array, "n 3"]) -> Box:
    """Axis-aligned box of points. Raises ValueError for no points."""
    if len(points) == 0:
        raise ValueError("a box needs at least one point")
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    return Box(center=0.5 * (low + high), size=high - low, rotation=np.eye(3))


def upright_box_from_points(points: Float[Array, "n 3"]) -> Box:
    """Smallest-footprint box that stands upright: rotated about world z only, yaw in [-45, 45) degrees.

    The footprint is the minimum-area rectangle of the points' xy convex hull (rotating calipers, OpenCV).
    """
    aabb = aabb_from_points(points)
    hull = cv2.convexHull(points[:, :2].astype(np.float32) - aabb.center[:2].astype(np.float32))
    _, (size_a, size_b), angle = cv2.minAreaRect(hull)
    angle_deg, sizes = float(angle), (float(size_a), float(size_b))
    quarter_turns = int(np.floor((angle_deg + 45.0) / 90.0))
    angle_deg -= 90.0 * quarter_turns
    if quarter_turns % 2:
        sizes = (sizes[1], sizes[0])
    if sizes[0] * sizes[1] >= 0.999 * aabb.size[0] * aabb.size[1]:
        return aabb
    rotation = rotation_about_z(np.deg2rad(angle_deg))
    local = points.astype(np.float64) @ rotation
    low, high = local.min(axis=0), local.max(axis=0)
    return Box(center=rotation @ (0.5 * (low + high)), size=high - low, rotation=rotation)
