"""How a kitchen is furnished."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gapdata.synthetic.arrangements import (
    WORKTOP,
    Builder,
    against_wall,
    build,
    chance,
    clutter,
    plants,
    scatter,
)
from gapdata.synthetic.dining import lay, table_with_chairs
from gapdata.synthetic.dressing import decorate_walls, dress_windows, wall_shelf
from gapdata.synthetic.furniture import (
    containers,
    decor,
    kitchen,
    seating,
    storage,
    tables,
    tableware,
)
from gapdata.synthetic.materials import Finish
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import WALL_GAP, Placer

UNIT_GAP = 0.01  # metres between kitchen units
RUN_SCALES = (1.0, 0.85, 0.7)  # of the units' widths, where all do not fit
CROCKERY: tuple[Builder, ...] = (
    tableware.cup, tableware.bowl, tableware.plate, tableware.pot, tableware.bottle, decor.small_plant,
)  # fmt: skip
CABINET_HEIGHT, HOOD_HEIGHT = 1.46, 1.6  # of the undersides of wall cabinets and hoods


def furnish_kitchen(placer: Placer) -> None:
    """A run of counters with sink, stove and fridge, wall cabinets above, a table with chairs."""
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
    if chance(placer, 0.5):
        chest = against_wall(placer, storage.cabinet)
        if chest is not None:
            clutter(placer, chest, WORKTOP, 4)
    for _ in range(int(placer.rng.integers(1, 3 + placer.per_area(16.0)))):
        wall_shelf(placer, CROCKERY)
    against_wall(placer, containers.trash_can)
    if placer.plan.area > 15 and chance(placer, 0.6):
        against_wall(placer, seating.couch if chance(placer, 0.5) else seating.armchair)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, (containers.cardboard_box, seating.stool, containers.basket, decor.toy_ball))


def _kitchen_run(placer: Placer) -> None:
    """Fridge, sink, stove and worktop side by side at a wall or around a corner, narrower where there is little room."""
    empty = placer.checkpoint()
    top = kitchen.worktop(placer.rng, placer.plan.palette)
    built: list[int] = []
    for scale in RUN_SCALES:
        placer.restore(empty)
        row = _units(placer, scale, top)
        built = _longest_run(placer, row)
        if len(built) < len(row):
            placer.restore(empty)
            built = _around_a_corner(placer, row, top) or _longest_run(placer, row)
        if len(built) >= len(row):
            break
    standing = {id(placer.placed[index].model) for index in built}
    for model in row:
        if id(model) not in standing:
            index = placer.against_wall(model)
            if index is not None:
                built.append(index)
    _equip(placer, built)


def _units(placer: Placer, scale: float, top: Finish) -> list[Model]:
    """What a kitchen needs, in the order in which it is used, from either side."""
    rng, palette = placer.rng, placer.plan.palette
    fridge, cooker = build(placer, kitchen.refrigerator), build(placer, kitchen.stove)
    sink_part = kitchen.counter(palette, scale * float(rng.uniform(1.1, 1.5)), top, sink=True)
    plain = kitchen.counter(palette, scale * float(rng.uniform(0.6, 1.0)), top, sink=False)
    row = [fridge, sink_part, cooker, plain]
    return row[::-1] if chance(placer, 0.5) else row


def _longest_run(placer: Placer, row: list[Model]) -> list[int]:
    """Builds the units side by side at the wall and start that take the most of them."""
    plan = placer.plan
    total = _length(row)
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


def _around_a_corner(placer: Placer, row: list[Model], top: Finish) -> list[int]:
    """Builds all units along two walls with a worktop in the corner between them; none where there is no room."""
    corner_unit = kitchen.counter(placer.plan.palette, kitchen.COUNTER_DEPTH, top, sink=False)
    corner_unit = replace(corner_unit, clearance=0.0)
    depth = kitchen.COUNTER_DEPTH + 2 * UNIT_GAP
    empty, lengths = placer.checkpoint(), placer.plan.lengths
    for wall in placer.rng.permutation(len(lengths)).tolist():
        for split in placer.rng.permutation(np.arange(1, len(row))).tolist():
            before = float(lengths[wall]) - depth - WALL_GAP - _length(row[:split])
            if before < 0.04:
                continue
            after = (wall + 1) % len(lengths)
            built = _run_at(placer, row[:split], wall, before)
            built += _run_at(placer, [corner_unit], wall, float(lengths[wall]) - depth)
            built += _run_at(placer, row[split:], after, depth + WALL_GAP)
            if len(built) == len(row) + 1:
                return built
            placer.restore(empty)
    return []


def _length(row: list[Model]) -> float:
    return sum(float(model.size[0]) + UNIT_GAP for model in row)


def _run_at(placer: Placer, row: list[Model], wall: int, start: float) -> list[int]:
    built, along = [], start
    for model in row:
        width = float(model.size[0])
        index = placer.at_wall(model, wall, along + width / 2)
        if index is not None:
            built.append(index)
        along += width + UNIT_GAP
    return built


def _equip(placer: Placer, units: list[int]) -> None:
    """Sink, appliances and wall cabinets for the counters, a pot on the stove and a hood above it."""
    height = float(placer.rng.uniform(0.52, 0.78))
    appliances = [kitchen.microwave, tableware.kettle, tableware.toaster]
    left = [appliances[k] for k in placer.rng.permutation(3).tolist()]
    for index in units:
        thing = placer.placed[index]
        if thing.model.label not in ("stove", "kitchen counter"):
            continue
        wall, along = placer.wall_of(index)
        width = float(thing.model.size[0]) - UNIT_GAP
        if thing.model.label == "stove":
            for x, y in ((-0.14, -0.13), (0.14, 0.15))[: int(placer.rng.integers(1, 3))]:
                turn = float(placer.rng.uniform(-np.pi, np.pi))
                placer.on(build(placer, tableware.pot), index, at=(x, y), turn=turn)
            high = placer.plan.height - HOOD_HEIGHT - 0.03
            hood = kitchen.range_hood(placer.rng, placer.plan.palette, min(width, 0.6), high)
            placer.hang(hood, HOOD_HEIGHT, wall=wall, along=along)
            continue
        surfaces = len(thing.model.surfaces)
        if surfaces == 2:
            middle = thing.position + np.array([0.0, 0.0, kitchen.COUNTER_HEIGHT])
            placer.try_put(build(placer, kitchen.sink), middle, thing.yaw, index, reserved=False)
        for surface in range(surfaces):
            if left and chance(placer, 0.7):
                turn = float(placer.rng.uniform(-0.2, 0.2))
                placer.on(build(placer, left.pop()), index, surface=surface, turn=turn)
            clutter(placer, index, WORKTOP, int(placer.rng.integers(2, 5)), surface)
        cabinet = kitchen.wall_cabinet(placer.plan.palette, width, height)
        placer.hang(cabinet, CABINET_HEIGHT, wall=wall, along=along)
