"""Rays against a mesh: what every pixel of a camera hits, and what each instance would cover alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt16

from gapdata.errors import ConfigError, MissingDependencyError
from gapdata.geometry.boxes import upright_box_from_points
from gapdata.geometry.camera import Camera
from gapdata.labels import is_structure
from gapdata.mesh_surface import face_planes
from gapdata.scene import Instance, Mesh
from gapdata.view import AmodalMask

Array = np.ndarray

# Amodal pixels beyond the border are counted on a canvas of one image size on every side, at every
# n-th pixel of each axis, n = OUTSIDE_STRIDE times the caster's stride (one such pixel stands for n * n).
CANVAS_MARGIN = 1
OUTSIDE_STRIDE = 4
# Boxes are grown a little, so that rounding never excludes a pixel that a ray would hit.
BOX_SLACK_M = 1e-3
MAX_RELATIVE_STEP = 0.02  # between neighbouring casts that pixels between them are filled in from
NEAR_M = (
    1e-2  # a box that reaches nearer to the camera plane is not projected: it may cover everything
)


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
        u, v = _ray_slopes(camera, np.arange(camera.width), np.arange(camera.height)[:, None])
        coordinates = np.empty((3, camera.height, camera.width), np.float32)
        for axis, values in enumerate(coordinates):
            np.add(u * pose[axis, 0], v * pose[axis, 1] + pose[axis, 2], out=values)
            values *= self.depth
            values += pose[axis, 3]
        return coordinates


class MeshCaster:
    """One mesh in an Embree tree, cast on one thread.

    With `stride` 1 everything is exact. With `stride` 2 one pixel of each 2 x 2 block is cast; the others
    are filled in where the surrounding casts meet one instance at depths within MAX_RELATIVE_STEP, and
    cast elsewhere. That suits scan meshes, whose triangles are larger than pixels; things
    thinner than two pixels may get lost.

    Instances that are part of the room's shell (`gapdata.labels.is_structure`) get no amodal masks: they
    are never asked about, and walls and floors reach far behind everything.
    """

    def __init__(self, mesh: Mesh, instances: Iterable[Instance] = (), *, stride: int = 1) -> None:
        if len(mesh.faces) == 0:
            raise ConfigError("a mesh without faces cannot be cast: use another renderer")
        self.mesh = mesh
        self._stride = stride
        self._scene = _raycasting_scene(mesh.vertices, mesh.faces)
        # The last row of each table stands for "no face" (index -1).
        self.face_instance = np.append(mesh.face_instance, np.uint16(0))
        self.face_normal, self.face_offset = face_planes(mesh)
        self._objects = _instance_faces(mesh, instances)
        self._boxes = {
            number: _slack_corners(mesh.vertices[np.unique(mesh.faces[faces])])
            for number, faces in self._objects.items()
        }
        self._own_scenes: dict[int, Any] = {}

    def cast(self, camera: Camera) -> Hits:
        """First hits through pixel centres. z-depth is exact where cast: rays have z = 1 in the camera."""
        columns = np.arange(0, camera.width, self._stride)[None, :]
        rows = np.arange(0, camera.height, self._stride)[:, None]
        depth, face, uv = self._first_hits(camera, columns, rows)
        if self._stride == 1:
            return Hits(camera=camera, depth=depth, face=face, uv=uv)
        return self._filled(camera, depth, face)

    def _first_hits(
        self, camera: Camera, columns: Int64[Array, "*c"], rows: Int64[Array, "*r"]
    ) -> tuple[Float32[Array, "*n"], Int64[Array, "*n"], Float32[Array, "*n 2"]]:
        """(depth, face, uv) of the first hits through pixels."""
        import open3d

        rays = open3d.core.Tensor.from_numpy(_rays(camera, columns, rows))
        answer = self._scene.cast_rays(rays, nthreads=1)
        depth = answer["t_hit"].numpy()
        missed = np.isinf(depth)
        depth[missed] = 0
        face = answer["primitive_ids"].numpy().astype(np.int64)
        face[missed] = -1
        return depth, face, answer["primitive_uvs"].numpy()

    def _filled(
        self, camera: Camera, depth: Float32[Array, "h w"], face: Int64[Array, "h w"]
    ) -> Hits:
        """Hits of all pixels from those at even rows and columns.

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
        full = np.empty((2 * depth.shape[0], 2 * depth.shape[1]), np.float32)
        full[::2, ::2], full[::2, 1::2], full[1::2, ::2], full[1::2, 1::2] = (
            depth,
            across,
            down,
            middle,
        )
        unknown = np.ones(full.shape, np.uint8)
        unknown[: 2 * smooth.shape[0], : 2 * smooth.shape[1]] = _doubled(1 - smooth.view(np.uint8))
        unknown[::2, ::2] = 0
        window = np.s_[: camera.height, : camera.width]
        full, unknown = full[window].copy(), unknown[window]
        faces = _doubled(face)[window].copy()
        rows, columns = np.nonzero(unknown)
        if len(rows):
            full[rows, columns], faces[rows, columns], _ = self._first_hits(camera, columns, rows)
        return Hits(camera=camera, depth=full, face=faces, uv=None)

    def instances_at(self, hits: Hits) -> UInt16[Array, "H W"]:
        """Instance id of each pixel, 0 = none."""
        return np.take(self.face_instance, hits.face, mode="wrap")

    def facing(self, camera: Camera) -> Float32[Array, "F1"]:
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

    def is_shadowed(
        self, points_world: Float32[Array, "n 3"], light: Float[Array, "3"]
    ) -> Bool[Array, "n"]:
        """Whether the mesh stands between each point and a light, ignoring the last 0.2 % before the point."""
        import open3d

        rays = np.empty((len(points_world), 6), np.float32)
        rays[:, :3] = light
        np.subtract(points_world, rays[:, :3], out=rays[:, 3:])
        tensor = open3d.core.Tensor.from_numpy(rays)
        return np.asarray(self._scene.test_occlusions(tensor, 0.0, 0.998, nthreads=1).numpy())

    def amodal_masks(self, hits: Hits) -> tuple[AmodalMask, ...]:
        """Amodal masks of all objects that cover at least one pixel of the image, by ascending id.

        Exact inside the image with stride 1. `outside` is counted on a canvas (CANVAS_MARGIN, OUTSIDE_STRIDE above).
        """
        seen = self.instances_at(hits)
        masks = (self._amodal_mask(number, hits, seen) for number in self._objects)
        return tuple(mask for mask in masks if mask is not None)

    def _amodal_mask(
        self, instance: int, hits: Hits, seen: UInt16[Array, "H W"]
    ) -> AmodalMask | None:
        camera = hits.camera
        footprint = _footprint(self._boxes[instance], camera)
        if footprint is None:
            return None
        hull, farthest = footprint
        height, width = camera.height, camera.width
        left, top, right, bottom = _rectangle(hull, 0, 0, height, width)
        if left >= right or top >= bottom:
            return None
        window = np.s_[top:bottom, left:right]
        # A ray whose first hit is the instance needs no second cast, and one whose first hit lies behind
        # all of the instance cannot meet it.
        mask = seen[window] == instance
        depth = hits.depth[window]
        undecided = _fill(hull, left, top, *mask.shape) & ~mask & (depth > 0) & (depth <= farthest)
        # One ray decides a block of stride x stride pixels.
        step = self._stride
        rows, columns = np.nonzero(undecided[::step, ::step])
        if len(rows):
            met = np.zeros(undecided[::step, ::step].shape, bool)
            met[rows, columns] = self._meets(
                instance, camera, columns * step + left, rows * step + top
            )
            mask |= undecided & (met if step == 1 else _doubled(met)[: len(mask), : mask.shape[1]])
        if not mask.any():
            return None
        outside = self._outside_pixels(instance, camera, hull)
        return AmodalMask(instance=instance, top=top, left=left, mask=mask, outside=outside)

    def _outside_pixels(self, instance: int, camera: Camera, hull: Float32[Array, "p 2"]) -> int:
        """Number of the instance's amodal pixels on the canvas but beyond the image border, estimated."""
        height, width = camera.height, camera.width
        margin_y, margin_x = CANVAS_MARGIN * height, CANVAS_MARGIN * width
        left, top, right, bottom = _rectangle(
            hull, -margin_y, -margin_x, height + margin_y, width + margin_x
        )
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return 0
        step = OUTSIDE_STRIDE * self._stride
        columns, rows = np.arange(left, right, step), np.arange(top, bottom, step)
        beyond = ((columns < 0) | (columns >= width))[None, :] | ((rows < 0) | (rows >= height))[
            :, None
        ]
        row, column = np.nonzero(beyond)
        met = self._meets(instance, camera, columns[column], rows[row])
        return int(met.sum()) * step**2

    def _meets(
        self, instance: int, camera: Camera, columns: Int64[Array, "n"], rows: Int64[Array, "n"]
    ) -> Bool[Array, "n"]:
        """Whether the rays of pixels hit the instance's own faces."""
        if instance not in self._own_scenes:
            faces = self.mesh.faces[self._objects[instance]]
            used, local = np.unique(faces, return_inverse=True)
            vertices = self.mesh.vertices[used]
            self._own_scenes[instance] = _raycasting_scene(vertices, local.reshape(-1, 3))
        import open3d

        rays = open3d.core.Tensor.from_numpy(_rays(camera, columns, rows))
        return np.asarray(self._own_scenes[instance].test_occlusions(rays, nthreads=1).numpy())


