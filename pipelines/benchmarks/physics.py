"""Whether things in a scene reach into each other or float, judged by fcl from the drawn triangles alone.

Depth is penetration depth as usually defined: the shortest shift that parts two bodies. Bodies are the closed
parts of an instance, so that a window in its hole is four touching pairs and not one that cannot be parted.
fcl only has to answer whether two meshes meet: a pair is within a limit when one of many shifts of that length
parts it, which also holds for hollow bodies. The depth found is never less than the true one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import fcl
import numpy as np
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from trimesh.collision import mesh_to_BVH

from gapdata.labels import GROUND_LABELS
from gapdata.scene import Instance, Scene

Array = np.ndarray

LIMIT = 1e-3  # metres: deeper is a penetration, farther from its carrier is afloat
FOOT = 2e-4  # metres above its lowest point up to which corners of a thing are its feet
STANDING = 0.95  # of the feet have to be carried: a bevel may hide one
WELD = 1e-5  # metres within which corners of triangles are one
MAX_DEPTH = 0.5  # metres up to which the depth of a penetration is looked for
CARRIERS = frozenset({"wall", "floor", "ceiling"}) | GROUND_LABELS
HANGERS = frozenset({"wall", "ceiling"})
GRID = np.array([d for d in product((-1, 0, 1), repeat=3) if any(d)], np.float64)
GRID /= np.linalg.norm(GRID, axis=1, keepdims=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Penetration:
    """Two instances that share space, by label and id, and how deep in metres."""

    first: str
    second: str
    depth: float


class Body:
    """Triangles as fcl sees them."""

    def __init__(self, triangles: Array) -> None:
        """Triangle corners (F, 3, 3) in metres."""
        self.triangles = triangles
        self.low, self.high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))

    @cached_property
    def mesh(self) -> trimesh.Trimesh:
        """The same as a mesh whose corners are welded."""
        corners = self.triangles.reshape(-1, 3)
        mesh = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
        mesh.merge_vertices(digits_vertex=5)
        return mesh

    @cached_property
    def _tree(self) -> object:
        return mesh_to_BVH(self.mesh)

    def at(self, shift: Array) -> fcl.CollisionObject:
        """The body moved by `shift` metres."""
        return fcl.CollisionObject(self._tree, fcl.Transform(shift))

    def gap(self, other: Body) -> float:
        """Metres between the two surfaces, 0 where they meet."""
        distance = fcl.distance(self.at(np.zeros(3)), other.at(np.zeros(3)))
        return max(0.0, float(distance))

    def depth(self, other: Body) -> float:
        """The shortest shift found that parts the two; 0 where LIMIT does, MAX_DEPTH where none was found."""
        fixed = other.at(np.zeros(3))
        request = fcl.CollisionRequest(num_max_contacts=64, enable_contact=True)
        result = fcl.CollisionResult()
        if not fcl.collide(self.at(np.zeros(3)), fixed, request, result):
            return 0.0
        normals = np.array([contact.normal for contact in result.contacts]).reshape(-1, 3)
        normals = np.unique(np.round(normals[np.isfinite(normals).all(axis=1)], 3), axis=0)
        ways = np.concatenate([GRID, normals, -normals])

        def parted(length: float) -> bool:
            return any(
                not fcl.collide(self.at(length * way), fixed, fcl.CollisionRequest(), fcl.CollisionResult())
                for way in ways
            )  # fmt: skip

        if parted(LIMIT):
            return 0.0
        low, high = LIMIT, 2 * LIMIT
        while high < MAX_DEPTH and not parted(high):
            low, high = high, 2 * high
        if high >= MAX_DEPTH:
            return MAX_DEPTH
        while high - low > 0.1 * low:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if parted(middle) else (middle, high)
        return high

    def holds(self, other: Body) -> bool:
        """Whether a corner of the other lies inside this body: rays from there cross its surface an odd number of times."""
        corner = other.triangles[:1, 0]
        return bool(self.mesh.contains(corner)[0])


def closed_parts(triangles: Array) -> list[Body]:
    """The triangles of one instance cut into its closed parts.

    Triangles are neighbours where they share an edge. Where more than two share it, because parts touch,
    the ones next to each other in the list belong together: parts are drawn one after the other.
    """
    corners = np.round(triangles.reshape(-1, 3) / WELD).astype(np.int64)
    _, number = np.unique(corners, axis=0, return_inverse=True)
    number = number.reshape(-1, 3)
    ends = np.sort(np.concatenate([number[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    face = np.tile(np.arange(len(number)), 3)
    order = np.lexsort((face, ends[:, 1], ends[:, 0]))
    ends, face = ends[order], face[order]
    is_first = np.concatenate([[True], (np.diff(ends, axis=0) != 0).any(axis=1)])
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(ends)), 0))
    second = np.flatnonzero((np.arange(len(ends)) - start) % 2 == 1)
    links = coo_matrix(
        (np.ones(len(second)), (face[second - 1], face[second])), shape=(len(number),) * 2
    )
    _, part = connected_components(links, directed=False)
    return [Body(triangles[part == k]) for k in range(int(part.max()) + 1)]


class Bodies:
    """The instances of a scene as bodies."""

    def __init__(self, scene: Scene) -> None:
        mesh = scene.mesh
        if mesh is None:
            raise ValueError(f"{scene.id}: expected a mesh, found none")
        self.instances = {instance.id: instance for instance in scene.instances}
        triangles = mesh.vertices.astype(np.float64)[mesh.faces]
        order = np.argsort(mesh.face_instance, kind="stable")
        ids, first = np.unique(mesh.face_instance[order], return_index=True)
        groups = np.split(triangles[order], first[1:])
        self.whole = {int(i): Body(group) for i, group in zip(ids, groups, strict=True)}
        self._parts: dict[int, list[Body]] = {}

    def parts(self, number: int) -> list[Body]:
        """The closed parts of an instance."""
        if number not in self._parts:
            self._parts[number] = closed_parts(self.whole[number].triangles)
        return self._parts[number]

    def name(self, number: int) -> str:
        """Label and id of an instance."""
        return f"{self.instances[number].label} {number}"

    def penetrations(self) -> Iterator[Penetration]:
        """Every pair of instances that share space deeper than LIMIT."""
        ids = sorted(self.whole)
        wholes = [self.whole[i] for i in ids]
        for first, second in ((ids[a], ids[b]) for a, b in _meeting(wholes, wholes) if a < b):
            one, other = self.parts(first), self.parts(second)
            depth = max(
                (self._shared(one[a], other[b]) for a, b in _meeting(one, other)), default=0.0
            )
            if depth > 0.0:
                yield Penetration(first=self.name(first), second=self.name(second), depth=depth)

    @staticmethod
    def _shared(a: Body, b: Body) -> float:
        depth = a.depth(b)
        if depth > 0.0:
            return depth
        for inner, outer in ((a, b), (b, a)):
            if ((inner.low > outer.low) & (inner.high < outer.high)).all() and outer.holds(inner):
                return min(MAX_DEPTH, float((inner.high - inner.low).min()))
        return 0.0

    def held(self, instance: Instance) -> str:
        """How an instance is held: "stands", "hangs", "rests" (touches what carries it otherwise) or "" (floats)."""
        own, carrier = self.whole[instance.id], self.whole.get(instance.support)
        if carrier is None:
            return ""
        corners = own.mesh.vertices
        feet = corners[corners[:, 2] < own.low[2] + FOOT]
        if _share_near(feet, carrier) >= STANDING:
            return "stands"
        if own.gap(carrier) > LIMIT:
            return ""
        return "hangs" if self.instances[instance.support].label in HANGERS else "rests"


def _meeting(one: Sequence[Body], other: Sequence[Body]) -> list[tuple[int, int]]:
    """Which bodies of one list and of the other have bounds that meet."""
    low, high = np.array([body.low for body in one]), np.array([body.high for body in one])
    other_low = np.array([body.low for body in other])
    other_high = np.array([body.high for body in other])
    meet = (low[:, None] <= other_high) & (other_low <= high[:, None])
    return [(a, b) for a, b in np.argwhere(meet.all(axis=-1)).tolist()]


def _share_near(points: Array, body: Body) -> float:
    """Part of the points within LIMIT of the body's surface."""
    fixed, dot = body.at(np.zeros(3)), fcl.Sphere(1e-7)
    near = [
        fcl.distance(fcl.CollisionObject(dot, fcl.Transform(point)), fixed) <= LIMIT
        for point in points
    ]
    return float(np.mean(near))
