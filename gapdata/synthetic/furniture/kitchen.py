"""Kitchen fittings, appliances and tableware. Worktops 0.90 m high and 0.62 m deep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gapdata.synthetic.furniture.storage import fronts
from gapdata.synthetic.materials import Finish, Palette
from gapdata.synthetic.models import Model, Surface, parts_of, tabletop
from gapdata.synthetic.shapes import block, cylinder, loft, rectangle, tapered, tube

COUNTER_HEIGHT, COUNTER_DEPTH = 0.9, 0.62
SINK_HOLE = (0.52, 0.4)  # cut-out of the worktop
STEEL = Finish(rgb=(182, 185, 188), material="metal")
DARK_GLASS = Finish(rgb=(28, 29, 32), material="glass")
WHITE_ENAMEL = Finish(rgb=(240, 240, 238), material="metal")


def worktop(rng: np.random.Generator, palette: Palette) -> Finish:
    """What the worktops of one kitchen are made of."""
    tops = (
        Finish(rgb=(226, 224, 220), material="stone", texture="marble"),
        Finish(rgb=(74, 74, 78), material="stone", texture="marble"),
        palette.wood,
    )
    return tops[int(rng.integers(3))]


def counter(palette: Palette, width: float, top: Finish, *, sink: bool) -> Model:
    """A run of base cabinets under a worktop, with a hole for a sink in its middle when asked."""
    thick, kick = 0.04, 0.1
    body_h, body_d = COUNTER_HEIGHT - thick - kick, COUNTER_DEPTH - 0.04
    back = COUNTER_DEPTH / 2
    body_y = back - body_d / 2
    carcass = palette.wood_second
    parts = [
        *parts_of(
            Finish(rgb=(60, 60, 62), material="wood"),
            block((width, body_d - 0.05, kick), (0, body_y + 0.025, 0)),
        )
    ]
    hole_w, hole_d = SINK_HOLE
    z = COUNTER_HEIGHT - thick
    if sink:
        lower = body_h - 0.24
        side = (width - hole_w - 0.06) / 2
        parts += parts_of(carcass, block((width, body_d, lower), (0, body_y, kick)))
        parts += parts_of(
            carcass,
            *(
                block((side, body_d, 0.24), (s * (width - side) / 2, body_y, kick + lower))
                for s in (-1, 1)
            ),
        )
        parts += parts_of(
            carcass,
            block((hole_w + 0.06, 0.02, 0.24), (0, body_y - body_d / 2 + 0.01, kick + lower)),
        )
        edge, strip = (width - hole_w) / 2, (COUNTER_DEPTH - hole_d) / 2
        parts += parts_of(
            top,
            *(block((edge, COUNTER_DEPTH, thick), (s * (width - edge) / 2, 0, z)) for s in (-1, 1)),
        )
        parts += parts_of(
            top,
            *(
                block((hole_w, strip, thick), (0, s * (COUNTER_DEPTH - strip) / 2, z))
                for s in (-1, 1)
            ),
        )
        surfaces = tuple(_beside(s * (width - edge) / 2, edge) for s in (-1, 1))
    else:
        parts += parts_of(carcass, block((width, body_d, body_h), (0, body_y, kick)))
        parts += parts_of(top, block((width, COUNTER_DEPTH, thick), (0, 0, z)))
        surfaces = (_beside(0.0, width),)
    columns = max(1, round(width / 0.5))
    parts += fronts(
        (width - 0.01, body_h - 0.01),
        (0, body_y - body_d / 2, kick + 0.005),
        (columns, 1),
        (carcass, palette.metal),
        "upright",
    )
    return Model(
        label="kitchen counter", parts=tuple(parts), finish=top, surfaces=surfaces, clearance=0.7
    )


def _beside(x: float, width: float) -> Surface:
    outline = rectangle(width - 0.08, COUNTER_DEPTH - 0.08) + np.array([x, 0.0])
    return Surface(outline=outline, z=COUNTER_HEIGHT, headroom=0.45)


def sink(rng: np.random.Generator, palette: Palette) -> Model:
    """A basin with a rim and a tap; its rim lies on the worktop, its basin hangs in the hole below z = 0.

    The model's z = 0 is the underside of the rim.
    """
    hole_w, hole_d = SINK_HOLE
    width, depth, lip, deep, rim = hole_w - 0.01, hole_d - 0.01, 0.012, 0.18, 0.008
    inner = np.array([width, depth]) - 2 * lip
    flange = np.array([hole_w + 0.05, hole_d + 0.05])
    profile = (
        (inner, -deep),
        (np.array([width, depth]), -deep + lip),
        (np.array([width, depth]), rim / 2),
    )
    hollow = ((inner, rim / 2), (inner - 0.04, -deep + 2 * lip))
    levels = [*profile, *hollow]
    rings = np.zeros((len(levels), 4, 3))
    for k, (extent, z) in enumerate(levels):
        rings[k, :, :2], rings[k, :, 2] = rectangle(*extent), z
    side, end = (flange[0] - width) / 2, (flange[1] - depth) / 2
    frame = [block((side, flange[1], rim), (s * (flange[0] - side) / 2, 0, 0)) for s in (-1, 1)]
    frame += [block((width, end, rim), (0, s * (flange[1] - end) / 2, 0)) for s in (-1, 1)]
    y = flange[1] / 2 - 0.013
    spout = np.array(
        [[0, y, 0.0], [0, y, 0.24], [0, y - 0.05, 0.29], [0, y - 0.12, 0.29], [0, y - 0.15, 0.25]]
    )
    parts = parts_of(STEEL, loft(rings), *frame, tube(spout + [0, 0, rim], 0.012, 10))
    return Model(label="sink", parts=parts, finish=STEEL)


def stove(rng: np.random.Generator, palette: Palette) -> Model:
    """A free-standing cooker: oven door, knobs, four rings."""
    width, depth = 0.6, COUNTER_DEPTH
    enamel = WHITE_ENAMEL if rng.random() < 0.5 else STEEL
    front = -depth / 2 + 0.03
    parts = [*parts_of(enamel, block((width, depth - 0.03, COUNTER_HEIGHT - 0.012), (0, 0.015, 0)))]
    parts += parts_of(DARK_GLASS, block((width, depth, 0.012), (0, 0, COUNTER_HEIGHT - 0.012)))
    parts += parts_of(DARK_GLASS, block((width - 0.06, 0.02, 0.42), (0, front - 0.01, 0.24)))
    parts += parts_of(STEEL, block((width - 0.14, 0.025, 0.02), (0, front - 0.0165, 0.68)))
    for k in range(5):
        knob = cylinder(0.018, 0.025, segments=12).tilted(0, np.pi / 2)
        parts += parts_of(
            Finish(rgb=(50, 50, 52), material="plastic"), knob.moved((-0.2 + 0.1 * k, front, 0.8))
        )
    for x in (-0.14, 0.14):
        for y in (-0.13, 0.15):
            parts += parts_of(
                Finish(rgb=(120, 122, 126), material="metal"),
                cylinder(0.115, 0.004, (x, y, COUNTER_HEIGHT), 24),
            )
    surface = tabletop(width, depth, COUNTER_HEIGHT + 0.004, inset=0.02)
    return Model(
        label="stove",
        parts=tuple(parts),
        finish=enamel,
        shape="box",
        surfaces=(surface,),
        clearance=0.7,
    )


def refrigerator(rng: np.random.Generator, palette: Palette) -> Model:
    """A fridge with a freezer door."""
    width, depth, height = rng.uniform(0.54, 0.8), rng.uniform(0.6, 0.72), rng.uniform(1.4, 2.0)
    colors: tuple[Finish, ...] = (
        WHITE_ENAMEL,
        STEEL,
        Finish(rgb=(64, 66, 70), material="metal"),
        Finish(rgb=(150, 190, 186), material="metal"),
    )
    skin = colors[int(rng.integers(4))]
    thick, split = 0.05, rng.uniform(0.58, 0.68) * height
    front = -depth / 2 + thick
    parts = [*parts_of(skin, block((width, depth - thick, height), (0, thick / 2, 0)))]
    for z0, z1 in ((0.04, split - 0.005), (split + 0.005, height)):
        parts += parts_of(
            skin, block((width - 0.004, thick - 0.006, z1 - z0), (0, front - 0.028, z0))
        )
        parts += parts_of(
            STEEL,
            block(
                (0.02, 0.04, min(0.4, 0.5 * (z1 - z0))),
                (-width / 2 + 0.07, front - 0.068, z0 + 0.25 * (z1 - z0)),
            ),
        )
    return Model(
        label="refrigerator", parts=tuple(parts), finish=skin, shape="box",
        surfaces=(tabletop(width, depth, height, inset=0.06),), clearance=0.8,
    )  # fmt: skip


def wall_cabinet(palette: Palette, width: float, height: float) -> Model:
    """A kitchen cabinet to hang on a wall, its back at y = 0."""
    depth = 0.34
    columns = max(1, round(width / 0.45))
    parts = [
        *parts_of(
            palette.wood_second, block((width, depth - 0.018, height), (0, -(depth - 0.018) / 2, 0))
        )
    ]
    parts += fronts(
        (width - 0.008, height - 0.008),
        (0, -(depth - 0.018), 0.004),
        (columns, 1),
        (palette.wood_second, palette.metal),
        "upright",
    )
    return Model(
        label="kitchen cabinet", parts=tuple(parts), finish=palette.wood_second, shape="box"
    )


def microwave(rng: np.random.Generator, palette: Palette) -> Model:
    """A microwave oven: door with a window, panel with a dial."""
    width, depth, height = rng.uniform(0.4, 0.56), rng.uniform(0.3, 0.42), rng.uniform(0.22, 0.36)
    case = (WHITE_ENAMEL, STEEL, Finish(rgb=(48, 49, 52), material="metal"))[int(rng.integers(3))]
    front = -depth / 2 + 0.03
    parts = [*parts_of(case, block((width, depth - 0.03, height), (0, 0.015, 0)))]
    parts += parts_of(
        DARK_GLASS,
        block((0.68 * width, 0.018, 0.8 * height), (-0.12 * width, front - 0.009, 0.1 * height)),
    )
    dial = cylinder(0.025, 0.018, segments=16).tilted(0, np.pi / 2)
    parts += parts_of(
        Finish(rgb=(110, 112, 116), material="plastic"),
        dial.moved((0.36 * width, front, 0.3 * height)),
    )
    parts += parts_of(
        Finish(rgb=(60, 120, 90), material="plastic"),
        block((0.16 * width, 0.006, 0.14 * height), (0.36 * width, front - 0.003, 0.7 * height)),
    )
    return Model(
        label="microwave",
        parts=tuple(parts),
        finish=case,
        shape="box",
        surfaces=(tabletop(width, depth, height, inset=0.05),),
    )


def range_hood(rng: np.random.Generator, palette: Palette, width: float, height: float) -> Model:
    """A hood with a chimney to hang on the wall above a stove, its back at y = 0."""
    skin = STEEL if rng.random() < 0.6 else DARK_GLASS
    skirt = block((width, 0.46, 0.05), (0, -0.23, 0))
    canopy = tapered((width, 0.46), (0.3, 0.3), 0.16).moved((0, -0.23, 0.05))
    chimney = block((0.28, 0.26, height - 0.2), (0, -0.15, 0.2))
    filters = block((width - 0.08, 0.36, 0.004), (0, -0.22, -0.002))
    buttons = block((0.16, 0.004, 0.02), (0, -0.461, 0.015))
    dark = Finish(rgb=(70, 72, 76), material="metal")
    parts = (*parts_of(skin, skirt, canopy, chimney), *parts_of(dark, filters, buttons))
    lifted = tuple(replace(part, solid=part.solid.moved((0, 0, 0.002))) for part in parts)
    return Model(label="range hood", parts=lifted, finish=skin)