def _raycasting_scene(vertices: Float32[Array, "v 3"], faces: Array) -> Any:
    try:
        import open3d
    except OSError as error:
        raise MissingDependencyError(
            f"open3d cannot load a system library ({error}): run `apt-get install -y libusb-1.0-0`"
        ) from error
    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        open3d.core.Tensor.from_numpy(np.ascontiguousarray(vertices)),
        open3d.core.Tensor.from_numpy(np.ascontiguousarray(faces, np.uint32)),
    )
    return scene


def _rays(camera: Camera, columns: Array, rows: Array) -> Float32[Array, "*n 6"]:
    """Rays through pixels (columns and rows broadcast against each other): origin, direction of z = 1."""
    pose = camera.cam2world.astype(np.float32)
    x, y = _ray_slopes(camera, columns, rows)
    rays = np.empty((*np.broadcast_shapes(x.shape, y.shape), 6), np.float32)
    rays[..., :3] = pose[:3, 3]
    for axis in range(3):
        rays[..., 3 + axis] = x * pose[axis, 0] + (y * pose[axis, 1] + pose[axis, 2])
    return rays


def _ray_slopes(camera: Camera, columns: Array, rows: Array) -> tuple[Array, Array]:
    """(x, y) at z = 1 of the rays through pixels, float32."""
    K = camera.K
    x, y = (columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1]
    return x.astype(np.float32), y.astype(np.float32)


