"""Lamps, plants, rugs, things on walls and ceilings, and small things to put on others."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import ACCENTS, Finish, Palette, accent, pick, shaded
from gapdata.synthetic.models import Model, Part, Surface, parts_of, tabletop
from gapdata.synthetic.shapes import (
    Solid,
    ball,
    bar,
    block,
    circle,
    cylinder,
    lathe,
    loft,
    prism,
    rectangle,
)

SHADE = Finish(rgb=(244, 234, 210), material="fabric", texture="fabric")
WHITE = Finish(rgb=(255, 255, 255), material="paper")
SOIL = Finish(rgb=(70, 50, 38), material="soil")


def plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for the floor: long leaves around stems."""
    return _potted(rng, rng.uniform(0.1, 0.22), rng.uniform(0.16, 0.42), rng.uniform(0.25, 1.3), 16)


def small_plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for a table."""
    return _potted(
        rng, rng.uniform(0.035, 0.1), rng.uniform(0.06, 0.16), rng.uniform(0.08, 0.34), 12
    )


def _potted(
    rng: np.random.Generator, radius: float, pot: float, foliage: float, leaves: int
) -> Model:
    clay = accent(rng) if rng.random() < 0.6 else Finish(rgb=(178, 96, 66), material="ceramic")
    green = Finish(
        rgb=pick(rng, [(62, 120, 62), (86, 140, 74), (48, 100, 60), (110, 150, 80)]),
        material="leaf",
    )
    profile = [
        (0.7 * radius, 0),
        (radius, 0.9 * pot),
        (1.06 * radius, pot),
        (0.92 * radius, pot),
        (0.9 * radius, 0.86 * pot),
    ]
    parts = [*parts_of(clay, lathe(profile, segments=24))]
    parts += parts_of(SOIL, cylinder(0.89 * radius, 0.02, (0, 0, 0.86 * pot), 20))
    for k in range(leaves):
        heading = 2.4 * k + rng.uniform(-0.2, 0.2)
        reach, rise = foliage * rng.uniform(0.25, 0.55), foliage * rng.uniform(0.55, 1.0)
        parts.append(
            Part(
                solid=_leaf(heading, reach, rise, 0.11 * foliage, 0.86 * pot),
                finish=shaded(green, rng.uniform(0.85, 1.15)),
            )
        )
    return Model(label="plant", parts=tuple(parts), finish=green)


def _leaf(heading: float, reach: float, rise: float, width: float, z: float) -> Solid:
    t = np.linspace(0.0, 1.0, 6)
    forward = reach * t**1.6
    up = z + rise * np.sin(0.62 * np.pi * t) / np.sin(0.5 * np.pi)
    wide = width * (0.12 + np.sin(np.pi * np.clip(t, 0.02, 0.97)) ** 0.8)
    thick = 0.02 * width + 0.0015
    path = np.stack([forward, np.zeros(6), up], axis=-1)
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0.0, 1.0, 0.0])
    lift = np.cross(tangent, side)
    corners = rectangle(1.0, 1.0)
    rings = (
        path[:, None]
        + corners[None, :, :1] * wide[:, None, None] * side
        + corners[None, :, 1:] * thick * lift[:, None]
    )
    return loft(rings).turned(heading)


def rug(
    rng: np.random.Generator, palette: Palette, width: float, depth: float, *, oval: bool
) -> Model:
    """A flat rug with a border."""
    field = Finish(
        rgb=pick(
            rng,
            (palette.accent.rgb, palette.accent_second.rgb, palette.fabric.rgb, (198, 186, 164)),
        ),
        material="wool",
        texture=("carpet", "stripes", "lattice")[int(rng.integers(3))],
    )
    edge = shaded(field, 0.72)
    if oval:
        outer = circle(0.5, 40) * np.array([width, depth])
        parts = parts_of(edge, prism(outer, 0.0, 0.008)) + parts_of(
            field, prism(outer * 0.94, 0.0, 0.01)
        )
    else:
        outer = rectangle(width, depth)
        parts = parts_of(edge, prism(outer, 0.0, 0.008)) + parts_of(
            field, prism(rectangle(width - 0.12, depth - 0.12), 0.0, 0.01)
        )
    inner = outer * (0.92 if oval else 1 - 0.14 / np.array([width, depth]))
    return Model(
        label="rug",
        parts=parts,
        finish=field,
        shape="round" if oval else "rectangular",
        surfaces=(Surface(outline=inner, z=0.01),),
    )


def vase(rng: np.random.Generator, palette: Palette) -> Model:
    """A vase, some with twigs."""
    r, h = rng.uniform(0.035, 0.11), rng.uniform(0.12, 0.46)
    clay = accent(rng)
    profile = [
        (0.6 * r, 0),
        (r, 0.35 * h),
        (0.75 * r, 0.7 * h),
        (0.42 * r, 0.88 * h),
        (0.55 * r, h),
        (0.46 * r, h),
        (0.34 * r, 0.86 * h),
    ]
    parts = [*parts_of(clay, lathe(profile, segments=24))]
    if rng.random() < 0.5:
        flower, stem = accent(rng, "leaf"), Finish(rgb=(80, 116, 66), material="leaf")
        for k in range(5):
            c, s = np.cos(1.257 * k), np.sin(1.257 * k)
            tip = np.array([0.07 * c, 0.07 * s, h + rng.uniform(0.08, 0.18)])
            parts += parts_of(stem, bar((0.2 * r * c, 0.2 * r * s, 0.82 * h), tip, 0.003, 6))
            parts += parts_of(flower, ball(rng.uniform(0.018, 0.028), tip - [0, 0, 0.01], 12))
    return Model(label="vase", parts=tuple(parts), finish=clay)


def candle(rng: np.random.Generator, palette: Palette) -> Model:
    """A candle on a dish."""
    wax = Finish(rgb=pick(rng, [(240, 230, 205), (176, 54, 60), (96, 130, 110)]), material="wax")
    r, h = rng.uniform(0.02, 0.05), rng.uniform(0.05, 0.3)
    dish = parts_of(palette.metal, cylinder(1.6 * r, 0.008, segments=20))
    return Model(
        label="candle",
        parts=dish + parts_of(wax, cylinder(r, h, (0, 0, 0.008), 20)),
        finish=wax,
        shape="cylinder",
    )


def toy_ball(rng: np.random.Generator, palette: Palette) -> Model:
    """A ball."""
    paint = accent(rng, "rubber")
    return Model(
        label="ball",
        parts=parts_of(paint, ball(rng.uniform(0.05, 0.2))),
        finish=paint,
        shape="sphere",
    )


def book(rng: np.random.Generator, palette: Palette) -> Model:
    """A book lying flat: two boards around pages."""
    width, depth, thick = (
        rng.uniform(0.11, 0.25),
        rng.uniform(0.16, 0.34),
        rng.uniform(0.012, 0.065),
    )
    cover, pages = accent(rng, "paper"), Finish(rgb=(240, 234, 218), material="paper")
    board = 0.003
    parts = parts_of(
        cover, block((width, depth, board)), block((width, depth, board), (0, 0, thick - board))
    )
    parts += parts_of(
        cover, block((board, depth, thick - 2 * board), (-width / 2 + board / 2, 0, board))
    )
    parts += parts_of(
        pages,
        block(
            (width - 0.01 - board, depth - 0.01, thick - 2 * board), (board / 2 - 0.003, 0, board)
        ),
    )
    return Model(
        label="book",
        parts=parts,
        finish=cover,
        shape="box",
        surfaces=(tabletop(width, depth, thick, inset=0.01, headroom=0.25),),
    )


def book_row(rng: np.random.Generator, palette: Palette, width: float, headroom: float) -> Model:
    """Books standing side by side over `width` metres, spines towards -y."""
    parts: list[Part] = []
    x = -width / 2
    tallest = min(rng.uniform(0.2, 0.34), headroom - 0.02)
    while True:
        thick = rng.uniform(0.018, 0.05)
        if x + thick > width / 2:
            break
        height, depth = tallest * rng.uniform(0.68, 1.0), rng.uniform(0.15, 0.21)
        cover = Finish(rgb=pick(rng, ACCENTS, 16), material="paper")
        center = x + thick / 2
        parts += parts_of(
            cover, block((thick - 0.0015, depth, height), (center, 0.105 - depth / 2, 0))
        )
        x += thick
    return Model(label="books", parts=tuple(parts), finish=parts[0].finish, shape="box")
