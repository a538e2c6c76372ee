"""A walk through a room with a camera held at eye height, looking at what is there."""

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
from gapdata.geometry.camera import Camera, intrinsics_from_fov
from gapdata.geometry.transforms import look_at, rotation_about_z
from gapdata.scene import Frame
from gapdata.synthetic.freespace import CELL, FreeSpace

Array = np.ndarray

HEADINGS = 36  # viewing directions considered at each frame
SIGHT_STEPS = 48  # places looked at between the camera and a target, for walls


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkConfig:
    """How the camera walks. Lengths in metres, angles in radians, times in seconds."""

    height: int = 480  # pixels
    width: int = 640
    fps: float = 2.0
    min_frames: int = 24
    max_frames: int = 40
    waypoints: int = 7
    roomy: float = 0.55  # clearance the walk prefers
    step: float = 0.35  # wanted path length between frames
    eye_height: tuple[float, float] = (1.0, 1.75)  # of a child, of a tall adult
    fov: tuple[float, float] = (54.0, 84.0)  # degrees from left to right, of a phone's lenses
    pitch: tuple[float, float] = (6.0, 24.0)  # degrees downwards
    roll: float = 1.5  # degrees, standard deviation of how a hand tilts the camera sideways
    near: tuple[float, float] = (2.2, 5.0)  # distance from which things are looked at best
    max_turn: float = np.deg2rad(20.0)  # between neighbouring frames
    half_view: float = np.deg2rad(
        32.0
    )  # half the horizontal view within which things count as seen
    horizon: int = 8  # frames the choice of a heading looks ahead
    open_depth: tuple[float, float] = (2.8, 4.0)  # a view this deep or deeper is as good as any
    interest: float = 2.5  # how much looking at a thing satisfies: larger lingers longer


def walk(
    rng: np.random.Generator, free: FreeSpace, targets: Float[Array, "n 3"], radii: Float[Array, " n"],
    config: WalkConfig = WalkConfig(), *, walls: FreeSpace | None = None,
    rooms: Sequence[tuple[Array, Array]] = (),
) -> tuple[Frame, ...]:  # fmt: skip
    """Frames of a smooth walk on the free floor that looks at `targets` (points with radii) from varied places.

    `walls`, where there are some inside, are what hides targets; each of the `rooms`, rectangles of (low, high),
    that can be reached is walked into.

    Raises GapdataError when there is no free floor.
    """
    path = _floor_path(rng, free, config, rooms)
    near, deep = float(rng.uniform(*config.near)), float(rng.uniform(*config.open_depth))
    hidden = np.zeros((len(path), len(targets)), bool)
    if walls is not None:
        hidden = _behind_walls(walls, path, targets)
    headings = _headings(free, path, targets, radii * ~hidden, near, deep, config)
    count = len(path)
    sway = gaussian_filter1d(rng.standard_normal((count, 2)), 4.0, axis=0, mode="nearest")
    eye_height = rng.uniform(*config.eye_height) + 0.08 * sway[:, 0]
    pitch = np.deg2rad(np.clip(rng.uniform(*config.pitch) + 5.0 * sway[:, 1], 2.0, 30.0))
    fov = float(np.deg2rad(rng.uniform(*config.fov)))
    roll = np.deg2rad(np.clip(config.roll * rng.standard_normal() + 2.0 * sway[:, 0], -6.0, 6.0))
    K = intrinsics_from_fov(fov, config.height, config.width)
    eyes = np.column_stack([path, np.clip(eye_height, *config.eye_height)])
    forward = np.stack([np.cos(headings), np.sin(headings), -np.tan(pitch)], axis=-1)
    return tuple(
        Frame(
            id=f"{i:06d}",
            camera=Camera(
                K=K, cam2world=_held(eyes[i], forward[i], roll[i]), height=config.height, width=config.width
            ),
            timestamp_s=i / config.fps,
        )
        for i in range(count)
    )  # fmt: skip


def _held(eye: Float[Array, "3"], forward: Float[Array, "3"], roll: float) -> Float[Array, "4 4"]:
    """Pose of a camera that looks forward, turned about that direction by `roll` radians."""
    pose = look_at(eye, eye + forward)
    pose[:3, :3] = pose[:3, :3] @ rotation_about_z(roll)
    return pose


def _floor_path(
    rng: np.random.Generator,
    free: FreeSpace,
    config: WalkConfig,
    rooms: Sequence[tuple[Array, Array]],
) -> Float[Array, "n 2"]:
    """Evenly spaced floor points of a walk past far-apart places, never leaving the walkable floor."""
    walkable = free.walkable()
    cells = np.argwhere(walkable)
    if len(cells) == 0:
        raise GapdataError("expected free floor to walk on, found none: the room is too small")
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
    points: Float[Array, "n 2"], walkable: Bool[Array, "h w"], free: FreeSpace, config: WalkConfig
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


