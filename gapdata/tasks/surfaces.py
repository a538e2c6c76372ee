"""Points on the surface of every instance, and the distance between two surfaces."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from gapdata.scene import Scene

Array = np.ndarray

SAMPLES = 512  # area-weighted points an instance
VERTICES = 512  # of the instance's own vertices, which hold its extremes
REFINE_STEPS = 32
REFINED_PAIRS = 4


class Surfaces:
    """Surface points of a scene's instances, by column; computed when first asked for and kept.

    A scene without a mesh answers with its own points. An instance without any surface has no points.
    """

    def __init__(self, scene: Scene, ids: Int[Array, "N"]) -> None:
        self._scene, self._ids = scene, ids
        owner = scene.mesh.face_instance if scene.mesh is not None else None
        if owner is None and scene.points is not None:
            owner = scene.points.instance
        owner = np.zeros(0, np.uint16) if owner is None else owner
        self._order = np.argsort(owner, kind="stable")
        in_order = owner[self._order]
        self._start = np.searchsorted(in_order, ids, side="left")
        self._stop = np.searchsorted(in_order, ids, side="right")
        self._points: dict[int, Float[Array, "n 3"]] = {}
        self._trees: dict[int, cKDTree] = {}
        self._distances: dict[tuple[int, int], float] = {}

    def triangles(self, column: int) -> Float[Array, "f 3 3"]:
        """The instance's triangles in the world; none in a scene without a mesh."""
        mesh = self._scene.mesh
        if mesh is None:
            return np.zeros((0, 3, 3))
        rows = self._order[self._start[column] : self._stop[column]]
        return mesh.vertices[mesh.faces[rows]].astype(np.float64)

    def points(self, column: int) -> Float[Array, "n 3"]:
        """Seeded points on the instance's surface in the world, at most SAMPLES + VERTICES of them."""
        if column not in self._points:
            self._points[column] = self._sample(column)
        return self._points[column]

    def distance(self, a: int, b: int) -> float:
        """Smallest distance between two surfaces in metres; inf when one of them has no surface.

        The nearest of the surface points, then alternating projection onto the two meshes from the best pairs:
        exact for convex neighbourhoods, never below the truth.
        """
        key = (min(a, b), max(a, b))
        if key not in self._distances:
            self._distances[key] = self._measure(*key)
        return self._distances[key]

    def _sample(self, column: int) -> Float[Array, "n 3"]:
        rng = np.random.default_rng(0)
        if self._scene.mesh is None:
            rows = self._order[self._start[column] : self._stop[column]]
            if len(rows) > SAMPLES + VERTICES:
                rows = rows[np.sort(rng.choice(len(rows), SAMPLES + VERTICES, replace=False))]
            cloud = self._scene.points
            return np.zeros((0, 3)) if cloud is None else cloud.xyz[rows].astype(np.float64)
        triangles = self.triangles(column)
        if len(triangles) == 0:
            return np.zeros((0, 3))
        corners = triangles.reshape(-1, 3)
        if len(corners) > VERTICES:
            corners = corners[np.sort(rng.choice(len(corners), VERTICES, replace=False))]
        return np.concatenate([corners, _area_weighted(triangles, SAMPLES, rng)])

    def _tree(self, column: int) -> cKDTree:
        if column not in self._trees:
            self._trees[column] = cKDTree(self.points(column))
        return self._trees[column]

    def _measure(self, a: int, b: int) -> float:
        points = self.points(a)
        if len(points) == 0 or len(self.points(b)) == 0:
            return float("inf")
        distances, _ = self._tree(b).query(points)
        best = float(distances.min())
        triangles_a, triangles_b = self.triangles(a), self.triangles(b)
        if best == 0.0 or len(triangles_a) == 0:
            return best
        for start in np.argsort(distances, kind="stable")[:REFINED_PAIRS]:
            best = min(best, _alternate(points[start], triangles_a, triangles_b))
        return best


def _area_weighted(
    triangles: Float[Array, "f 3 3"], count: int, rng: np.random.Generator
) -> Float[Array, "n 3"]:
    """Points spread over triangles in proportion to area (systematic sampling, uniform within a triangle)."""
    edge_a, edge_b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    cumulative = np.cumsum(np.linalg.norm(np.cross(edge_a, edge_b), axis=-1))
    if cumulative[-1] <= 0:
        return np.zeros((0, 3))
    at = (np.arange(count) + rng.random()) / count * cumulative[-1]
    face = np.minimum(np.searchsorted(cumulative, at, side="right"), len(triangles) - 1)
    s, t = rng.random((2, count, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return np.asarray(triangles[face, 0] + s * edge_a[face] + t * edge_b[face])


def _alternate(
    point: Float[Array, "3"], a: Float[Array, "f 3 3"], b: Float[Array, "g 3 3"]
) -> float:
    """Distance reached by projecting a point of mesh a onto b, that onto a, and so on until nothing is gained."""
    best = float("inf")
    for step in range(REFINE_STEPS):
        nearest = closest_on_triangles(point, a if step % 2 else b)
        gap = float(np.linalg.norm(nearest - point))
        point = nearest
        if gap > best - 1e-5:
            return min(gap, best)
        best = gap
    return best


def closest_on_triangles(
    point: Float[Array, "3"], triangles: Float[Array, "f 3 3"]
) -> Float[Array, "3"]:
    """The point of a triangle mesh that is nearest to a point.

    It is the foot of the perpendicular where that falls inside a triangle, else the nearest point of an edge.
    """
    corner = triangles
    edge = np.roll(corner, -1, axis=1) - corner
    length2 = np.maximum((edge**2).sum(axis=-1), 1e-30)
    along = np.clip(((point - corner) * edge).sum(axis=-1) / length2, 0.0, 1.0)
    on_edge = (corner + along[..., None] * edge).reshape(-1, 3)
    normal = np.cross(edge[:, 0], edge[:, 1])
    normal2 = (normal**2).sum(axis=-1)
    height = ((point - corner[:, 0]) * normal).sum(axis=-1) / np.maximum(normal2, 1e-30)
    foot = point - height[:, None] * normal
    side = (np.cross(edge, foot[:, None] - corner) * normal[:, None]).sum(axis=-1)
    candidates = np.concatenate([on_edge, foot[(side >= 0).all(axis=-1) & (normal2 > 1e-24)]])
    return np.asarray(candidates[((candidates - point) ** 2).sum(axis=-1).argmin()])
