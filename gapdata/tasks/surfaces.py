"""Points on the surface of every instance, and the distance between two surfaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from gapdata.scene import Scene

Array = np.ndarray
Pair = tuple[Float[Array, "3"], Float[Array, "3"]]  # one point on each of two surfaces

SAMPLES = 512  # area-weighted points an instance
VERTICES = 512  # of the instance's own vertices, which hold its extremes
REFINE_STEPS = 32
FEW_TRIANGLES = 48  # which are all looked at
GAIN = 1e-4  # metres a step has to win for another one
STARTS = 4  # places where two surfaces may come closest
START_REACH = 0.1  # metres: what those places are apart, and farther than the nearest of them
SEARCH_STRIDE = 16


class Surfaces:
    """Surface points of a scene's instances, by column; computed when first asked for and kept.

    A scene without a mesh answers with its own points. An instance without any surface has no points.
    """

    def __init__(self, scene: Scene, ids: Int[Array, " N"]) -> None:
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
        self._triangle_sets: dict[int, TriangleSet] = {}
        self._nearest: dict[tuple[int, int], Pair] = {}

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

        The nearest two of the surface points, then alternating projection onto the two meshes from there: exact
        for convex objects, never below the truth, and above it by less than the points' spacing for others.
        """
        first, second = self.nearest(a, b)
        return float(np.sqrt(((second - first) ** 2).sum()))

    def nearest(self, a: int, b: int) -> Pair:
        """The nearest points of two surfaces, in the world: one on `a`, one on `b`; `distance` says how exactly.

        Without a surface one of them is at infinity.
        """
        key = (min(a, b), max(a, b))
        if key not in self._nearest:
            self._nearest[key] = self._measure(*key)
        first, second = self._nearest[key]
        return (first, second) if a <= b else (second, first)

    def nearest_point(self, column: int, point: Float[Array, "3"]) -> Float[Array, "3"]:
        """The point of the instance's surface that is nearest to a point in the world; NaN without a surface."""
        if len(self.points(column)) == 0:
            return np.full(3, np.nan)
        if self._scene.mesh is not None:
            return self._triangle_set(column).nearest(point)
        return np.asarray(self.points(column)[int(self._tree(column).query(point)[1])])

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

    def _measure(self, a: int, b: int) -> Pair:
        points, others = self.points(a), self.points(b)
        if len(points) == 0 or len(others) == 0:
            return np.zeros(3), np.full(3, np.inf)
        tree = self._tree(b)
        # A few points bound the distance; only those nearer to b's bounding box than that need a search.
        bound = float(tree.query(points[::SEARCH_STRIDE])[0].min())
        gap = np.maximum(np.maximum(tree.mins - points, points - tree.maxes), 0.0)
        points = points[(gap**2).sum(axis=-1) <= bound**2 + 1e-12]
        distances, rows = tree.query(points, distance_upper_bound=bound + START_REACH)
        best = int(distances.argmin())
        if distances[best] == 0.0 or self._scene.mesh is None:
            return points[best], others[rows[best]]
        triangles = self._triangle_set(a), self._triangle_set(b)
        pairs = (
            _alternate((points[start], others[rows[start]]), *triangles)
            for start in _starts(points, distances)
        )
        return min(pairs, key=lambda pair: float(((pair[1] - pair[0]) ** 2).sum()))

    def _triangle_set(self, column: int) -> TriangleSet:
        if column not in self._triangle_sets:
            self._triangle_sets[column] = TriangleSet(self.triangles(column))
        return self._triangle_sets[column]


