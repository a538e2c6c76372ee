"""Rays against a mesh: what every pixel of a camera hits, and what each instance would cover alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, Int64, UInt16

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera
from gapdata.mesh_surface import face_areas, face_planes, smooth_groups
from gapdata.renderers.amodal import AmodalCaster
from gapdata.renderers.rays import blocks, pixel_rays, ray_slopes, raycasting_scene
from gapdata.scene import Instance, Mesh
from gapdata.view import AmodalMask

Array = np.ndarray

MAX_RELATIVE_STEP = 0.02  # between neighbouring casts that pixels between them are filled in from

SHADOW_START_M = 4e-3  # along rays to the sun: a surface does not shade itself


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Hits:
    """First hits of one ray per pixel. Where a ray hits nothing: depth 0, face -1, uv (0, 0)."""

    camera: Camera
    depth: Float32[Array, "H W"]
    face: Int64[Array, "H W"]
    # Barycentric weights of the face's second and third vertex; None when not every pixel was cast.
    uv: Float32[Array, "H W 2"] | None

    def coordinates_world(self) -> Float32[Array, "3 H W"]:
        """World x, y and z of each hit; the camera's centre where nothing was hit."""
        camera, pose = self.camera, self.camera.cam2world.astype(np.float32)
        u, v = ray_slopes(camera, np.arange(camera.width), np.arange(camera.height)[:, None])
        coordinates = np.empty((3, camera.height, camera.width), np.float32)
        for axis, values in enumerate(coordinates):
            np.add(u * pose[axis, 0], v * pose[axis, 1] + pose[axis, 2], out=values)
            values *= self.depth
            values += pose[axis, 3]
        return coordinates


