"""Lamps for tables, floors and ceilings."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import (
    bar,
    cylinder,
    lathe,
)

SHADE = Finish(rgb=(244, 234, 210), material="fabric", texture="fabric")
WHITE = Finish(rgb=(255, 255, 255), material="paper")
GLOW = 3.0  # of the glass of lamps that are on
SOIL = Finish(rgb=(70, 50, 38), material="soil")


def _shade(low_r: float, high_r: float, low: float, high: float) -> Part:
    profile = [(low_r - 0.004, low), (low_r, low), (high_r, high), (high_r - 0.004, high)]
    return Part(solid=lathe(profile, segments=28), finish=SHADE)


def table_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A lamp with a turned or ceramic base and a cloth shade."""
    base = accent(rng) if rng.random() < 0.6 else palette.metal
    height, r = rng.uniform(0.26, 0.68), rng.uniform(0.04, 0.09)
    middle = 0.5 * height
    if rng.random() < 0.5:
        profile = [
            (0.8 * r, 0),
            (1.1 * r, 0.3 * middle),
            (0.9 * r, 0.65 * middle),
            (0.3 * r, 0.9 * middle),
            (0.01, 0.93 * middle),
        ]
    else:
        profile = [
            (1.2 * r, 0),
            (1.2 * r, 0.015),
            (0.25 * r, 0.03),
            (0.2 * r, 0.9 * middle),
            (0.01, 0.93 * middle),
        ]
    parts = (
        *parts_of(
            base,
            lathe(profile, segments=20),
            cylinder(0.008, 0.2 * height, (0, 0, 0.9 * middle), 10),
        ),
    )
    return Model(
        label="lamp", parts=(*parts, _shade(1.9 * r, 1.4 * r, 0.52 * height, height)), finish=base
    )


def desk_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A reading lamp with a bent arm."""
    paint = accent(rng, "metal") if rng.random() < 0.5 else palette.metal
    tall = rng.uniform(0.7, 1.25)
    joint, head = (0.0, 0.1, 0.32 * tall), (0.0, -0.12, 0.46 * tall)
    parts = parts_of(
        paint,
        cylinder(0.08, 0.02, segments=24),
        bar((0, 0.06, 0.018), joint, 0.008, 8),
        bar(joint, head, 0.008, 8),
    )
    shade = (
        lathe([(0.07, 0), (0.035, 0.09), (0.015, 0.11)], segments=20)
        .tilted(0, 0.35)
        .moved((0, -0.13, 0.46 * tall - 0.07))
    )
    return Model(label="lamp", parts=parts + parts_of(paint, shade), finish=paint)


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Model:
    """A tall lamp: round foot, thin pole, cloth shade."""
    height, r = rng.uniform(1.2, 1.85), rng.uniform(0.13, 0.27)
    parts = parts_of(
        palette.metal,
        cylinder(0.14, 0.025, segments=28),
        cylinder(0.013, height - 0.2, (0, 0, 0.02), 12),
    )
    return Model(
        label="lamp",
        parts=(*parts, _shade(r, 0.75 * r, height - 0.28, height)),
        finish=palette.metal,
    )


def ceiling_light(rng: np.random.Generator, palette: Palette, drop: float) -> Model:
    """A lamp to hang from the ceiling, `drop` metres high; its lowest point is at z = 0."""
    glow = Finish(rgb=(252, 248, 236), material="glass")
    if drop < 0.2:
        r = rng.uniform(0.13, 0.32)
        dome = lathe([(0.25 * r, 0), (0.75 * r, 0.25 * drop), (r, 0.75 * drop)], segments=28)
        rim = cylinder(r + 0.012, 0.25 * drop, (0, 0, 0.75 * drop), 28)
        return Model(
            label="ceiling light",
            parts=(Part(solid=dome, finish=glow, glow=GLOW), *parts_of(palette.metal, rim)),
            finish=glow,
            shape="round",
        )
    r, shade = rng.uniform(0.13, 0.32), rng.uniform(0.12, 0.26)
    paint = accent(rng, "metal")
    cone = lathe(
        [(r, 0.0), (0.95 * r, 0.05), (0.3 * r, 0.9 * shade), (0.1 * r, shade)], segments=28
    )
    cord = parts_of(
        Finish(rgb=(40, 40, 42), material="plastic"),
        cylinder(0.006, drop - shade - 0.02, (0, 0, shade), 8),
        cylinder(0.05, 0.02, (0, 0, drop - 0.02), 20),
    )
    return Model(label="ceiling light", parts=parts_of(paint, cone) + cord, finish=paint)