class TriangleSet:
    """Triangles prepared for nearest-point queries."""

    def __init__(self, triangles: Float[Array, "f 3 3"]) -> None:
        self._corner = triangles
        self._edge = np.roll(triangles, -1, axis=1) - triangles
        # Times the edge's direction from its corner: how far along the edge a point lies, 0 to 1.
        length2 = np.maximum((self._edge**2).sum(axis=-1), 1e-30)
        self._along = self._edge / length2[..., None]
        normal = _cross(self._edge[:, 0], self._edge[:, 1])
        length = np.sqrt((normal**2).sum(axis=-1))
        self._normal = normal / np.maximum(length, 1e-15)[:, None]
        # What is inside an edge lies on this side of it; a triangle without area has no inside.
        self._inward = _cross(np.repeat(self._normal[:, None], 3, axis=1), self._edge)
        self._inward[length <= 1e-12] = np.nan
        self._center = triangles.mean(axis=1)
        self._radius = np.sqrt(((triangles - self._center[:, None]) ** 2).sum(axis=-1).max(axis=1))

    def nearest(self, point: Float[Array, "3"]) -> Float[Array, "3"]:
        """The point of the triangles that is nearest to a point.

        It is the foot of the perpendicular where that falls inside a triangle, else the nearest point of an
        edge. Only triangles whose bounding sphere may hold the nearest point are looked at.
        """
        near: Any = slice(None)
        if len(self._center) > FEW_TRIANGLES:
            off = self._center - point
            away = np.sqrt(np.einsum("fi,fi->f", off, off))
            near = np.flatnonzero(away - self._radius <= (away + self._radius).min())
        to_point = point - self._corner[near]
        share = np.einsum("fei,fei->fe", to_point, self._along[near]).clip(0.0, 1.0)
        off_edge = to_point - share[..., None] * self._edge[near]
        edge2 = np.einsum("fei,fei->fe", off_edge, off_edge)
        best = int(edge2.argmin())
        height = np.einsum("fi,fi->f", to_point[:, 0], self._normal[near])
        inside = (np.einsum("fei,fei->fe", to_point, self._inward[near]) >= 0).all(axis=-1)
        face2 = np.where(inside, height**2, np.inf)
        face = int(face2.argmin())
        if face2[face] <= edge2.ravel()[best]:
            return np.asarray(point - height[face] * self._normal[near][face])
        return np.asarray(point - off_edge.reshape(-1, 3)[best])


def _cross(a: Float[Array, "*n 3"], b: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """A x b along the last axis; several times faster than np.cross on the few rows asked for here."""
    x, y, z = a[..., 0], a[..., 1], a[..., 2]
    u, v, w = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=-1)


def _area_weighted(
    triangles: Float[Array, "f 3 3"], count: int, rng: np.random.Generator
) -> Float[Array, "n 3"]:
    """Points spread over triangles in proportion to area (systematic sampling, uniform within a triangle)."""
    edge_a, edge_b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    cumulative = np.cumsum(np.linalg.norm(_cross(edge_a, edge_b), axis=-1))
    if cumulative[-1] <= 0:
        return np.zeros((0, 3))
    at = (np.arange(count) + rng.random()) / count * cumulative[-1]
    face = np.minimum(np.searchsorted(cumulative, at, side="right"), len(triangles) - 1)
    s, t = rng.random((2, count, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return np.asarray(triangles[face, 0] + s * edge_a[face] + t * edge_b[face])


def _starts(points: Float[Array, "n 3"], distances: Float[Array, " n"]) -> list[int]:
    """Rows to project from: the nearest, then those that are farthest from the ones chosen, among the nearly as near.

    Surfaces that are not convex come close in several places, and projection stays near where it starts.
    """
    near = np.flatnonzero(distances <= distances.min() + START_REACH)
    chosen = [int(near[distances[near].argmin()])]
    away = ((points[near] - points[chosen[0]]) ** 2).sum(axis=-1)
    while len(chosen) < STARTS and away.max() > START_REACH**2:
        farthest = int(away.argmax())
        chosen.append(int(near[farthest]))
        away = np.minimum(away, ((points[near] - points[near[farthest]]) ** 2).sum(axis=-1))
    return chosen


def _alternate(pair: Pair, a: TriangleSet, b: TriangleSet) -> Pair:
    """The nearest pair reached by projecting a point of mesh a onto b, that onto a, and so on until nothing is gained."""
    point, best = pair[0], float(np.sqrt(((pair[1] - pair[0]) ** 2).sum()))
    for step in range(REFINE_STEPS):
        nearest = (a if step % 2 else b).nearest(point)
        gap = float(np.sqrt(((nearest - point) ** 2).sum()))
        if gap <= best:
            pair = (nearest, point) if step % 2 else (point, nearest)
        if step > 0 and gap > best - GAIN:
            break
        point, best = nearest, min(gap, best)
    return pair
