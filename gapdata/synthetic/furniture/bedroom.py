"""Beds and bedding."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, Part, four, parts_of, tabletop
from gapdata.synthetic.shapes import block, soft_block
from gapdata.synthetic.shapes import pillow as stuffed

LINEN = Finish(rgb=(238, 236, 230), material="fabric", texture="fabric")
FOLD = 0.2  # metres of sheet turned down over the blanket
BLANKET = 0.62  # the blanket covers this fraction of the mattress from the foot


def bed(rng: np.random.Generator, palette: Palette) -> Model:
    """A bed for one or two, headboard at the back (+y), on legs high enough for boxes below."""
    width = rng.uniform(0.86, 1.9)
    length, rail, leg = rng.uniform(1.9, 2.2), 0.12, rng.uniform(0.14, 0.34)
    mattress, board = rng.uniform(0.14, 0.28), 0.05
    head = leg + rail + mattress + rng.uniform(0.2, 0.7)
    wood = palette.wood if rng.random() < 0.65 else palette.wood_second
    padded = rng.random() < 0.4
    back_y = (length + board) / 2 - board / 2
    front_y = -(length + board) / 2
    body_y = front_y + length / 2
    parts: list[Part] = []
    head_parts = (
        block((width + 0.04, board, head), (0, back_y, 0)),
        soft_block((width + 0.04, board, head), 0.02, (0, back_y, 0)),
    )
    parts += parts_of(palette.fabric if padded else wood, head_parts[1 if padded else 0])
    parts += parts_of(
        wood,
        *(
            block((0.07, 0.07, leg), (x, y + body_y, 0))
            for x, y in four(width - 0.08, length - 0.08)
        ),
    )
    parts += parts_of(wood, block((width, length, rail), (0, body_y, leg)))
    base = leg + rail
    parts += parts_of(
        LINEN, soft_block((width - 0.04, length - 0.04, mattress), 0.06, (0, body_y, base))
    )
    cover = BLANKET * length
    blanket = palette.accent if rng.random() < 0.6 else palette.fabric
    parts += parts_of(
        blanket,
        soft_block((width + 0.03, cover, 0.035), 0.03, (0, front_y + cover / 2, base + mattress)),
    )
    turned = soft_block(
        (width + 0.034, FOLD, 0.05), 0.03, (0, front_y + cover - FOLD / 2, base + mattress)
    )
    parts += parts_of(LINEN, turned)
    for side in (-1, 1):
        parts += parts_of(
            blanket,
            block(
                (0.03, cover - 0.06, 0.16),
                (side * (width / 2), front_y + cover / 2, base + mattress - 0.15),
            ),
        )
    pillows_depth = length - cover - 0.06
    surfaces = (
        tabletop(
            width - 0.06,
            pillows_depth,
            base + mattress,
            inset=0.02,
            y=front_y + cover + 0.01 + pillows_depth / 2,
        ),
        tabletop(
            width - 0.1,
            cover - FOLD - 0.1,
            base + mattress + 0.035,
            inset=0.06,
            y=front_y + (cover - FOLD) / 2,
        ),
    )
    return Model(
        label="bed", parts=tuple(parts), finish=blanket, shape="rectangular", surfaces=surfaces
    )


def pillow(rng: np.random.Generator, palette: Palette) -> Model:
    """A sleeping pillow lying flat."""
    size = (rng.uniform(0.4, 0.78), rng.uniform(0.32, 0.5), rng.uniform(0.09, 0.17))
    finish = LINEN if rng.random() < 0.5 else palette.accent_second
    return Model(label="pillow", parts=parts_of(finish, stuffed(size)), finish=finish)


def cushion(rng: np.random.Generator, palette: Palette) -> Model:
    """A square sofa cushion leaning back at rest on its edge."""
    side, thick = rng.uniform(0.26, 0.54), rng.uniform(0.09, 0.16)
    finish = accent(rng, "fabric", "fabric") if rng.random() < 0.6 else palette.accent_second
    solid = stuffed((side, side, thick)).tilted(0, np.pi / 2 - 0.25)
    center = 0.5 * (solid.outline.min(axis=0) + solid.outline.max(axis=0))
    solid = solid.moved((-center[0], -center[1], -solid.low))
    return Model(label="cushion", parts=parts_of(finish, solid), finish=finish)
