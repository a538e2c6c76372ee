"""Lamps, plants, rugs, things on walls and ceilings, and small things to put on others."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.furniture.foliage import grown
from gapdata.synthetic.materials import ACCENTS, Finish, Palette, accent, pick, shaded
from gapdata.synthetic.models import Model, Part, Surface, parts_of, tabletop
from gapdata.synthetic.shapes import (
    ball,
    block,
    circle,
    curve,
    cylinder,
    lathe,
    prism,
    rectangle,
    tube,
)

SHADE = Finish(rgb=(244, 234, 210), material="fabric", texture="fabric")
TITLE = (Finish(rgb=(226, 214, 180), material="paper"), Finish(rgb=(48, 46, 46), material="paper"))
WHITE = Finish(rgb=(255, 255, 255), material="paper")
SOIL = Finish(rgb=(70, 50, 38), material="soil")
POTS = (
    (178, 96, 66),
    (178, 96, 66),
    (232, 228, 220),
    (78, 80, 82),
    (150, 142, 130),
    (96, 112, 108),
)
# Book covers: cloth and paper, some of them lively.
COVERS = (
    (122, 44, 42), (38, 62, 92), (58, 84, 64), (196, 178, 140), (232, 226, 212), (60, 56, 54), (150, 104, 62),
    (168, 142, 96), (88, 98, 110), (172, 84, 58), (204, 200, 190), (96, 60, 78), (54, 92, 104), *ACCENTS,
)  # fmt: skip


def plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for the floor."""
    radius, pot = rng.uniform(0.11, 0.2), rng.uniform(0.18, 0.38)
    kind = ("arching", "swords", "bush")[int(rng.integers(3))]
    return _potted(rng, kind, radius, pot, rng.uniform(3.2, 6.4) * radius)


def small_plant(rng: np.random.Generator, palette: Palette) -> Model:
    """A potted plant for a table."""
    radius = rng.uniform(0.035, 0.09)
    kind = ("arching", "swords", "bush")[int(rng.integers(3))]
    return _potted(
        rng, kind, radius, radius * rng.uniform(1.3, 1.9), rng.uniform(2.0, 4.0) * radius
    )


def _potted(
    rng: np.random.Generator, kind: str, radius: float, pot: float, foliage: float
) -> Model:
    chance = rng.random()
    clay = Finish(rgb=pick(rng, POTS), material="ceramic")
    if chance < 0.25:
        clay = accent(rng)
    profile = [
        (0.7 * radius, 0),
        (radius, 0.9 * pot),
        (1.06 * radius, pot),
        (0.92 * radius, pot),
        (0.9 * radius, 0.86 * pot),
    ]
    parts = [*parts_of(clay, lathe(profile, segments=28))]
    parts += parts_of(SOIL, cylinder(0.89 * radius, 0.06 * pot, (0, 0, 0.86 * pot), 24))
    green, leaves = grown(rng, kind, radius, foliage, 0.9 * pot)
    return Model(label="plant", parts=(*parts, *leaves), finish=green)


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


# Outlines of vases, from foot to mouth: shares of the largest radius and of the height.
VASES = (
    ((0.6, 0.0), (1.0, 0.35), (0.75, 0.7), (0.42, 0.88), (0.55, 1.0)),
    ((0.7, 0.0), (1.0, 0.25), (0.6, 0.5), (0.26, 0.72), (0.3, 1.0)),
    ((0.62, 0.0), (0.7, 0.3), (0.84, 0.7), (0.94, 0.9), (1.0, 1.0)),
    ((0.5, 0.0), (0.86, 0.4), (1.0, 0.66), (0.7, 0.92), (0.72, 1.0)),
)


def vase(rng: np.random.Generator, palette: Palette) -> Model:
    """A vase, some with twigs."""
    r, h = rng.uniform(0.035, 0.11), rng.uniform(0.12, 0.46)
    clay = accent(rng)
    outer = VASES[int(rng.integers(len(VASES)))]
    neck, mouth = (outer[-2][0] * r, outer[-2][1] * h), (outer[-1][0] * r, h)
    inner = [(mouth[0] - 0.08 * r, h), (neck[0] - 0.08 * r, neck[1])]
    profile = curve([(a * r, b * h) for a, b in outer], 16)
    parts = [*parts_of(clay, lathe([*profile, *inner], segments=28))]
    if rng.random() < 0.5:
        parts += _flowers(rng, neck[0] - 0.1 * r, neck[1], h)
    return Model(label="vase", parts=tuple(parts), finish=clay)


def _flowers(rng: np.random.Generator, reach: float, low: float, rim: float) -> list[Part]:
    """Three to seven tulips on stems through a vase's neck of radius `reach`."""
    petals, stem = accent(rng, "leaf"), Finish(rgb=(80, 116, 66), material="leaf")
    count = int(rng.integers(3, 8))
    solids, heads = [], []
    for k in range(count):
        way = np.array([np.cos(2.4 * k), np.sin(2.4 * k), 0.0])
        rise, size = rng.uniform(0.1, 0.22), rng.uniform(0.016, 0.024)
        out = 0.1 * np.sqrt((k + 0.5) / count)
        foot = 0.6 * reach * way + [0, 0, low]
        tip = (0.8 * reach + out) * way + [0, 0, rim + rise]
        bend = 0.8 * reach * way + [0, 0, rim + 0.3 * rise]
        solids.append(tube(curve([foot, bend, tip], 6), 0.0025, 6))
        bloom = curve([(0.3, 0), (0.85, 0.5), (1.0, 1.1), (0.72, 1.9), (0.55, 2.2)], 8) * size
        heads.append(lathe(list(bloom), tip - [0, 0, 0.2 * size], 12))
    return [*parts_of(stem, *solids), *parts_of(petals, *heads)]


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
    cover, pages = (
        Finish(rgb=pick(rng, COVERS, 12), material="paper"),
        Finish(rgb=(240, 234, 218), material="paper"),
    )
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
        cover = Finish(rgb=pick(rng, COVERS, 14), material="paper")
        center = x + thick / 2
        back = 0.105 - depth
        parts += parts_of(
            cover, block((thick - 0.0015, depth, height), (center, back + depth / 2, 0))
        )
        if rng.random() < 0.5:  # a label on the spine
            band = block((thick - 0.003, 0.002, 0.22 * height), (center, back, 0.6 * height))
            parts += parts_of(TITLE[int(rng.integers(2))], band)
        x += thick
    return Model(label="books", parts=tuple(parts), finish=parts[0].finish, shape="box")
