"""How each kind of room is furnished: what stands where, and what belongs with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gapdata.synthetic.arrangements import (
    DINNER,
    FLOOR_THINGS,
    LOW_CLUTTER,
    WORKTOP,
    below,
    bookcase,
    build,
    chance,
    clutter,
    decorate_walls,
    dress_windows,
    pillows,
    scatter,
    table_with_chairs,
    workplace,
)  # fmt: skip
from gapdata.synthetic.furniture import (
    bedroom,
    decor,
    electronics,
    kitchen,
    seating,
    storage,
    tables,
)
from gapdata.synthetic.layout import SizeRange
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer

Furnish = Callable[[Placer], None]


def furnish_living_room(placer: Placer) -> None:
    """Couch, coffee table on a rug, television opposite, armchair, lamp, bookshelf."""
    rng = placer.rng
    dress_windows(placer, curtains=0.7)
    couch = placer.against_wall(build(placer, seating.couch), centred=True, tries=40)
    if couch is not None:
        _sitting_group(placer, couch)
        _television(placer, couch)
        side = -1 if chance(placer, 0.5) else 1
        _beside(placer, couch, build(placer, tables.end_table), side, lamp=True)
        lamp = build(placer, decor.floor_lamp)
        _beside_host(placer, couch, lamp, -side)
        for k in range(int(rng.integers(1, 4))):
            seat = placer.placed[couch].model.surfaces[0]
            wide = float(np.ptp(seat.outline[:, 0]))
            x = (-0.38, 0.38, 0.0)[k] * wide
            cushion = build(placer, bedroom.cushion)
            back = float(seat.outline[:, 1].max() - cushion.high[1] - 0.002)
            placer.on(cushion, couch, at=(x, back), turn=0.0)
    if chance(placer, 0.8):
        bookcase(placer)
    if chance(placer, 0.5):
        chest = placer.against_wall(build(placer, storage.cabinet))
        if chest is not None:
            clutter(placer, chest, (decor.table_lamp, decor.vase, decor.small_plant, decor.book), 3)
    if placer.plan.area > 22 and chance(placer, 0.7):
        table = table_with_chairs(placer, tables.small_table, seating.chair, rug=False)
        if table is not None:
            clutter(placer, table, LOW_CLUTTER, 3)
    placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(2, 5)))
    scatter(placer, FLOOR_THINGS, int(rng.integers(2, 5)))


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
            clutter(placer, index, (decor.book, storage.basket), 2, surface=1)
        elif chance(placer, 0.5):
            below(placer, index, (decor.toy_ball, storage.cardboard_box, storage.basket))
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


def _beside_host(
    placer: Placer, host: int, model: Model, side: int, gap: float = 0.06
) -> int | None:
    """Stands a model beside a host, backs in line."""
    thing = placer.placed[host].model
    x = side * (0.5 * (thing.size[0] + model.size[0]) + gap)
    index = placer.near(model, host, (float(x), float(thing.high[1] - model.high[1])))
    if index is None:
        placer.give_up(model)
    return index


def _beside(placer: Placer, host: int, model: Model, side: int, *, lamp: bool) -> None:
    """A small table beside a host with a lamp on it, and a few things."""
    index = _beside_host(placer, host, model, side)
    if index is not None:
        if lamp:
            placer.on(build(placer, decor.table_lamp), index, at=(0.0, 0.0), turn=0.0)
        clutter(placer, index, (decor.book, kitchen.cup, decor.candle, kitchen.bottle), 2)


def furnish_bedroom(placer: Placer) -> None:
    """Bed with its head to a wall, nightstands with lamps, wardrobe, dresser with a mirror, perhaps a desk."""
    rng, palette = placer.rng, placer.plan.palette
    dress_windows(placer, curtains=0.9)
    bed = placer.against_wall(build(placer, bedroom.bed), centred=True, tries=60)
    if bed is not None:
        size = placer.placed[bed].model.size
        for side in (-1, 1):
            _beside(placer, bed, build(placer, storage.nightstand), side, lamp=chance(placer, 0.9))
        pillows(placer, bed)
        if chance(placer, 0.4):
            clutter(placer, bed, (decor.book, storage.backpack, bedroom.cushion), 1, surface=1)
        if chance(placer, 0.5):
            below(placer, bed, (storage.cardboard_box, storage.storage_bin))
        wall, along = placer.wall_of(bed)
        if chance(placer, 0.7):
            placer.hang(
                build(placer, decor.picture), float(rng.uniform(1.4, 1.5)), wall=wall, along=along
            )
        if chance(placer, 0.5):
            bench = build(placer, seating.bench)
            if placer.near(bench, bed, (0.0, -size[1] / 2 - bench.size[1] / 2 - 0.06)) is None:
                placer.give_up(bench)
        if chance(placer, 0.7):
            side = 1 if chance(placer, 0.5) else -1
            mat = decor.rug(
                rng,
                palette,
                float(rng.uniform(0.7, 1.0)),
                float(rng.uniform(1.3, 1.7)),
                oval=chance(placer, 0.3),
            )
            placer.near(mat, bed, (side * (size[0] / 2 + mat.size[0] / 2 + 0.06), -0.35))
    placer.against_wall(build(placer, storage.wardrobe), tries=40)
    if chance(placer, 0.7):
        chest = placer.against_wall(build(placer, storage.dresser))
        if chest is not None:
            wall, along = placer.wall_of(chest)
            if chance(placer, 0.6):
                placer.hang(
                    build(placer, decor.mirror),
                    placer.placed[chest].model.size[2] + 0.12,
                    wall=wall,
                    along=along,
                )
            clutter(
                placer,
                chest,
                (decor.vase, decor.table_lamp, decor.candle, decor.small_plant, decor.book),
                3,
            )
    if chance(placer, 0.55):
        workplace(placer)
    elif chance(placer, 0.6):
        placer.against_wall(build(placer, seating.armchair))
    if chance(placer, 0.5):
        placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(1, 4)))
    scatter(placer, FLOOR_THINGS, int(rng.integers(1, 4)))


def furnish_office(placer: Placer) -> None:
    """Desks with screens and swivel chairs, filing, a whiteboard, a printer."""
    rng = placer.rng
    dress_windows(placer, curtains=0.2)
    placer.hang(build(placer, decor.whiteboard), 0.95)
    for _ in range(1 + int(placer.plan.area > 12) + int(placer.plan.area > 20)):
        workplace(placer)
    filing = placer.against_wall(build(placer, storage.file_cabinet))
    if filing is not None:
        clutter(placer, filing, (decor.small_plant, storage.cardboard_box, decor.book), 1)
    if chance(placer, 0.85):
        bookcase(placer)
    low = placer.against_wall(build(placer, storage.cabinet))
    if low is not None:
        placer.on(build(placer, electronics.printer), low, turn=0.0)
        clutter(placer, low, (decor.book, kitchen.cup, decor.small_plant), 2)
    if placer.plan.area > 16 and chance(placer, 0.7):
        table = table_with_chairs(placer, tables.small_table, seating.chair, rug=False)
        if table is not None:
            clutter(placer, table, (kitchen.cup, decor.book, electronics.laptop, kitchen.bottle), 3)
    placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(1, 3)))
    scatter(
        placer,
        (storage.cardboard_box, storage.backpack, seating.stool, storage.storage_bin),
        int(rng.integers(1, 4)),
    )


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
    placer.against_wall(build(placer, storage.trash_can))
    if chance(placer, 0.6):
        placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(0, 3)))
    scatter(
        placer,
        (storage.cardboard_box, seating.stool, storage.basket, decor.toy_ball),
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
                )
            for surface in range(len(model.surfaces)):
                if surface == 0 and chance(placer, 0.5):
                    placer.on(build(placer, kitchen.microwave), index, surface=surface, turn=0.0)
                clutter(placer, index, WORKTOP, int(placer.rng.integers(1, 4)), surface)
            cabinet = kitchen.wall_cabinet(placer.rng, placer.plan.palette, width - 0.01)
            placer.hang(cabinet, 1.46, wall=wall, along=begin + width / 2)
        elif model.label == "stove":
            placer.on(build(placer, kitchen.pot), index, at=(-0.14, -0.13), turn=0.3)
    return True


def furnish_dining_room(placer: Placer) -> None:
    """A large table with chairs, perhaps on a rug, sideboard, pictures, plant."""
    rng = placer.rng
    dress_windows(placer, curtains=0.6)
    table = table_with_chairs(placer, tables.dining_table, seating.chair, rug=chance(placer, 0.6))
    if table is not None:
        clutter(placer, table, DINNER, int(rng.integers(5, 9)))
        if chance(placer, 0.3):
            below(placer, table, (decor.toy_ball, storage.basket))
    chest = placer.against_wall(build(placer, storage.cabinet), centred=True)
    if chest is not None:
        clutter(
            placer,
            chest,
            (decor.vase, decor.table_lamp, kitchen.bowl, kitchen.bottle, decor.candle),
            4,
        )
        wall, along = placer.wall_of(chest)
        if chance(placer, 0.6):
            placer.hang(build(placer, decor.mirror), 1.2, wall=wall, along=along)
    if chance(placer, 0.6):
        bookcase(placer)
    if chance(placer, 0.5):
        placer.against_wall(build(placer, seating.bench))
    if chance(placer, 0.5):
        placer.against_wall(build(placer, seating.armchair))
    placer.against_wall(build(placer, decor.plant))
    decorate_walls(placer, int(rng.integers(2, 4)))
    scatter(placer, FLOOR_THINGS, int(rng.integers(1, 4)))


ROOMS: dict[str, tuple[SizeRange, Furnish]] = {
    "bedroom": (SizeRange(long_side=(3.8, 5.2), short_side=(3.4, 4.4)), furnish_bedroom),
    "dining room": (SizeRange(long_side=(4.4, 5.8), short_side=(3.9, 4.8)), furnish_dining_room),
    "kitchen": (SizeRange(long_side=(4.3, 5.6), short_side=(3.4, 4.5)), furnish_kitchen),
    "living room": (SizeRange(long_side=(4.8, 6.8), short_side=(4.1, 5.4)), furnish_living_room),
    "office": (SizeRange(long_side=(4.0, 6.0), short_side=(3.4, 4.6)), furnish_office),
}
