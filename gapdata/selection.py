"""View selection: which frames of a scene are seen together in a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from gapdata.errors import ConfigError, SourceError
from gapdata.geometry.camera import Camera, unproject_depth
from gapdata.geometry.depth import DepthTolerance
from gapdata.geometry.transforms import rotation_angle, transform_points
from gapdata.scene import Frame, Scene

Array = np.ndarray

BLURRED, POSE_JUMP = "blurred", "pose jump"
NO_COVISIBLE_SET, REPEATED_SET = "no covisible set", "repeated set"
SHARPNESS_WIDTH = 320  # pixels to which images are reduced before their sharpness is measured

TOLERANCE = DepthTolerance(
    a=0.05, b=0.02
)  # wider than a sensor's: coarse pixels of slanted floors are deep


@runtime_checkable
class CoarseDepth(Protocol):
    """The part of a renderer that selection needs."""

    def coarse_depth(self, frame: Frame) -> tuple[Float32[np.ndarray, "h w"], Camera]:
        """A cheap small depth map of the frame and its camera."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectionConfig:
    """How views are chosen; every threshold that decides it.

    strategy: "clip" (evenly spaced in time) or "covisible" (overlap in a stated range).
    views: frames a sample. samples_per_scene: samples wanted.
    min_overlap, max_overlap: range of a view's largest overlap with the views of its set; see `overlaps`.
    max_candidates: frames that are looked at (decoded or cast), evenly spaced over the sequence; more when
    the samples need more.
    max_tries: sets that are begun for each sample wanted before one is given up.
    min_sharpness: variance of the Laplacian, relative to the candidates' median, under which a recorded
    frame is blurred.
    jump_ratio, jump_m, jump_deg: a step between recorded neighbours is a pose jump when it exceeds
    `jump_ratio` times the sequence's median step and also `jump_m` metres or `jump_deg` degrees.
    tolerance: when two coarse depths agree.
    """

    strategy: str = "covisible"
    views: int = 4
    samples_per_scene: int = 1
    min_overlap: float = 0.2
    max_overlap: float = 0.8
    max_candidates: int = 48
    max_tries: int = 16
    min_sharpness: float = 0.2
    jump_ratio: float = 8.0
    jump_m: float = 0.5
    jump_deg: float = 45.0
    tolerance: DepthTolerance = TOLERANCE

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ConfigError(
                f"strategy: expected one of {', '.join(STRATEGIES)}, found {self.strategy!r}"
            )
        for name in ("views", "samples_per_scene", "max_candidates", "max_tries"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: expected at least 1, found {getattr(self, name)}")
        if not 0 <= self.min_overlap < self.max_overlap <= 1:
            raise ConfigError(
                "overlap: expected 0 <= min_overlap < max_overlap <= 1, "
                f"found {self.min_overlap} and {self.max_overlap}"
            )


def select_views(
    scene: Scene, renderer: CoarseDepth, config: SelectionConfig, rng: np.random.Generator
) -> tuple[list[tuple[Frame, ...]], Counter[str]]:
    """The frames of each sample in time order, and how many frames or sets were dropped, by reason.

    May give fewer samples than wanted, and says why in the drops. Raises SourceError when the scene has
    fewer usable frames than one sample needs.
    """
    drops: Counter[str] = Counter()
    steady = _without_pose_jumps(scene.frames, config, drops)
    wanted = max(config.max_candidates, 2 * config.views * config.samples_per_scene)
    candidates = _without_blurred(_spread(steady, wanted, rng), config, drops)
    if len(candidates) < config.views:
        left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(drops.items()))
        raise SourceError(
            scene.source,
            scene.id,
            "",
            f"expected at least {config.views} usable frames for a sample, found {len(candidates)} "
            f"of {len(scene.frames)}" + (f" (dropped: {left_out})" if left_out else ""),
            "ask for fewer views",
        )
    samples = STRATEGIES[config.strategy](candidates, renderer, config, rng, drops)
    return [tuple(candidates[i] for i in chosen) for chosen in samples], drops


def overlaps(
    depths: Sequence[tuple[Float32[Array, "_ _"], Camera]], tolerance: DepthTolerance
) -> Float[Array, "n n"]:
    """Overlap of every pair of views in [0, 1]; symmetric, 1 with itself, 0 for views without depth.

    The overlap of a with b is the share of a's pixels with depth (every third row and column) that project
    into b onto a pixel whose depth agrees within the tolerance; the smaller of both directions counts.
    """
    if not depths:
        return np.zeros((0, 0))
    views = _StackedDepths(depths)
    share = np.zeros((len(depths), len(depths)))
    for number, (depth, camera) in enumerate(depths):
        sparse = np.zeros_like(depth)
        sparse[1::3, 1::3] = depth[1::3, 1::3]
        points_cam = unproject_depth(sparse, camera.K)[sparse > 0].astype(np.float64)
        if len(points_cam):
            points_world = transform_points(camera.cam2world, points_cam)
            share[number] = views.agree(points_world, tolerance).mean(axis=1)
    overlap = np.minimum(share, share.T)
    np.fill_diagonal(overlap, 1.0)
    return overlap


