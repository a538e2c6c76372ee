"""An empty room to put things in: a floor, plain walls, a ceiling, and lamps out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from gapdata.scene import Light
from gapdata.synthetic.description import Placed
from gapdata.synthetic.layout import Plan
from gapdata.synthetic.materials import sample_palette
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.shapes import rectangle
from gapdata.synthetic.shell import build_shell

Array = np.ndarray
P = TypeVar("P", bound=Placer)

SIDE = (4.0, 6.4)  # metres
HEIGHT = (2.5, 3.2)
KEY_COLOR = np.array([4.6, 4.35, 4.0])  # irradiance about 1 at 2 m
FILL_COLOR = np.array([1.3, 1.4, 1.55])
HUNG = 0.12  # metres below the ceiling
WARMTH = 0.12  # by which lamps differ in red and blue


def empty_studio(kind: type[P], rng: np.random.Generator, difficulty: float) -> P:
    """A placer of the given kind in a rectangular room without openings or furniture."""
    size = rng.uniform(*SIDE, 2)
    plan = Plan(
        name="studio", corners=rectangle(float(size[0]), float(size[1])), height=float(rng.uniform(*HEIGHT)),
        openings=(), palette=sample_palette(rng),
    )  # fmt: skip
    return kind(rng, plan, build_shell(rng, plan), difficulty=difficulty)


def studio_lights(placer: Placer) -> tuple[Light, ...]:
    """A key light above and to the side of the room's middle, and a weaker one opposite."""
    rng = placer.rng
    angle, high = float(rng.uniform(-np.pi, np.pi)), placer.plan.height - HUNG
    half = 0.5 * np.ptp(placer.plan.corners, axis=0)
    side = np.array([np.cos(angle), np.sin(angle)]) * half
    tint = 1.0 + WARMTH * float(rng.uniform(-1.0, 1.0)) * np.array([1.0, 0.0, -1.0])
    key = np.append(float(rng.uniform(0.1, 0.6)) * side, high)
    fill = np.append(-float(rng.uniform(0.4, 0.8)) * side, high)
    strength = (placer.plan.height / 2.4) ** 2
    return (
        Light(position=key, color=strength * tint * KEY_COLOR),
        Light(position=fill, color=strength * float(rng.uniform(0.6, 1.4)) * FILL_COLOR),
    )


def free_air(placer: Placer) -> tuple[Float[Array, "3"], Float[Array, "3"]]:
    """(low, high) corners of the room's inside."""
    corners = placer.plan.corners
    return np.append(corners.min(axis=0), 0.0), np.append(corners.max(axis=0), placer.plan.height)


def sphere_around(placed: Sequence[Placed]) -> tuple[Float[Array, "3"], float]:
    """Middle and radius of a sphere that holds all of some placed things."""
    corners = np.concatenate(
        [
            part.solid.vertices @ thing.rotation.T + thing.position
            for thing in placed
            for part in thing.model.parts
        ]
    )
    middle = 0.5 * (corners.min(axis=0) + corners.max(axis=0))
    return middle, float(np.linalg.norm(corners - middle, axis=1).max())
