"""Scene points: a seeded set of surface points with their pixel and visibility in every view of a sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int64

from gapdata.errors import SourceError
from gapdata.geometry.camera import unproject_depth
from gapdata.geometry.depth import SEEN, DepthTolerance, point_visibility
from gapdata.geometry.transforms import transform_directions, transform_points
from gapdata.mesh_surface import SurfaceColor, face_planes, linear_to_srgb
from gapdata.sample import ScenePoints
from gapdata.scene import Mesh, PointCloud, Scene
from gapdata.view import View

Array = np.ndarray

CANDIDATES_PER_POINT = 8
SEEN_SHARE = (
    0.75  # of the points are seen by at least one view, as far as there are such candidates
)
# Depth of a mesh is exact: it differs from a point's by no more than a slanted floor does within a pixel.
EXACT = DepthTolerance(a=0.02, b=0.002)
TEXTURE_FOOTPRINT_M = 0.01  # a point's colour is the texture's mean over about a centimetre


def sample_scene_points(
    scene: Scene, views: Sequence[View], *, count: int = 2048, rng: np.random.Generator
) -> ScenePoints:
    """Exactly `count` points on the scene's surfaces, and where each view sees them.

    Candidates are drawn uniformly by area from the mesh; without a mesh from the point cloud; without
    either from the pixels of the views' own depth. Of these, points that some view sees are preferred
    (SEEN_SHARE), since alignment trains on them; the rest are mostly hidden or outside. Normals of seen
    points face the first view that sees them. Raises SourceError when there is nothing to draw from.
    """
    wanted = CANDIDATES_PER_POINT * count
    if scene.mesh is not None:
        face, uv = _draw_faces(scene, scene.mesh, wanted, rng)
        chosen = _prefer_seen(_is_seen(_positions(scene.mesh, face, uv), views), count)
        cloud = _surface(scene.mesh, face[chosen], uv[chosen])
    else:
        cloud = scene.points if scene.points is not None else _from_views(scene, views)
        cloud = _take(cloud, _choose(len(cloud.xyz), wanted, scene, rng))
        cloud = _take(cloud, _prefer_seen(_is_seen(cloud.xyz, views), count))
    return _located(cloud, views)


def _located(cloud: PointCloud, views: Sequence[View]) -> ScenePoints:
    """The points with pixel and state in each view; normals of seen points turned to their first view."""
    count = len(cloud.xyz)
    pixel = np.full((len(views), count, 2), np.nan, np.float32)
    visible = np.zeros((len(views), count), np.uint8)
    normal, turned = cloud.normal.copy(), np.zeros(count, bool)
    for number, view in enumerate(views):
        assert view.depth is not None
        pixel[number], visible[number] = point_visibility(
            cloud.xyz, view.camera, view.depth, _tolerance(view)
        )
        ray = cloud.xyz - view.camera.center_world.astype(np.float32)
        first = (visible[number] == SEEN) & ~turned
        turned |= first
        normal[first & (np.einsum("ij,ij->i", normal, ray) > 0)] *= -1
    return ScenePoints(
        xyz_world=cloud.xyz,
        rgb=cloud.color,
        normal_world=normal,
        instance=cloud.instance,
        pixel=pixel,
        visible=visible,
    )


def _is_seen(xyz_world: Float32[Array, "n 3"], views: Sequence[View]) -> Bool[Array, " n"]:
    """Whether at least one view sees each point."""
    seen = np.zeros(len(xyz_world), bool)
    for view in views:
        assert view.depth is not None
        state = point_visibility(xyz_world, view.camera, view.depth, _tolerance(view))[1]
        seen |= state == SEEN
    return seen


def _tolerance(view: View) -> DepthTolerance:
    return EXACT if view.depth_source == "mesh" else DepthTolerance()


def _prefer_seen(seen: Bool[Array, " n"], count: int) -> Int64[Array, " c"]:
    """Indices of the first seen candidates up to their share, then of unseen ones, then of seen ones; sorted."""
    shown, other = np.flatnonzero(seen), np.flatnonzero(~seen)
    first = shown[: round(SEEN_SHARE * count)]
    rest = np.concatenate([other, shown[len(first) :]])[: count - len(first)]
    return np.sort(np.concatenate([first, rest]))


def _take(cloud: PointCloud, index: Int64[Array, " m"]) -> PointCloud:
    return PointCloud(
        xyz=cloud.xyz[index],
        color=cloud.color[index],
        normal=cloud.normal[index],
        instance=cloud.instance[index],
    )


def _choose(
    available: int, wanted: int, scene: Scene, rng: np.random.Generator
) -> Int64[Array, " w"]:
    """A seeded choice in random order, with repetition only when there are too few."""
    if available == 0:
        raise _no_surface(scene)
    rounds = -(-wanted // available)
    return np.concatenate([rng.permutation(available) for _ in range(rounds)])[:wanted]


def _no_surface(scene: Scene) -> SourceError:
    problem = "expected surfaces to draw scene points from, found no area and no depth"
    return SourceError(scene.source, scene.id, "", problem)


def _draw_faces(
    scene: Scene, mesh: Mesh, wanted: int, rng: np.random.Generator
) -> tuple[Int64[Array, " n"], Float32[Array, "n 2"]]:
    """Points (face, uv) drawn uniformly by area (Osada et al., "Shape distributions", 2002, eq. 1)."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].T for corner in range(3))
    (ax, ay, az), (bx, by, bz) = b - a, c - a
    twice_area = np.sqrt(
        (ay * bz - az * by) ** 2 + (az * bx - ax * bz) ** 2 + (ax * by - ay * bx) ** 2
    )
    cumulative = np.cumsum(twice_area, dtype=np.float64)
    if len(cumulative) == 0 or cumulative[-1] <= 0:
        raise _no_surface(scene)
    face = np.searchsorted(cumulative, rng.random(wanted) * cumulative[-1], side="right")
    root, along = np.sqrt(rng.random(wanted)), rng.random(wanted)
    uv = np.stack([root * (1 - along), root * along], axis=1).astype(np.float32)
    return np.minimum(face, len(cumulative) - 1), uv


