"""How a living room is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import (
    FLOOR_THINGS,
    LOW_CLUTTER,
    against_wall,
    below,
    bookcase,
    build,
    chance,
    clutter,
    cushions,
    plants,
    scatter,
    side_table,
    stand_beside,
    table_with_chairs,
)
from gapdata.synthetic.dressing import decorate_walls, dress_windows
from gapdata.synthetic.furniture import (
    containers,
    decor,
    electronics,
    lamps,
    seating,
    storage,
    tables,
)
from gapdata.synthetic.placement import Placer


def furnish_living_room(placer: Placer) -> None:
    """Couch, coffee table on a rug, television opposite, armchair, lamp, bookshelf."""
    rng = placer.rng
    dress_windows(placer, curtains=0.7)
    couch = against_wall(placer, seating.couch, centred=True)
    if couch is not None:
        _sitting_group(placer, couch)
        _television(placer, couch)
        side = -1 if chance(placer, 0.5) else 1
        side_table(placer, couch, build(placer, tables.end_table), side, lamp=True)
        lamp = build(placer, lamps.floor_lamp)
        stand_beside(placer, couch, lamp, -side)
        cushions(placer, couch, int(rng.integers(0, 7)))
    for _ in range(int(rng.integers(0, 2 + placer.per_area(18.0)))):
        bookcase(placer)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(16.0)))):
        seat = against_wall(placer, seating.armchair)
        if seat is not None:
            cushions(placer, seat, int(rng.integers(0, 2)))
    if chance(placer, 0.5):
        chest = against_wall(placer, storage.cabinet)
        if chest is not None:
            clutter(placer, chest, (lamps.table_lamp, decor.vase, decor.small_plant, decor.book), 3)
    if placer.plan.area > 22 and chance(placer, 0.8):
        builder = tables.dining_table if placer.plan.area > 30 else tables.small_table
        table = table_with_chairs(placer, builder, seating.chair, rug=False)
        if table is not None:
            clutter(placer, table, LOW_CLUTTER, 3)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, FLOOR_THINGS)


def _sitting_group(placer: Placer, couch: int) -> None:
    rng, palette = placer.rng, placer.plan.palette
    size = placer.placed[couch].model.size
    table = build(placer, tables.coffee_table)
    gap = float(rng.uniform(0.32, 0.42))
    y = -size[1] / 2 - gap - table.size[1] / 2
    if chance(placer, 0.8):
        half = table.size[1] / 2 + gap - 0.06
        mat = decor.rug(
            rng,
            palette,
            float(max(size[0] * rng.uniform(0.8, 1.05), table.size[0] + 0.5)),
            2 * half + 0.25,
            oval=chance(placer, 0.3),
        )
        placer.near(mat, couch, (0.0, y - 0.125), on_rug=False)
    index = placer.near(table, couch, (0.0, y))
    if index is None:
        placer.give_up(table)
    else:
        clutter(placer, index, LOW_CLUTTER, int(rng.integers(2, 5)))
        if len(table.surfaces) > 1:
            clutter(placer, index, (decor.book, containers.basket), 2, surface=1)
        elif chance(placer, 0.5):
            below(placer, index, (decor.toy_ball, containers.cardboard_box, containers.basket))
    chair = build(placer, seating.armchair)
    for side in (-1, 1) if chance(placer, 0.5) else (1, -1):
        x = side * (table.size[0] / 2 + 0.55 + chair.size[1] / 2)
        turn = -side * (np.pi / 2 - float(rng.uniform(0.0, 0.35)))
        if placer.near(chair, couch, (x, y - float(rng.uniform(0.0, 0.2))), turn=turn) is not None:
            return
    placer.give_up(chair)


def _television(placer: Placer, couch: int) -> None:
    """A television on its stand at the wall the couch looks at."""
    thing = placer.placed[couch]
    plan = placer.plan
    model = build(placer, storage.tv_stand)
    opposite = [w for w in range(len(plan.lengths)) if plan.inward[w] @ thing.facing < -0.99]
    for shift in (0.0, 0.2, -0.2, 0.45, -0.45, 0.8, -0.8):
        for wall in opposite:
            along = float((thing.position[:2] - plan.corners[wall]) @ plan.directions[wall]) + shift
            if 0.5 * model.size[0] + 0.05 < along < plan.lengths[wall] - 0.5 * model.size[0] - 0.05:
                stand = placer.at_wall(model, wall, along)
                if stand is not None:
                    placer.on(build(placer, electronics.tv), stand, at=(0.0, 0.03), turn=0.0)
                    clutter(
                        placer, stand, (decor.vase, decor.small_plant, decor.book, decor.candle), 2
                    )
                    return
    placer.give_up(model)
