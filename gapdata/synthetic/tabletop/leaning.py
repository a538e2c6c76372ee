"""Things that lean: one edge on the table, the other against something that stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gapdata.synthetic.furniture import decor
from gapdata.synthetic.materials import Palette
from gapdata.synthetic.models import Model
from gapdata.synthetic.tabletop.groups import Group, standing
from gapdata.synthetic.tabletop.things import carton

ANGLE = (np.deg2rad(58.0), np.deg2rad(76.0))  # between what leans and the table
LEAST_HOLD = (
    0.6  # of its length, at which it is held at least: its weight lies between its two contacts
)

Builder = Callable[[np.random.Generator, Palette], Model]


def tilted(model: Model, angle: float) -> Model:
    """The model turned up about its front edge by `angle` radians, standing on that edge, its back leaning to +y."""
    parts = [replace(part, solid=part.solid.tilted(0, angle)) for part in model.parts]
    low = min(part.solid.low for part in parts)
    moved = tuple(replace(part, solid=part.solid.moved((0.0, 0.0, -low))) for part in parts)
    return replace(model, parts=moved, surfaces=())


def leaning_book(rng: np.random.Generator, palette: Palette) -> Group:
    """A book against an upright packet or a box: edge on the table, cover or upper edge against the other."""
    prop = carton(rng, palette)
    angle = float(rng.uniform(*ANGLE))
    book = decor.book(rng, palette)
    for _ in range(8):
        if prop.size[2] / np.sin(angle) >= LEAST_HOLD * book.size[1] and book.size[2] < 0.04:
            break
        book = decor.book(rng, palette)
    else:
        return (standing(prop),)
    return lean(rng, book, prop, angle)


def lean(rng: np.random.Generator, flat: Model, prop: Model, angle: float) -> Group:
    """A flat model leant against the front (-y) of a prop, whose sides are upright.

    With height h of the prop and length l of the model along y: where h >= l sin(angle) the upper edge of
    the model touches the prop's face; else its underside touches the prop's upper edge, h / tan(angle) from
    the edge on the table.
    """
    length, height = float(flat.size[1]), float(prop.size[2])
    leant = tilted(flat, angle)
    foot = -0.5 * length * np.cos(angle)  # y of the edge on the table
    held = min(height / np.tan(angle), length * np.cos(angle))
    beside = 0.25 * float(min(flat.size[0], prop.size[0]))
    x = float(rng.uniform(-beside, beside))
    return standing(prop, (x, foot + held - float(prop.low[1]))), standing(leant)
