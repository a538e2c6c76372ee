"""How a kitchen is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import (
    DINNER,
    WORKTOP,
    build,
    chance,
    clutter,
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
        clutter(placer, table, DINNER, int(rng.integers(4, 8)))
    if chance(placer, 0.5):
        chest = placer.against_wall(build(placer, storage.cabinet))
        if chest is not None:
            clutter(placer, chest, WORKTOP, 3)
    placer.against_wall(build(placer, containers.trash_can))
    if chance(placer, 0.6):
        placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(0, 3)))
    scatter(
        placer,
        (containers.cardboard_box, seating.stool, containers.basket, decor.toy_ball),
        int(rng.integers(1, 4)),
    )


def _kitchen_run(placer: Placer) -> None:
    """Fridge, counters, stove side by side along the longest wall that takes them."""
    rng, palette, plan = placer.rng, placer.plan.palette, placer.plan
    fridge, cooker = build(placer, kitchen.refrigerator), build(placer, kitchen.stove)
    sink_part = kitchen.counter(rng, palette, float(rng.uniform(1.1, 1.5)), sink=True)
    plain = kitchen.counter(rng, palette, float(rng.uniform(0.6, 1.0)), sink=False)
    row = [fridge, sink_part, cooker, plain]
    if chance(placer, 0.5):
        row = row[::-1]
    total = sum(float(m.size[0]) for m in row) + 0.01 * len(row)
    walls = [
        w
        for w in np.argsort(-plan.lengths, kind="stable").tolist()
        if plan.lengths[w] > total + 0.06
    ]
    for wall in walls:
        for start in (
            0.04,
            float(plan.lengths[wall]) - total - 0.04,
            0.5 * (float(plan.lengths[wall]) - total),
        ):
            if _run_at(placer, row, wall, start):
                return
    for model in row:
        placer.against_wall(model)


def _run_at(placer: Placer, row: list[Model], wall: int, start: float) -> bool:
    """Tries to build a whole kitchen run; its first unit decides whether the wall is taken."""
    along = start
    built: list[tuple[int, float, float]] = []
    for model in row:
        width = float(model.size[0])
        index = placer.at_wall(model, wall, along + width / 2)
        if index is None and not built:
            return False
        if index is not None:
            built.append((index, along, width))
        along += width + 0.01
    for index, begin, width in built:
        model = placer.placed[index].model
        if model.label == "kitchen counter":
            if len(model.surfaces) == 2:
                basin = build(placer, kitchen.sink)
                placer.try_put(
                    basin,
                    placer.placed[index].position + np.array([0, 0, kitchen.COUNTER_HEIGHT]),
                    placer.placed[index].yaw,
                    index,
                    reserved=False,
                )
            for surface in range(len(model.surfaces)):
                if surface == 0 and chance(placer, 0.5):
                    placer.on(build(placer, kitchen.microwave), index, surface=surface, turn=0.0)
                clutter(placer, index, WORKTOP, int(placer.rng.integers(1, 4)), surface)
            cabinet = kitchen.wall_cabinet(placer.rng, placer.plan.palette, width - 0.01)
            placer.hang(cabinet, 1.46, wall=wall, along=begin + width / 2)
        elif model.label == "stove":
            placer.on(build(placer, tableware.pot), index, at=(-0.14, -0.13), turn=0.3)
    return True
