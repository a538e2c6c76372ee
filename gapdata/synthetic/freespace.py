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
CLEARANCE = 0.33  # metres from the walker's axis to anything, in a single room
EYE_LEVEL = 1.3  # prisms that reach this height block the view


class FreeSpace:
    """Rasters of blocked floor, and of what blocks the view, that grow as things are placed."""

    def __init__(
        self, low: Float[Array, "2"], high: Float[Array, "2"], clearance: float = CLEARANCE
    ) -> None:
        """An open rectangle between two corners, for a walker who keeps `clearance` metres from anything."""
        self.clearance = clearance
        self._origin = low - CELL
        width, depth = np.ceil((high - low) / CELL).astype(int) + 2
        self.blocked: Bool[Array, "h w"] = np.zeros((depth, width), bool)
        self.tall: Bool[Array, "h w"] = np.zeros((depth, width), bool)

    def block(self, prisms: Sequence[Prism]) -> None:
        """Marks the cells that the prisms touch at body height."""
        for prism in prisms:
            if prism.low < BODY_HIGH and prism.high > BODY_LOW:
                self._mark(prism.outline, prism.high > EYE_LEVEL)

    def _mark(self, outline: Float[Array, "K 2"], tall: bool) -> None:
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
        covered = outside.max(axis=-1) <= CELL / np.sqrt(2.0)
        self.blocked[y0:y1, x0:x1] |= covered
        if tall:
            self.tall[y0:y1, x0:x1] |= covered

    def distance(self) -> Float[Array, "h w"]:
        """Metres from each cell's centre to the nearest blocked cell, at least as near as the truth."""
        return np.asarray(ndimage.distance_transform_edt(~self.blocked) - 1.0) * CELL

    def block_outside(self, rectangles: Sequence[tuple[Array, Array]]) -> None:
        """Blocks every cell whose centre is in none of the (low, high) rectangles."""
        centers = self.centers(np.moveaxis(np.indices(self.blocked.shape), 0, -1))
        inside = np.zeros(self.blocked.shape, bool)
        for low, high in rectangles:
            inside |= ((centers >= low) & (centers <= high)).all(axis=-1)
        self.blocked |= ~inside
        self.tall |= ~inside

    def walkable(self) -> Bool[Array, "h w"]:
        """The largest connected set of cells with clearance all around; empty when there is none."""
        return self.split()[0]

    def split(self) -> tuple[Bool[Array, "h w"], float]:
        """(the walkable cells, square metres that are as clear but cut off from them)."""
        open_cells = self.distance() >= self.clearance
        labels, count = ndimage.label(open_cells)
        if count == 0:
            return open_cells, 0.0
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        largest = int(np.argmax(sizes))
        return np.asarray(labels == largest), float(sizes.sum() - sizes[largest]) * CELL**2

    def centers(self, cells: Int[Array, "*n 2"]) -> Float[Array, "*n 2"]:
        """World x, y of cells given as (row, column)."""
        return np.asarray(self._origin + (cells[..., ::-1] + 0.5) * CELL)

    def cell_of(self, points: Float[Array, "*n 2"]) -> Int[Array, "*n 2"]:
        """(row, column) of world x, y."""
        return np.asarray(np.floor((points - self._origin) / CELL).astype(np.int64)[..., ::-1])
