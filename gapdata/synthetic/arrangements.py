"""Groups of furniture that belong together, the same in every kind of room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gapdata.synthetic.furniture import (
    bedroom,
    containers,
    decor,
    electronics,
    lamps,
    seating,
    storage,
    tables,
    tableware,
)
from gapdata.synthetic.materials import Palette
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer

Builder = Callable[[np.random.Generator, Palette], Model]

LOW_CLUTTER: tuple[Builder, ...] = (
    decor.book, tableware.cup, tableware.bowl, decor.vase, decor.candle, decor.small_plant, tableware.fruit,
    tableware.bottle, decor.book,
)  # fmt: skip
DESK_CLUTTER: tuple[Builder, ...] = (
    tableware.cup, decor.book, decor.small_plant, tableware.bottle, decor.book,
)  # fmt: skip
DINNER: tuple[Builder, ...] = (
    tableware.plate, tableware.cup, tableware.bowl, tableware.bottle, tableware.fruit, decor.vase, decor.candle, tableware.plate,
)  # fmt: skip
WORKTOP: tuple[Builder, ...] = (
    tableware.kettle, tableware.toaster, tableware.bottle, tableware.bowl, tableware.cup, tableware.pot, tableware.fruit,
    decor.small_plant, tableware.plate,
)  # fmt: skip
# What comes in sets, alike, or as several of a kind.
SETS = frozenset(
    {"apple", "book", "bottle", "bowl", "candle", "cup", "orange", "plant", "plate", "vase"}
)
LARGEST_SET = 6
ELBOW_ROOM = 0.14  # metres between chairs side by side
FLOOR_THINGS: tuple[Builder, ...] = (
    containers.cardboard_box, decor.toy_ball, containers.basket, containers.backpack, containers.suitcase, seating.stool,
    containers.storage_bin, seating.ottoman,
)  # fmt: skip


def chance(placer: Placer, probability: float) -> bool:
    """True with the given probability."""
    return bool(placer.rng.random() < probability)


def amount(placer: Placer, count: int) -> int:
    """How many of `count` things a room of its difficulty gets: 0.4 of them at 0, all at 0.5, 1.6 times at 1."""
    return int(count * (0.4 + 1.2 * placer.difficulty) + 0.5)


def build(placer: Placer, builder: Builder) -> Model:
    """A model in the room's finishes, or one of the library's that can stand for it."""
    model = builder(placer.rng, placer.plan.palette)
    return model if placer.library is None else placer.library.stand_in(placer.rng, model)


def against_wall(
    placer: Placer, builder: Builder, *, variants: int = 5, centred: bool = False
) -> int | None:
    """One of several variants of a piece of furniture, whichever first finds a wall that takes it."""
    start = placer.checkpoint()
    for _ in range(variants):
        index = placer.against_wall(build(placer, builder), centred=centred)
        if index is not None:
            return index
        placer.restore(start)
    placer.give_up(build(placer, builder))
    return None


def clutter(
    placer: Placer, host: int, builders: Sequence[Builder], count: int, surface: int = 0
) -> None:
    """A few different things, some of them as sets, at random places of a host's surface; books may be piled."""
    order = placer.rng.permutation(len(builders))
    for k in range(amount(placer, count)):
        builder = builders[int(order[k % len(order)])]
        model = build(placer, builder)
        index = placer.on(model, host, surface=surface)
        if index is None or model.label not in SETS or chance(placer, 0.55):
            continue
        more = int(placer.rng.integers(1, LARGEST_SET))
        if model.label == "book" and chance(placer, 0.7):
            _pile(placer, index, more)
            continue
        alike = chance(placer, 0.6)
        for _ in range(more):
            other = model if alike else build(placer, builder)
            if placer.on(other, host, surface=surface, tries=8) is None:
                break


def _pile(placer: Placer, book: int, more: int) -> None:
    """Lays smaller books on a book, and now and then a cup on top."""
    books = [build(placer, decor.book) for _ in range(more)]
    books.sort(key=lambda model: -float(model.size[0] * model.size[1]))
    top = book
    for model in [*books, *([build(placer, tableware.cup)] if chance(placer, 0.3) else [])]:
        turn = float(placer.rng.uniform(-0.2, 0.2))
        index = placer.on(model, top, at=(0.0, 0.0), turn=turn)
        top = top if index is None else index


