"""City buses; x is the width, the front looks towards -y, doors are on the right (-x seen from outside in front)."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import block, soft_block
from gapdata.synthetic.street.cars import PLATE, bus_lamps, wheels
from gapdata.synthetic.street.paints import BLACK, BUS_PAINTS, GLASS, WHITE, painted
from gapdata.synthetic.street.signs import lettered
from gapdata.synthetic.street.solids import cabin, merged

Array = np.ndarray

RIGHT = -1  # sign of x on the right-hand side of something whose front is -y


def bus(rng: np.random.Generator) -> Model:
    """A low-floor city bus with a band of windows and two or three doors."""
    length, wide, tall = float(rng.uniform(9.5, 12.2)), 2.52, float(rng.uniform(2.95, 3.15))
    paint = painted(rng, BUS_PAINTS)
    half, low, sill, lintel = 0.5 * length, 0.3, 1.15, tall - 0.5
    shell = cabin((wide, -half, half), (wide, -half + 0.04, half - 0.03), (low, tall - 0.12), 0.14)
    roof = cabin(
        (wide, -half + 0.04, half - 0.03),
        (wide - 0.3, -half + 0.3, half - 0.3),
        (tall - 0.12, tall),
        0.14,
    )
    glass = [
        block((wide - 0.2, 0.03, 1.35), (0, -half + 0.012, 1.1)),
        block((wide - 0.6, 0.03, 0.9), (0, half - 0.012, 1.5)),
    ]
    posts = []
    for side in (-1, 1):
        x = side * (0.5 * wide)
        glass.append(block((0.012, length - 0.6, lintel - sill), (x, 0.1, sill)))
        between = np.arange(-half + 1.5, half - 0.6, 1.45).tolist()
        posts += [block((0.03, 0.07, lintel - sill), (x, y, sill)) for y in between]
    doors = [-half + 0.85, 0.2] if length < 11.0 else [-half + 0.85, -0.8, half - 2.6]
    for y in doors:
        glass.append(block((0.03, 1.15, lintel - low - 0.12), (RIGHT * 0.5 * wide, y, low + 0.08)))
        posts.append(block((0.045, 0.05, lintel - low - 0.1), (RIGHT * 0.5 * wide, y, low + 0.08)))
    mirrors = [
        soft_block((0.16, 0.14, 0.4), 0.04, (s * (0.5 * wide + 0.12), -half + 0.12, 1.9))
        for s in (-1, 1)
    ]
    board = Part(
        solid=block((1.7, 0.28, 0.05)).tilted(0, 0.5 * np.pi).moved((0, -half + 0.02, tall - 0.33)),
        finish=WHITE, image=_destination(rng),
    )  # fmt: skip
    plates = [block(PLATE, (0, -half - 0.012, 0.45)), block(PLATE, (0, half + 0.0, 0.6))]
    skirts = [block((wide - 0.1, length - 0.4, 0.1), (0, 0, low - 0.06))]
    parts = [
        *parts_of(paint, shell, roof), *parts_of(GLASS, merged(glass)), *parts_of(BLACK, merged(posts + mirrors + skirts)),
        board, *parts_of(WHITE, merged(plates)), *bus_lamps(wide, half),
        *wheels(wide, 0.48, (-half + 2.7, half - 3.1), 0.28),
    ]  # fmt: skip
    return Model(label="bus", parts=tuple(parts), finish=paint, shape="box")


def _destination(rng: np.random.Generator) -> UInt8[Array, "_ _ 3"]:
    return lettered(str(int(rng.integers(1, 99))), (24, 24, 26), (252, 176, 40), (160, 32))
