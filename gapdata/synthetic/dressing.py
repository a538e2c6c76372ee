"""What hangs on a room's walls and at its windows."""

from __future__ import annotations

from gapdata.synthetic.arrangements import build, chance, clutter
from gapdata.synthetic.furniture import decor, hangings, storage
from gapdata.synthetic.placement import Placer


def decorate_walls(placer: Placer, pictures: int) -> None:
    """Pictures, a clock, a shelf on what is left of the walls."""
    for _ in range(pictures):
        model = build(placer, hangings.picture)
        placer.hang(model, float(placer.rng.uniform(1.45, 1.6)) - 0.5 * float(model.size[2]))
    if chance(placer, 0.5):
        placer.hang(build(placer, hangings.clock), float(placer.rng.uniform(1.75, 1.95)))
    if chance(placer, 0.35):
        shelf = placer.hang(
            build(placer, storage.wall_shelf), float(placer.rng.uniform(1.25, 1.45))
        )
        if shelf is not None:
            clutter(
                placer,
                shelf,
                (decor.book, decor.vase, decor.small_plant, decor.candle),
                int(placer.rng.integers(1, 4)),
            )


def dress_windows(placer: Placer, *, curtains: float) -> None:
    """Radiators below windows and curtains at their sides, alike all over the room, before furniture comes."""
    palette = placer.plan.palette
    cloth = palette.accent_second if chance(placer, 0.5) else palette.fabric
    has_curtains, to_floor = chance(placer, curtains), chance(placer, 0.6)
    for opening in placer.plan.openings:
        if opening.kind != "window":
            continue
        middle = 0.5 * (opening.start + opening.end)
        if chance(placer, 0.4):
            placer.hang(build(placer, hangings.radiator), 0.14, wall=opening.wall, along=middle)
        if has_curtains:
            width = float(placer.rng.uniform(0.28, 0.42))
            low = 0.04 if to_floor else opening.sill - 0.1
            height = opening.top + 0.15 - low
            model = hangings.curtain(cloth, palette.metal, width, height)
            for along in (opening.start - width / 2 - 0.09, opening.end + width / 2 + 0.09):
                placer.hang(model, low, wall=opening.wall, along=along)
