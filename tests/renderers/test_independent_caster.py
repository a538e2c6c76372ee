"""Layers of `raycast` against another ray caster, trimesh over embreex: its own tree, rays and normals."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy import ndimage
from trimesh.ray.ray_pyembree import RayMeshIntersector

from gapdata.geometry.camera import Camera
from gapdata.renderers import open_renderer
from gapdata.sources.synthetic import SyntheticSource
from gapdata.view import View

HEIGHT, WIDTH = 120, 160
DEPTH = 1e-4  # metres
ANGLE = 0.1  # degrees
VIEWS = 3


def _pixel_rays(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """World origins and unit directions of the rays through pixel centres, in double precision."""
    v, u = np.mgrid[: camera.height, : camera.width].reshape(2, -1)
    inner = np.stack([u, v, np.ones_like(u)]).astype(np.float64)
    directions = camera.cam2world[:3, :3] @ (np.linalg.inv(camera.K) @ inner)
    directions = (directions / np.linalg.norm(directions, axis=0)).T
    return np.broadcast_to(camera.cam2world[:3, 3], directions.shape), directions


def _away_from_edges(view: View, face: np.ndarray) -> np.ndarray:
    """Pixels that both casters hit and whose eight neighbours show the same instance and normal."""
    same = np.ones(face.shape, bool)
    for image in (view.instance, np.round(view.normal @ [1.0, 3.0, 9.0], 3)):
        same &= ndimage.maximum_filter(image, 3) == ndimage.minimum_filter(image, 3)
    return same & (view.depth > 0) & (face >= 0)


@pytest.mark.parametrize(
    ("world", "difficulty"), [("room", 0.5), ("house", 0.2), ("tabletop", 0.5), ("street", 0.0)]
)
def test_depth_normals_and_ids_are_what_embree_finds(world: str, difficulty: float) -> None:
    scene = SyntheticSource(world=world, difficulty=difficulty, num_scenes=1).load(
        f"{world}_000000"
    )
    assert scene.mesh is not None
    mesh = trimesh.Trimesh(scene.mesh.vertices, scene.mesh.faces, process=False)
    caster = RayMeshIntersector(mesh, scale_to_box=False)
    renderer = open_renderer("raycast", scene, height=HEIGHT, width=WIDTH)
    compared = 0
    for frame in scene.frames[:: max(1, len(scene.frames) // VIEWS)][:VIEWS]:
        view = renderer.render(frame)
        assert view.depth is not None
        assert view.normal is not None
        assert view.instance is not None
        origins, directions = _pixel_rays(view.camera)
        face = caster.intersects_first(origins, directions)
        hit = face >= 0
        # Where the ray meets the plane of the face that embree named, in double precision.
        normal, corner = mesh.face_normals[face], mesh.triangles[face][:, 0]
        away = ((corner - origins) * normal).sum(axis=1) / (directions * normal).sum(axis=1)
        z = away * (directions @ view.camera.cam2world[:3, 2])
        towards = np.sign((directions * normal).sum(axis=1))[:, None]
        seen_normal = -(normal * towards) @ view.camera.cam2world[:3, :3]
        ids = np.where(hit, scene.mesh.face_instance[face], 0)
        shape = view.depth.shape
        inner = _away_from_edges(view, face.reshape(shape))
        np.testing.assert_array_equal(view.depth.ravel() > 0, hit)
        assert np.abs(view.depth - z.reshape(shape))[inner].max() <= DEPTH
        cosine = (view.normal * seen_normal.reshape(*shape, 3)).sum(axis=-1)[inner]
        assert np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))).max() <= ANGLE
        np.testing.assert_array_equal(view.instance[inner], ids.reshape(shape)[inner])
        compared += int(inner.sum())
    assert compared > 0.3 * VIEWS * HEIGHT * WIDTH
