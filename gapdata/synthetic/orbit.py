"""Views around a place: the camera circles it at changing height and distance, or is anywhere, and looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from gapdata.errors import GapdataError
from gapdata.geometry.camera import Camera, intrinsics_from_fov
from gapdata.geometry.transforms import look_at
from gapdata.scene import Frame

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class OrbitConfig:
    """How the camera circles. Lengths in metres, angles in radians, times in seconds."""

    height: int = 480  # pixels
    width: int = 640
    fps: float = 2.0
    frames: tuple[int, int] = (20, 28)
    sweep: tuple[float, float] = (0.55, 1.0)  # of a full turn
    elevation: tuple[float, float] = (np.deg2rad(18.0), np.deg2rad(58.0))
    reach: tuple[float, float] = (0.8, 1.4)  # of the distance from which all of the place is seen
    fov: tuple[float, float] = (np.deg2rad(48.0), np.deg2rad(72.0))  # from left to right
    wander: float = 0.25  # of the place's radius, by which the camera looks past its middle
    roll: float = np.deg2rad(3.0)  # largest tilt of the horizon
    margin: float = 0.25  # kept from walls, floor and ceiling
    clearance: float = 0.12  # kept from everything else
    sway: float = 3.0  # frames over which height and distance change
    is_steady: bool = True  # False: every frame is from another side, at random


ORBITS = ("orbit", "random")  # trajectories of a world whose camera orbits: steady or not


def orbit(
    rng: np.random.Generator, middle: Float[Array, "3"], radius: float,
    within: tuple[Float[Array, "3"], Float[Array, "3"]],
    is_clear: Callable[[Float[Array, "3"], float], bool], config: OrbitConfig = OrbitConfig(),
) -> tuple[Frame, ...]:  # fmt: skip
    """Frames around a sphere that holds what is to be seen, from `within` (low, high) corners of free air.

    Places that are not clear are left out. Raises ValueError when none is clear.
    """
    count = int(rng.integers(config.frames[0], config.frames[1] + 1))
    fov = float(rng.uniform(*config.fov))
    K = intrinsics_from_fov(fov, config.height, config.width)
    upright = 2.0 * np.arctan(np.tan(0.5 * fov) * config.height / config.width)
    whole = radius / np.sin(0.5 * upright)
    turn = float(rng.uniform(*config.sweep)) * (1.0 if rng.random() < 0.5 else -1.0)
    azimuth = float(rng.uniform(-np.pi, np.pi)) + 2.0 * np.pi * turn * np.arange(count) / count
    sway = config.sway
    if not config.is_steady:
        azimuth, sway = rng.uniform(-np.pi, np.pi, count), 0.0
    lift = _between(rng, config.elevation, count, sway)
    distance = whole * _between(rng, config.reach, count, sway)
    level = distance * np.cos(lift)
    offset = np.stack(
        [level * np.cos(azimuth), level * np.sin(azimuth), distance * np.sin(lift)], axis=-1
    )
    eyes = np.clip(middle + offset, within[0] + config.margin, within[1] - config.margin)
    aim = middle + config.wander * radius * _steady(rng, (count, 3), sway).clip(-1.0, 1.0)
    roll = config.roll * _steady(rng, (count, 1), sway)[:, 0].clip(-1.0, 1.0)
    frames = [
        Frame(
            id=f"{i:06d}",
            camera=Camera(
                K=K, cam2world=_rolled(look_at(eyes[i], aim[i]), float(roll[i])), height=config.height,
                width=config.width,
            ),
            timestamp_s=i / config.fps,
        )
        for i in range(count)
        if is_clear(eyes[i], config.clearance)
    ]  # fmt: skip
    if not frames:
        raise GapdataError("expected a free place for the camera, found none")
    return tuple(frames)


def _steady(rng: np.random.Generator, shape: tuple[int, int], sway: float) -> Float[Array, "n k"]:
    """Noise of unit variance that changes slowly along the first axis, or with no `sway` at once."""
    if sway == 0.0:
        return rng.standard_normal(shape)
    noise = gaussian_filter1d(rng.standard_normal(shape), sway, axis=0, mode="nearest")
    return np.asarray(noise * np.sqrt(2.0 * np.sqrt(np.pi) * sway))


def _between(
    rng: np.random.Generator, limits: tuple[float, float], count: int, sway: float
) -> Float[Array, " n"]:
    """Slowly changing values about a random middle, never beyond the limits; with no `sway` any between them."""
    low, high = limits
    if sway == 0.0:
        return rng.uniform(low, high, count)
    middle = float(rng.uniform(low, high))
    return np.clip(middle + 0.25 * (high - low) * _steady(rng, (count, 1), sway)[:, 0], low, high)


def _rolled(cam2world: Float[Array, "4 4"], angle: float) -> Float[Array, "4 4"]:
    c, s = np.cos(angle), np.sin(angle)
    turned = cam2world.copy()
    turned[:3, 0] = c * cam2world[:3, 0] + s * cam2world[:3, 1]
    turned[:3, 1] = c * cam2world[:3, 1] - s * cam2world[:3, 0]
    return turned
