"""Amodal masks: the pixels that each instance would cover if nothing stood in front of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt16

from gapdata.geometry.boxes import upright_box_from_points
from gapdata.geometry.camera import Camera
from gapdata.labels import is_structure
from gapdata.renderers.rays import blocks, pixel_rays, raycasting_scene
from gapdata.scene import Instance, Mesh
from gapdata.view import AmodalMask

Array = np.ndarray

# Amodal pixels beyond the border are counted on a canvas of one image size on every side, at every
# n-th pixel of each axis, n = OUTSIDE_STRIDE times `block` (one such pixel stands for n * n).
CANVAS_MARGIN = 1
OUTSIDE_STRIDE = 4
# Boxes are grown a little, so that rounding never excludes a pixel that a ray would hit.
BOX_SLACK_M = 1e-3
# Embree (open3d 0.20) crashes with some thousand scenes alive.
MAX_OPEN_SCENES = 256
NEAR_M = 1e-2  # a box that reaches nearer to the camera plane may cover any pixel


class AmodalCaster:
    """Casts each instance's own faces where they could be.

    Exact inside the image with `block` 1; else one ray decides a block x block square of hidden pixels.
    Instances that are part of the room's shell (`gapdata.labels.is_structure`) get no amodal masks: they
    are never asked about, and walls and floors reach far behind everything.
    """

    def __init__(self, mesh: Mesh, instances: Iterable[Instance], *, block: int = 1) -> None:
        self._mesh, self._block = mesh, block
        self._objects = _instance_faces(mesh, instances)
        corners = [
            _slack_corners(mesh.vertices[np.unique(mesh.faces[faces])])
            for faces in self._objects.values()
        ]
        self._corners = np.array(corners).reshape(-1, 8, 3)
        self._own_scenes: dict[int, Any] = {}

    def masks(
        self, camera: Camera, depth: Float32[Array, "H W"], seen: UInt16[Array, "H W"]
    ) -> tuple[AmodalMask, ...]:
        """Masks of all objects that cover at least one pixel of the image, by ascending id.

        `depth` and `seen` are the whole mesh's depth and instance ids from the same camera.
        """
        masks = (
            self._mask(number, outline, camera, depth, seen)
            for number, outline in self._outlines(camera)
        )
        return tuple(mask for mask in masks if mask is not None)

    def _outlines(
        self, camera: Camera
    ) -> Iterator[tuple[int, tuple[Float32[Array, "p 2"], float]]]:
        """For each instance whose box may touch the image: (outline in pixels, farthest z-depth).

        The outline is convex and holds the box's projection. A box that reaches the camera plane may cover
        any pixel.
        """
        pixel, z = camera.project(self._corners)
        far = 1e6
        everywhere = np.array([[-far, -far], [far, -far], [far, far], [-far, far]], np.float32)
        reaches_camera = z.min(axis=1) < NEAR_M
        pixel[reaches_camera] = np.tile(everywhere, (2, 1))
        touches = (z.max(axis=1) > 0) & (
            (pixel.max(axis=1) >= -1) & (pixel.min(axis=1) <= [camera.width, camera.height])
        ).all(axis=1)
        numbers = list(self._objects)
        for index in np.flatnonzero(touches).tolist():
            hull = cv2.convexHull(pixel[index].astype(np.float32))[:, 0]
            yield numbers[index], (hull, float(z[index].max()))

    def _mask(
        self,
        instance: int,
        outline: tuple[Float32[Array, "p 2"], float],
        camera: Camera,
        depth: Float32[Array, "H W"],
        seen: UInt16[Array, "H W"],
    ) -> AmodalMask | None:
        hull, farthest = outline
        height, width = camera.height, camera.width
        left, top, right, bottom = _rectangle(hull, 0, 0, height, width)
        if left >= right or top >= bottom:
            return None
        window = np.s_[top:bottom, left:right]
        # A ray whose first hit is the instance needs no second cast, and one whose first hit lies behind
        # all of the instance cannot meet it.
        mask = seen[window] == instance
        near = depth[window]
        undecided = _fill(hull, left, top, *mask.shape) & ~mask & (near > 0) & (near <= farthest)
        step = self._block
        open_blocks = _any_in_blocks(undecided, step)
        rows, columns = np.nonzero(open_blocks)
        if len(rows):
            met = np.zeros_like(open_blocks)
            met[rows, columns] = self._meets(
                instance, camera, columns * step + left, rows * step + top
            )
            mask |= undecided & blocks(met, step, *mask.shape)
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
        step = OUTSIDE_STRIDE * self._block
        columns, rows = np.arange(left, right, step), np.arange(top, bottom, step)
        beyond = ((columns < 0) | (columns >= width))[None, :] | ((rows < 0) | (rows >= height))[
            :, None
        ]
        row, column = np.nonzero(beyond)
        met = self._meets(instance, camera, columns[column], rows[row])
        return int(met.sum()) * step**2

    def _meets(
        self, instance: int, camera: Camera, columns: Int64[Array, " n"], rows: Int64[Array, " n"]
    ) -> Bool[Array, " n"]:
        """Whether the rays of pixels hit the instance's own faces."""
        import open3d

        rays = open3d.core.Tensor.from_numpy(pixel_rays(camera, columns, rows))
        return np.asarray(self._own_scene(instance).test_occlusions(rays, nthreads=1).numpy())

    def _own_scene(self, instance: int) -> Any:
        """The ray-casting scene of one instance; the MAX_OPEN_SCENES last used are kept."""
        scene = self._own_scenes.pop(instance, None)
        if scene is None:
            faces = self._mesh.faces[self._objects[instance]]
            used, local = np.unique(faces, return_inverse=True)
            scene = raycasting_scene(self._mesh.vertices[used], local.reshape(-1, 3))
        self._own_scenes[instance] = scene
        if len(self._own_scenes) > MAX_OPEN_SCENES:
            del self._own_scenes[next(iter(self._own_scenes))]
        return scene


def _instance_faces(mesh: Mesh, instances: Iterable[Instance]) -> dict[int, Int64[Array, " f"]]:
    """Faces of each non-structural instance that has any, by ascending id."""
    order = np.argsort(mesh.face_instance, kind="stable")
    ids, starts = np.unique(mesh.face_instance[order], return_index=True)
    faces = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True))
    objects = sorted(item.id for item in instances if not is_structure(item.label, item.nyu40))
    return {number: faces[number] for number in objects if number in faces}


def _any_in_blocks(grid: Bool[Array, "h w"], size: int) -> Bool[Array, "_ _"]:
    """Whether any pixel of each size x size block is set."""
    if size == 1:
        return grid
    found = grid[::size, ::size].copy()
    for down in range(size):
        for across in range(size):
            part = grid[down::size, across::size]
            found[: part.shape[0], : part.shape[1]] |= part
    return found


def _slack_corners(vertices: Float32[Array, "v 3"]) -> Float[Array, "8 3"]:
    box = upright_box_from_points(vertices)
    return type(box)(
        center=box.center, size=box.size + 2 * BOX_SLACK_M, rotation=box.rotation
    ).corners


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
