"""Cameras in rooms: held at eye height on a walk, swept over everything as in a scan, or anywhere at random.

All of them keep to the floor where a person could stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter1d

from gapdata.geometry.camera import Camera, intrinsics_from_fov
from gapdata.geometry.transforms import look_at, rotation_about_z
from gapdata.scene import Frame
from gapdata.synthetic.floor_path import PathConfig, floor_path, walkable_cells
from gapdata.synthetic.freespace import FreeSpace

Array = np.ndarray

HEADINGS = 36  # viewing directions considered at each frame
SIGHT_STEPS = 48  # places looked at between the camera and a target, for walls
SCAN_PACE = 2  # frames of a scan for one of a walk, as much nearer each other
SWING, NOD = np.deg2rad(40.0), np.deg2rad(22.0)  # of a scan, to either side
SWING_PERIOD, NOD_PERIOD = 17.0, 11.0  # frames
LOW_EYE = 0.5  # metres, of random views
LOOKS_UP = np.deg2rad(-12.0)  # pitch of random views at least
OPEN_VIEW = 1.2  # metres one can look level in random views, where possible


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkConfig:
    """How the camera moves. Lengths in metres, angles in radians, times in seconds."""

    path: PathConfig = field(default_factory=PathConfig)
    height: int = 480  # pixels
    width: int = 640
    fps: float = 2.0
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sights:
    """What there is to look at: points with radii, and `walls`, where there are some inside, which hide them."""

    targets: Float[Array, "n 3"]
    radii: Float[Array, " n"]
    walls: FreeSpace | None = None
    rooms: Sequence[tuple[Array, Array]] = ()  # rectangles of (low, high) to walk into


def walk(
    rng: np.random.Generator, free: FreeSpace, sights: Sights, config: WalkConfig = WalkConfig()
) -> tuple[Frame, ...]:
    """Frames of a smooth walk on the free floor that looks at everything from varied places.

    Raises GapdataError when there is no free floor.
    """
    path = floor_path(rng, free, config.path, sights.rooms)
    headings = _headings(rng, free, path, sights, config)
    sway = _sway(rng, len(path))
    eye_height = rng.uniform(*config.eye_height) + 0.08 * sway[:, 0]
    pitch = np.deg2rad(np.clip(rng.uniform(*config.pitch) + 5.0 * sway[:, 1], 2.0, 30.0))
    eyes = np.column_stack([path, np.clip(eye_height, *config.eye_height)])
    return _frames(rng, eyes, headings, pitch, 2.0 * sway[:, 0], config)


def scan(
    rng: np.random.Generator, free: FreeSpace, sights: Sights, config: WalkConfig = WalkConfig()
) -> tuple[Frame, ...]:
    """Frames of a slower walk on which the camera is swept from side to side and up and down, as who scans a room does.

    Raises GapdataError when there is no free floor.
    """
    slower = replace(
        config.path, min_frames=SCAN_PACE * config.path.min_frames,
        max_frames=SCAN_PACE * config.path.max_frames, step=config.path.step / SCAN_PACE,
    )  # fmt: skip
    config = replace(config, path=slower, fps=SCAN_PACE * config.fps)
    path = floor_path(rng, free, config.path, sights.rooms)
    headings = _headings(rng, free, path, sights, config)
    sway, frame = _sway(rng, len(path)), np.arange(len(path))
    first, second = rng.uniform(0.0, 2.0 * np.pi, 2)
    headings += SWING * np.sin(2.0 * np.pi * frame / SWING_PERIOD + first)
    pitch = np.deg2rad(rng.uniform(*config.pitch))
    pitch = pitch + NOD * np.sin(2.0 * np.pi * frame / NOD_PERIOD + second)
    eye_height = np.clip(rng.uniform(*config.eye_height) + 0.12 * sway[:, 1], *config.eye_height)
    return _frames(
        rng, np.column_stack([path, eye_height]), headings, pitch, 2.0 * sway[:, 0], config
    )


def random_views(
    rng: np.random.Generator, free: FreeSpace, sights: Sights, config: WalkConfig = WalkConfig()
) -> tuple[Frame, ...]:
    """Frames anywhere on the free floor, at any height and in any direction that is not blocked at once.

    Raises GapdataError when there is no free floor.
    """
    cells = walkable_cells(free)
    count = int(rng.integers(config.path.min_frames, config.path.max_frames + 1))
    spots = free.centers(cells[rng.integers(len(cells), size=count)])
    angles = 2.0 * np.pi * (np.arange(HEADINGS) + rng.uniform(0.0, 1.0, (count, 1))) / HEADINGS
    depth = _open_depth(free, spots, angles)
    is_open = depth >= np.minimum(OPEN_VIEW, depth.max(axis=1, keepdims=True))
    chosen = np.where(is_open, rng.uniform(0.0, 1.0, depth.shape), -1.0).argmax(axis=1)
    headings = np.take_along_axis(angles, chosen[:, None], axis=1)[:, 0]
    eye_height = rng.uniform(LOW_EYE, config.eye_height[1], count)
    pitch = rng.uniform(LOOKS_UP, np.deg2rad(2.0 * config.pitch[1]), count)
    tilt = 2.0 * rng.standard_normal(count)
    return _frames(rng, np.column_stack([spots, eye_height]), headings, pitch, tilt, config)


Trajectory = Callable[[np.random.Generator, FreeSpace, Sights, WalkConfig], tuple[Frame, ...]]
TRAJECTORIES: dict[str, Trajectory] = {"walk": walk, "scan": scan, "random": random_views}


def _sway(rng: np.random.Generator, count: int) -> Float[Array, "n 2"]:
    """How a hand moves, in standard deviations or less."""
    noise = rng.standard_normal((count, 2))
    return np.asarray(gaussian_filter1d(noise, 4.0, axis=0, mode="nearest"))


def _frames(
    rng: np.random.Generator, eyes: Float[Array, "n 3"], headings: Float[Array, " n"],
    pitch: Float[Array, " n"], tilt: Float[Array, " n"], config: WalkConfig,
) -> tuple[Frame, ...]:  # fmt: skip
    """Frames that look along headings, `pitch` below the horizon; `tilt` is the roll about the hand's own, degrees."""
    fov = float(np.deg2rad(rng.uniform(*config.fov)))
    roll = np.deg2rad(np.clip(config.roll * rng.standard_normal() + tilt, -6.0, 6.0))
    K = intrinsics_from_fov(fov, config.height, config.width)
    forward = np.stack([np.cos(headings), np.sin(headings), -np.tan(pitch)], axis=-1)
    return tuple(
        Frame(
            id=f"{i:06d}",
            camera=Camera(
                K=K, cam2world=_held(eyes[i], forward[i], roll[i]), height=config.height, width=config.width
            ),
            timestamp_s=i / config.fps,
        )
        for i in range(len(eyes))
    )  # fmt: skip


def _held(eye: Float[Array, "3"], forward: Float[Array, "3"], roll: float) -> Float[Array, "4 4"]:
    """Pose of a camera that looks forward, turned about that direction by `roll` radians."""
    pose = look_at(eye, eye + forward)
    pose[:3, :3] = pose[:3, :3] @ rotation_about_z(roll)
    return pose


def _headings(
    rng: np.random.Generator,
    free: FreeSpace,
    path: Float[Array, "n 2"],
    sights: Sights,
    config: WalkConfig,
) -> Float[Array, " n"]:
    """Viewing directions (radians from world x) that turn smoothly towards what was seen too little so far."""
    near, deep = float(rng.uniform(*config.near)), float(rng.uniform(*config.open_depth))
    targets, radii = sights.targets, sights.radii
    if sights.walls is not None:
        radii = radii * ~_behind_walls(sights.walls, path, targets)
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
    free: FreeSpace, path: Float[Array, "n 2"], angles: Float[Array, "*n a"]
) -> Float[Array, "m a"]:
    """Metres one can look level, along angles of all or of each place, before a wall or something tall, at most 4."""
    reach = np.arange(0.1, 4.0, 0.1)
    direction = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    points = path[:, None, None] + reach[:, None] * direction[..., None, :]
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
