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
WORKTOP: tuple[Builder, ...] = (
    tableware.bottle, tableware.bowl, tableware.cup, tableware.fruit, decor.small_plant, tableware.plate, tableware.bottle,
)  # fmt: skip
# How many more of a kind stand beside the first at most, alike or not.
SETS = {
    "apple": 5, "book": 5, "bottle": 2, "bowl": 2, "candle": 3, "cup": 4, "orange": 5, "plant": 2, "vase": 2,
}  # fmt: skip
SET_GAP = (0.015, 0.07)  # metres between the things of a set
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
    """A few different things at random places of a host's surface, some with others of their kind beside them.

    Books may be piled.
    """
    order = placer.rng.permutation(len(builders))
    for k in range(amount(placer, count)):
        builder = builders[int(order[k % len(order)])]
        model = build(placer, builder)
        index = placer.on(model, host, surface=surface)
        if index is None or model.label not in SETS or chance(placer, 0.55):
            continue
        more = int(placer.rng.integers(1, SETS[model.label] + 1))
        if model.label == "book" and chance(placer, 0.7):
            _pile(placer, index, more)
            continue
        alike = chance(placer, 0.6)
        for _ in range(more):
            other = model if alike else build(placer, builder)
            added = _next_to(placer, other, index, host, surface)
            if added is None:
                break
            index = added if chance(placer, 0.5) else index


def _next_to(placer: Placer, model: Model, first: int, host: int, surface: int) -> int | None:
    """Puts a model beside another one on the same surface."""
    thing, other = placer.placed[host], placer.placed[first]
    middle = (other.position[:2] - thing.position[:2]) @ thing.rotation[:2, :2]
    apart = 0.5 * float(max(model.size[:2]) + max(other.model.size[:2]))
    for _ in range(8):
        angle = float(placer.rng.uniform(-np.pi, np.pi))
        away = apart + float(placer.rng.uniform(*SET_GAP))
        spot = middle + away * np.array([np.cos(angle), np.sin(angle)])
        turn = float(placer.rng.uniform(-np.pi, np.pi))
        index = placer.try_on(model, host, spot, turn, surface)
        if index is not None:
            return index
    return None


def _pile(placer: Placer, book: int, more: int) -> None:
    """Lays smaller books on a book, and now and then a cup on top."""
    books = [build(placer, decor.book) for _ in range(more)]
    books.sort(key=lambda model: -float(model.size[0] * model.size[1]))
    top = book
    for model in [*books, *([build(placer, tableware.cup)] if chance(placer, 0.3) else [])]:
        turn = float(placer.rng.uniform(-0.2, 0.2))
        index = placer.on(model, top, at=(0.0, 0.0), turn=turn)
        top = top if index is None else index


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
    """Things standing about on the floor, more in a large room, most of them at walls; now and then several of a kind.

    Boxes may be piled.
    """
    left = amount(placer, int(placer.rng.integers(2, 5 + placer.per_area(10.0))))
    while left > 0:
        builder = builders[int(placer.rng.integers(len(builders)))]
        several = min(left, int(placer.rng.integers(1, 6)) if chance(placer, 0.35) else 1)
        before: int | None = None
        for _ in range(several):
            model = build(placer, builder)
            if before is not None and model.label == "box" and chance(placer, 0.6):
                turn = float(placer.rng.uniform(-0.15, 0.15))
                if placer.try_on(model, before, np.zeros(2), turn) is not None:
                    continue
            at_wall = model.label != "ball" and chance(placer, 0.75)
            before = placer.against_wall(model, tries=8) if at_wall else placer.anywhere(model)
        left -= several


def plants(placer: Placer) -> None:
    """None to several plants on the floor at the walls."""
    for _ in range(amount(placer, int(placer.rng.integers(0, 3 + placer.per_area(12.0))))):
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


def side_table(placer: Placer, host: int, builder: Builder, side: int, *, lamp: bool) -> None:
    """A small table, narrow where there is little room, beside a host with a lamp on it and a few things."""
    models = sorted((build(placer, builder) for _ in range(4)), key=lambda m: -float(m.size[0]))
    start = placer.checkpoint()
    for model in models[int(placer.rng.integers(len(models))) :]:
        placer.restore(start)
        index = stand_beside(placer, host, model, side)
        if index is not None:
            break
    if index is not None:
        if lamp:
            placer.on(build(placer, lamps.table_lamp), index, at=(0.0, 0.0), turn=0.0)
        clutter(placer, index, (decor.book, tableware.cup, decor.candle, tableware.bottle), 3)