def _positions(
    mesh: Mesh, face: Int64[Array, " n"], uv: Float32[Array, "n 2"]
) -> Float32[Array, "n 3"]:
    """World points of (face, uv)."""
    a, b, c = (mesh.vertices[mesh.faces[face, corner]] for corner in range(3))
    return np.asarray(a + uv[:, :1] * (b - a) + uv[:, 1:] * (c - a))


def _surface(mesh: Mesh, face: Int64[Array, " n"], uv: Float32[Array, "n 2"]) -> PointCloud:
    """Points (face, uv) with colour, face normal and instance."""
    # Tables are made per face: only of the faces that were drawn.
    drawn = mesh.part(face)
    footprint = np.full(len(face), TEXTURE_FOOTPRINT_M, np.float32)
    linear = SurfaceColor(drawn).at(np.arange(len(face)), uv, footprint)
    return PointCloud(
        xyz=_positions(mesh, face, uv),
        color=np.rint(255 * linear_to_srgb(linear)).astype(np.uint8),
        normal=face_planes(drawn)[0][:-1],
        instance=drawn.face_instance,
    )


def _from_views(scene: Scene, views: Sequence[View]) -> PointCloud:
    """All pixels with depth, as points."""
    if not views:
        raise _no_surface(scene)
    parts = [_unprojected(view) for view in views]
    return PointCloud(
        xyz=np.concatenate([part.xyz for part in parts]),
        color=np.concatenate([part.color for part in parts]),
        normal=np.concatenate([part.normal for part in parts]),
        instance=np.concatenate([part.instance for part in parts]),
    )


def _unprojected(view: View) -> PointCloud:
    assert view.depth is not None
    assert view.rgb is not None
    assert view.normal is not None
    assert view.instance is not None
    valid = view.depth > 0
    points_cam = unproject_depth(view.depth, view.camera.K)[valid]
    return PointCloud(
        xyz=transform_points(view.camera.cam2world, points_cam),
        color=view.rgb[valid],
        normal=transform_directions(view.camera.cam2world, view.normal[valid]),
        instance=view.instance[valid],
    )
