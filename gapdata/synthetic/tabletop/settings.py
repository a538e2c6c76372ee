"""Places laid for a meal, and a raised board with things on it and under it."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.collision import Obstacles
from gapdata.synthetic.geometric.finishes import sample_finish
from gapdata.synthetic.materials import Palette
from gapdata.synthetic.models import Model, parts_of, tabletop
from gapdata.synthetic.shapes import block
from gapdata.synthetic.tabletop.groups import ON_TABLE, Group, Member, standing
from gapdata.synthetic.tabletop.stacks import plate
from gapdata.synthetic.tabletop.things import SMALL, fork, knife, spoon
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


def riser(rng: np.random.Generator, palette: Palette) -> Model:
    """A board on two sides, as lifts screens or spices."""
    width, depth, height, thick = (
        rng.uniform(0.34, 0.5),
        rng.uniform(0.16, 0.22),
        rng.uniform(0.15, 0.2),
        0.014,
    )
    finish = palette.wood if rng.random() < 0.6 else sample_finish(rng, ("plastic", "metal"))
    sides = [
        block((thick, depth, height - thick), (s * 0.5 * (width - thick), 0.0, 0.0))
        for s in (-1, 1)
    ]
    board = block((width, depth, thick), (0.0, 0.0, height - thick))
    return Model(
        label="shelf", parts=parts_of(finish, board, *sides), finish=finish, shape="rectangular",
        surfaces=(tabletop(width, depth, height, inset=0.006),),
    )  # fmt: skip


def raised_board(rng: np.random.Generator, palette: Palette) -> Group:
    """A raised board with one to three small things under it and none to three on it."""
    board = riser(rng, palette)
    group, taken, height = [standing(board)], Obstacles(), float(board.size[2])
    taken.add(group[0].prisms)
    half = 0.5 * board.size[:2] - [0.06, 0.06]
    for on, count in ((ON_TABLE, int(rng.integers(1, 4))), (0, int(rng.integers(0, 4)))):
        for _ in range(count):
            spot = np.append(rng.uniform(-half, half), 0.0 if on == ON_TABLE else height)
            model = SMALL[int(rng.integers(len(SMALL)))](rng, palette)
            member = Member(model=model, at=spot, yaw=float(rng.uniform(-np.pi, np.pi)), on=on)
            if not taken.hit(member.prisms):
                taken.add(member.prisms)
                group.append(member)
    return tuple(group)
