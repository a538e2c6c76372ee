"""What of a mesh is solid, as upright boxes, and where things can be put on it: both from its triangles.

The mesh is cut along a grid of columns. In each column the triangles' heights join to spans; spans between which
no outside air reaches join as well. Neighbouring columns with like spans become one box, as tight as their triangles:
every point of the mesh lies in a box. Level, wholly covered tops of like height become surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_fill_holes

Array = np.ndarray

COLUMNS, LEAST_COLUMN = 28, 0.004  # along the longest side at most; metres
LEVELS = 40  # of height, when looking for what is enclosed
GAP = 0.05  # metres of height that two spans of one column may lie apart and be one: boards are thinner
GAP_SHARE = 0.15  # ... of the model's height at most
LEVEL = 5e-4  # metres: tops this near are one surface
FLAT = 0.98  # z of a level triangle's normal at least
COVERED = 0.97  # of a column's area that is level at its top, for a surface
LEAST_SURFACE = 0.006  # square metres
MAX_SURFACES, MAX_BOXES = 8, 48
FREE = 10.0  # metres of headroom where nothing is above


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Bounds:
    """Boxes (x0, y0, z0, x1, y1, z1) that hold the mesh, and level rectangles (x0, y0, x1, y1, z, headroom) on it."""

    boxes: Float[Array, "B 6"]
    surfaces: Float[Array, "m 6"]


@dataclass(slots=True, eq=False)
class _Spans:
    """Solid stretches of height, sorted by column and height. `own` is the extent of the triangles in each."""

    cell: Int[Array, "n 2"]
    own: Float[Array, "n 6"]
    level: Bool[Array, " n"]


def bounds_of(triangles: Float[Array, "F 3 3"]) -> Bounds:
    """Boxes and surfaces of a mesh given by its triangles (metres, lowest point at z = 0)."""
    low, high = triangles.reshape(-1, 3).min(axis=0), triangles.reshape(-1, 3).max(axis=0)
    extent = high - low
    step = max(float(extent[:2].max()) / COLUMNS, LEAST_COLUMN)
    shape = np.maximum(1, np.ceil(extent[:2] / step - 1e-9)).astype(int)
    pitch = np.maximum(extent[:2], 1e-9) / shape
    pieces = triangles
    for axis in (0, 1):
        for k in range(1, int(shape[axis])):
            pieces = _cut(pieces, axis, float(low[axis] + k * pitch[axis]))
    spans = _spans(pieces, low, pitch, shape, gap=min(GAP, GAP_SHARE * float(extent[2])))
    spans = _enclosed(spans, shape, float(high[2]))
    surfaces, number = _surfaces(spans, low, pitch, shape)
    return Bounds(boxes=_boxes(spans, number, shape), surfaces=surfaces)


def _cut(triangles: Float[Array, "F 3 3"], axis: int, plane: float) -> Float[Array, "G 3 3"]:
    """The triangles, those across a plane cut in three along it."""
    side = triangles[:, :, axis] - plane
    near = np.abs(side) < 1e-7
    side = np.where(near, 0.0, side)
    across = (side.min(axis=1) < 0) & (side.max(axis=1) > 0)
    if not across.any():
        return triangles
    t, s = triangles[across], side[across]
    # The corner that lies alone on its side comes first; one on the plane counts as with the other.
    lone_below = (s < 0).sum(axis=1) == 1
    lone = np.where(lone_below, np.argmin(s, axis=1), np.argmax(s, axis=1))
    order = (lone[:, None] + np.arange(3)) % 3
    t, s = np.take_along_axis(t, order[:, :, None], axis=1), np.take_along_axis(s, order, axis=1)
    a, b, c = t[:, 0], t[:, 1], t[:, 2]
    ab = a + (b - a) * (s[:, 0] / (s[:, 0] - s[:, 1]))[:, None]
    ac = a + (c - a) * (s[:, 0] / (s[:, 0] - s[:, 2]))[:, None]
    ab[:, axis] = ac[:, axis] = plane
    made = np.concatenate([np.stack(k, axis=1) for k in ((a, ab, ac), (ab, b, c), (ab, c, ac))])
    return np.concatenate([triangles[~across], made])


def _spans(
    pieces: Float[Array, "F 3 3"], low: Array, pitch: Array, shape: Int[Array, "2"], *, gap: float
) -> _Spans:
    middle = pieces.mean(axis=1)[:, :2]
    cell = np.clip(((middle - low[:2]) / pitch).astype(int), 0, shape - 1)
    column = cell[:, 0] * shape[1] + cell[:, 1]
    bottom, top = pieces[:, :, 2].min(axis=1), pieces[:, :, 2].max(axis=1)
    order = np.lexsort((top, bottom, column))
    pieces, column, cell, bottom, top = (a[order] for a in (pieces, column, cell, bottom, top))
    # Columns are lifted apart, so that one running maximum serves them all.
    lift = column * (float(top.max()) + 1.0)
    reached = np.maximum.accumulate(top + lift)
    starts = np.concatenate([[True], (bottom + lift)[1:] > reached[:-1] + gap])
    starts |= np.concatenate([[True], column[1:] != column[:-1]])
    first = np.flatnonzero(starts)
    own = np.concatenate(
        [np.minimum.reduceat(pieces.min(axis=1), first), np.maximum.reduceat(pieces.max(axis=1), first)], axis=1
    )  # fmt: skip
    return _Spans(
        cell=cell[first], own=own, level=_level_tops(pieces, np.cumsum(starts) - 1, own, pitch)
    )


def _level_tops(
    pieces: Float[Array, "F 3 3"], span: Int[Array, " F"], own: Float[Array, "n 6"], pitch: Array
) -> Bool[Array, " n"]:
    """Whether a span's column is covered by level triangles at its top."""
    normal = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])
    length = np.linalg.norm(normal, axis=1)
    level = np.abs(normal[:, 2]) > FLAT * length
    at_top = pieces[:, :, 2].max(axis=1) > own[span, 5] - LEVEL
    area = np.bincount(span, 0.5 * np.abs(normal[:, 2]) * (level & at_top), minlength=len(own))
    return area >= COVERED * float(np.prod(pitch))