def chairs_around(placer: Placer, table: int, builder: Builder, *, ends: bool) -> float:
    """Chairs along the table's sides (and ends), facing it, pushed in by different amounts.

    Returns the fraction of the seats that found room.
    """
    width, depth = placer.placed[table].model.size[:2]
    chair = build(placer, builder)
    a_side = max(1, int(width / (float(chair.size[0]) + ELBOW_ROOM)))
    along = width * ((np.arange(a_side) + 0.5) / a_side - 0.5)
    seats = [(x, side * depth / 2, 0.0 if side > 0 else np.pi) for x in along for side in (-1, 1)]
    if ends or width <= 1.0:
        seats += [(side * width / 2, 0.0, -side * np.pi / 2) for side in (-1, 1)]
    wanted = int(placer.rng.integers(1, len(seats) + 1))
    seats = [seats[place] for place in placer.rng.permutation(len(seats))[:wanted].tolist()]
    taken = 0
    for x, y, turn in seats:
        outward = np.array([np.sign(x) if y == 0.0 else 0.0, np.sign(y)])
        for gap in sorted(placer.rng.uniform(0.08, 0.3, 4).tolist()):
            spot = np.array([x, y]) + outward * gap
            tilt = float(placer.rng.uniform(-0.12, 0.12))
            if placer.near(chair, table, spot.tolist(), turn=turn + tilt) is not None:
                taken += 1
                break
        else:
            placer.give_up(chair)
    return taken / len(seats)


def table_with_chairs(placer: Placer, builder: Builder, chair: Builder, *, rug: bool) -> int | None:
    """A table in the open with chairs around it, now and then on a rug that holds them all."""
    low, high = placer.plan.corners.min(axis=0), placer.plan.corners.max(axis=0)
    start = placer.checkpoint()
    for attempt in range(36):
        if attempt % 6 == 0:
            model = build(placer, builder)
            width, depth = model.size[:2]
        spot = 0.5 * (low + high) + placer.rng.uniform(-0.3, 0.3, 2) * (high - low)
        yaw = 0.5 * np.pi * int(placer.rng.integers(2))
        if rug and attempt < 18:
            mat = decor.rug(placer.rng, placer.plan.palette, width + 1.5, depth + 1.5, oval=False)
            if placer.on_floor(mat, spot, yaw) is None:
                continue
        index = placer.on_floor(model, spot, yaw)
        enough = 0.9 if attempt < 24 else 0.45
        if (
            index is not None
            and chairs_around(placer, index, chair, ends=chance(placer, 0.5)) >= enough
        ):
            return index
        placer.restore(start)
    placer.give_up(model)
    return None


def workplace(placer: Placer) -> int | None:
    """A desk at a wall with a chair facing it, a screen, and a waste bin beside or below."""
    start = placer.checkpoint()
    for _ in range(6):
        desk = placer.against_wall(build(placer, tables.desk))
        if desk is not None and _seat_at(placer, desk):
            _equip(placer, desk)
            _beside_or_below(placer, build(placer, containers.trash_can), desk)
            return desk
        placer.restore(start)
    placer.give_up(build(placer, tables.desk))
    return None


def _seat_at(placer: Placer, desk: int) -> bool:
    depth = placer.placed[desk].model.size[1]
    chair = build(placer, seating.office_chair)
    for gap in sorted(placer.rng.uniform(0.1, 0.5, 5).tolist()):
        spot = (float(placer.rng.uniform(-0.12, 0.12)), -depth / 2 - gap)
        if (
            placer.near(chair, desk, spot, turn=np.pi + float(placer.rng.uniform(-0.3, 0.3)))
            is not None
        ):
            return True
    return False


