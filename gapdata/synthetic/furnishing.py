"""How each kind of room is furnished: what stands where, and what belongs with it."""

from __future__ import annotations

from collections.abc import Callable

from gapdata.synthetic.arrangements import (
    FLOOR_THINGS,
    against_wall,
    below,
    bookcase,
    build,
    chance,
    clutter,
    pillows,
    plants,
    scatter,
    side_table,
    workplace,
)
from gapdata.synthetic.bathrooms import furnish_bathroom
from gapdata.synthetic.classrooms import furnish_classroom
from gapdata.synthetic.dining import lay, table_with_chairs
from gapdata.synthetic.dressing import decorate_walls, dress_windows, mirror_above
from gapdata.synthetic.furniture import (
    bedroom,
    containers,
    decor,
    electronics,
    hallway,
    hangings,
    lamps,
    seating,
    storage,
    tables,
    tableware,
)
from gapdata.synthetic.halls import furnish_corridor
from gapdata.synthetic.kitchens import furnish_kitchen
from gapdata.synthetic.living_rooms import furnish_living_room
from gapdata.synthetic.placement import Placer

Furnish = Callable[[Placer], None]


def furnish_bedroom(placer: Placer) -> None:
    """Bed with its head to a wall, nightstands with lamps, wardrobe, dresser with a mirror, perhaps a desk."""
    rng = placer.rng
    bed = against_wall(placer, bedroom.bed, variants=12, centred=True)
    if bed is None:
        bed = against_wall(placer, bedroom.bed, variants=24)
    if bed is not None:
        for side in (-1, 1) if chance(placer, 0.7) else (1,):
            side_table(placer, bed, storage.nightstand, side, lamp=chance(placer, 0.9))
    dress_windows(placer, curtains=0.9)
    for _ in range(int(rng.integers(1, 2 + placer.per_area(20.0)))):
        against_wall(placer, storage.wardrobe, variants=8)
    if bed is not None:
        _around_the_bed(placer, bed)
    for _ in range(int(rng.integers(1, 2 + placer.per_area(20.0)))):
        chest = against_wall(placer, storage.dresser)
        if chest is not None:
            if chance(placer, 0.6):
                mirror_above(placer, chest, float(placer.placed[chest].model.size[2]) + 0.12)
            clutter(
                placer,
                chest,
                (decor.vase, lamps.table_lamp, decor.candle, decor.small_plant, decor.book),
                4,
            )
    if chance(placer, 0.55):
        workplace(placer)
    elif chance(placer, 0.6):
        against_wall(placer, seating.armchair)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(20.0)))):
        bookcase(placer)
    for _ in range(int(rng.integers(0, 3))):
        against_wall(placer, hallway.shoes, variants=1)
    if chance(placer, 0.5):
        against_wall(placer, containers.basket, variants=2)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, FLOOR_THINGS)


def _around_the_bed(placer: Placer, bed: int) -> None:
    """Pillows and what lies on a bed, a box below, a picture above, a bench at its foot, a rug beside it."""
    rng, size = placer.rng, placer.placed[bed].model.size
    pillows(placer, bed)
    if chance(placer, 0.4):
        clutter(placer, bed, (decor.book, containers.backpack, bedroom.cushion), 2, surface=1)
    if chance(placer, 0.5):
        below(placer, bed, (containers.cardboard_box, containers.storage_bin))
    wall, along = placer.wall_of(bed)
    if chance(placer, 0.7):
        z = max(float(rng.uniform(1.4, 1.5)), float(size[2]) + 0.12)
        placer.hang(build(placer, hangings.picture), z, wall=wall, along=along)
    if chance(placer, 0.5):
        bench = build(placer, seating.bench)
        if placer.near(bench, bed, (0.0, -size[1] / 2 - bench.size[1] / 2 - 0.06)) is None:
            placer.give_up(bench)
    if chance(placer, 0.7):
        wide, long = float(rng.uniform(0.7, 1.0)), float(rng.uniform(1.3, 1.7))
        mat = decor.rug(rng, placer.plan.palette, wide, long, oval=chance(placer, 0.3))
        first = 1 if chance(placer, 0.5) else -1
        for side in (first, -first):
            beside = side * (size[0] / 2 + mat.size[0] / 2 + 0.06)
            if placer.near(mat, bed, (beside, -0.35)) is not None:
                break


