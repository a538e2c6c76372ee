"""Places laid for a meal."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.materials import Palette
from gapdata.synthetic.tabletop.groups import Group, Member, standing
from gapdata.synthetic.tabletop.stacks import plate
from gapdata.synthetic.tabletop.things import fork, knife, spoon
from gapdata.synthetic.tabletop.vessels import mug

GAP = 0.025  # metres between the plate and what lies beside it


def place_setting(rng: np.random.Generator, palette: Palette) -> Group:
    """A plate with a fork to its left, a knife or a spoon to its right, and perhaps a mug behind."""
    dish = plate(rng, palette)
    edge = 0.5 * float(dish.size[0]) + GAP
    group: list[Member] = [standing(dish)]
    left = fork(rng, palette)
    group.append(
        standing(left, (-edge - 0.5 * float(left.size[0]), 0.0), float(rng.uniform(-0.06, 0.06)))
    )
    right = (knife, spoon)[int(rng.integers(2))](rng, palette)
    group.append(
        standing(right, (edge + 0.5 * float(right.size[0]), 0.0), float(rng.uniform(-0.06, 0.06)))
    )
    if rng.random() < 0.5:
        cup = mug(rng, palette).model
        reach = float(np.linalg.norm(cup.outline, axis=1).max())
        place = 0.5 * (edge + reach) + 0.04
        group.append(standing(cup, (place, place + 0.06), float(rng.uniform(-0.5, 0.5))))
    return tuple(group)
