"""What stands and hangs in a hall: coats on a rack, shoes on a shelf."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, Surface, parts_of
from gapdata.synthetic.shapes import Solid, block, circle, cylinder, loft, prism, rectangle

HOOK_STEP = 0.2  # metres between the hooks of a coat rack
HOOK_RISE = 0.029  # ... from a rack's lower edge to the underside of its hooks
SOLE = 0.022  # metres thick, of shoes
SOLES = (
    Finish(rgb=(236, 234, 228), material="rubber"),
    Finish(rgb=(52, 46, 42), material="rubber"),
)
DARK = Finish(rgb=(44, 42, 42), material="fabric")
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
    levels = [
        (0.165, 0.0),
        (0.16, 0.3),
        (0.14, 0.62),
        (0.155, 0.8),
        (0.15, 0.88),
        (0.09, 0.95),
        (0.05, 1.0),
    ]
    trunk = _hanging([(0.0, half, z * long) for half, z in levels], deep)
    sleeve = [
        (0.165, 0.026, 0.36),
        (0.172, 0.034, 0.42),
        (0.168, 0.042, 0.7),
        (0.14, 0.04, 0.86),
        (0.115, 0.02, 0.91),
    ]
    sleeves = [
        _hanging([(side * x, half, z * long) for x, half, z in sleeve], 0.8 * deep)
        for side in (-1, 1)
    ]
    front = block((0.012, 0.006, 0.86 * long), (0, -deep + 0.0015, 0.03 * long))
    loop = block((0.012, 0.006, LOOP + 0.01), (0, -0.05, long - 0.01))
    parts = (*parts_of(cloth, trunk, *sleeves, loop), *parts_of(shaded(cloth, 0.6), front))
    return Model(label="jacket", parts=parts, finish=cloth)


def _hanging(levels: list[tuple[float, float, float]], deep: float) -> Solid:
    """A flat hose of cloth through levels (x of the middle, half its width, z), its back at y = 0."""
    rings = np.zeros((len(levels), 16, 3))
    for ring, (x, half, z) in zip(rings, levels, strict=True):
        ring[:, :2] = circle(1.0, 16) * [half, deep / 2] + [x, -deep / 2]
        ring[:, 2] = z
    return loft(rings)


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

    # Stations from the toe to the heel: y, width, and height of the upper above the sole.
    stations = [
        (-0.49, 0.52, 0.028), (-0.42, 0.82, 0.04), (-0.3, 0.94, 0.05), (-0.1, 0.92, 0.068), (0.06, 0.8, 0.09),
        (0.14, 0.76, 0.1), (0.4, 0.74, 0.1), (0.48, 0.5, 0.092),
    ]  # fmt: skip
    x = 0.5 * wide + 0.008
    uppers, soles = [], []
    for side in (-1, 1):
        rings = np.zeros((len(stations), 16, 3))
        for ring, (y, share, high) in zip(rings, stations, strict=True):
            section = circle(1.0, 16)
            ring[:, 0] = side * x - 0.5 * share * wide * section[:, 0]
            ring[:, 1] = y * long
            ring[:, 2] = SOLE - 0.01 + (high + 0.01) * 0.5 * (1.0 + section[:, 1])
        uppers.append(loft(rings))
        soles.append(prism(circle(0.5, 24) * [wide, long] + [side * x, 0.0], 0.0, SOLE))
    necks = [
        prism(
            circle(1.0, 16) * [0.27 * wide, 0.11 * long] + [side * x, 0.26 * long],
            0.1,
            SOLE + 0.102,
        )
        for side in (-1, 1)
    ]
    return Model(
        label="shoes",
        parts=(
            *parts_of(leather, *uppers),
            *parts_of(SOLES[int(rng.integers(2))], *soles),
            *parts_of(DARK, *necks),
        ),
        finish=leather,
    )
