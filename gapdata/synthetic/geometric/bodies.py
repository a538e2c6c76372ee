"""Plain bodies as models: each a single closed surface that rests stably on a level place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model, Surface, parts_of
from gapdata.synthetic.shapes import Solid, ball, block, circle, cylinder, lathe, loft, tapered

ROUND = 48  # segments of a circle: its outline strays by less than 0.3 % of the radius
INSET = 0.004  # metres at the rim of a top that carry nothing

Body = Callable[[np.random.Generator, float, Finish], Model]


def cube(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cube with edges of `size` metres."""
    return _cuboid("cube", (size, size, size), finish)


def box(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cuboid that nobody takes for a cube: `size` metres long, and clearly flatter or taller than wide."""
    slim, flat = float(rng.uniform(0.4, 0.65)), float(rng.uniform(0.25, 0.5))
    extents = (size, slim * size, flat * size)
    if rng.random() < 0.35:
        extents = (slim * size, flat * size, size)
    return _cuboid("box", extents, finish)


def _cuboid(label: str, extents: tuple[float, float, float], finish: Finish) -> Model:
    width, depth, height = extents
    outline = (
        0.5 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (np.array([width, depth]) - INSET)
    )
    return Model(
        label=label, parts=parts_of(finish, block(extents)), finish=finish, shape=label,
        surfaces=(Surface(outline=outline, z=height),),
    )  # fmt: skip


def sphere(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A sphere of `size` metres across."""
    return _plain("sphere", ball(0.5 * size, segments=ROUND), finish)


def upright_cylinder(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cylinder on its end, `size` metres high or wide, whichever is more."""
    stretch = float(rng.uniform(0.45, 1.9))
    radius, height = (0.5 * size, stretch * size) if stretch < 1 else (0.5 * size / stretch, size)
    top = Surface(outline=circle(radius - INSET, ROUND), z=height)
    solid = cylinder(radius, height, segments=ROUND)
    return replace(_plain("cylinder", solid, finish), surfaces=(top,))


def lying_cylinder(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cylinder on its side, `size` metres long."""
    radius = size * float(rng.uniform(0.15, 0.35))
    # The polygon's flats face the axes, so that one of them lies on the ground.
    solid = cylinder(radius, size, (0, 0, -0.5 * size), ROUND).tilted(1, 0.5 * np.pi)
    return _plain("cylinder", _grounded(solid), finish)


def cone(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cone on its base, `size` metres high."""
    radius = size * float(rng.uniform(0.28, 0.5))
    return _plain("cone", lathe([(radius, 0.0), (0.0, size)], segments=ROUND), finish)


def pyramid(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A square pyramid on its base, `size` metres wide."""
    height = size * float(rng.uniform(0.7, 1.1))
    return _plain("pyramid", tapered((size, size), (0, 0), height), finish)


def torus(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A ring lying flat, `size` metres across."""
    thick = size * float(rng.uniform(0.11, 0.18))
    path = 2.0 * np.pi * np.arange(ROUND + 1) / ROUND
    outward = np.stack([np.cos(path), np.sin(path), 0.0 * path], axis=-1)
    section = circle(thick, ROUND // 2)
    rings = outward[:, None] * (0.5 * size - thick + section[:, :1])
    rings[..., 2] -= section[:, 1]
    solid = loft(rings)
    # The two ends of the skin meet: it needs no caps.
    solid = replace(solid, faces=solid.faces[: -2 * (ROUND // 2 - 2)])
    return _plain("torus", _grounded(solid), finish)


def capsule(rng: np.random.Generator, size: float, finish: Finish) -> Model:
    """A cylinder with round ends on its side, `size` metres long."""
    radius = size * float(rng.uniform(0.14, 0.24))
    angle = np.linspace(0.0, 0.5 * np.pi, ROUND // 4 + 1)
    end = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    end[-1, 0] = 0.0
    half = 0.5 * size - radius
    profile = [*((r, -half - z) for r, z in end[::-1]), *((r, half + z) for r, z in end)]
    solid = lathe(profile, segments=ROUND).tilted(1, 0.5 * np.pi)
    return _plain("capsule", _grounded(solid), finish)


def _grounded(solid: Solid) -> Solid:
    return solid.moved((0.0, 0.0, -solid.low))


def _plain(label: str, solid: Solid, finish: Finish) -> Model:
    return Model(label=label, parts=parts_of(finish, solid), finish=finish, shape=label)


STEADY: tuple[Body, ...] = (cube, box, upright_cylinder, cone, pyramid, torus)  # on something small
BODIES: tuple[Body, ...] = (*STEADY, sphere, lying_cylinder, capsule)
