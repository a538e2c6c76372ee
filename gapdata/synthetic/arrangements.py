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
FLOOR_THINGS: tuple[Builder, ...] = (
    containers.cardboard_box, decor.toy_ball, containers.basket, containers.backpack, containers.suitcase, seating.stool,
    containers.storage_bin, seating.ottoman,
)  # fmt: skip


def chance(placer: Placer, probability: float) -> bool:
    """True with the given probability."""
    return bool(placer.rng.random() < probability)


def build(placer: Placer, builder: Builder) -> Model:
    """A model in the room's finishes."""
    return builder(placer.rng, placer.plan.palette)


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
    """A few different things at random places of a host's surface; books may carry one more thing."""
    order = placer.rng.permutation(len(builders))
    for k in range(count):
        model = build(placer, builders[int(order[k % len(order)])])
        index = placer.on(model, host, surface=surface)
        if index is not None and model.label == "book" and chance(placer, 0.4):
            top = build(placer, decor.book if chance(placer, 0.5) else tableware.cup)
            placer.on(top, index, at=(0.0, 0.0), turn=float(placer.rng.uniform(-0.3, 0.3)))


def chairs_around(placer: Placer, table: int, builder: Builder, *, ends: bool) -> float:
    """Chairs along the table's sides (and ends), facing it, pushed in by different amounts.

    Returns the fraction of the seats that found room.
    """
    width, depth = placer.placed[table].model.size[:2]
    along = (-0.25 * width, 0.25 * width) if width > 1.25 else (0.0,)
    seats = [(x, side * depth / 2, 0.0 if side > 0 else np.pi) for x in along for side in (-1, 1)]
    if ends or width <= 1.0:
        seats += [(side * width / 2, 0.0, -side * np.pi / 2) for side in (-1, 1)]
    chair = build(placer, builder)
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
    model = build(placer, builder)
    width, depth = model.size[:2]
    low, high = placer.plan.corners.min(axis=0), placer.plan.corners.max(axis=0)
    start = placer.checkpoint()
    for attempt in range(36):
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


def scatter(placer: Placer, builders: Sequence[Builder], count: int) -> None:
    """A few things standing about on the floor."""
    for _ in range(count):
        placer.anywhere(build(placer, builders[int(placer.rng.integers(len(builders)))]))


def pillows(placer: Placer, bed: int) -> None:
    """One or two pillows side by side at the head of a bed."""
    area = placer.placed[bed].model.surfaces[0]
    wide, middle = float(np.ptp(area.outline[:, 0])), area.outline.mean(axis=0)
    model = build(placer, bedroom.pillow)
    spots = (-0.25 * wide, 0.25 * wide) if wide > 1.25 else (0.0,)
    for x in spots:
        placer.on(
            model, bed, at=(x, float(middle[1]) + 0.08), turn=float(placer.rng.uniform(-0.05, 0.05))
        )


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
