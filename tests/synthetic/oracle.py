"""Slow, independent measures of a drawn scene: they see triangles only, never the generator's own boxes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gapdata.scene import Scene

DEPTH_LIMIT = 1e-3  # metres


@dataclass(frozen=True, kw_only=True)
class Shell:
    """One closed connected surface of an instance: triangle corners (F, 3, 3)."""

    triangles: np.ndarray

    @property
    def low(self) -> np.ndarray:
        return self.triangles.min(axis=(0, 1))

    @property
    def high(self) -> np.ndarray:
        return self.triangles.max(axis=(0, 1))


def shells_of(triangles: np.ndarray) -> list[Shell]:
    """Triangles grouped by shared corner positions."""
    _, ids = np.unique(np.round(triangles.reshape(-1, 3), 5), axis=0, return_inverse=True)
    ids = ids.reshape(-1, 3)
    rows, columns = ids[:, [0, 1]].ravel(), ids[:, [1, 2]].ravel()
    size = int(ids.max()) + 1
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    owner = label[ids[:, 0]]
    return [Shell(triangles=triangles[owner == k]) for k in np.unique(owner)]


def winding_number(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How often a closed surface wraps around each point (van Oosterom and Strackee's solid angle)."""
    a, b, c = (triangles[None, :, k] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    triple = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
    dots = [np.einsum("pfi,pfi->pf", x, y) for x, y in ((a, b), (b, c), (c, a))]
    angle = 2.0 * np.arctan2(triple, la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb)
    return np.asarray(angle.sum(axis=1) / (4.0 * np.pi))


def signed_volume(triangles: np.ndarray) -> float:
    """Volume enclosed by a closed surface, positive when its faces point outwards."""
    return float(
        np.einsum("fi,fi->f", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6
    )


def surface_samples(triangles: np.ndarray, rng: np.random.Generator, spacing: float) -> np.ndarray:
    """Corners, edge points and random points of triangles, about one every `spacing` metres."""
    edges = np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    length = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1)
    count = np.clip((length / spacing).astype(int), 1, 40)
    which = np.repeat(np.arange(len(edges)), count)
    t = rng.random(len(which))[:, None]
    along = edges[which, 0] * (1 - t) + edges[which, 1] * t
    area = 0.5 * np.linalg.norm(
        np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
    )
    number = np.clip((area / spacing**2).astype(int), 1, 400)
    face = np.repeat(np.arange(len(triangles)), number)
    u, v = rng.random((2, len(face)))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    corner = triangles[face]
    inner = (
        corner[:, 0]
        + u[:, None] * (corner[:, 1] - corner[:, 0])
        + v[:, None] * (corner[:, 2] - corner[:, 0])
    )
    return np.concatenate([triangles.reshape(-1, 3), along, inner])


def distance_to(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Distance of points to a triangle soup, metres."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        np.ascontiguousarray(triangles.reshape(-1, 3), np.float32),
        np.arange(3 * len(triangles), dtype=np.uint32).reshape(-1, 3),
    )
    return scene.compute_distance(points.astype(np.float32), nthreads=1).numpy()


def penetrations(scene: Scene, spacing: float = 0.03) -> list[tuple[str, str, float]]:
    """(label, label, depth) of every pair of instances that overlap deeper than DEPTH_LIMIT."""
    assert scene.mesh is not None
    mesh, rng = scene.mesh, np.random.default_rng(0)
    triangles = mesh.vertices.astype(np.float64)[mesh.faces]
    shells = {i.id: shells_of(triangles[mesh.face_instance == i.id]) for i in scene.instances}
    label = {i.id: f"{i.label} {i.id}" for i in scene.instances}
    found = []
    for first, second in combinations(shells, 2):
        for a, b in ((first, second), (second, first)):
            depth = max(
                (_depth(p, q, rng, spacing) for p in shells[a] for q in shells[b]), default=0.0
            )
            if depth > DEPTH_LIMIT:
                found.append((label[a], label[b], depth))
    return found


def _depth(a: Shell, b: Shell, rng: np.random.Generator, spacing: float) -> float:
    """How deep the surface of `a` reaches into the closed surface `b`, metres."""
    low, high = np.maximum(a.low, b.low) + DEPTH_LIMIT, np.minimum(a.high, b.high) - DEPTH_LIMIT
    if (low >= high).any():
        return 0.0
    touches = ((a.triangles.max(axis=1) > low) & (a.triangles.min(axis=1) < high)).all(axis=1)
    points = (
        surface_samples(a.triangles[touches], rng, spacing) if touches.any() else np.zeros((0, 3))
    )
    points = points[((points > low) & (points < high)).all(axis=1)]
    if len(points) == 0:
        return 0.0
    inside = points[winding_number(points, b.triangles) > 0.5]
    return float(distance_to(inside, b.triangles).max()) if len(inside) else 0.0


def unsupported(scene: Scene) -> list[str]:
    """Labels of instances that neither stand with all their feet on something nor touch a wall or ceiling."""
    import open3d as o3d

    assert scene.mesh is not None
    mesh = scene.mesh
    world = o3d.t.geometry.RaycastingScene(nthreads=1)
    points = {}
    for instance in scene.instances:
        faces = mesh.faces[mesh.face_instance == instance.id]
        used, local = np.unique(faces, return_inverse=True)
        points[instance.id] = mesh.vertices[used]
        world.add_triangles(mesh.vertices[used], local.reshape(-1, 3).astype(np.uint32))
    hooks = mesh.vertices[
        mesh.faces[
            np.isin(
                mesh.face_instance,
                [i.id for i in scene.instances if i.label in ("wall", "ceiling")],
            )
        ]
    ]
    floating = []
    for number, instance in enumerate(scene.instances):
        if instance.label in ("floor", "wall", "ceiling"):
            continue
        own = points[instance.id]
        standing = _feet_carried(world, own, number)
        if not standing and distance_to(own, hooks).min() > DEPTH_LIMIT:
            if instance.label == "sink" and _rim_carried(world, own, number):
                continue
            floating.append(f"{instance.label} {instance.id}")
    return floating


def _feet_carried(world: object, own: np.ndarray, number: int) -> bool:
    feet = own[np.abs(own[:, 2] - own[:, 2].min()) < 2e-4].astype(np.float64)
    # A hair towards the middle, so that no ray runs along an edge.
    feet[:, :2] += 1e-4 * np.sign(own[:, :2].mean(axis=0) - feet[:, :2])
    rays = np.zeros((len(feet), 6), np.float32)
    rays[:, :3] = feet + [0, 0, 2e-4]
    rays[:, 5] = -1.0
    hits = world.list_intersections(rays)  # type: ignore[attr-defined]
    ray, what, how_far = (hits[k].numpy() for k in ("ray_ids", "geometry_ids", "t_hit"))
    good = (what != number) & (how_far < DEPTH_LIMIT + 2e-4)
    return bool(np.isin(np.arange(len(feet)), ray[good]).mean() > 0.95)


def _rim_carried(world: object, own: np.ndarray, number: int) -> bool:
    """Whether the outer edges of a sink's rim rest on the worktop."""
    return all(
        _feet_carried(world, own[np.abs(own[:, 0] - edge) < 1e-4], number)
        for edge in (own[:, 0].min(), own[:, 0].max())
    )