def _headings(
    free: FreeSpace, path: Float[Array, "n 2"], targets: Float[Array, "m 3"],
    radii: Float[Array, "n m"], near: float, deep: float, config: WalkConfig,
) -> Float[Array, " n"]:  # fmt: skip
    """Viewing directions (radians from world x) that turn smoothly towards what was seen too little so far."""
    angles = 2.0 * np.pi * np.arange(HEADINGS) / HEADINGS
    offset = targets[None, :, :2] - path[:, None]
    distance = np.linalg.norm(offset, axis=-1)
    bearing = np.arctan2(offset[..., 1], offset[..., 0])
    away = np.abs((bearing[:, None, :] - angles[None, :, None] + np.pi) % (2 * np.pi) - np.pi)
    centred = np.clip(1.25 - away / config.half_view, 0.0, 1.0)
    comfort = np.exp(-(((distance - near) / (0.625 * near)) ** 2)) * np.minimum(1.0, 6.0 * radii)
    value = centred * comfort[:, None, :]
    base = 2.5 * np.minimum(_open_depth(free, path, angles) / deep, 1.0)
    seen = np.zeros(len(targets))
    choice = np.zeros(len(path), np.int64)
    for i in range(len(path)):
        ahead = slice(i, i + config.horizon)
        score = base[ahead] + value[ahead] @ np.exp(-seen / config.interest)
        if i > 0:
            turn = np.abs((angles - angles[choice[i - 1]] + np.pi) % (2 * np.pi) - np.pi)
            score[0] -= np.where(turn <= config.max_turn, 0.1 * turn, np.inf)
        choice[i] = _best_sequence(score, config)[0]
        seen += value[i, choice[i]]
    return np.asarray(gaussian_filter1d(np.unwrap(angles[choice]), 1.2, mode="nearest"))


def _behind_walls(
    walls: FreeSpace, path: Float[Array, "n 2"], targets: Float[Array, "m 3"]
) -> Bool[Array, "n m"]:
    """Whether a wall stands between each place of the path and each target, seen from above."""
    share = np.linspace(0.0, 1.0, SIGHT_STEPS)[:-2, None, None, None]
    points = path[:, None] * (1.0 - share) + targets[None, :, :2] * share
    cells = np.clip(walls.cell_of(points), 0, np.array(walls.tall.shape) - 1)
    return np.asarray(walls.tall[cells[..., 0], cells[..., 1]].any(axis=0))


def _open_depth(
    free: FreeSpace, path: Float[Array, "n 2"], angles: Float[Array, " a"]
) -> Float[Array, "n a"]:
    """Metres one can look level before a wall or something tall, at most 4."""
    reach = np.arange(0.1, 4.0, 0.1)
    direction = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    points = path[:, None, None] + reach[None, None, :, None] * direction[None, :, None]
    cells = free.cell_of(points)
    rows, columns = free.tall.shape
    inside = (cells >= 0).all(axis=-1) & (cells[..., 0] < rows) & (cells[..., 1] < columns)
    row, column = np.clip(cells[..., 0], 0, rows - 1), np.clip(cells[..., 1], 0, columns - 1)
    stopped = free.tall[row, column] | ~inside
    first = np.where(stopped.any(axis=-1), stopped.argmax(axis=-1), len(reach) - 1)
    return np.asarray(reach[first])


def _best_sequence(score: Float[Array, "n a"], config: WalkConfig) -> Int[Array, " n"]:
    """Headings of the highest total score with bounded, preferably small turns (dynamic programming)."""
    step = 2.0 * np.pi / HEADINGS
    widest = int(config.max_turn / step)
    shifts = np.arange(-widest, widest + 1)
    cost = 0.12 * np.abs(shifts) / max(1, widest)
    total = score[0].copy()
    back = np.zeros(score.shape, np.int64)
    columns = np.arange(HEADINGS)
    for i in range(1, len(score)):
        options = np.stack([np.roll(total, s) - c for s, c in zip(shifts, cost, strict=True)])
        best = options.argmax(axis=0)
        back[i] = (columns - shifts[best]) % HEADINGS
        total = options[best, columns] + score[i]
    choice = np.zeros(len(score), np.int64)
    choice[-1] = int(total.argmax())
    for i in range(len(score) - 1, 0, -1):
        choice[i - 1] = back[i, choice[i]]
    return choice