def _corners(grid: Array) -> tuple[Array, Array, Array, Array]:
    """Each 2 x 2 neighbourhood's four values, as four grids."""
    return grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]


def _doubled(grid: Array) -> Array:
    """The grid with every value repeated in a 2 x 2 block."""
    return np.repeat(np.repeat(grid, 2, axis=0), 2, axis=1)


def _instance_faces(mesh: Mesh, instances: Iterable[Instance]) -> dict[int, Int64[Array, "f"]]:
    """Faces of each non-structural instance that has any, by ascending id."""
    order = np.argsort(mesh.face_instance, kind="stable")
    ids, starts = np.unique(mesh.face_instance[order], return_index=True)
    faces = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True))
    objects = sorted(item.id for item in instances if not is_structure(item.label, item.nyu40))
    return {number: faces[number] for number in objects if number in faces}


def _slack_corners(vertices: Float32[Array, "v 3"]) -> Float[Array, "8 3"]:
    box = upright_box_from_points(vertices)
    return type(box)(
        center=box.center, size=box.size + 2 * BOX_SLACK_M, rotation=box.rotation
    ).corners


def _footprint(
    corners: Float[Array, "8 3"], camera: Camera
) -> tuple[Float32[Array, "p 2"], float] | None:
    """Convex outline in pixels that holds the projection of a box, and its farthest z-depth.

    None for a box behind the camera. A box that reaches the camera plane may cover any pixel.
    """
    pixel, z = camera.project(corners)
    if z.max() <= 0:
        return None
    if z.min() < NEAR_M:
        far = 1e6
        pixel = np.array([[-far, -far], [far, -far], [far, far], [-far, far]])
    return cv2.convexHull(pixel.astype(np.float32))[:, 0], float(z.max())


def _rectangle(
    hull: Float32[Array, "p 2"], top: int, left: int, bottom: int, right: int
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the pixels that hold the outline, cut to the given bounds."""
    low, high = np.floor(hull.min(axis=0)), np.ceil(hull.max(axis=0)) + 1
    return (
        int(max(low[0], left)),
        int(max(low[1], top)),
        int(min(high[0], right)),
        int(min(high[1], bottom)),
    )


def _fill(
    hull: Float32[Array, "p 2"], left: int, top: int, height: int, width: int
) -> Bool[Array, "h w"]:
    """Which pixels of a rectangle lie in or on a convex outline; all of them for a very large outline."""
    local = hull - np.array([left, top], np.float32)
    if np.abs(local).max() > 30000:
        return np.ones((height, width), bool)
    filled = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(filled, np.rint(local * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    return filled.view(bool)