class MeshCaster:
    """One mesh in an Embree tree, cast on one thread.

    With `stride` 1 everything is exact. With stride 2, 4, ... every stride-th pixel of both axes is cast;
    then, halving the stride, pixels between are filled in where the casts around them meet one instance at
    depths within MAX_RELATIVE_STEP, and cast elsewhere. That suits scan meshes, whose triangles are
    larger than pixels; things thinner than `stride` pixels may get lost.
    """

    def __init__(self, mesh: Mesh, instances: Iterable[Instance] = (), *, stride: int = 1) -> None:
        if len(mesh.faces) == 0:
            raise ConfigError("a mesh without faces cannot be cast: use another renderer")
        self.mesh = mesh
        self._stride = stride
        self._scene = raycasting_scene(mesh.vertices, mesh.faces)
        # The last row of each table stands for "no face" (index -1).
        self.face_instance = np.append(mesh.face_instance, np.uint16(0))
        self.face_normal, self.face_offset = face_planes(mesh)
        self._amodal = AmodalCaster(mesh, instances, block=min(stride, 2))

    def cast(self, camera: Camera) -> Hits:
        """First hits through pixel centres. z-depth is exact where cast: rays have z = 1 in the camera."""
        columns = np.arange(0, camera.width, self._stride)
        rows = np.arange(0, camera.height, self._stride)
        depth, face, uv = self._first_hits(camera, columns[None, :], rows[:, None])
        step = self._stride
        while step > 1:
            step //= 2
            depth, face = self._filled(camera, depth, face, step)
        exact = uv if self._stride == 1 else None
        return Hits(camera=camera, depth=depth, face=face, uv=exact)

    def _first_hits(
        self, camera: Camera, columns: Int64[Array, "*c"], rows: Int64[Array, "*r"]
    ) -> tuple[Float32[Array, "*n"], Int64[Array, "*n"], Float32[Array, "*n 2"]]:
        """(depth, face, uv) of the first hits through pixels."""
        import open3d

        rays = open3d.core.Tensor.from_numpy(pixel_rays(camera, columns, rows))
        answer = self._scene.cast_rays(rays, nthreads=1)
        depth = answer["t_hit"].numpy()
        missed = np.isinf(depth)
        depth[missed] = 0
        face = answer["primitive_ids"].numpy().astype(np.int64)
        face[missed] = -1
        return depth, face, answer["primitive_uvs"].numpy()

    def _filled(
        self, camera: Camera, depth: Float32[Array, "h w"], face: Int64[Array, "h w"], step: int
    ) -> tuple[Float32[Array, "H W"], Int64[Array, "H W"]]:
        """(depth, face) at every `step`-th pixel of both axes, from those at every second of these.

        A filled-in pixel has its block's face, and the mean depth of the casts next to it.
        """
        number = np.take(self.face_instance, face, mode="wrap").astype(np.int32)
        number[face < 0] = -1
        nearest, farthest = (reduce(pick, _corners(depth)) for pick in (np.minimum, np.maximum))
        same = reduce(np.logical_and, [corner == number[:-1, :-1] for corner in _corners(number)])
        smooth = same & (farthest - nearest <= MAX_RELATIVE_STEP * nearest)
        across, down = depth.copy(), depth.copy()
        across[:, :-1] = 0.5 * (depth[:, :-1] + depth[:, 1:])
        down[:-1] = 0.5 * (depth[:-1] + depth[1:])
        middle = across.copy()
        middle[:-1] = 0.5 * (across[:-1] + across[1:])
        height, width = -(-camera.height // step), -(-camera.width // step)
        filled = np.empty((2 * depth.shape[0], 2 * depth.shape[1]), np.float32)
        filled[::2, ::2], filled[::2, 1::2] = depth, across
        filled[1::2, ::2], filled[1::2, 1::2] = down, middle
        filled = np.ascontiguousarray(filled[:height, :width])
        faces = blocks(face, 2, height, width)
        unknown = np.ones(filled.shape, bool)
        inner = unknown[: 2 * smooth.shape[0], : 2 * smooth.shape[1]]
        inner[...] = blocks(~smooth, 2, *inner.shape)
        unknown[::2, ::2] = False
        rows, columns = np.nonzero(unknown)
        if len(rows):
            cast = self._first_hits(camera, columns * step, rows * step)
            filled[rows, columns], faces[rows, columns], _ = cast
        return filled, faces

    def instances_at(self, hits: Hits) -> UInt16[Array, "H W"]:
        """Instance id of each pixel, 0 = none."""
        return np.take(self.face_instance, hits.face, mode="wrap")

    def facing(self, camera: Camera) -> Float32[Array, " F1"]:
        """+1 for faces whose normal points to the camera's side of their plane, -1 for the others, 0 for no face."""
        side = self.face_normal @ camera.center_world.astype(np.float32) - self.face_offset
        sign = np.where(side >= 0, np.float32(1), np.float32(-1))
        sign[-1] = 0
        return sign

    def normals_at(self, hits: Hits) -> Float32[Array, "H W 3"]:
        """Geometric normal of each pixel in camera axes, facing the camera; (0, 0, 0) where nothing was hit."""
        rotation = hits.camera.cam2world[:3, :3].astype(np.float32)
        table = (self.face_normal * self.facing(hits.camera)[:, None]) @ rotation
        return np.take(table, hits.face, axis=0, mode="wrap")

    @cached_property
    def face_group(self) -> Int32[Array, " F1"]:
        """Number of the smooth surface that each face is part of, -1 for no face."""
        return smooth_groups(self.mesh, self.face_normal)

    @cached_property
    def face_area(self) -> Float[Array, " F"]:
        """Square metres of each face."""
        return face_areas(self.mesh)

    def distances(
        self, origin: Float32[Array, "n 3"], direction: Float32[Array, "n 3"]
    ) -> Float32[Array, " n"]:
        """Metres along unit rays to what each meets first, infinite where nothing."""
        import open3d

        rays = open3d.core.Tensor.from_numpy(np.concatenate([origin, direction], axis=1))
        return np.asarray(self._scene.cast_rays(rays, nthreads=1)["t_hit"].numpy())

    def sides_met(
        self, origin: Float32[Array, "n 3"], direction: Float32[Array, "n 3"]
    ) -> Int64[Array, " n"]:
        """What each ray meets first: twice the face's number, plus 1 where it is its back; -1 where nothing."""
        import open3d

        rays = open3d.core.Tensor.from_numpy(np.concatenate([origin, direction], axis=1))
        met = self._scene.cast_rays(rays, nthreads=1)["primitive_ids"].numpy()
        missed = met == open3d.t.geometry.RaycastingScene.INVALID_ID
        face = met.astype(np.int64)
        face[missed] = -1
        normal = np.take(self.face_normal, face, axis=0, mode="wrap")
        back = np.einsum("nx,nx->n", normal, direction) > 0
        face *= 2
        face += back
        face[missed] = -1
        return face

    def is_shadowed(
        self, points_world: Float32[Array, "n 3"], light: Float[Array, "*n 3"]
    ) -> Bool[Array, " n"]:
        """Whether the mesh stands between each point and a light (one for all, or one each), ignoring the last 0.2 % before the point."""
        import open3d

        rays = np.empty((len(points_world), 6), np.float32)
        rays[:, :3] = light
        np.subtract(points_world, rays[:, :3], out=rays[:, 3:])
        tensor = open3d.core.Tensor.from_numpy(rays)
        return np.asarray(self._scene.test_occlusions(tensor, 0.0, 0.998, nthreads=1).numpy())

    def is_shadowed_towards(
        self, points_world: Float32[Array, "n 3"], direction: Float[Array, "3"]
    ) -> Bool[Array, " n"]:
        """Whether the mesh stands between each point and a light at infinity; what is nearer than 4 mm does not count."""
        import open3d

        rays = np.empty((len(points_world), 6), np.float32)
        rays[:, :3] = points_world
        rays[:, 3:] = direction
        tensor = open3d.core.Tensor.from_numpy(rays)
        return np.asarray(self._scene.test_occlusions(tensor, SHADOW_START_M, nthreads=1).numpy())

    def amodal_masks(self, hits: Hits) -> tuple[AmodalMask, ...]:
        """Amodal masks of all objects that cover at least one pixel of the image, by ascending id."""
        return self._amodal.masks(hits.camera, hits.depth, self.instances_at(hits))


def _corners(grid: Array) -> tuple[Array, Array, Array, Array]:
    """Each 2 x 2 neighbourhood's four values, as four grids."""
    return grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
