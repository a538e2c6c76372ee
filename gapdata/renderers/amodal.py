"""Amodal masks: the pixels that each instance would cover if nothing stood in front of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt16

from gapdata.geometry.boxes import Box, upright_box_from_points
from gapdata.geometry.camera import Camera
from gapdata.labels import is_structure
from gapdata.renderers.boxes_in_view import BoxesInView
from gapdata.renderers.rays import blocks, raycasting_scene
from gapdata.scene import Instance, Mesh
from gapdata.view import AmodalMask

Array = np.ndarray

# Amodal pixels beyond the border are counted on a canvas of one image size on every side, at every
# n-th pixel of each axis, n = OUTSIDE_STRIDE times `block` (one such pixel stands for n * n).
CANVAS_MARGIN = 1
OUTSIDE_STRIDE = 4
CELL_GAP_M = 0.01


class AmodalCaster:
    """Casts each instance's own faces where they could be.

    Exact inside the image with `block` 1; else one ray decides a block x block square of hidden pixels.
    Instances that are part of the room's shell (`gapdata.labels.is_structure`) get no amodal masks: they
    are never asked about, and walls and floors reach far behind everything.

    All instances are in one tree, each moved into a cell of its own; rays are cut to the instance's box.
    """

    def __init__(self, mesh: Mesh, instances: Iterable[Instance], *, block: int = 1) -> None:
        self._mesh, self._block = mesh, block
        self._objects = _instance_faces(mesh, instances)
        self._boxes = [
            upright_box_from_points(mesh.vertices[np.unique(mesh.faces[faces])])
            for faces in self._objects.values()
        ]
        self._cells = _cells(self._boxes)

    def masks(
        self, camera: Camera, depth: Float32[Array, "H W"], seen: UInt16[Array, "H W"]
    ) -> tuple[AmodalMask, ...]:
        """Masks of all objects that cover at least one pixel of the image, by ascending id.

        `depth` and `seen` are the whole mesh's depth and instance ids from the same camera.
        """
        boxes = BoxesInView(self._boxes, camera)
        drafts = [
            draft
            for index, number in enumerate(self._objects)
            if (draft := self._draft(number, boxes, index, depth, seen)) is not None
        ]
        met = self._meets([rays for draft in drafts for rays in (draft.inside, draft.outside)])
        masks = (
            self._finished(draft, inside, outside)
            for draft, inside, outside in zip(drafts, met[::2], met[1::2], strict=True)
        )
        return tuple(mask for mask in masks if mask is not None)

    def _draft(
        self, instance: int, boxes: BoxesInView, index: int, depth: Float32[Array, "H W"],
        seen: UInt16[Array, "H W"],
    ) -> _Draft | None:  # fmt: skip
        """What is known of a mask before rays are cast; None where it is empty."""
        left, top, right, bottom = boxes.rectangle(index, margin=0)
        if left >= right or top >= bottom:
            return None
        window = np.s_[top:bottom, left:right]
        # A ray whose first hit is the instance needs no second cast, and one whose first hit lies behind
        # all of the instance cannot meet it.
        mask = seen[window] == instance
        near = depth[window]
        enters, leaves = boxes.passes(
            index, np.arange(left, right), np.arange(top, bottom)[:, None]
        )
        undecided = ~mask & (near > 0) & (near <= leaves)
        step = self._block
        asked = _any_in_blocks(undecided, step) & (leaves[::step, ::step] > 0)
        row, column = np.nonzero(asked)
        if not len(row) and not mask.any():
            return None
        row, column = step * row, step * column
        inside = boxes.rays(
            index, left + column, top + row, enters[row, column], leaves[row, column]
        )
        return _Draft(
            instance=instance, top=top, left=left, mask=mask, undecided=undecided, asked=asked,
            inside=inside + self._cell(index), outside=self._rays_outside(boxes, index),
        )  # fmt: skip

    def _rays_outside(self, boxes: BoxesInView, index: int) -> Float32[Array, "n 6"]:
        """Rays that may meet an instance on the canvas but beyond the image border, every few pixels."""
        height, width = boxes.camera.height, boxes.camera.width
        left, top, right, bottom = boxes.rectangle(index, margin=CANVAS_MARGIN)
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return np.zeros((0, 6), np.float32)
        step = OUTSIDE_STRIDE * self._block
        columns, rows = np.arange(left, right, step), np.arange(top, bottom, step)[:, None]
        beyond = (columns < 0) | (columns >= width) | (rows < 0) | (rows >= height)
        enters, leaves = boxes.passes(index, columns, rows)
        row, column = np.nonzero(beyond & (leaves > 0))
        rays = boxes.rays(
            index, columns[column], rows[row, 0], enters[row, column], leaves[row, column]
        )
        return rays + self._cell(index)

    def _finished(
        self, draft: _Draft, inside: Bool[Array, " n"], outside: Bool[Array, " m"]
    ) -> AmodalMask | None:
        """The mask, once it is known which of its rays meet the instance."""
        met = draft.asked.copy()
        met[met] = inside
        mask = draft.mask | (draft.undecided & blocks(met, self._block, *draft.mask.shape))
        if not mask.any():
            return None
        count = int(outside.sum()) * (OUTSIDE_STRIDE * self._block) ** 2
        return AmodalMask(
            instance=draft.instance, top=draft.top, left=draft.left, mask=mask, outside=count
        )

    def _meets(self, bundles: Sequence[Float32[Array, "_ 6"]]) -> list[Bool[Array, " _"]]:
        """Which rays of each bundle hit the faces in their cell."""
        import open3d

        if not bundles:
            return []
        rays = open3d.core.Tensor.from_numpy(np.concatenate(bundles))
        met = self._tree.test_occlusions(rays, 0.0, 1.0, nthreads=1).numpy()
        return np.split(met, np.cumsum([len(rays) for rays in bundles])[:-1])

    def _cell(self, index: int) -> Float32[Array, "6"]:
        """What moves a ray about an instance's box into its cell."""
        return np.append(self._cells[index], np.zeros(3)).astype(np.float32)

    @cached_property
    def _tree(self) -> Any:
        """All instances' faces, each about its box's centre in its cell."""
        faces = list(self._objects.values())
        moves = self._cells - np.array([box.center for box in self._boxes])
        corners = self._mesh.vertices[self._mesh.faces[np.concatenate(faces)]].astype(np.float64)
        corners += np.repeat(moves, [len(own) for own in faces], axis=0)[:, None]
        numbers = np.arange(3 * len(corners)).reshape(-1, 3)
        return raycasting_scene(corners.reshape(-1, 3).astype(np.float32), numbers)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Draft:
    """A mask while it is made: `inside` are the rays of the blocks that are `asked`, `outside` those off the image."""

    instance: int
    top: int
    left: int
    mask: Bool[Array, "h w"]
    undecided: Bool[Array, "h w"]
    asked: Bool[Array, "_ _"]
    inside: Float32[Array, "n 6"]
    outside: Float32[Array, "m 6"]


def _cells(boxes: Sequence[Box]) -> Float[Array, "b 3"]:
    """Middles of equal cells side by side, large enough for any of the boxes."""
    side = int(np.ceil(len(boxes) ** (1 / 3)))
    size = max((float(np.linalg.norm(box.size)) for box in boxes), default=0.0) + CELL_GAP_M
    place = np.stack(np.unravel_index(np.arange(len(boxes)), (max(side, 1),) * 3), axis=-1)
    return np.asarray(size * (place - 0.5 * (side - 1)))


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
