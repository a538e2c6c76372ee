"""The distance between two upright boxes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.geometry.boxes import Box

Array = np.ndarray


def upright_distance(a: Box, b: Box) -> float:
    """Distance in metres between two boxes that stand upright, 0 when they meet.

    Both are a polygon times an interval of heights, so the distances in the plane and in height are independent.
    """
    height = abs(a.center[2] - b.center[2]) - 0.5 * (a.size[2] + b.size[2])
    return float(np.hypot(max(height, 0.0), plan_distance(a, b)))


def plan_distance(a: Box, b: Box) -> float:
    """Distance in metres between the footprints of two upright boxes, 0 when they overlap."""
    return _polygon_distance(_footprint(a), _footprint(b))


def _footprint(box: Box) -> Float[Array, "4 2"]:
    signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return np.asarray(box.center[:2] + 0.5 * signs * box.size[:2] @ box.rotation[:2, :2].T)


def _polygon_distance(a: Float[Array, "4 2"], b: Float[Array, "4 2"]) -> float:
    """Distance between two convex polygons: 0 when no edge's normal separates them, else between corners and edges."""
    separated = False
    for edges in (np.roll(a, -1, axis=0) - a, np.roll(b, -1, axis=0) - b):
        normals = edges @ np.array([[0.0, 1.0], [-1.0, 0.0]])
        on_a, on_b = a @ normals.T, b @ normals.T
        apart = (on_a.min(axis=0) > on_b.max(axis=0)) | (on_b.min(axis=0) > on_a.max(axis=0))
        separated |= bool(apart.any())
    if not separated:
        return 0.0
    return min(_corner_distance(a, b), _corner_distance(b, a))


def _corner_distance(corners: Float[Array, "4 2"], polygon: Float[Array, "4 2"]) -> float:
    """Smallest distance from a corner to an edge of the polygon."""
    edge = np.roll(polygon, -1, axis=0) - polygon
    offset = corners[:, None] - polygon
    length2 = np.maximum((edge**2).sum(axis=-1), 1e-30)
    along = np.clip((offset * edge).sum(axis=-1) / length2, 0.0, 1.0)
    return float(np.linalg.norm(offset - along[..., None] * edge, axis=-1).min())