class _StackedDepths:
    """Depth maps of several sizes in one array, so that points are looked up in all of them at once."""

    def __init__(self, depths: Sequence[tuple[Float32[Array, "_ _"], Camera]]) -> None:
        cameras = [camera for _, camera in depths]
        self._world2cam = np.stack([camera.world2cam for camera in cameras])
        self._K = np.stack([camera.K for camera in cameras])[:, None]
        self._size = np.array([(camera.width, camera.height) for camera in cameras])[:, None]
        sizes = np.array([depth.size for depth, _ in depths])
        self._start = np.concatenate([[0], np.cumsum(sizes)[:-1]])[:, None]
        self._depth = np.concatenate([depth.reshape(-1) for depth, _ in depths])

    def agree(
        self, points_world: Float[Array, "n 3"], tolerance: DepthTolerance
    ) -> Bool[Array, "v n"]:
        """Whether each view's depth at each point's nearest pixel is the point's z-depth."""
        rotation, shift = self._world2cam[:, :3, :3], self._world2cam[:, None, :3, 3]
        points_cam = points_world @ np.swapaxes(rotation, 1, 2) + shift
        z = points_cam[..., 2]
        ahead = z > 0
        scale = 1.0 / np.where(ahead, z, 1.0)
        column = np.floor(
            points_cam[..., 0] * scale * self._K[..., 0, 0] + self._K[..., 0, 2] + 0.5
        )
        row = np.floor(points_cam[..., 1] * scale * self._K[..., 1, 1] + self._K[..., 1, 2] + 0.5)
        width, height = self._size[..., 0], self._size[..., 1]
        inside = ahead & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        pixel = np.where(inside, row * width + column, 0).astype(np.int64)
        measured = self._depth[pixel + self._start]
        return np.asarray(inside & (measured > 0) & (np.abs(measured - z) <= tolerance.at(z)))