def _enclosed(spans: _Spans, shape: Int[Array, "2"], height: float) -> _Spans:
    """The spans with those of a column joined that no outside air comes between, the floor closing from below."""
    tall = max(height, 1e-6) / LEVELS
    bottom = np.clip((spans.own[:, 2] / tall).astype(int), 0, LEVELS - 1)
    top = np.clip((spans.own[:, 5] / tall).astype(int), 0, LEVELS - 1)
    solid = np.zeros((shape[0] + 2, shape[1] + 2, LEVELS + 2), bool)
    solid[:, :, 0] = True
    for (i, j), k, m in zip(spans.cell.tolist(), bottom.tolist(), top.tolist(), strict=True):
        solid[i + 1, j + 1, k + 1 : m + 2] = True
    filled = binary_fill_holes(solid)[1:-1, 1:-1, 1:-1]
    column = spans.cell[:, 0] * shape[1] + spans.cell[:, 1]
    own, last = spans.own.copy(), -1
    kept: list[int] = []
    level = spans.level.copy()
    for n in range(len(own)):
        i, j = spans.cell[n]
        below = last if last >= 0 and column[last] == column[n] else -1
        start = 0 if below < 0 else int(top[below]) + 1
        if filled[i, j, start : bottom[n]].all() and bottom[n] > start:
            if below < 0:
                own[n, 2] = 0.0
            else:
                own[n, :3] = np.minimum(own[below, :3], own[n, :3])
                own[n, 3:] = np.maximum(own[below, 3:], own[n, 3:])
                kept.pop()
        kept.append(n)
        last = n
    return _Spans(cell=spans.cell[kept], own=own[kept], level=level[kept])


