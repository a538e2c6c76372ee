"""Which instance rests on, lies under, lies in or leans on which: measured on surfaces, for all pairs at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from gapdata.labels import NYU40_ID
from gapdata.scene import Instance, Scene
from gapdata.tasks.plumb import Hits, PlumbLines
from gapdata.tasks.surfaces import Surfaces

Array = np.ndarray

REST = 0.02  # metres: how far apart the surfaces of what rests on something may be
NEAR = 0.08  # metres: nothing nearer than this below means "clearly not on it"
SOLE = 0.015  # metres above an object's lowest point that count as its underside
LOWEST_PERCENT = 1.0  # of surface points may be stray and lie lower than the underside
SOLE_POINTS = 48
BODY_POINTS = 64
# A scan shows nothing of what an object stands on but what lies around it: level faces this far aside count.
ASIDE = 0.06
ASIDE_STEP = 0.04  # metres that two objects may slide along each other when each is 2 cm elsewhere
LEVEL = 0.7  # cosine to the vertical from which a scanned face is one to stand on
SCAN_EDGE = 0.1  # metres; faces with longer edges are modelled, not scanned


OPENINGS = frozenset(NYU40_ID[name] for name in ("door", "window", "blinds"))
OPENING_WORDS = frozenset({"door", "doorframe", "doors", "doorway", "window", "windows", "blinds"})


class Contacts:
    """Contact facts of a scene, columns as in SceneFacts. Without a mesh nothing touches anything."""

    def __init__(
        self, scene: Scene, instances: tuple[Instance, ...], surfaces: Surfaces, columns: Array
    ) -> None:
        """`columns` gives the column of each instance id."""
        self._instances, self._surfaces, self._count = instances, surfaces, len(instances)
        mesh = scene.mesh
        vertices = np.zeros((0, 3)) if mesh is None else mesh.vertices.astype(np.float64)
        faces = np.zeros((0, 3), np.int32) if mesh is None else mesh.faces
        owner = np.zeros(0, np.int32) if mesh is None else columns[mesh.face_instance]
        self._triangles, self._owner = vertices[faces], owner.astype(np.int32)
        self._lines = PlumbLines(self._triangles, self._owner)
        self._is_scan = not scene.lights

    @cached_property
    def rest(self) -> Float[Array, "N N"]:
        """Share of the row's underside that lies on a surface of the column, 0 to 1."""
        return self._rest(self._under_soles[0], self._beside_soles)

    @cached_property
    def rest_aside(self) -> Float[Array, "2 N N"]:
        """The least and the most of `rest` when the row's instance is a little aside of where it is: by ASIDE_STEP."""
        points, row = self._soles
        shares = (
            self._rest(self._lines.hits(points + step[row]), self._beside(points + step[row]))
            for step in self._steps
        )
        return _least_and_most(shares, self.rest)

    def _rest(self, hits: Hits, beside: tuple[Int[Array, " h"], Int[Array, " h"]]) -> Array:
        on = np.abs(hits.gap) <= REST
        held = np.stack([hits.point[on], hits.owner[on]]), np.stack(beside)
        return self._share(np.concatenate(held, axis=1), self._soles)

    @cached_property
    def hover(self) -> Float[Array, "N N"]:
        """Share of the row's underside with a surface of the column less than NEAR below it."""
        hits, _ = self._under_soles
        near = (hits.gap >= -REST) & (hits.gap <= NEAR)
        point, owner = self._beside_soles
        held = np.stack([hits.point[near], hits.owner[near]]), np.stack([point, owner])
        return self._share(np.concatenate(held, axis=1), self._soles)

    @cached_property
    def drop(self) -> Float[Array, " N"]:
        """Metres from each underside down to the nearest surface of anything else; inf = none."""
        hits, row = self._under_soles
        below = (hits.gap >= -REST) & (hits.owner != row)
        nearest = np.full(self._count, np.inf)
        np.minimum.at(nearest, row[below], np.abs(hits.gap[below]))
        return nearest

    @cached_property
    def cover(self) -> Float[Array, "N N"]:
        """Share of the row's surface points that have a surface of the column straight above them."""
        return self._cover(self._bodies[0])

    @cached_property
    def cover_aside(self) -> Float[Array, "2 N N"]:
        """The least and the most of `cover` when the row's instance is a little aside of where it is: by ASIDE_STEP."""
        points, row = self._bodies
        return _least_and_most(
            (self._cover(points + step[row]) for step in self._steps), self.cover
        )

    def _cover(self, points: Float[Array, "n 3"]) -> Float[Array, "N N"]:
        hits = self._lines.hits(points)
        above = hits.gap < -REST
        return self._share(np.stack([hits.point[above], hits.owner[above]]), self._bodies)

    @cached_property
    def _bodies(self) -> tuple[Float[Array, "n 3"], Int[Array, " n"]]:
        """Some surface points of all instances, and whose they are."""
        return self._gathered(
            [_every(self._surfaces.points(c), BODY_POINTS) for c in range(self._count)]
        )

    @cached_property
    def _steps(self) -> Float[Array, "4 N 3"]:
        """Four level steps aside for each instance, along and across its box."""
        axes = np.array([instance.box.rotation for instance in self._instances]).reshape(-1, 3, 3)
        axis = np.where(np.abs(axes[:, 2, :1]) < LEVEL, axes[:, :, 0], axes[:, :, 1])
        axis = axis * [1.0, 1.0, 0.0]
        along = ASIDE_STEP * axis / np.linalg.norm(axis, axis=1, keepdims=True)
        across = np.stack([-along[:, 1], along[:, 0], along[:, 2]], axis=1)
        return np.stack([along, -along, across, -across])

    @cached_property
    def piled(self) -> Bool[Array, "N N"]:
        """Whether the row rests, however little, on the column or on something that does."""
        link = csr_array(self.hover > 0)
        reached = link
        for _ in range(4):  # a pile of more than six things is none that rooms have
            reached = ((reached + reached @ link) > 0).astype(bool)
        return np.asarray(reached.toarray())

    def boxed_in(self, column: int, other: int) -> float:
        """Share of the column's surface points that lie within the other's box."""
        points = self._surfaces.points(column)
        return float(self._instances[other].box.contains(points).mean()) if len(points) else 0.0

    def enclosure(self, column: int, other: int) -> tuple[int, bool]:
        """On how many of 4 sides the other's surface stands around the column's middle, and whether it roofs it.

        Sides are those of the other's box; only what reaches the height of the column's middle counts.
        """
        box, points = self._instances[other].box, self._surfaces.points(other)
        own = self._instances[column].box
        half = 0.5 * own.size[2]
        level = points[np.abs(points[:, 2] - own.center[2]) <= half]
        local = (level - own.center) @ box.rotation
        along, across = local[:, 0], local[:, 1]
        forward = np.abs(along) >= np.abs(across)
        sides = [
            bool((forward & (along > 0)).any()), bool((forward & (along < 0)).any()),
            bool((~forward & (across > 0)).any()), bool((~forward & (across < 0)).any()),
        ]  # fmt: skip
        return sum(sides), bool(self.cover[column, other] >= 0.8)

    @cached_property
    def floors(self) -> Int[Array, " k"]:
        """Columns of the floor's instances."""
        return _of_class(self._instances, "floor")

    @cached_property
    def walls(self) -> Int[Array, " k"]:
        """Columns of walls."""
        return _of_class(self._instances, "wall")

    @cached_property
    def ceilings(self) -> Int[Array, " k"]:
        """Columns of ceilings."""
        return _of_class(self._instances, "ceiling")

    def is_opening(self, column: int) -> bool:
        """Whether an instance is a door or a window or what frames one: part of a wall rather than against it."""
        instance = self._instances[column]
        words = instance.label.replace("-", " ").split()
        return instance.nyu40 in OPENINGS or not OPENING_WORDS.isdisjoint(words)

    @cached_property
    def _soles(self) -> tuple[Float[Array, "n 3"], Int[Array, " n"]]:
        """Points of all undersides, and whose they are. The room's shell rests on nothing."""
        shell = {*self.floors.tolist(), *self.walls.tolist(), *self.ceilings.tolist()}
        points = [self._surfaces.points(c)[: 0 if c in shell else None] for c in range(self._count)]
        return self._gathered([_sole(part) for part in points])

    @cached_property
    def _under_soles(self) -> tuple[Hits, Int[Array, " h"]]:
        hits = self._lines.hits(self._soles[0])
        return hits, self._soles[1][hits.point]

    @cached_property
    def _beside_soles(self) -> tuple[Int[Array, " h"], Int[Array, " h"]]:
        return self._beside(self._soles[0])

    def _beside(self, points: Float[Array, "n 3"]) -> tuple[Int[Array, " h"], Int[Array, " h"]]:
        """Pairs of a point and the owner of a scanned level face beside it, at its height."""
        a, b, c = self._triangles[:, 0], self._triangles[:, 1], self._triangles[:, 2]
        normal = np.cross(b - a, c - a)
        edge = np.maximum(np.abs(b - a).max(axis=1), np.abs(c - a).max(axis=1))
        is_level = np.abs(normal[:, 2]) > LEVEL * np.linalg.norm(normal, axis=1)
        # In a scene with lamps all is modelled, and small things lie side by side.
        scanned = is_level & (edge < SCAN_EDGE) & self._is_scan
        center, owner = self._triangles[scanned].mean(axis=1), self._owner[scanned]
        if len(center) == 0 or len(points) == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        # Heights are stretched so that one radius says both how far aside and how far above or below.
        stretch = np.array([1.0, 1.0, ASIDE / REST])
        near = cKDTree(center * stretch).query_ball_point(points * stretch, ASIDE)
        count = np.array([len(rows) for rows in near])
        face = np.concatenate([np.array(rows, np.int64) for rows in near])
        return np.repeat(np.arange(len(points)), count), owner[face].astype(np.int64)

    def _gathered(
        self, parts: list[Float[Array, "_ 3"]]
    ) -> tuple[Float[Array, "m 3"], Int[Array, " m"]]:
        row = np.repeat(np.arange(self._count), [len(part) for part in parts])
        return np.concatenate([np.zeros((0, 3)), *parts]), row

    def _share(
        self, met: Int[Array, "2 h"], body: tuple[Float[Array, "n 3"], Int[Array, " n"]]
    ) -> Float[Array, "N N"]:
        """Share of each row's points that met each column, from pairs (point, column); not of a row with itself."""
        row = body[1]
        met = np.unique(met[:, (met[1] != row[met[0]]) & (met[1] < self._count)], axis=1)
        share = np.zeros((self._count, self._count))
        np.add.at(share, (row[met[0]], met[1]), 1.0)
        total = np.bincount(row, minlength=self._count)
        return np.asarray(share / np.maximum(total, 1)[:, None])


def _sole(points: Float[Array, "n 3"]) -> Float[Array, "m 3"]:
    """The lowest points, those under the stray ones left out."""
    if len(points) == 0:
        return points
    lowest = np.percentile(points[:, 2], LOWEST_PERCENT, method="lower")
    return _every(
        points[(points[:, 2] >= lowest - REST) & (points[:, 2] <= lowest + SOLE)], SOLE_POINTS
    )


def _least_and_most(
    shares: Iterable[Float[Array, "N N"]], first: Float[Array, "N N"]
) -> Float[Array, "2 N N"]:
    least, most = first.copy(), first.copy()
    for share in shares:
        np.minimum(least, share, out=least)
        np.maximum(most, share, out=most)
    return np.stack([least, most])


def _every(points: Float[Array, "n 3"], count: int) -> Float[Array, "m 3"]:
    """At most `count` of the points, evenly over their order."""
    return points[:: max(1, -(-len(points) // count))]


def _of_class(instances: tuple[Instance, ...], name: str) -> Int[Array, " k"]:
    return np.array(
        [c for c, i in enumerate(instances) if i.nyu40 == NYU40_ID[name] or i.label == name],
        np.int64,
    )
