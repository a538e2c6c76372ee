"""What hangs on a room's walls and at its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gapdata.synthetic.arrangements import Builder, amount, build, chance, clutter
from gapdata.synthetic.furniture import containers, decor, hangings, storage, tableware
from gapdata.synthetic.layout import Opening
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.textures import draw_painting

MOST_PICTURES = 8
SHELF_THINGS: tuple[Builder, ...] = (
    decor.book, decor.vase, decor.small_plant, decor.candle, containers.basket, tableware.bowl, decor.book,
)  # fmt: skip


def decorate_walls(placer: Placer) -> None:
    """One to eight pictures, alone or in a row, a clock, shelves on what is left of the walls."""
    pictures = amount(placer, int(placer.rng.integers(1, MOST_PICTURES + 1)))
    while pictures > 0:
        row = min(pictures, int(placer.rng.integers(1, 5)))
        _row_of_pictures(placer, row)
        pictures -= row
    if chance(placer, 0.5):
        placer.hang(build(placer, hangings.clock), float(placer.rng.uniform(1.75, 1.95)))
    for _ in range(amount(placer, int(placer.rng.integers(0, 2 + placer.per_area(14.0))))):
        wall_shelf(placer, SHELF_THINGS)


def wall_shelf(placer: Placer, things: Sequence[Builder]) -> None:
    """A shelf on a wall with two to five of the things on it, some in sets."""
    shelf = placer.hang(build(placer, storage.wall_shelf), float(placer.rng.uniform(1.2, 1.5)))
    if shelf is not None:
        clutter(placer, shelf, things, int(placer.rng.integers(2, 6)))


def _row_of_pictures(placer: Placer, count: int) -> None:
    """Pictures of one size side by side, their middles at one height."""
    model = build(placer, hangings.picture)
    z = float(placer.rng.uniform(1.4, 1.65)) - 0.5 * float(model.size[2])
    first = placer.hang(model, z)
    if first is None:
        return
    wall, along = placer.wall_of(first)
    step = float(model.size[0]) + float(placer.rng.uniform(0.05, 0.25))
    side = 1 if chance(placer, 0.5) else -1
    for number in range(1, count):
        placer.hang(_repainted(placer, model), z, wall=wall, along=along + side * number * step)


def _repainted(placer: Placer, model: Model) -> Model:
    """A picture of the same size and frame with something else on it."""
    *frame, canvas = model.parts
    return replace(model, parts=(*frame, replace(canvas, image=draw_painting(placer.rng))))


def mirror_above(placer: Placer, host: int, z: float) -> bool:
    """Hangs the largest of a few mirrors that fits on the wall above what stands there; whether one did."""
    wall, along = placer.wall_of(host)
    wide = float(placer.placed[host].model.size[0])
    models = sorted(
        (build(placer, hangings.mirror) for _ in range(5)), key=lambda m: -float(m.size[0])
    )
    start = placer.checkpoint()
    for model in models:
        if model.size[0] > 1.1 * wide:
            continue
        if placer.hang(model, z, wall=wall, along=along) is not None:
            return True
        placer.restore(start)
    placer.give_up(models[-1])
    return False


def dress_windows(placer: Placer, *, curtains: float) -> None:
    """Radiators below windows and pairs of curtains beside them, alike all over the room, where furniture lets them."""
    palette = placer.plan.palette
    cloth = palette.accent_second if chance(placer, 0.5) else palette.fabric
    has_curtains, to_floor = chance(placer, curtains), chance(placer, 0.6)
    for opening in placer.plan.openings:
        if opening.kind != "window":
            continue
        middle = 0.5 * (opening.start + opening.end)
        if chance(placer, 0.65):
            model = build(placer, hangings.radiator)
            placer.hang(model, 0.14, wall=opening.wall, along=middle)
        if has_curtains:
            width = float(placer.rng.uniform(0.28, 0.42))
            for low in (0.04, opening.sill - 0.1) if to_floor else (opening.sill - 0.1,):
                height = opening.top + 0.15 - low
                if _pair(placer, opening, hangings.curtain(cloth, palette.metal, width, height)):
                    break


def _pair(placer: Placer, opening: Opening, curtain: Model) -> bool:
    """Hangs a curtain at both sides of a window, or none."""
    start, width = placer.checkpoint(), float(curtain.size[0])
    low = opening.top + 0.15 - float(curtain.size[2])
    for along in (opening.start - width / 2 - 0.09, opening.end + width / 2 + 0.09):
        if placer.hang(curtain, low, wall=opening.wall, along=along) is None:
            placer.restore(start)
            placer.give_up(curtain)
            return False
    return True