def _surfaces(
    spans: _Spans, low: Array, pitch: Array, shape: Int[Array, "2"]
) -> tuple[Float[Array, "m 6"], Int[Array, " n"]]:
    """Level rectangles, from low to high, and for each span which of them its top belongs to (-1 = none)."""
    number = np.full(len(spans.own), -1)
    top = spans.own[:, 5]
    column = spans.cell[:, 0] * shape[1] + spans.cell[:, 1]
    above = np.full(len(top), np.inf)
    same = column[1:] == column[:-1]
    above[:-1][same] = spans.own[1:, 2][same]
    flat = np.flatnonzero(spans.level)
    flat = flat[np.argsort(top[flat], kind="stable")]
    groups = np.split(flat, np.flatnonzero(np.diff(top[flat]) > LEVEL) + 1) if len(flat) else []
    found: list[tuple[float, ...]] = []
    for group in groups:
        if np.ptp(top[group]) > 2 * LEVEL:
            continue
        grid = np.full(tuple(shape), -1)
        grid[spans.cell[group, 0], spans.cell[group, 1]] = group
        while len(found) < MAX_SURFACES:
            i0, j0, i1, j1 = _largest_rectangle(grid >= 0)
            if (i1 - i0) * (j1 - j0) * float(np.prod(pitch)) < LEAST_SURFACE:
                break
            members = grid[i0:i1, j0:j1].flatten()
            number[members] = len(found)
            grid[i0:i1, j0:j1] = -1
            z = float(top[members].max())
            corner = low[:2] + pitch * [i0, j0], low[:2] + pitch * [i1, j1]
            found.append((*corner[0], *corner[1], z, min(FREE, float(above[members].min()) - z)))
    return np.array(found, np.float64).reshape(-1, 6), number


def _largest_rectangle(mask: Bool[Array, "I J"]) -> tuple[int, int, int, int]:
    """(i0, j0, i1, j1) of the largest all-true rectangle; zeros when there is none."""
    best, size = (0, 0, 0, 0), 0
    for i0 in range(mask.shape[0]):
        run = mask[i0].copy()
        for i1 in range(i0 + 1, mask.shape[0] + 1):
            run &= mask[i1 - 1]
            if not run.any():
                break
            edge = np.flatnonzero(np.diff(np.concatenate([[False], run, [False]]).astype(np.int8)))
            length = edge[1::2] - edge[::2]
            longest = int(np.argmax(length))
            if int(length[longest]) * (i1 - i0) > size:
                size = int(length[longest]) * (i1 - i0)
                best = (i0, int(edge[2 * longest]), i1, int(edge[2 * longest + 1]))
    return best


def _boxes(spans: _Spans, number: Int[Array, " n"], shape: Int[Array, "2"]) -> Float[Array, "B 6"]:
    """Boxes that hold all spans: like neighbours joined, less and less alike until they are few enough.

    Spans under a surface are joined among themselves only: their boxes never reach above it.
    """
    tolerance = LEVEL
    while True:
        boxes = _joined(spans, number, shape, tolerance)
        if len(boxes) <= MAX_BOXES or tolerance > 4.0:
            return boxes
        tolerance *= 2.0


def _joined(
    spans: _Spans, number: Int[Array, " n"], shape: Int[Array, "2"], tolerance: float
) -> Float[Array, "B 6"]:
    at: dict[tuple[int, int], list[int]] = {}
    for n, (i, j) in enumerate(spans.cell.tolist()):
        at.setdefault((i, j), []).append(n)
    bottom, top, group = spans.own[:, 2].tolist(), spans.own[:, 5].tolist(), number.tolist()
    taken = [False] * len(bottom)

    def like(n: int, i: int, j: int) -> int:
        for other in at.get((i, j), ()):
            alike = (
                abs(bottom[other] - bottom[n]) <= tolerance
                and abs(top[other] - top[n]) <= tolerance
            )
            if not taken[other] and group[other] == group[n] and alike:
                return other
        return -1

    boxes = []
    for n, (i, j) in enumerate(spans.cell.tolist()):
        if taken[n]:
            continue
        members, j1 = [n], j + 1
        while j1 < shape[1] and (other := like(n, i, j1)) >= 0:
            members.append(other)
            j1 += 1
        i1 = i + 1
        while i1 < shape[0]:
            row = [like(n, i1, k) for k in range(j, j1)]
            if min(row) < 0:
                break
            members += row
            i1 += 1
        for member in members:
            taken[member] = True
        own = spans.own[members]
        boxes.append(np.concatenate([own[:, :3].min(axis=0), own[:, 3:].max(axis=0)]))
    return np.array(boxes)
