"""Amodal masks: the pixels that each instance would cover if nothing stood in front of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt16

from gapdata.geometry.boxes import CORNER_EDGES, CORNER_SIGNS, Box, upright_box_from_points
from gapdata.geometry.camera import Camera
from gapdata.labels import is_structure
from gapdata.renderers.rays import blocks, pixel_rays, ray_slopes, raycasting_scene
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
NEAR_M = 1e-2  # what of a box is nearer to the camera plane counts as behind it
_EDGES = np.array(CORNER_EDGES)


class AmodalCaster:
    """Casts each instance's own faces where they could be.

    Exact inside the image with `block` 1; else one ray decides a block x block square of hidden pixels.
    Instances that are part of the room's shell (`gapdata.labels.is_structure`) get no amodal masks: they
    are never asked about, and walls and floors reach far behind everything.
    """

    def __init__(self, mesh: Mesh, instances: Iterable[Instance], *, block: int = 1) -> None:
        self._mesh, self._block = mesh, block
        self._objects = _instance_faces(mesh, instances)
        self._boxes = [
            upright_box_from_points(mesh.vertices[np.unique(mesh.faces[faces])])
            for faces in self._objects.values()
        ]
        self._own_scenes: dict[int, Any] = {}

    def masks(
        self, camera: Camera, depth: Float32[Array, "H W"], seen: UInt16[Array, "H W"]
    ) -> tuple[AmodalMask, ...]:
        """Masks of all objects that cover at least one pixel of the image, by ascending id.

        `depth` and `seen` are the whole mesh's depth and instance ids from the same camera.
        """
        boxes = _BoxesInView(self._boxes, camera)
        masks = (
            self._mask(number, boxes, index, depth, seen)
            for index, number in enumerate(self._objects)
        )
        return tuple(mask for mask in masks if mask is not None)

    def _mask(
        self, instance: int, boxes: _BoxesInView, index: int, depth: Float32[Array, "H W"],
        seen: UInt16[Array, "H W"],
    ) -> AmodalMask | None:  # fmt: skip
        left, top, right, bottom = boxes.rectangle(index, margin=0)
        if left >= right or top >= bottom:
            return None
        window = np.s_[top:bottom, left:right]
        # A ray whose first hit is the instance needs no second cast, and one whose first hit lies behind
        # all of the instance cannot meet it.
        mask = seen[window] == instance
        near = depth[window]
        exits = boxes.exits(index, np.arange(left, right), np.arange(top, bottom)[:, None])
        undecided = ~mask & (near > 0) & (near <= exits)
        step = self._block
        open_blocks = _any_in_blocks(undecided, step)
        rows, columns = np.nonzero(open_blocks)
        if len(rows):
            met = np.zeros_like(open_blocks)
            met[rows, columns] = self._meets(
                instance, boxes.camera, columns * step + left, rows * step + top
            )
            mask |= undecided & blocks(met, step, *mask.shape)
        if not mask.any():
            return None
        outside = self._outside_pixels(instance, boxes, index)
        return AmodalMask(instance=instance, top=top, left=left, mask=mask, outside=outside)

    def _outside_pixels(self, instance: int, boxes: _BoxesInView, index: int) -> int:
        """Number of the instance's amodal pixels on the canvas but beyond the image border, estimated."""
        height, width = boxes.camera.height, boxes.camera.width
        left, top, right, bottom = boxes.rectangle(index, margin=CANVAS_MARGIN)
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return 0
        step = OUTSIDE_STRIDE * self._block
        columns, rows = np.arange(left, right, step), np.arange(top, bottom, step)[:, None]
        beyond = (columns < 0) | (columns >= width) | (rows < 0) | (rows >= height)
        row, column = np.nonzero(beyond & (boxes.exits(index, columns, rows) > 0))
        met = self._meets(instance, boxes.camera, columns[column], rows[row, 0])
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


class _BoxesInView:
    """Where boxes stand before a camera, each grown by BOX_SLACK_M on every side."""

    def __init__(self, boxes: Sequence[Box], camera: Camera) -> None:
        self.camera = camera
        pose = camera.cam2world
        center = np.array([box.center for box in boxes]).reshape(-1, 3) - pose[:3, 3]
        rotation = np.array([box.rotation for box in boxes]).reshape(-1, 3, 3)
        half = np.array([0.5 * box.size for box in boxes]).reshape(-1, 3) + BOX_SLACK_M
        axes = rotation.transpose(0, 2, 1) @ pose[:3, :3]  # of each box, a row each, in the camera
        middle = np.einsum("bkw,bw->bk", rotation.transpose(0, 2, 1), center)
        self._axes, self._planes = axes, np.stack([middle - half, middle + half])
        corners = (center @ pose[:3, :3])[:, None] + np.einsum(
            "ck,bk,bkx->bcx", CORNER_SIGNS, half, axes
        )
        self._low, self._high = _bounds(corners, camera.K)

    def rectangle(self, index: int, *, margin: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the pixels that may show a box, `margin` images beyond the border too."""
        size = np.array([self.camera.width, self.camera.height])
        low = np.maximum(self._low[index], -margin * size)
        high = np.minimum(self._high[index], size + margin * size)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def exits(
        self, index: int, columns: Int64[Array, "*c"], rows: Int64[Array, "*r"]
    ) -> Float32[Array, "*n"]:
        """z-depth at which the ray through each pixel leaves a box, at most 0 where it does not meet it.

        The slab test (Kay and Kajiya, SIGGRAPH 1986).
        """
        x, y = ray_slopes(self.camera, columns, rows)
        enters: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
        leaves: Array = np.full(enters.shape, np.inf, np.float32)
        planes = self._planes[:, index].T.astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            for axis, (low, high) in zip(self._axes[index].astype(np.float32), planes, strict=True):
                inverse = 1 / (x * axis[0] + (y * axis[1] + axis[2]))
                one, other = low * inverse, high * inverse
                np.fmax(enters, np.fmin(one, other), out=enters)
                np.fmin(leaves, np.fmax(one, other), out=leaves)
        leaves[enters > leaves] = 0
        return leaves


def _bounds(
    corners: Float[Array, "b 8 3"], K: Float[Array, "3 3"]
) -> tuple[Float[Array, "b 2"], Float[Array, "b 2"]]:
    """Least and, exclusive, largest (x, y) of the pixels that boxes cover; 0 and 0 of those behind the camera."""
    start, end = (corners[:, _EDGES[:, side]] for side in range(2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (NEAR_M - start[..., 2:]) / (end[..., 2:] - start[..., 2:])
        points = np.concatenate([corners, start + share * (end - start)], axis=1)
        known = np.concatenate(
            [corners[..., 2] > NEAR_M, (share[..., 0] > 0) & (share[..., 0] < 1)], axis=1
        )
        pixel = points[..., :2] / points[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]
    low = np.where(known[..., None], pixel, np.inf).min(axis=1)
    high = np.where(known[..., None], pixel, -np.inf).max(axis=1)
    far = known.any(axis=1, keepdims=True)
    return np.where(far, np.floor(low), 0), np.where(far, np.ceil(high) + 1, 0)