def _clips(
    frames: Sequence[Frame],
    renderer: CoarseDepth,
    config: SelectionConfig,
    rng: np.random.Generator,
    drops: Counter[str],
) -> list[tuple[int, ...]]:
    """One clip from each of `samples_per_scene` equal windows of the sequence, frames evenly spaced in time.

    A window holds at least as many frames as a clip needs; windows of a short sequence share frames, and
    clips that come out equal are dropped.
    """
    times = np.array([frame.timestamp_s for frame in frames])
    if (np.diff(times) <= 0).any():
        times = np.arange(len(frames), dtype=np.float64)
    size = max(config.views, len(frames) // config.samples_per_scene)
    starts = np.linspace(0, len(frames) - size, config.samples_per_scene).round().astype(int)
    clips: list[tuple[int, ...]] = []
    for start in starts.tolist():
        window = times[start : start + size]
        phase = (np.arange(config.views) + rng.random()) / config.views
        clip = start + _nearest_increasing(window, window[0] + phase * (window[-1] - window[0]))
        chosen = tuple(clip.tolist())
        if chosen in clips:
            drops[REPEATED_SET] += 1
        else:
            clips.append(chosen)
    return clips


def _nearest_increasing(
    times: Float[Array, " n"], targets: Float[Array, " m"]
) -> Int64[Array, " m"]:
    """Strictly increasing indices of the times near increasing targets; needs m <= n."""
    right = np.clip(np.searchsorted(times, targets), 1, max(1, len(times) - 1))
    nearer_left = targets - times[right - 1] <= times[np.minimum(right, len(times) - 1)] - targets
    index = np.where(nearer_left, right - 1, right)
    steps = np.arange(len(targets))
    # Pushing equal indices apart to the right, then keeping the last ones inside.
    apart = np.maximum.accumulate(index - steps) + steps
    return np.minimum(apart, len(times) - len(targets) + steps).astype(np.int64)


def _covisible_sets(
    frames: Sequence[Frame],
    renderer: CoarseDepth,
    config: SelectionConfig,
    rng: np.random.Generator,
    drops: Counter[str],
) -> list[tuple[int, ...]]:
    """Sets grown at random: the largest overlap of each new view with those before lies in the range.

    So every view is linked to another by at least min_overlap, and no two overlap by more than max_overlap.
    """
    overlap = overlaps([renderer.coarse_depth(frame) for frame in frames], config.tolerance)
    sets: list[tuple[int, ...]] = []
    for _ in range(config.samples_per_scene):
        for _ in range(config.max_tries):
            grown = _grow(overlap, config, rng)
            if grown is not None and grown not in sets:
                sets.append(grown)
                break
        else:
            drops[NO_COVISIBLE_SET] += 1
    return sets


def _grow(
    overlap: Float[Array, "n n"], config: SelectionConfig, rng: np.random.Generator
) -> tuple[int, ...] | None:
    """A random set in time order, or None when the first view that was drawn leads nowhere."""
    chosen = [int(rng.integers(len(overlap)))]
    while len(chosen) < config.views:
        largest = overlap[chosen].max(axis=0)
        fitting = (largest >= config.min_overlap) & (largest <= config.max_overlap)
        fitting[chosen] = False
        if not fitting.any():
            return None
        chosen.append(int(rng.choice(np.flatnonzero(fitting))))
    return tuple(sorted(chosen))


Strategy = Callable[
    [Sequence[Frame], CoarseDepth, SelectionConfig, np.random.Generator, Counter[str]],
    list[tuple[int, ...]],
]
STRATEGIES: dict[str, Strategy] = {"clip": _clips, "covisible": _covisible_sets}


def _spread(frames: Sequence[Frame], wanted: int, rng: np.random.Generator) -> Sequence[Frame]:
    """At most `wanted` frames, evenly spaced from a random phase."""
    if len(frames) <= wanted:
        return frames
    index = ((np.arange(wanted) + rng.random()) * len(frames) / wanted).astype(int)
    return [frames[i] for i in index.tolist()]


def _without_pose_jumps(
    frames: Sequence[Frame], config: SelectionConfig, drops: Counter[str]
) -> Sequence[Frame]:
    """The frames without those at which the recorded pose jumps. Planned cameras may cut as they like.

    A frame jumps when it is far both from its predecessor and from the last frame that was kept: so a
    single stray pose drops one frame, and a lasting shift drops the frame where it happens.
    """
    if len(frames) < 3 or any(frame.recording is None for frame in frames):
        return frames
    poses = np.stack([frame.camera.cam2world for frame in frames])
    metres, degrees = _steps(poses[:-1], poses[1:])
    limit_m = max(config.jump_m, config.jump_ratio * float(np.median(metres)))
    limit_deg = max(config.jump_deg, config.jump_ratio * float(np.median(degrees)))
    far = (metres > limit_m) | (degrees > limit_deg)
    kept = [0]
    for number in range(1, len(frames)):
        if far[number - 1]:
            back_m, back_deg = _steps(poses[kept[-1:]], poses[[number]])
            if back_m[0] > limit_m or back_deg[0] > limit_deg:
                drops[POSE_JUMP] += 1
                continue
        kept.append(number)
    return [frames[number] for number in kept]


def _steps(
    a: Float[Array, "n 4 4"], b: Float[Array, "n 4 4"]
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Distance in metres and angle in degrees between poses."""
    metres = np.linalg.norm(b[:, :3, 3] - a[:, :3, 3], axis=1)
    between = np.swapaxes(a[:, :3, :3], 1, 2) @ b[:, :3, :3]
    return metres, np.rad2deg(rotation_angle(between))


def _without_blurred(
    frames: Sequence[Frame], config: SelectionConfig, drops: Counter[str]
) -> Sequence[Frame]:
    """The frames without recorded ones that are much less sharp than the median."""
    sharpness = np.array([_sharpness(frame) for frame in frames])
    known = ~np.isnan(sharpness)
    if not known.any():
        return frames
    blurred = known & (sharpness < config.min_sharpness * np.median(sharpness[known]))
    if blurred.any():
        drops[BLURRED] += int(blurred.sum())
    return [frame for frame, bad in zip(frames, blurred, strict=True) if not bad]


def _sharpness(frame: Frame) -> float:
    """Variance of the Laplacian of the recorded grey image (Pech-Pacheco et al., ICPR 2000); NaN if planned."""
    if frame.recording is None:
        return float("nan")
    grey = cv2.cvtColor(frame.recording.read_rgb(), cv2.COLOR_RGB2GRAY)
    if grey.shape[1] > SHARPNESS_WIDTH:
        height = max(1, round(grey.shape[0] * SHARPNESS_WIDTH / grey.shape[1]))
        grey = cv2.resize(grey, (SHARPNESS_WIDTH, height), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
