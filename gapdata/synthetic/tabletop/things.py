"""Small things of kitchens, desks and toy boxes, in their real sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gapdata.synthetic.furniture.tableware import STEEL
from gapdata.synthetic.geometric.finishes import sample_finish
from gapdata.synthetic.materials import Finish, Palette, accent, shaded
from gapdata.synthetic.models import Model, Part, parts_of, tabletop
from gapdata.synthetic.shapes import ball, block, circle, cylinder, lathe, loft, tapered

Builder = Callable[[np.random.Generator, Palette], Model]

PAPER = Finish(rgb=(240, 234, 216), material="paper")


def toy_block(rng: np.random.Generator, palette: Palette) -> Model:
    """A wooden building block, a cube or a bar."""
    side = rng.uniform(0.03, 0.055)
    width = side * (1.0 if rng.random() < 0.6 else rng.uniform(1.6, 2.4))
    wood = sample_finish(rng, ("wood",))
    return Model(
        label="block", parts=parts_of(wood, block((width, side, side))), finish=wood, shape="box",
        surfaces=(tabletop(width, side, side, inset=0.002),),
    )  # fmt: skip


def can(rng: np.random.Generator, palette: Palette) -> Model:
    """A tin can, food or drink."""
    r, h = rng.uniform(0.031, 0.042), rng.uniform(0.085, 0.125)
    print_ = accent(rng, "metal")
    rim = lathe([(0.9 * r, 0.0), (r, 0.005), (r, h - 0.005), (0.9 * r, h)], segments=32)
    band = lathe([(r + 0.0006, 0.12 * h), (r + 0.0006, 0.88 * h)], segments=32)
    parts = parts_of(STEEL, rim) + parts_of(print_, band)
    return Model(label="can", parts=parts, finish=print_, shape="cylinder")


def carton(rng: np.random.Generator, palette: Palette) -> Model:
    """An upright printed packet, as of cereals or tea."""
    width, depth = rng.uniform(0.1, 0.2), rng.uniform(0.045, 0.08)
    height = width * rng.uniform(1.15, 1.6)
    card = accent(rng, "cardboard")
    label = block((0.7 * width, depth + 0.001, 0.3 * height), (0.0, 0.0, 0.5 * height))
    parts = parts_of(card, block((width, depth, height))) + parts_of(PAPER, label)
    return Model(
        label="box", parts=parts, finish=card, shape="box", surfaces=(tabletop(width, depth, height, inset=0.003),)
    )  # fmt: skip


def fruit(rng: np.random.Generator, palette: Palette, radius: float | None = None) -> Model:
    """An apple or an orange, round and without a stem, so that others may lie on it."""
    name, rgb = (("orange", (232, 132, 36)), ("apple", (178, 36, 40)), ("apple", (128, 172, 66)))[
        int(rng.integers(3))
    ]
    r = float(rng.uniform(0.032, 0.042)) if radius is None else radius
    skin = Finish(rgb=rgb, material="fruit")
    return Model(
        label=name, parts=parts_of(skin, ball(r, segments=36)), finish=skin, shape="sphere"
    )


def tennis_ball(rng: np.random.Generator, palette: Palette) -> Model:
    """A small ball."""
    paint = sample_finish(rng, ("rubber",))
    return Model(
        label="ball",
        parts=parts_of(paint, ball(rng.uniform(0.025, 0.034), segments=32)),
        finish=paint,
        shape="sphere",
    )


def _cutlery(label: str, parts: tuple[Part, ...], finish: Finish) -> Model:
    """The parts as a model about its middle."""
    model = Model(label=label, parts=parts, finish=finish)
    middle = 0.5 * (model.low + model.high) * [1.0, 1.0, 0.0]
    moved = tuple(replace(part, solid=part.solid.moved(-middle)) for part in parts)
    return replace(model, parts=moved)


def _handle(rng: np.random.Generator) -> tuple[tuple[Part, ...], Finish]:
    """A flat handle from y = -0.1 to 0, and what it is made of."""
    finish = STEEL if rng.random() < 0.6 else accent(rng, "plastic")
    return parts_of(finish, tapered((0.016, 0.1), (0.013, 0.098), 0.005, (0.0, -0.05, 0.0))), finish


def knife(rng: np.random.Generator, palette: Palette) -> Model:
    """A table knife lying flat."""
    parts, _ = _handle(rng)
    blade = tapered((0.02, 0.11), (0.018, 0.108), 0.0025, (0.0, 0.054, 0.0))
    return _cutlery("knife", parts + parts_of(STEEL, blade), STEEL)


def fork(rng: np.random.Generator, palette: Palette) -> Model:
    """A table fork lying flat."""
    parts, _ = _handle(rng)
    neck, palm = (
        block((0.008, 0.035, 0.004), (0.0, 0.016, 0.0)),
        block((0.026, 0.025, 0.003), (0.0, 0.044, 0.0)),
    )
    tines = [
        block((0.0035, 0.045, 0.0025), (x, 0.077, 0.0)) for x in (-0.0112, -0.0037, 0.0037, 0.0112)
    ]
    return _cutlery("fork", parts + parts_of(STEEL, neck, palm, *tines), STEEL)


def spoon(rng: np.random.Generator, palette: Palette) -> Model:
    """A spoon lying flat."""
    parts, _ = _handle(rng)
    neck = block((0.008, 0.045, 0.004), (0.0, 0.018, 0.0))
    rings = np.zeros((4, 24, 3))
    for ring, (scale, z) in zip(
        rings, ((0.6, 0.0), (1.0, 0.007), (0.92, 0.0075), (0.55, 0.0025)), strict=True
    ):
        ring[:, :2] = scale * circle(1.0, 24) * [0.02, 0.031] + [0.0, 0.066]
        ring[:, 2] = z
    return _cutlery("spoon", parts + parts_of(STEEL, neck, loft(rings)), STEEL)


def bottle(rng: np.random.Generator, palette: Palette) -> Model:
    """A bottle of water, oil or juice with a paper label and a cap."""
    r, h = rng.uniform(0.03, 0.042), rng.uniform(0.19, 0.3)
    glass = accent(rng, "glass" if rng.random() < 0.5 else "plastic")
    shoulder = rng.uniform(0.55, 0.7) * h
    body = [(0.92 * r, 0.0), (r, 0.008), (r, shoulder), (0.38 * r, 0.82 * h), (0.36 * r, 0.94 * h)]
    band = [(r + 0.0006, 0.16 * h), (r + 0.0006, 0.4 * h)]
    parts = parts_of(glass, lathe(body, segments=32)) + parts_of(PAPER, lathe(band, segments=32))
    parts += parts_of(shaded(glass, 0.5), cylinder(0.42 * r, 0.06 * h, (0.0, 0.0, 0.94 * h), 24))
    return Model(label="bottle", parts=parts, finish=glass, shape="cylinder")


SMALL: tuple[Builder, ...] = (toy_block, can, fruit, tennis_ball, toy_block, fruit)
