"""What lies straight above and below points: plumb lines through all faces of a scene that are not upright."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int32

Array = np.ndarray

CELL = 0.05  # metres, of the raster that faces are sorted into
MAX_COVERED = 4_000_000  # cells that faces cover, all together: wide open scenes get coarser cells
MIN_TILT = 0.3  # cosine to the vertical under which a face counts as upright and is left out
EDGE = 1e-6  # of a face's size: how far beyond its edges a line still meets it


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Where plumb lines meet faces; one row a meeting, in no order that means something."""

    point: Int[Array, " h"]  # row of the point
    owner: Int[Array, " h"]  # column of the instance the face belongs to
    gap: Float[Array, " h"]  # metres from the face up to the point; negative when the face is above


class PlumbLines:
    """Faces of a mesh, sorted for asking what is above and below points."""

    def __init__(self, triangles: Float[Array, "f 3 3"], owner: Int32[Array, " f"]) -> None:
        """`owner` is the column of the instance that each triangle belongs to."""
        edge_a, edge_b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
        twice = edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0]
        area2 = (np.cross(edge_a, edge_b) ** 2).sum(axis=-1)
        kept = (np.abs(twice) >= MIN_TILT * np.sqrt(area2)) & (np.abs(twice) > 1e-12)
        self._corner, self._twice = triangles[kept, 0], twice[kept]
        self._edge_a, self._edge_b = edge_a[kept], edge_b[kept]
        self._owner = owner[kept]
        plan = triangles[kept, :, :2]
        self._low = plan.min(axis=(0, 1)) if len(plan) else np.zeros(2)
        self._cell = CELL
        first, last = self._cells_of(plan)
        while (last - first + 1).prod(axis=1).sum() > MAX_COVERED:
            self._cell *= 2.0
            first, last = self._cells_of(plan)
        self._width = last.max(axis=0) + 1 if len(plan) else np.zeros(2, np.int64)
        face, cell = covered_cells(first, last)
        key = cell[:, 0] * self._width[1] + cell[:, 1]
        order = np.argsort(key, kind="stable")
        self._face = face[order]
        cells = int(self._width.prod())
        self._start = np.searchsorted(key[order], np.arange(cells + 1))

    def _cells_of(self, plan: Float[Array, "f 3 2"]) -> tuple[Int[Array, "f 2"], Int[Array, "f 2"]]:
        """The first and the last cell of the rectangle around each face."""
        low, high = plan.min(axis=1) - self._low, plan.max(axis=1) - self._low
        return np.floor(low / self._cell).astype(np.int64), np.floor(high / self._cell).astype(
            np.int64
        )

    def hits(self, points: Float[Array, "n 3"]) -> Hits:
        """Every meeting of the plumb lines through the points with a face."""
        cell = np.floor((points[:, :2] - self._low) / self._cell).astype(np.int64)
        near = np.flatnonzero(((cell >= 0) & (cell < self._width)).all(axis=1))
        key = cell[near, 0] * self._width[1] + cell[near, 1]
        count = self._start[key + 1] - self._start[key]
        row = np.repeat(near, count)
        face = self._face[np.repeat(self._start[key], count) + ramp(count)]
        offset = points[row, :2] - self._corner[face, :2]
        a, b, twice = self._edge_a[face], self._edge_b[face], self._twice[face]
        s = (offset[:, 0] * b[:, 1] - offset[:, 1] * b[:, 0]) / twice
        t = (a[:, 0] * offset[:, 1] - a[:, 1] * offset[:, 0]) / twice
        met = (s >= -EDGE) & (t >= -EDGE) & (s + t <= 1 + EDGE)
        row, face = row[met], face[met]
        height = self._corner[face, 2] + s[met] * a[met, 2] + t[met] * b[met, 2]
        return Hits(row, self._owner[face], points[row, 2] - height)


def ramp(count: Int[Array, " n"]) -> Int[Array, " m"]:
    """0, 1, ... count - 1 for each count, one after the other."""
    start = np.cumsum(count) - count
    return np.arange(int(count.sum())) - np.repeat(start, count)


def covered_cells(
    first: Int[Array, "n 2"], last: Int[Array, "n 2"]
) -> tuple[Int[Array, " m"], Int[Array, "m 2"]]:
    """The cells of rectangles given by their first and last cell: (row of the rectangle, cell)."""
    size = np.maximum(last - first + 1, 0)
    count = size.prod(axis=1)
    row, step = np.repeat(np.arange(len(first)), count), ramp(count)
    across = np.maximum(size[row, 1], 1)
    return row, first[row] + np.stack([step // across, step % across], axis=1)
