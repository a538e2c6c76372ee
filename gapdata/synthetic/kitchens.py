"""How a kitchen is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import (
    DINNER,
    WORKTOP,
    against_wall,
    build,
    chance,
    clutter,
    lay,
    plants,
    scatter,
    table_with_chairs,
)
from gapdata.synthetic.dressing import decorate_walls, dress_windows
from gapdata.synthetic.furniture import (
    containers,
    decor,
    kitchen,
    seating,
    storage,
    tables,
    tableware,
)
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer

UNIT_GAP = 0.01  # metres between kitchen units
CABINET_HEIGHT = 1.46  # of the underside of wall cabinets


def furnish_kitchen(placer: Placer) -> None:
    """A run of counters with sink, stove and fridge, wall cabinets above, a table with chairs."""
    rng = placer.rng
    _kitchen_run(placer)
    dress_windows(placer, curtains=0.25)
    table = table_with_chairs(
        placer,
        tables.small_table if placer.plan.area < 16 else tables.dining_table,
        seating.chair,
        rug=False,
    )
    if table is not None:
        lay(placer, table)
        clutter(placer, table, DINNER, int(rng.integers(2, 6)))
    if chance(placer, 0.5):
        chest = against_wall(placer, storage.cabinet)
        if chest is not None:
            clutter(placer, chest, WORKTOP, 3)
    against_wall(placer, containers.trash_can)
    if placer.plan.area > 24 and chance(placer, 0.6):
        against_wall(placer, seating.couch if chance(placer, 0.5) else seating.armchair)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, (containers.cardboard_box, seating.stool, containers.basket, decor.toy_ball))


def _kitchen_run(placer: Placer) -> None:
    """Fridge, counters, stove side by side along the longest wall that takes them."""
    rng, palette = placer.rng, placer.plan.palette
    fridge, cooker = build(placer, kitchen.refrigerator), build(placer, kitchen.stove)
    sink_part = kitchen.counter(rng, palette, float(rng.uniform(1.1, 1.5)), sink=True)
    plain = kitchen.counter(rng, palette, float(rng.uniform(0.6, 1.0)), sink=False)
    row = [fridge, sink_part, cooker, plain]
    if chance(placer, 0.5):
        row = row[::-1]
    built = _longest_run(placer, row)
    standing = {id(placer.placed[index].model) for index in built}
    for model in row:
        if id(model) not in standing:
            index = placer.against_wall(model)
            if index is not None:
                built.append(index)
    for index in built:
        _equip(placer, index)


def _longest_run(placer: Placer, row: list[Model]) -> list[int]:
    """Builds the units side by side at the wall and start that take the most of them."""
    plan = placer.plan
    total = sum(float(m.size[0]) + UNIT_GAP for m in row)
    starts = []
    for wall in np.argsort(-plan.lengths, kind="stable").tolist():
        slack = float(plan.lengths[wall]) - total
        if slack > 0.06:
            starts += [(wall, 0.04), (wall, slack - 0.04), (wall, 0.5 * slack)]
    best: tuple[int, int, float] | None = None
    empty = placer.checkpoint()
    for wall, start in starts:
        built = _run_at(placer, row, wall, start)
        if len(built) == len(row):
            return built
        placer.restore(empty)
        if best is None or len(built) > best[0]:
            best = (len(built), wall, start)
    return _run_at(placer, row, best[1], best[2]) if best else []


def _run_at(placer: Placer, row: list[Model], wall: int, start: float) -> list[int]:
    built, along = [], start
    for model in row:
        width = float(model.size[0])
        index = placer.at_wall(model, wall, along + width / 2)
        if index is not None:
            built.append(index)
        along += width + UNIT_GAP
    return built


def _equip(placer: Placer, index: int) -> None:
    """Sink, appliances and a wall cabinet for a counter, a pot for a stove."""
    thing = placer.placed[index]
    surfaces = len(thing.model.surfaces)
    if thing.model.label == "stove":
        placer.on(build(placer, tableware.pot), index, at=(-0.14, -0.13), turn=0.3)
    if thing.model.label != "kitchen counter":
        return
    if surfaces == 2:
        worktop = thing.position + np.array([0.0, 0.0, kitchen.COUNTER_HEIGHT])
        placer.try_put(build(placer, kitchen.sink), worktop, thing.yaw, index, reserved=False)
    for surface in range(surfaces):
        if surfaces == 1 and chance(placer, 0.8):
            placer.on(build(placer, kitchen.microwave), index, surface=surface, turn=0.0)
        clutter(placer, index, WORKTOP, int(placer.rng.integers(1, 4)), surface)
    wall, along = placer.wall_of(index)
    width = float(thing.model.size[0]) - UNIT_GAP
    cabinet = kitchen.wall_cabinet(placer.rng, placer.plan.palette, width)
    placer.hang(cabinet, CABINET_HEIGHT, wall=wall, along=along)
