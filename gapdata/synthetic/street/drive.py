"""The camera's drive: forward along its lane at a car's height, with a slight wobble, and side cameras by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gapdata.geometry.camera import Camera, intrinsics_from_fov
from gapdata.geometry.transforms import look_at
from gapdata.scene import Frame
from gapdata.synthetic.street.plan import NO_JUNCTION, RIGHT, StreetPlan

EGO_HALF_WIDTH, EGO_HEIGHT, EGO_FRONT, EGO_REAR = 1.0, 2.0, 2.2, 2.8  # metres about the camera


@dataclass(frozen=True, kw_only=True, slots=True)
class DriveConfig:
    """How the camera drives. Lengths in metres, angles in degrees, times in seconds."""

    height: int = 480  # pixels
    width: int = 640
    fps: float = 5.0
    frames: tuple[int, int] = (20, 30)  # moments of a drive
    speed: tuple[float, float] = (4.0, 9.0)  # metres a second
    start: tuple[float, float] = (-38.0, -26.0)  # x
    eye_height: tuple[float, float] = (1.4, 1.65)
    fov: tuple[float, float] = (
        62.0,
        92.0,
    )  # from left to right, as front cameras of driving datasets have
    pitch: tuple[float, float] = (0.0, 4.0)  # downwards
    side_turn: tuple[float, float] = (50.0, 65.0)  # of side cameras against the front


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Course:
    """Where the camera's vehicle drives: from one x to another in a lane on the right."""

    lane: int
    y: float
    start: float
    end: float
    frames: tuple[Frame, ...]


def drive(
    rng: np.random.Generator,
    plan: StreetPlan,
    difficulty: float,
    config: DriveConfig = DriveConfig(),
) -> Course:
    """The course of one drive with its frames; before red lights it ends at the stop line."""
    lane = int(rng.integers(plan.lanes))
    count = int(rng.integers(*config.frames, endpoint=True))
    start, speed = float(rng.uniform(*config.start)), float(rng.uniform(*config.speed))
    end = start + speed * (count - 1) / config.fps
    if plan.junction != NO_JUNCTION and plan.signals == "red":
        end = min(end, plan.stop_x - EGO_FRONT - 0.3)
        start = min(start, end - 12.0)
    along = np.linspace(start, end, count)
    sway = gaussian_filter1d(rng.standard_normal((count, 4)), 3.0, axis=0, mode="nearest")
    y = plan.lane_y(RIGHT, lane) + 0.25 * sway[:, 0]
    z = float(rng.uniform(*config.eye_height)) + 0.02 * sway[:, 1]
    eyes = np.column_stack([along, y, z])
    heading = np.deg2rad(1.5) * sway[:, 2] + np.gradient(y) / max(1e-3, float(along[1] - along[0]))
    pitch = np.deg2rad(float(rng.uniform(*config.pitch)) + 0.6 * sway[:, 3])
    turns = [0.0]
    if rng.random() < 0.2 + 0.6 * difficulty:
        aside = float(np.deg2rad(rng.uniform(*config.side_turn)))
        turns += [aside, -aside]
    K = intrinsics_from_fov(
        float(np.deg2rad(rng.uniform(*config.fov))), config.height, config.width
    )
    frames = []
    for i in range(count):
        for number, turn in enumerate(turns):
            angle = heading[i] + turn
            ahead = np.array([np.cos(angle), np.sin(angle), -np.tan(pitch[i])])
            camera = Camera(
                K=K,
                cam2world=look_at(eyes[i], eyes[i] + ahead),
                height=config.height,
                width=config.width,
            )
            frames.append(Frame(id=f"{i:06d}_{number}", camera=camera, timestamp_s=i / config.fps))
    return Course(lane=lane, y=plan.lane_y(RIGHT, lane), start=start, end=end, frames=tuple(frames))
