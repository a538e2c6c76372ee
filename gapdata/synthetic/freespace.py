"""The part of a floor where a camera can walk, on a raster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from gapdata.synthetic.collision import Prism

Array = np.ndarray

CELL = 0.05  # metres
BODY_LOW, BODY_HIGH = 0.05, 1.95  # prisms that reach into these heights block the walker
CLEARANCE = 0.33  # metres from the walker's axis to anything


class FreeSpace:
    """A raster of blocked floor that grows as things are placed."""

    def __init__(self, low: Float[Array, "2"], high: Float[Array, "2"]) -> None:
        """An open rectangle between two corners with blocked surroundings."""
        self._origin = low - CELL
        width, depth = np.ceil((high - low) / CELL).astype(int) + 2
        self.blocked: Bool[Array, "h w"] = np.zeros((depth, width), bool)

    def block(self, prisms: Sequence[Prism]) -> None:
        """Marks the cells that the prisms touch at body height."""
        for prism in prisms:
            if prism.low < BODY_HIGH and prism.high > BODY_LOW:
                self._block_outline(prism.outline)

    def _block_outline(self, outline: Float[Array, "K 2"]) -> None:
        rows, columns = self.blocked.shape
        first = np.floor((outline.min(axis=0) - self._origin) / CELL).astype(int) - 1
        last = np.floor((outline.max(axis=0) - self._origin) / CELL).astype(int) + 2
        x0, y0 = np.clip(first, 0, [columns, rows])
        x1, y1 = np.clip(last, 0, [columns, rows])
        if x0 >= x1 or y0 >= y1:
            return
        x = self._origin[0] + (np.arange(x0, x1) + 0.5) * CELL
        y = self._origin[1] + (np.arange(y0, y1) + 0.5) * CELL
        edge = np.roll(outline, -1, axis=0) - outline
        normal = edge[:, ::-1] * np.array([1.0, -1.0])
        normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
        reach = (outline * normal).sum(axis=1)
        outside = x[None, :, None] * normal[:, 0] + y[:, None, None] * normal[:, 1] - reach
        self.blocked[y0:y1, x0:x1] |= outside.max(axis=-1) <= CELL / np.sqrt(2.0)

    def distance(self) -> Float[Array, "h w"]:
        """Metres from each cell's centre to the nearest blocked cell, at least as near as the truth."""
        return np.asarray(ndimage.distance_transform_edt(~self.blocked) - 1.0) * CELL

    def walkable(self) -> Bool[Array, "h w"]:
        """The largest connected set of cells with CLEARANCE all around; empty when there is none."""
        open_cells = self.distance() >= CLEARANCE
        labels, count = ndimage.label(open_cells)
        if count == 0:
            return open_cells
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        return np.asarray(labels == int(np.argmax(sizes)))

    def centers(self, cells: Int[Array, "*n 2"]) -> Float[Array, "*n 2"]:
        """World x, y of cells given as (row, column)."""
        return np.asarray(self._origin + (cells[..., ::-1] + 0.5) * CELL)

    def cell_of(self, points: Float[Array, "*n 2"]) -> Int[Array, "*n 2"]:
        """(row, column) of world x, y."""
        return np.asarray(np.floor((points - self._origin) / CELL).astype(np.int64)[..., ::-1])
