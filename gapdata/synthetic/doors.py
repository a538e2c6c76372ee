"""Doors: a frame in the wall, and a leaf that turns about its hinge."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.materials import Finish, Palette, shaded
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import block, cylinder

Array = np.ndarray

JAMB, CASING = 0.03, 0.07  # thickness of a door's lining, width of its trim on the wall
TRIM = 0.016  # thickness of that trim
LEAF = 0.04  # thickness of a leaf
GAP = 0.002  # metres between leaf and lining
HANDLE_HEIGHT = 1.05


def door_frame(
    trim: Finish, width: float, height: float, depth: float, *, both_sides: bool = False
) -> Model:
    """The lining of an opening `width` wide in a wall `depth` thick, with trim on the room's side or on both.

    In the wall's axes: y = 0 is the room's face of the wall, y > 0 inside the wall.
    """
    half, middle = width / 2, depth / 2
    solids = [block((JAMB, depth, height), (s * (half - JAMB / 2), middle, 0)) for s in (-1, 1)]
    solids.append(block((width - 2 * JAMB, depth, JAMB), (0, middle, height - JAMB)))
    for y in (-TRIM / 2, depth + TRIM / 2) if both_sides else (-TRIM / 2,):
        solids += [block((CASING, TRIM, height), (s * (half + CASING / 2), y, 0)) for s in (-1, 1)]
        solids.append(block((width + 2 * CASING, TRIM, CASING), (0, y, height)))
    return Model(label="doorframe", parts=parts_of(trim, *solids), finish=trim)


def door_leaf(
    rng: np.random.Generator, palette: Palette, width: float, height: float, hinge: int
) -> Model:
    """The leaf for a frame of that width and height, panelled, with a lever on both sides.

    Its axes have the hinge at the origin, z along it; shut, the leaf runs towards -x for hinge 1 (on the right
    seen from the room), towards +x for hinge -1, and its room's face lies in y = 0.
    """
    color = shaded(palette.trim, 0.97) if rng.random() < 0.5 else palette.wood
    wide, high = width - 2 * JAMB - 2 * GAP, height - JAMB - GAP
    middle = -hinge * (GAP + wide / 2)
    parts: list[Part] = [*parts_of(color, block((wide, LEAF, high), (middle, LEAF / 2, 0)))]
    steel = palette.metal
    x = middle - hinge * (wide / 2 - 0.07)
    for side in (-1, 1):
        face = LEAF if side > 0 else 0.0
        for z, h in ((0.16, 0.36 * high), (0.26 + 0.36 * high, 0.48 * high)):
            panel = block((wide - 0.26, 0.008, h), (middle, face + side * 0.004, z))
            parts += parts_of(shaded(color, 0.94), panel)
        plate = block((0.04, 0.006, 0.2), (x, face + side * 0.003, HANDLE_HEIGHT - 0.11))
        stem = cylinder(0.01, 0.05, (0, 0, -0.025), 10).tilted(0, np.pi / 2)
        stem = stem.moved((x, face + side * 0.025, HANDLE_HEIGHT))
        lever = block(
            (0.12, 0.016, 0.02), (x + hinge * 0.045, face + side * 0.05, HANDLE_HEIGHT - 0.01)
        )
        parts += parts_of(steel, plate, stem, lever)
    return Model(label="door", parts=tuple(parts), finish=color, shape="flat")


def hinge_offset(yaw: float, width: float, hinge: int, *, inset: float = 0.0) -> Float[Array, "3"]:
    """From the middle of an opening's floor line to the hinge of its leaf, `inset` metres inside the wall."""
    local = np.array([hinge * (width / 2 - JAMB), inset, 0.0])
    return np.asarray(rotation_about_z(yaw) @ local)