def _equip(placer: Placer, desk: int) -> None:
    """A screen with keyboard and mouse, or a laptop, and what lies about on a desk."""
    rng, size = placer.rng, placer.placed[desk].model.size
    if chance(placer, 0.65):
        x = float(rng.uniform(-0.15, 0.15))
        placer.on(build(placer, electronics.monitor), desk, at=(x, size[1] / 2 - 0.2), turn=0.0)
        placer.on(
            build(placer, electronics.keyboard),
            desk,
            at=(x, -0.12),
            turn=float(rng.uniform(-0.05, 0.05)),
        )
        placer.on(build(placer, electronics.mouse), desk, at=(x + 0.32, -0.12), turn=0.0)
        if chance(placer, 0.5):
            _beside_or_below(placer, build(placer, electronics.computer_tower), desk)
    else:
        turn = float(rng.uniform(-0.15, 0.15))
        placer.on(
            build(placer, electronics.laptop),
            desk,
            at=(float(rng.uniform(-0.1, 0.1)), 0.0),
            turn=turn,
        )
    if chance(placer, 0.6):
        side = 1 if chance(placer, 0.5) else -1
        spot = (side * (size[0] / 2 - 0.2), size[1] / 2 - 0.22)
        placer.on(build(placer, lamps.desk_lamp), desk, at=spot, turn=-side * 0.5)
    clutter(placer, desk, DESK_CLUTTER, int(rng.integers(2, 5)))


def _beside_or_below(placer: Placer, model: Model, host: int) -> None:
    """Stands a model below a table or right beside it, its front the host's."""
    size, half = placer.placed[host].model.size, 0.5 * model.size
    spots = [
        (float(x), float(size[1] / 2 - half[1] - 0.1))
        for x in placer.rng.uniform(-0.35, 0.35, 6) * size[0]
    ]
    spots += [
        (side * float(size[0] / 2 + half[0] + 0.05), float(size[1] / 2 - half[1]))
        for side in (-1, 1)
    ]
    for spot in spots:
        if placer.near(model, host, spot) is not None:
            return
    placer.give_up(model)


def below(placer: Placer, host: int, builders: Sequence[Builder]) -> None:
    """Pushes one thing under a table or bed."""
    size = placer.placed[host].model.size
    model = build(placer, builders[int(placer.rng.integers(len(builders)))])
    for _ in range(12):
        spot = placer.rng.uniform(-0.35, 0.35, 2) * size[:2]
        turn = float(placer.rng.uniform(-0.4, 0.4))
        if placer.near(model, host, spot.tolist(), turn=turn) is not None:
            return
    placer.give_up(model)


def bookcase(placer: Placer) -> int | None:
    """A bookshelf at a wall, its boards filled with rows of books and ornaments."""
    case = against_wall(placer, storage.bookshelf)
    if case is None:
        return None
    surfaces = placer.placed[case].model.surfaces
    for level, area in enumerate(surfaces):
        wide = float(np.ptp(area.outline[:, 0]))
        if level == len(surfaces) - 1:
            clutter(
                placer,
                case,
                (decor.vase, decor.small_plant, decor.book, containers.basket),
                int(placer.rng.integers(0, 3)),
                level,
            )
            continue
        fill = float(placer.rng.uniform(0.35, 0.98)) * wide
        row = decor.book_row(placer.rng, placer.plan.palette, max(fill, 0.2), area.headroom)
        side = -1 if chance(placer, 0.7) else 1
        middle = area.outline.mean(axis=0)
        spot = (
            float(middle[0] + side * (0.5 * wide - 0.5 * row.size[0] - 0.004)),
            float(middle[1] + 0.012),
        )
        spot = (spot[0] - 0.5 * float(row.high[0] + row.low[0]), spot[1])
        placer.on(row, case, surface=level, at=spot, turn=0.0)
        if fill < 0.75 * wide:
            clutter(
                placer,
                case,
                (decor.vase, decor.small_plant, tableware.bowl, decor.candle),
                1,
                level,
            )
    return case


def scatter(placer: Placer, builders: Sequence[Builder]) -> None:
    """Things standing about on the floor, more in a large room; now and then several of a kind."""
    left = amount(placer, int(placer.rng.integers(1, 4 + placer.per_area(10.0))))
    while left > 0:
        builder = builders[int(placer.rng.integers(len(builders)))]
        several = min(left, int(placer.rng.integers(1, 6)) if chance(placer, 0.35) else 1)
        for _ in range(several):
            placer.anywhere(build(placer, builder))
        left -= several


