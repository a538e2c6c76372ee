"""Points on the surface of every instance, and the distance between two surfaces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from gapdata.scene import Scene
from gapdata.tasks.triangles import Triangles, cross

Array = np.ndarray
Pair = tuple[Float[Array, "3"], Float[Array, "3"]]  # one point on each of two surfaces

SAMPLES = 512  # area-weighted points an instance
VERTICES = 512  # of the instance's own vertices, which hold its extremes
REFINE_STEPS = 32
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
        self._nearest: dict[tuple[int, int], Pair] = {}

    def triangles(self, column: int) -> Float[Array, "f 3 3"]:
        """The instance's triangles in the world; none in a scene without a mesh."""
        return self._corners[self._start[column] : self._stop[column]]

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
        return math.dist(first, second)

    def distances(self, column: int, others: Sequence[int]) -> Float[Array, " n"]:
        """`distance` from one instance to each of the others."""
        pairs = [(column, other) for other in others]
        self.measure(pairs)
        return np.array([self.distance(*pair) for pair in pairs])

    def nearest_of(
        self, columns: Sequence[int], others: Int[Array, " k"]
    ) -> tuple[Int[Array, " n"], Float[Array, " n"]]:
        """For each of the instances the nearest of the others, and the distance to it; (-1, inf) without any.

        Only those others are measured whose bounding boxes are near enough.
        """
        rows = np.array(columns, np.int64)
        if len(rows) == 0 or len(others) == 0:
            return np.full(len(rows), -1), np.full(len(rows), np.inf)
        low, high = self._bounds
        apart = np.maximum(low[rows, None] - high[others], low[others] - high[rows, None])
        bound = np.sqrt((np.maximum(apart, 0.0) ** 2).sum(axis=-1))
        nearest = others[bound.argmin(axis=1)]
        self.measure(zip(columns, nearest.tolist(), strict=True))
        best = np.array(
            [self.distance(*pair) for pair in zip(columns, nearest.tolist(), strict=True)]
        )
        near = [(row, int(others[k])) for row, k in np.argwhere(bound < best[:, None]).tolist()]
        self.measure((columns[row], other) for row, other in near)
        for row, other in near:
            distance = self.distance(columns[row], other)
            if distance < best[row]:
                nearest[row], best[row] = other, distance
        return nearest, best

    def nearest(self, a: int, b: int) -> Pair:
        """The nearest points of two surfaces, in the world: one on `a`, one on `b`; `distance` says how exactly.

        Without a surface one of them is at infinity.
        """
        key = (min(a, b), max(a, b))
        if key not in self._nearest:
            self.measure([key])
        first, second = self._nearest[key]
        return (first, second) if a <= b else (second, first)

    def nearest_points(
        self, columns: Int[Array, " n"], point: Float[Array, "3"]
    ) -> Float[Array, "n 3"]:
        """For each of the instances the point of its surface nearest to a point in the world; NaN without a surface."""
        result = np.full((len(columns), 3), np.nan)
        rows = np.flatnonzero(self._stop[columns] > self._start[columns])
        if self._scene.mesh is not None:
            targets = np.repeat(point[None], len(rows), axis=0)
            result[rows] = self._mesh.nearest(targets, columns[rows])
        else:
            for row in rows.tolist():
                column = int(columns[row])
                result[row] = self.points(column)[int(self._tree(column).query(point)[1])]
        return result

    @cached_property
    def _corners(self) -> Float[Array, "f 3 3"]:
        """All triangles, by instance."""
        mesh = self._scene.mesh
        if mesh is None:
            return np.zeros((0, 3, 3))
        return np.asarray(mesh.vertices[mesh.faces[self._order]].astype(np.float64))

    @cached_property
    def _bounds(self) -> tuple[Float[Array, "N 3"], Float[Array, "N 3"]]:
        """Lowest and highest coordinates of each instance; without a surface it is nowhere near anything."""
        low, high = np.full((2, len(self._ids), 3), np.inf)
        for column in range(len(self._ids)):
            points = self.triangles(column).reshape(-1, 3)
            points = points if len(points) else self.points(column)
            if len(points):
                low[column], high[column] = points.min(axis=0), points.max(axis=0)
        return low, high

    @cached_property
    def _mesh(self) -> Triangles:
        return Triangles(self._corners, self._start, self._stop)

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

    def measure(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Find the nearest points of pairs of instances, all at once: so it takes half the time."""
        keys = dict.fromkeys((min(pair), max(pair)) for pair in pairs)
        starts = {key: self._starts(*key) for key in keys if key not in self._nearest}
        if self._scene.mesh is not None and starts:
            count = [len(first) for first, _ in starts.values()]
            columns = np.repeat(np.array(list(starts)), count, axis=0)
            first, second = (np.concatenate(part) for part in zip(*starts.values(), strict=True))
            known = np.isfinite(second).all(axis=1)
            first[known], second[known] = _alternate(
                self._mesh, columns[known], first[known], second[known]
            )
            cuts = np.cumsum(count)[:-1]
            parts = np.split(first, cuts), np.split(second, cuts)
            starts = dict(zip(starts, zip(*parts, strict=True), strict=True))
        for pair, (first, second) in starts.items():
            best = int(((second - first) ** 2).sum(axis=-1).argmin())
            self._nearest[pair] = first[best], second[best]

    def _starts(self, a: int, b: int) -> tuple[Float[Array, "s 3"], Float[Array, "s 3"]]:
        """Surface points of a, and the nearest of b's to each: the nearest two, and where else the surfaces come close.

        Without a surface one of them is at infinity.
        """
        points, others = self.points(a), self.points(b)
        if len(points) == 0 or len(others) == 0:
            return np.zeros((1, 3)), np.full((1, 3), np.inf)
        tree = self._tree(b)
        # A few points bound the distance; only those nearer to b's bounding box than that need a search.
        bound = float(tree.query(points[::SEARCH_STRIDE])[0].min())
        gap = np.maximum(np.maximum(tree.mins - points, points - tree.maxes), 0.0)
        points = points[(gap**2).sum(axis=-1) <= bound**2 + 1e-12]
        distances, rows = tree.query(points, distance_upper_bound=bound + START_REACH)
        best = distances.argmin()
        is_done = distances[best] == 0.0 or self._scene.mesh is None
        chosen = best[None] if is_done else _spread(points, distances)
        return points[chosen], others[rows[chosen]]


def _area_weighted(
    triangles: Float[Array, "f 3 3"], count: int, rng: np.random.Generator
) -> Float[Array, "n 3"]:
    """Points spread over triangles in proportion to area (systematic sampling, uniform within a triangle)."""
    edge_a, edge_b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    cumulative = np.cumsum(np.linalg.norm(cross(edge_a, edge_b), axis=-1))
    if cumulative[-1] <= 0:
        return np.zeros((0, 3))
    at = (np.arange(count) + rng.random()) / count * cumulative[-1]
    face = np.minimum(np.searchsorted(cumulative, at, side="right"), len(triangles) - 1)
    s, t = rng.random((2, count, 1))
    s, t = np.where(s + t > 1, 1 - s, s), np.where(s + t > 1, 1 - t, t)
    return np.asarray(triangles[face, 0] + s * edge_a[face] + t * edge_b[face])


def _spread(points: Float[Array, "n 3"], distances: Float[Array, " n"]) -> Int[Array, " s"]:
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
    return np.array(chosen)


def _alternate(
    mesh: Triangles,
    columns: Int[Array, "n 2"],
    first: Float[Array, "n 3"],
    second: Float[Array, "n 3"],
) -> tuple[Float[Array, "n 3"], Float[Array, "n 3"]]:
    """For each row the nearest points of two instances that are reached from a point of each.

    The point of the first is projected onto the second, that onto the first, and so on until nothing is gained.
    """
    pair, point = [first.copy(), second.copy()], first.copy()
    best = np.sqrt(((second - first) ** 2).sum(axis=-1))
    going = np.arange(len(columns))
    for step in range(REFINE_STEPS):
        onto = 1 - step % 2
        start = point[going]
        nearest = mesh.nearest(start, columns[going, onto])
        gap = np.sqrt(((nearest - start) ** 2).sum(axis=-1))
        better = going[gap <= best[going]]
        pair[onto][better] = nearest[gap <= best[going]]
        pair[1 - onto][better] = start[gap <= best[going]]
        gains = gap <= best[going] - GAIN
        best[going] = np.minimum(gap, best[going])
        point[going] = nearest
        if step > 0:
            going = going[gains]
        if len(going) == 0:
            break
    return pair[0], pair[1]
