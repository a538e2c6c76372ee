"""Boxes, bins and bags."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, four, parts_of, tabletop
from gapdata.synthetic.shapes import block, curve, lathe, loft, rectangle, soft_block, tube


def cardboard_box(rng: np.random.Generator, palette: Palette) -> Model:
    """A closed carton with tape along its lid."""
    width, depth, height = rng.uniform(0.2, 0.68), rng.uniform(0.16, 0.45), rng.uniform(0.1, 0.5)
    card = Finish(rgb=(178, 138, 96), material="cardboard")
    parts = parts_of(card, block((width, depth, height)))
    tape = parts_of(
        Finish(rgb=(206, 186, 150), material="plastic"), block((width, 0.05, 0.001), (0, 0, height))
    )
    return Model(
        label="box", parts=parts + tape, finish=card, shape="box",
        surfaces=(tabletop(width, depth, height + 0.001),),
    )  # fmt: skip


def _open_bin(
    finish: Finish, size: tuple[float, float, float], flare: float, label: str, shape: str
) -> Model:
    width, depth, height = size
    wall = 0.012
    low, high = np.array([width, depth]) / flare, np.array([width, depth])
    rings = np.zeros((4, 4, 3))
    for k, (extent, z) in enumerate(
        ((low, 0), (high, height), (high - 2 * wall, height), (low - 2 * wall, wall))
    ):
        rings[k, :, :2], rings[k, :, 2] = rectangle(*extent), z
    return Model(label=label, parts=parts_of(finish, loft(rings)), finish=finish, shape=shape)


def storage_bin(rng: np.random.Generator, palette: Palette) -> Model:
    """An open plastic or fabric crate."""
    size = (rng.uniform(0.24, 0.62), rng.uniform(0.2, 0.42), rng.uniform(0.12, 0.4))
    return _open_bin(accent(rng, "plastic"), size, 1.12, "storage bin", "box")


def basket(rng: np.random.Generator, palette: Palette) -> Model:
    """A round woven basket."""
    radius, height = rng.uniform(0.11, 0.3), rng.uniform(0.14, 0.54)
    wicker = Finish(rgb=(186, 146, 98), material="wicker", texture="fabric")
    outer = [
        (0.8 * radius, 0),
        (0.94 * radius, 0.2 * height),
        (radius, 0.55 * height),
        (0.92 * radius, height),
    ]
    inner = [
        (0.85 * radius, height), (0.92 * radius, 0.55 * height), (0.86 * radius, 0.2 * height),
        (0.72 * radius, 0.02),
    ]  # fmt: skip
    profile = [*curve(outer, 9), *curve(inner, 9)]
    return Model(
        label="basket",
        parts=parts_of(wicker, lathe(profile, segments=28)),
        finish=wicker,
        shape="cylinder",
    )


def trash_can(rng: np.random.Generator, palette: Palette) -> Model:
    """An open waste bin, round or square."""
    height = rng.uniform(0.22, 0.64)
    finish = Finish(
        rgb=((60, 62, 66), (150, 154, 158), (232, 230, 226), (58, 96, 140), (172, 52, 48))[
            int(rng.integers(5))
        ],
        material="plastic",
    )
    if rng.random() < 0.4:
        side = rng.uniform(0.19, 0.38)
        return _open_bin(finish, (side, side, height), 1.25, "trash can", "box")
    r = rng.uniform(0.1, 0.2)
    profile = [(0.78 * r, 0), (r, height), (r - 0.008, height), (0.78 * r - 0.008, 0.01)]
    return Model(
        label="trash can",
        parts=parts_of(finish, lathe(profile, segments=24)),
        finish=finish,
        shape="cylinder",
    )


def suitcase(rng: np.random.Generator, palette: Palette) -> Model:
    """An upright wheeled case with a handle."""
    width, depth, height = rng.uniform(0.32, 0.54), rng.uniform(0.19, 0.32), rng.uniform(0.42, 0.76)
    shell, dark = accent(rng, "plastic"), Finish(rgb=(42, 43, 46), material="plastic")
    parts = [*parts_of(shell, soft_block((width, depth, height), 0.05, (0, 0, 0.05)))]
    parts += parts_of(
        dark, *(block((0.03, 0.04, 0.06), (x, y, 0)) for x, y in four(width - 0.12, depth - 0.1))
    )
    parts += parts_of(
        dark, *(block((0.014, 0.014, 0.06), (s * 0.08, 0, height + 0.045)) for s in (-1, 1))
    )
    parts += parts_of(dark, block((0.18, 0.022, 0.02), (0, 0, height + 0.1)))
    return Model(label="suitcase", parts=tuple(parts), finish=shell)


def backpack(rng: np.random.Generator, palette: Palette) -> Model:
    """A soft rucksack standing on its base, pocket in front."""
    cloth = accent(rng, "fabric", "fabric")
    width, depth, height = rng.uniform(0.22, 0.38), rng.uniform(0.12, 0.22), rng.uniform(0.32, 0.56)
    parts = [*parts_of(cloth, soft_block((width, depth, height), 0.06))]
    parts += parts_of(
        shaded(cloth, 0.8),
        soft_block((0.75 * width, 0.07, 0.45 * height), 0.03, (0, -depth / 2 - 0.025, 0.03)),
    )
    parts += parts_of(
        shaded(cloth, 0.6),
        *(block((0.04, 0.02, 0.75 * height), (s * 0.07, depth / 2 + 0.008, 0.06)) for s in (-1, 1)),
    )
    knots = [(-0.05, 0, -0.01), (-0.03, 0, 0.04), (0.03, 0, 0.04), (0.05, 0, -0.01)]
    loop = tube(curve(knots, 9), 0.008, 8)
    seam = block((0.7 * width, 0.004, 0.008), (0, -depth / 2 - 0.001, 0.72 * height))
    parts += parts_of(shaded(cloth, 0.5), loop.moved((0, 0.3 * depth, height)), seam)
    return Model(label="backpack", parts=tuple(parts), finish=cloth)