def furnish_office(placer: Placer) -> None:
    """Desks with screens and swivel chairs, filing, a whiteboard, a printer."""
    rng = placer.rng
    placer.hang(build(placer, hangings.whiteboard), 0.95)
    for _ in range(int(rng.integers(1, 2 + placer.per_area(7.0)))):
        workplace(placer)
    dress_windows(placer, curtains=0.2)
    for _ in range(int(rng.integers(1, 2 + placer.per_area(14.0)))):
        filing = against_wall(placer, storage.file_cabinet)
        if filing is not None:
            clutter(placer, filing, (decor.small_plant, containers.cardboard_box, decor.book), 1)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(14.0)))):
        bookcase(placer)
    low = against_wall(placer, storage.cabinet)
    if low is not None:
        placer.on(build(placer, electronics.printer), low, turn=0.0)
        clutter(placer, low, (decor.book, tableware.cup, decor.small_plant), 2)
    if placer.plan.area > 16 and chance(placer, 0.7):
        table = table_with_chairs(placer, tables.small_table, seating.chair, rug=False)
        if table is not None:
            clutter(
                placer, table, (tableware.cup, decor.book, electronics.laptop, tableware.bottle), 3
            )
    if placer.plan.area > 30 and chance(placer, 0.6):
        against_wall(placer, seating.couch)
    plants(placer)
    decorate_walls(placer)
    scatter(
        placer,
        (containers.cardboard_box, containers.backpack, seating.stool, containers.storage_bin),
    )


def furnish_dining_room(placer: Placer) -> None:
    """A large table with chairs, perhaps on a rug, sideboard, pictures, plant."""
    rng = placer.rng
    dress_windows(placer, curtains=0.6)
    for _ in range(int(rng.integers(1, 2 + placer.per_area(28.0)))):
        table = table_with_chairs(
            placer, tables.dining_table, seating.chair, rug=chance(placer, 0.6)
        )
        if table is not None:
            lay(placer, table)
            if chance(placer, 0.3):
                below(placer, table, (decor.toy_ball, containers.basket))
    for _ in range(int(rng.integers(1, 2 + placer.per_area(20.0)))):
        chest = against_wall(placer, storage.cabinet, centred=True)
        if chest is not None:
            clutter(
                placer,
                chest,
                (decor.vase, lamps.table_lamp, tableware.bowl, tableware.bottle, decor.candle),
                4,
            )
            if chance(placer, 0.5):
                mirror_above(placer, chest, 1.2)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(24.0)))):
        bookcase(placer)
    if chance(placer, 0.5):
        against_wall(placer, seating.bench)
    for _ in range(int(rng.integers(0, 2 + placer.per_area(16.0)))):
        against_wall(placer, seating.armchair)
    plants(placer)
    decorate_walls(placer)
    scatter(placer, FLOOR_THINGS)


FURNISH: dict[str, Furnish] = {
    "bathroom": furnish_bathroom,
    "bedroom": furnish_bedroom,
    "classroom": furnish_classroom,
    "corridor": furnish_corridor,
    "dining room": furnish_dining_room,
    "kitchen": furnish_kitchen,
    "living room": furnish_living_room,
    "office": furnish_office,
}
# Least and largest floor area in square metres, and what stands there.
ROOMS: dict[str, tuple[tuple[float, float], Furnish]] = {
    "bathroom": ((7.0, 12.0), furnish_bathroom),
    "bedroom": ((7.0, 36.0), furnish_bedroom),
    "classroom": ((28.0, 60.0), furnish_classroom),
    "corridor": ((7.0, 12.0), furnish_corridor),
    "dining room": ((11.0, 60.0), furnish_dining_room),
    "kitchen": ((9.0, 40.0), furnish_kitchen),
    "living room": ((12.0, 60.0), furnish_living_room),
    "office": ((7.0, 60.0), furnish_office),
}
