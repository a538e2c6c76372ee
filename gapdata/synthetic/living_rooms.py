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
)
from gapdata.synthetic.dining import lay, table_with_chairs
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

COUCH_TRIES = 8
FARTHEST_TV = 6.0  # metres from the couch's middle to the wall with the television


def furnish_living_room(placer: Placer) -> None:
    """Couch, coffee table on a rug, television opposite, armchair, lamp, bookshelf."""
    rng = placer.rng
    couch, table, stand = _sitting_place(placer)
    dress_windows(placer, curtains=0.7)
    if stand is not None:
        clutter(placer, stand, (decor.vase, decor.small_plant, decor.book, decor.candle), 3)
    if table is not None:
        _on_and_below(placer, table)
    side = -1 if chance(placer, 0.5) else 1
    if couch is not None:
        _armchair(placer, couch, table)
        side_table(placer, couch, tables.end_table, side, lamp=True)
        lamp = build(placer, lamps.floor_lamp)
        stand_beside(placer, couch, lamp, -side)
        cushions(placer, couch, int(rng.integers(0, 7)))
    for _ in range(int(rng.integers(0, 2 + placer.per_area(18.0)))):
        bookcase(placer)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(16.0)))):
        seat = against_wall(placer, seating.armchair)
        if seat is not None:
            cushions(placer, seat, int(rng.integers(0, 2)))
            side_table(placer, seat, tables.end_table, side, lamp=chance(placer, 0.4))
    for _ in range(int(rng.integers(0, 2 + placer.per_area(18.0)))):
        chest = against_wall(placer, storage.cabinet)
        if chest is not None:
            clutter(placer, chest, (lamps.table_lamp, decor.vase, decor.small_plant, decor.book), 4)
    if placer.plan.area > 22 and chance(placer, 0.8):
        builder = tables.dining_table if placer.plan.area > 30 else tables.small_table
        table = table_with_chairs(placer, builder, seating.chair, rug=False)
        if table is not None:
            lay(placer, table)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, FLOOR_THINGS)


def _sitting_place(placer: Placer) -> tuple[int | None, int | None, int | None]:
    """A couch at a wall, a coffee table before it, and a television on its stand at the wall that it looks at.

    What does not fit at the first places of the couch is left out at the last: the table, then the television.
    """
    empty = placer.checkpoint()
    for attempt in range(COUCH_TRIES):
        placer.restore(empty)
        table = stand = None
        couch = against_wall(placer, seating.couch, centred=attempt < COUCH_TRIES - 2)
        if couch is not None:
            table = _coffee_table(placer, couch)
            stand = _television(placer, couch)
        if stand is not None and (table is not None or attempt >= COUCH_TRIES - 3):
            break
    return couch, table, stand


def _coffee_table(placer: Placer, couch: int) -> int | None:
    """A coffee table within reach of a couch, mostly on a rug."""
    rng, size = placer.rng, placer.placed[couch].model.size
    table = build(placer, tables.coffee_table)
    gap = float(rng.uniform(0.32, 0.42))
    y = -size[1] / 2 - gap - table.size[1] / 2
    if chance(placer, 0.8):
        wide = float(max(size[0] * rng.uniform(0.8, 1.05), table.size[0] + 0.5))
        deep = float(table.size[1]) + 2 * gap + 0.13
        mat = decor.rug(rng, placer.plan.palette, wide, deep, oval=chance(placer, 0.3))
        placer.near(mat, couch, (0.0, y - 0.125), on_rug=False)
    index = placer.near(table, couch, (0.0, y))
    if index is None:
        placer.give_up(table)
    return index


def _on_and_below(placer: Placer, table: int) -> None:
    """What lies on a coffee table, and on its lower board or below it."""
    clutter(placer, table, LOW_CLUTTER, int(placer.rng.integers(3, 6)))
    if len(placer.placed[table].model.surfaces) > 1:
        clutter(placer, table, (decor.book, containers.basket), 2, surface=1)
    elif chance(placer, 0.5):
        below(placer, table, (decor.toy_ball, containers.cardboard_box, containers.basket))


def _armchair(placer: Placer, couch: int, table: int | None) -> None:
    """An armchair beside the coffee table, turned half to the couch."""
    chair, size = build(placer, seating.armchair), placer.placed[couch].model.size
    low = np.array([0.9, 0.5]) if table is None else placer.placed[table].model.size[:2]
    y = -size[1] / 2 - 0.37 - low[1] / 2
    for side in (-1, 1) if chance(placer, 0.5) else (1, -1):
        x = side * (low[0] / 2 + 0.55 + chair.size[1] / 2)
        turn = -side * (np.pi / 2 - float(placer.rng.uniform(0.0, 0.35)))
        spot = (x, y - float(placer.rng.uniform(0.0, 0.2)))
        if placer.near(chair, couch, spot, turn=turn) is not None:
            return
    placer.give_up(chair)


def _television(placer: Placer, couch: int) -> int | None:
    """A television on its stand at the wall the couch looks at, near enough to watch."""
    thing, plan = placer.placed[couch], placer.plan
    model = build(placer, storage.tv_stand)
    opposite = [w for w in range(len(plan.lengths)) if plan.inward[w] @ thing.facing < -0.99]
    for shift in (0.0, 0.2, -0.2, 0.45, -0.45, 0.8, -0.8):
        for wall in opposite:
            along = plan.along(wall, thing.position[:2]) + shift
            away = float((plan.point(wall, along) - thing.position[:2]) @ thing.facing)
            margin = 0.5 * float(model.size[0]) + 0.05
            if away > FARTHEST_TV or not margin < along < plan.lengths[wall] - margin:
                continue
            stand = placer.at_wall(model, wall, along)
            if stand is not None:
                placer.on(build(placer, electronics.tv), stand, at=(0.0, 0.03), turn=0.0)
                return stand
    placer.give_up(model)
    return None
