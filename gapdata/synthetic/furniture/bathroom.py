"""Bathroom fittings: toilet, bathtub, shower, washbasin, and what hangs beside them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.furniture.storage import fronts
from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, Surface, parts_of
from gapdata.synthetic.shapes import (
    Solid,
    bar,
    block,
    circle,
    cylinder,
    loft,
    rectangle,
    soft_block,
    tube,
)

Array = np.ndarray

CERAMIC = Finish(rgb=(246, 246, 244), material="ceramic")
CHROME = Finish(rgb=(196, 200, 204), material="metal")
BASIN_HEIGHT = 0.86  # of a washbasin's rim


def _ellipses(levels: list[tuple[float, float, float, float]]) -> Solid:
    """A solid through level ellipses of (width, depth, y of the centre, z)."""
    rings = np.zeros((len(levels), 24, 3))
    for k, (width, depth, y, z) in enumerate(levels):
        rings[k, :, :2] = circle(0.5, 24) * np.array([width, depth]) + np.array([0.0, y])
        rings[k, :, 2] = z
    return loft(rings)


def toilet(rng: np.random.Generator, palette: Palette) -> Model:
    """A toilet with a closed lid and a cistern behind it."""
    seat = float(rng.uniform(0.39, 0.43))
    front = _ellipses([
        (0.22, 0.34, 0.02, 0.0), (0.23, 0.36, 0.01, 0.12), (0.32, 0.46, -0.06, 0.7 * seat),
        (0.37, 0.5, -0.08, seat - 0.03),
    ])  # fmt: skip
    lid = _ellipses([
        (0.38, 0.51, -0.08, seat - 0.03), (0.39, 0.52, -0.08, seat - 0.01), (0.38, 0.5, -0.08, seat + 0.015),
        (0.34, 0.46, -0.08, seat + 0.022),
    ])  # fmt: skip
    neck = block((0.2, 0.14, seat - 0.04), (0, 0.19, 0))
    tank = soft_block((0.38, 0.17, 0.36), 0.03, (0, 0.245, seat - 0.04))
    top = soft_block((0.4, 0.19, 0.03), 0.02, (0, 0.245, seat + 0.32))
    button = cylinder(0.025, 0.01, (0, 0.245, seat + 0.35), 16)
    parts = (*parts_of(CERAMIC, front, neck, tank, top), *parts_of(shaded(CERAMIC, 0.98), lid))
    return Model(
        label="toilet", parts=(*parts, *parts_of(CHROME, button)), finish=CERAMIC, clearance=0.45
    )


def _basin(size: Float[Array, "2"], deep: float, wall: float, rim: float, radius: float) -> Solid:
    """An open tub with rounded corners whose rim is `rim` metres up, `deep` metres deep inside."""
    corner = np.linspace(0.0, 0.5 * np.pi, 5)
    quarter = np.stack([np.cos(corner), np.sin(corner)], axis=-1)
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))

    def outline(extent: Array, r: float) -> Array:
        arcs = []
        for sx, sy in signs:
            arc = quarter if sx * sy > 0 else quarter[::-1]
            arcs.append((extent / 2 - r + r * arc) * np.array([sx, sy]))
        return np.concatenate(arcs)

    inner, floor = size - 2 * wall, size - 2 * wall - 0.16
    levels = [
        (size, radius, 0.0), (size, radius, rim), (inner, radius, rim),
        (floor, radius, rim - deep + 0.03), (floor - 0.06, radius, rim - deep),
    ]  # fmt: skip
    rings = np.stack([
        np.column_stack([outline(extent, r), np.full(20, z)]) for extent, r, z in levels
    ])  # fmt: skip
    return loft(rings)


def bathtub(rng: np.random.Generator, palette: Palette) -> Model:
    """An empty bathtub, one long side at the wall, its tap at that side."""
    length, wide, rim = rng.uniform(1.5, 1.8), rng.uniform(0.7, 0.8), rng.uniform(0.5, 0.58)
    tub = _basin(np.array([length, wide]), rim - 0.1, 0.06, rim, 0.12)
    y = wide / 2 - 0.03
    spout = np.array(
        [[0, y, rim], [0, y, rim + 0.1], [0, y - 0.06, rim + 0.13], [0, y - 0.14, rim + 0.11]]
    )
    handles = [cylinder(0.022, 0.05, (s * 0.09, y, rim), 14) for s in (-1, 1)]
    parts = (*parts_of(CERAMIC, tub), *parts_of(CHROME, tube(spout, 0.014, 10), *handles))
    return Model(label="bathtub", parts=parts, finish=CERAMIC, clearance=0.4)


def shower(rng: np.random.Generator, palette: Palette) -> Model:
    """A walk-in shower: a tray, a riser with a round head, a mixer, and a drawn-back curtain on its rail."""
    side, high = float(rng.uniform(0.8, 0.95)), 2.0
    back = side / 2
    tray = _basin(np.array([side, side]), 0.03, 0.04, 0.07, 0.03)
    riser = bar((0, back - 0.05, 0.9), (0, back - 0.05, 2.02), 0.011)
    arm = bar((0, back - 0.05, 2.02), (0, 0.02, 2.02), 0.011)
    head = cylinder(0.11, 0.015, (0, 0.02, 1.995), 24)
    mixer = block((0.26, 0.05, 0.05), (0, back - 0.03, 1.05))
    hand = 1 if rng.random() < 0.5 else -1
    rail = bar((-side / 2, -back + 0.03, high), (side / 2, -back + 0.03, high), 0.011)
    posts = [
        bar(
            (s * (side / 2 - 0.015), -back + 0.03, 0.07),
            (s * (side / 2 - 0.015), -back + 0.03, high),
            0.011,
        )
        for s in (-1, 1)
    ]
    cloth = accent(rng, "fabric")
    folds = [
        cylinder(0.026, high - 0.16, (hand * (side / 2 - 0.06 - 0.045 * k), -back + 0.03, 0.14), 12)
        for k in range(int(rng.integers(3, 7)))
    ]
    return Model(
        label="shower",
        parts=(
            *parts_of(CERAMIC, tray),
            *parts_of(CHROME, riser, arm, head, mixer, rail, *posts),
            *parts_of(cloth, *folds),
        ),
        finish=CERAMIC,
        clearance=0.4,
    )


def washbasin(rng: np.random.Generator, palette: Palette) -> Model:
    """A washbasin on a cupboard with doors, a tap at its back, and a ledge beside the bowl."""
    wide, deep = float(rng.uniform(0.55, 1.0)), float(rng.uniform(0.42, 0.5))
    bowl_h, kick = 0.14, 0.08
    body_h, body_d = BASIN_HEIGHT - bowl_h - kick, deep - 0.04
    body_y = (deep - body_d) / 2
    parts = [
        *parts_of(
            Finish(rgb=(60, 60, 62), material="wood"),
            block((wide - 0.06, body_d - 0.05, kick), (0, body_y, 0)),
        ),
        *parts_of(palette.wood_second, block((wide - 0.02, body_d, body_h), (0, body_y, kick))),
    ]
    parts += fronts(
        (wide - 0.03, body_h - 0.02), (0, body_y - body_d / 2, kick + 0.01),
        (max(1, round(wide / 0.45)), 1), (palette.wood_second, palette.metal), "upright",
    )  # fmt: skip
    bowl_w = min(0.56, wide)
    ledge = wide - bowl_w
    x = -ledge / 2
    bowl = _basin(np.array([bowl_w, deep]), 0.11, 0.04, bowl_h, 0.05)
    parts += parts_of(CERAMIC, bowl.moved((x, 0, BASIN_HEIGHT - bowl_h)))
    surfaces: tuple[Surface, ...] = ()
    if ledge > 0.02:
        shelf_x = x + bowl_w / 2 + ledge / 2
        parts += parts_of(
            CERAMIC, block((ledge, deep, bowl_h), (shelf_x, 0, BASIN_HEIGHT - bowl_h))
        )
        outline = rectangle(ledge, deep - 0.04) + np.array([shelf_x, 0.0])
        surfaces = (Surface(outline=outline, z=BASIN_HEIGHT, headroom=0.26),)
    y, z = deep / 2 - 0.022, BASIN_HEIGHT
    spout = np.array(
        [
            [x, y, z],
            [x, y, z + 0.13],
            [x, y - 0.04, z + 0.16],
            [x, y - 0.12, z + 0.15],
            [x, y - 0.14, z + 0.11],
        ]
    )
    parts += parts_of(CHROME, tube(spout, 0.012, 10))
    return Model(label="sink", parts=tuple(parts), finish=CERAMIC, surfaces=surfaces, clearance=0.5)


def towel(rng: np.random.Generator, palette: Palette) -> Model:
    """A towel over a rail, back at y = 0."""
    wide, long = rng.uniform(0.35, 0.6), rng.uniform(0.5, 0.85)
    cloth = accent(rng, "fabric", "fabric")
    y, rail = -0.06, long
    rod = bar((-wide / 2 - 0.05, y, rail), (wide / 2 + 0.05, y, rail), 0.01)
    mounts = [
        block((0.025, 0.06, 0.025), (s * (wide / 2 + 0.04), -0.03, rail - 0.0125)) for s in (-1, 1)
    ]
    front = block((wide, 0.012, long), (0, y - 0.016, 0))
    behind = block((wide, 0.012, 0.7 * long), (0, y + 0.016, 0.3 * long))
    over = block((wide, 0.044, 0.012), (0, y, long + 0.01))
    parts = (*parts_of(cloth, front, behind, over), *parts_of(CHROME, rod, *mounts))
    return Model(label="towel", parts=parts, finish=cloth, shape="flat")


def toilet_paper(rng: np.random.Generator, palette: Palette) -> Model:
    """A roll on its holder, back at y = 0."""
    roll = cylinder(0.055, 0.1, (0, 0, 0), 24).tilted(1, np.pi / 2)
    holder = block((0.14, 0.016, 0.03), (0, -0.008, 0.07))
    arms = [block((0.012, 0.07, 0.012), (s * 0.062, -0.035, 0.07)) for s in (-1, 1)]
    paper = Finish(rgb=(248, 246, 240), material="paper")
    parts = (*parts_of(paper, roll.moved((-0.05, -0.072, 0.055))), *parts_of(CHROME, holder, *arms))
    return Model(label="toilet paper", parts=parts, finish=paper, shape="cylinder")


def bottle_of_shampoo(rng: np.random.Generator, palette: Palette) -> Model:
    """A plastic bottle with a cap."""
    radius, height = rng.uniform(0.024, 0.034), rng.uniform(0.14, 0.2)
    body = accent(rng, "plastic")
    parts = (
        *parts_of(body, cylinder(radius, height, segments=20)),
        *parts_of(shaded(body, 0.7), cylinder(0.5 * radius, 0.03, (0, 0, height), 16)),
    )
    return Model(label="bottle", parts=parts, finish=body, shape="cylinder")