def plants(placer: Placer) -> None:
    """None to several plants on the floor at the walls."""
    for _ in range(amount(placer, int(placer.rng.integers(0, 3 + placer.per_area(15.0))))):
        against_wall(placer, decor.plant)


def cushions(placer: Placer, seat: int, count: int) -> None:
    """Cushions side by side at random places along the back of a couch or armchair, alike or not."""
    model, alike = build(placer, bedroom.cushion), chance(placer, 0.5)
    places = []
    for surface, area in enumerate(placer.placed[seat].model.surfaces):
        wide, middle = float(np.ptp(area.outline[:, 0])), float(area.outline[:, 0].mean())
        fit = max(1, int(wide / (float(model.size[0]) + 0.02)))
        places += [(surface, middle + wide * ((k + 0.5) / fit - 0.5)) for k in range(fit)]
    for place in placer.rng.permutation(len(places))[:count].tolist():
        surface, x = places[place]
        cushion = model if alike else build(placer, bedroom.cushion)
        back = placer.placed[seat].model.surfaces[surface].outline[:, 1].max() - cushion.high[1]
        placer.on(cushion, seat, surface=surface, at=(x, float(back) - 0.002), turn=0.0)


def lay(placer: Placer, table: int) -> None:
    """Lays a table half of the time: a plate in front of each chair, and perhaps a cup or a bowl."""
    if chance(placer, 0.4):
        return
    plate, thing = build(placer, tableware.plate), placer.placed[table]
    extra = build(placer, tableware.cup if chance(placer, 0.6) else tableware.bowl)
    has_extra = chance(placer, 0.5)
    half = 0.5 * thing.model.size[:2]
    chairs = [other for other in placer.placed if other.model.label == "chair"]
    for chair in chairs:
        local = (chair.position[:2] - thing.position[:2]) @ thing.rotation[:2, :2]
        if (np.abs(local) > half + 0.5).any():
            continue
        inset = 0.5 * float(plate.size[0]) + 0.05
        spot = np.clip(local, -half + inset, half - inset)
        placer.on(plate, table, at=spot, turn=0.0)
        if has_extra:
            inwards = -np.sign(local) * (np.abs(local) > half - 0.02)
            reach = 0.5 * float(plate.size[0] + extra.size[0]) + 0.03
            placer.on(extra, table, at=spot + inwards * reach, turn=float(placer.rng.uniform(0, 6)))


def pillows(placer: Placer, bed: int) -> None:
    """One to three like pillows side by side at the head of a bed."""
    if not placer.placed[bed].model.surfaces:
        return  # a bed from a file has its own
    area = placer.placed[bed].model.surfaces[0]
    (wide, deep), middle = np.ptp(area.outline, axis=0).tolist(), area.outline.mean(axis=0)
    model = build(placer, bedroom.pillow)
    y = float(middle[1]) + min(0.08, max(0.0, 0.5 * (deep - float(model.size[1])) - 0.03))
    count = max(1, int(wide / (float(model.size[0]) + 0.06)))
    for place in range(int(placer.rng.integers(1, count + 1))):
        x = wide * ((place + 0.5) / count - 0.5)
        turn = float(placer.rng.uniform(-0.05, 0.05))
        placer.on(model, bed, at=(x, y), turn=turn)


def stand_beside(
    placer: Placer, host: int, model: Model, side: int, gap: float = 0.06
) -> int | None:
    """Stands a model beside a host, backs in line."""
    thing = placer.placed[host].model
    x = side * (0.5 * (thing.size[0] + model.size[0]) + gap)
    index = placer.near(model, host, (float(x), float(thing.high[1] - model.high[1])))
    if index is None:
        placer.give_up(model)
    return index


def side_table(placer: Placer, host: int, model: Model, side: int, *, lamp: bool) -> None:
    """A small table beside a host with a lamp on it, and a few things."""
    index = stand_beside(placer, host, model, side)
    if index is not None:
        if lamp:
            placer.on(build(placer, lamps.table_lamp), index, at=(0.0, 0.0), turn=0.0)
        clutter(placer, index, (decor.book, tableware.cup, decor.candle, tableware.bottle), 2)
