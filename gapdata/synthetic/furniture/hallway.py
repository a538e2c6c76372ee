"""What stands and hangs in a hall: coats on a rack, shoes on a shelf."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Palette, accent, shaded
from gapdata.synthetic.models import Model, Surface, parts_of
from gapdata.synthetic.shapes import Solid, block, circle, cylinder, loft, rectangle

HOOK_STEP = 0.2  # metres between the hooks of a coat rack
HOOK_RISE = 0.029  # ... from a rack's lower edge to the underside of its hooks
LOOP = 0.09  # ... that a coat's loop sticks out above it


def coat_rack(rng: np.random.Generator, palette: Palette) -> Model:
    """A board with hooks to hang on a wall."""
    hooks = int(rng.integers(3, 7))
    board = block((hooks * HOOK_STEP, 0.022, 0.11), (0, -0.011, 0))
    pegs = []
    for k in range(hooks):
        peg = cylinder(0.011, 0.085, segments=10).tilted(0, np.pi / 2)
        pegs.append(peg.moved(((k + 0.5 - hooks / 2) * HOOK_STEP, -0.022, 0.04)))
    return Model(
        label="coat rack", parts=(*parts_of(palette.wood, board), *parts_of(palette.metal, *pegs)),
        finish=palette.wood,
    )  # fmt: skip


def coat(rng: np.random.Generator, palette: Palette) -> Model:
    """A coat or jacket that hangs flat on its hook, back at y = 0."""
    long, deep = rng.uniform(0.65, 1.05), rng.uniform(0.05, 0.075)
    cloth = accent(rng, "fabric", "fabric")
    levels = [(0.18, 0.0), (0.185, 0.25), (0.16, 0.6), (0.17, 0.84), (0.13, 0.93), (0.05, 1.0)]
    rings = np.zeros((len(levels), 16, 3))
    for k, (half, z) in enumerate(levels):
        rings[k, :, :2] = circle(1.0, 16) * np.array([half, deep / 2]) + np.array([0.0, -deep / 2])
        rings[k, :, 2] = z * long
    loop = block((0.012, 0.006, LOOP + 0.01), (0, -0.05, long - 0.01))
    return Model(label="jacket", parts=parts_of(cloth, loft(rings), loop), finish=cloth)


def shoe_shelf(rng: np.random.Generator, palette: Palette) -> Model:
    """A low open rack of two or three boards."""
    wide, deep, thick = rng.uniform(0.6, 1.0), rng.uniform(0.28, 0.32), 0.02
    boards = int(rng.integers(2, 4))
    gap = 0.21
    height = boards * gap + thick
    sides = [block((thick, deep, height), (s * (wide - thick) / 2, 0, 0)) for s in (-1, 1)]
    inner = wide - 2 * thick
    heights = [0.05, *(0.05 + gap * k for k in range(1, boards))]
    shelves = [block((inner, deep, thick), (0, 0, z)) for z in heights]
    shelves.append(block((wide, deep, thick), (0, 0, height)))
    surfaces = [
        Surface(
            outline=rectangle(inner - 0.02, deep - 0.02), z=z + thick, headroom=gap - thick - 0.02
        )
        for z in heights
    ]
    surfaces[-1] = Surface(
        outline=surfaces[-1].outline, z=surfaces[-1].z, headroom=height - surfaces[-1].z - 0.005
    )
    surfaces.append(Surface(outline=rectangle(wide - 0.02, deep - 0.02), z=height + thick))
    return Model(
        label="shoe rack", parts=parts_of(palette.wood, *sides, *shelves), finish=palette.wood,
        surfaces=tuple(surfaces),
    )  # fmt: skip


def shoes(rng: np.random.Generator, palette: Palette) -> Model:
    """A pair of shoes side by side, toes towards -y."""
    leather = accent(rng, "leather")
    long, wide = rng.uniform(0.21, 0.275), 0.085

    def shoe(x: float) -> Solid:
        rings = np.zeros((4, 16, 3))
        outline = circle(0.5, 16)
        shapes = [
            (wide, long, 0.0, 0.0),
            (wide, long, 0.0, 0.035),
            (0.8 * wide, 0.62 * long, 0.16 * long, 0.075),
            (0.62 * wide, 0.36 * long, 0.28 * long, 0.1),
        ]
        for k, (w, d, y, z) in enumerate(shapes):
            rings[k, :, :2] = outline * np.array([w, d]) + np.array([x, y])
            rings[k, :, 2] = z
        return loft(rings)

    pair = [shoe(s * (0.5 * wide + 0.008)) for s in (-1, 1)]
    soles = [
        block((0.8 * wide, 0.8 * long, 0.004), (s * (0.5 * wide + 0.008), 0, 0)) for s in (-1, 1)
    ]
    return Model(
        label="shoes",
        parts=(*parts_of(leather, *pair), *parts_of(shaded(leather, 0.6), *soles)),
        finish=leather,
    )
