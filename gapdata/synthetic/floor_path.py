"""A path over free floor that comes by everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from gapdata.errors import GapdataError
from gapdata.synthetic.freespace import CELL, FreeSpace

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PathConfig:
    """How the path runs. Lengths in metres."""

    min_frames: int = 24  # places on it
    max_frames: int = 40
    waypoints: int = 7
    roomy: float = 0.55  # clearance the walk prefers
    step: float = 0.35  # wanted length between frames


def walkable_cells(free: FreeSpace) -> Int[Array, "n 2"]:
    """(row, column) of the cells where one can stand. Raises GapdataError when there is none."""
    cells = np.argwhere(free.walkable())
    if len(cells) == 0:
        raise GapdataError("expected free floor to walk on, found none: the room is too small")
    return cells


def floor_path(
    rng: np.random.Generator,
    free: FreeSpace,
    config: PathConfig,
    rooms: Sequence[tuple[Array, Array]] = (),
) -> Float[Array, "n 2"]:
    """Evenly spaced floor points of a walk past far-apart places, never leaving the walkable floor.

    Each of the `rooms`, rectangles of (low, high), that can be reached is walked into. Raises GapdataError when
    there is no free floor.
    """
    walkable = free.walkable()
    cells = walkable_cells(free)
    centers = free.centers(cells)
    number = np.full(walkable.shape, -1)
    number[tuple(cells.T)] = np.arange(len(cells))
    clearance = free.distance()[walkable]
    graph = _grid_graph(number, 1.0 + 4.0 * np.maximum(0.0, config.roomy - clearance))
    roomy = clearance >= min(config.roomy, float(np.quantile(clearance, 0.6)))
    stops = [int(rng.integers(len(cells)))]
    stops[0] = int(np.argmax(np.where(roomy, dijkstra(graph, indices=stops[0]), -1.0)))
    reach = dijkstra(graph, indices=stops[0])
    for low, high in rooms:
        inside = ((centers >= low) & (centers <= high)).all(axis=1)
        if inside.any():
            stops.append(int(np.argmax(np.where(inside, clearance, -1.0))))
            reach = np.minimum(reach, dijkstra(graph, indices=stops[-1]))
    while len(stops) < config.waypoints:
        stops.append(int(np.argmax(np.where(roomy, reach, -1.0))))
        reach = np.minimum(reach, dijkstra(graph, indices=stops[-1]))
    distance, previous = dijkstra(graph, indices=stops, return_predecessors=True)
    tour = _short_tour(distance[:, stops])
    route: list[int] = [stops[tour[0]]]
    for here, there in pairwise(tour):
        leg, node = [], stops[there]
        while node != stops[here]:
            leg.append(node)
            node = int(previous[here, node])
        route += leg[::-1]
    points = centers[route]
    return _smooth(points, walkable, free, config)


def _grid_graph(number: Int[Array, "h w"], cost: Float[Array, " n"]) -> csr_matrix:
    """Neighbouring cells joined by their distance times their mean cost; `number` is -1 off the floor."""
    rows, columns, lengths = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        h, w = number.shape
        a = number[: h - dy, max(0, -dx) : w - max(0, dx)]
        b = number[dy:, max(0, dx) : w - max(0, -dx)]
        both = (a >= 0) & (b >= 0)
        rows += [a[both], b[both]]
        columns += [b[both], a[both]]
        length = CELL * np.hypot(dx, dy) * 0.5 * (cost[a[both]] + cost[b[both]])
        lengths += [length, length]
    size = int(number.max()) + 1
    return csr_matrix(
        (np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size)
    )  # fmt: skip


def _short_tour(distance: Float[Array, "n n"]) -> list[int]:
    """An open tour over all stops from stop 0: nearest neighbour, then 2-opt."""
    left, tour = set(range(1, len(distance))), [0]
    while left:
        nearest = min(sorted(left), key=lambda j: distance[tour[-1], j])
        tour.append(nearest)
        left.remove(nearest)

    def length(order: list[int]) -> float:
        return float(sum(distance[a, b] for a, b in pairwise(order)))

    improved = True
    while improved:
        improved = False
        for i in range(1, len(tour) - 1):
            for j in range(i + 1, len(tour)):
                other = tour[:i] + tour[i : j + 1][::-1] + tour[j + 1 :]
                if length(other) < length(tour) - 1e-9:
                    tour, improved = other, True
    return tour


def _smooth(
    points: Float[Array, "n 2"], walkable: Bool[Array, "h w"], free: FreeSpace, config: PathConfig
) -> Float[Array, "m 2"]:
    """The route rounded off where that keeps it on walkable floor, then cut into equal steps."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    total = float(steps.sum())
    count = int(np.clip(round(total / config.step), config.min_frames, config.max_frames))
    route = points
    for sigma in (12.0, 8.0, 5.0, 3.0, 1.5):
        rounded = gaussian_filter1d(points, sigma, axis=0, mode="nearest")
        cells = free.cell_of(rounded)
        if walkable[cells[:, 0], cells[:, 1]].all():
            route = rounded
            break
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(route, axis=0), axis=1).cumsum()])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, route[:, axis]) for axis in (0, 1)], axis=-1)
