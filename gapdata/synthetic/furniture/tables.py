"""Tables and desks. Table tops 0.68-0.80 m high, coffee tables 0.30-0.52 m."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Palette
from gapdata.synthetic.models import Model, Part, Surface, four, parts_of, tabletop
from gapdata.synthetic.shapes import block, circle, cylinder, lathe, tapered


def _on_legs(
    rng: np.random.Generator, palette: Palette, label: str, size: tuple[float, float, float]
) -> Model:
    width, depth, height = size
    top, leg = rng.uniform(0.025, 0.04), rng.uniform(0.045, 0.07)
    second = rng.random() < 0.35
    frame = palette.wood_second if second else palette.wood
    legs = [
        tapered((0.7 * leg, 0.7 * leg), (leg, leg), height - top, (x, y, 0))
        for x, y in four(width - leg - 0.04, depth - leg - 0.04)
    ]
    apron = 0.07 if height > 0.6 else 0.04
    inner_w, inner_d = width - 2 * leg - 0.04, depth - 2 * leg - 0.04
    rails = [
        block((inner_w, 0.02, apron), (0, s * (depth - leg - 0.04) / 2, height - top - apron))
        for s in (-1, 1)
    ]
    rails += [
        block((0.02, inner_d, apron), (s * (width - leg - 0.04) / 2, 0, height - top - apron))
        for s in (-1, 1)
    ]
    parts = parts_of(palette.wood, block((width, depth, top), (0, 0, height - top)))
    return Model(
        label=label, parts=parts + parts_of(frame, *legs, *rails), finish=palette.wood,
        shape="rectangular", surfaces=(tabletop(width, depth, height),),
    )  # fmt: skip


def _on_pedestal(
    rng: np.random.Generator, palette: Palette, label: str, radius: float, height: float
) -> Model:
    top, stem = 0.03, 0.06 * height + 0.01
    profile = [
        (0.62 * radius, 0),
        (0.62 * radius, 0.02),
        (stem, 0.06),
        (stem, height - 0.1),
        (0.3 * radius, height - top),
    ]
    parts = (
        *parts_of(palette.wood, cylinder(radius, top, (0, 0, height - top), 32)),
        *parts_of(
            palette.metal if rng.random() < 0.5 else palette.wood_second,
            lathe(profile, segments=24),
        ),
    )
    surface = Surface(outline=circle(radius - 0.02, 24), z=height)
    return Model(label=label, parts=parts, finish=palette.wood, shape="round", surfaces=(surface,))


def dining_table(rng: np.random.Generator, palette: Palette) -> Model:
    """A rectangular table for two to ten."""
    size = (rng.uniform(1.1, 2.7), rng.uniform(0.74, 1.1), rng.uniform(0.7, 0.78))
    return _on_legs(rng, palette, "dining table", size)


def small_table(rng: np.random.Generator, palette: Palette) -> Model:
    """A table for two to four, square or round."""
    if rng.random() < 0.5:
        return _on_pedestal(rng, palette, "table", rng.uniform(0.36, 0.7), rng.uniform(0.68, 0.78))
    side = rng.uniform(0.66, 1.1)
    return _on_legs(rng, palette, "table", (side, side, rng.uniform(0.68, 0.78)))


def coffee_table(rng: np.random.Generator, palette: Palette) -> Model:
    """A low table, rectangular with a lower shelf or round."""
    height = rng.uniform(0.3, 0.52)
    if rng.random() < 0.35:
        return _on_pedestal(rng, palette, "coffee table", rng.uniform(0.3, 0.55), height)
    width, depth = rng.uniform(0.75, 1.4), rng.uniform(0.42, 0.75)
    table = _on_legs(rng, palette, "coffee table", (width, depth, height))
    if rng.random() < 0.5:
        return table
    # The shelf hangs between the legs, drawn in so that it clears them.
    inner_w, inner_d, z = width - 0.22, depth - 0.05, 0.12
    shelf = parts_of(palette.wood, block((inner_w, inner_d, 0.02), (0, 0, z)))
    braces = parts_of(
        palette.wood,
        *(
            block(
                (0.02, inner_d - 0.12, height - 0.045 - z), (s * (inner_w / 2 - 0.02), 0, z + 0.02)
            )
            for s in (-1, 1)
        ),
    )
    lower = tabletop(inner_w - 0.08, inner_d, z + 0.02, headroom=height - 0.09 - z - 0.02)
    return Model(
        label=table.label, parts=table.parts + shelf + braces, finish=table.finish,
        shape=table.shape, surfaces=(*table.surfaces, lower),
    )  # fmt: skip


def end_table(rng: np.random.Generator, palette: Palette) -> Model:
    """A small side table, round or square."""
    height = rng.uniform(0.4, 0.7)
    if rng.random() < 0.5:
        return _on_pedestal(rng, palette, "end table", rng.uniform(0.17, 0.32), height)
    side = rng.uniform(0.32, 0.62)
    return _on_legs(rng, palette, "end table", (side, side, height))


def desk(rng: np.random.Generator, palette: Palette) -> Model:
    """A writing desk with legs, and on most a pedestal of drawers on one side."""
    width, depth, height = rng.uniform(1.05, 2.0), rng.uniform(0.55, 0.85), rng.uniform(0.68, 0.8)
    top = 0.03
    frame = palette.metal if rng.random() < 0.5 else palette.wood_second
    parts: list[Part] = [
        *parts_of(palette.wood, block((width, depth, top), (0, 0, height - top))),
    ]
    side = -1 if rng.random() < 0.5 else 1
    drawers = rng.random() < 0.65
    leg = 0.05
    for x, y in four(width - leg - 0.02, depth - leg - 0.04):
        if not (drawers and np.sign(x) == side):
            parts += parts_of(frame, block((leg, leg, height - top), (x, y, 0)))
    if drawers:
        box_w, box_d, x = 0.4, depth - 0.08, side * (width / 2 - 0.22)
        parts += parts_of(
            palette.wood_second, block((box_w, box_d, height - top - 0.04), (x, 0.02, 0.04))
        )
        parts += parts_of(
            palette.wood_second, block((box_w - 0.06, box_d - 0.06, 0.04), (x, 0.02, 0))
        )
        drawer_h = (height - top - 0.04) / 3
        for k in range(3):
            z = 0.04 + k * drawer_h + 0.008
            parts += parts_of(
                palette.wood,
                block((box_w - 0.02, 0.016, drawer_h - 0.016), (x, 0.012 - box_d / 2, z)),
            )
            parts += parts_of(
                palette.metal,
                block((0.12, 0.018, 0.012), (x, -0.005 - box_d / 2, z + drawer_h * 0.6)),
            )
    parts += parts_of(
        frame,
        block(
            (width - 0.5 if drawers else width - 0.14, 0.02, 0.3),
            (-side * 0.18 if drawers else 0, depth / 2 - 0.05, height - top - 0.3),
        ),
    )
    return Model(
        label="desk", parts=tuple(parts), finish=palette.wood, shape="rectangular",
        surfaces=(tabletop(width, depth, height),),
    )  # fmt: skip


def school_table(rng: np.random.Generator, palette: Palette) -> Model:
    """A table for one or two pupils."""
    width = rng.uniform(1.2, 1.4) if rng.random() < 0.6 else rng.uniform(0.65, 0.75)
    return _on_legs(rng, palette, "table", (width, rng.uniform(0.5, 0.6), rng.uniform(0.7, 0.76)))
