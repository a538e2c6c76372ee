"""How a bathroom is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import Builder, against_wall, build, chance, clutter
from gapdata.synthetic.dressing import dress_windows, mirror_above, wall_shelf
from gapdata.synthetic.furniture import bathroom, containers, decor, seating, storage, tableware
from gapdata.synthetic.placement import Placer

FITTING_TRIES = 6
MIRROR_HEIGHT = 1.15  # of a mirror's lower edge above a washbasin: clear of its tap
TOILETRIES: tuple[Builder, ...] = (
    bathroom.bottle_of_shampoo, decor.candle, decor.small_plant, tableware.cup, bathroom.bottle_of_shampoo,
    containers.basket,
)  # fmt: skip
TUB_AREA = 4.5  # square metres from which a bathtub is thought of


def furnish_bathroom(placer: Placer) -> None:
    """Bathtub or shower, toilet with paper, washbasin under a mirror, towels, a mat, laundry."""
    rng, palette = placer.rng, placer.plan.palette
    empty = placer.checkpoint()
    for _ in range(FITTING_TRIES):
        placer.restore(empty)
        seat, basin, wash = _fittings(placer)
        has_mirror = basin is not None and mirror_above(placer, basin, MIRROR_HEIGHT)
        if None not in (seat, basin, wash) and has_mirror:
            break
    if basin is not None:
        clutter(placer, basin, (tableware.cup, bathroom.bottle_of_shampoo, decor.candle), 3)
    if seat is not None:
        _paper_beside(placer, seat)
    dress_windows(placer, curtains=0.1)
    for _ in range(int(rng.integers(2, 5))):
        placer.hang(build(placer, bathroom.towel), float(rng.uniform(0.75, 1.0)))
    for _ in range(int(rng.integers(1, 3))):
        wall_shelf(placer, TOILETRIES)
    if wash is not None and chance(placer, 0.8):
        size = placer.placed[wash].model.size
        mat = decor.rug(rng, palette, float(rng.uniform(0.6, 0.9)), float(rng.uniform(0.45, 0.6)), oval=chance(placer, 0.3))  # fmt: skip
        placer.near(mat, wash, (0.0, float(-0.5 * size[1] - 0.5 * mat.size[1] - 0.05)))
    against_wall(placer, containers.basket, variants=2)
    if placer.plan.area > 6.0:
        chest = against_wall(placer, storage.nightstand, variants=2)
        if chest is not None:
            clutter(placer, chest, TOILETRIES, 3)
    if chance(placer, 0.5):
        against_wall(placer, seating.stool, variants=2)
    against_wall(placer, containers.trash_can, variants=2)


def _fittings(placer: Placer) -> tuple[int | None, int | None, int | None]:
    """Toilet, washbasin, and a bathtub or a shower."""
    seat = against_wall(placer, bathroom.toilet, variants=2)
    basin = against_wall(placer, bathroom.washbasin, variants=6)
    wash = None
    if placer.plan.area > TUB_AREA and chance(placer, 0.6):
        wash = against_wall(placer, bathroom.bathtub, variants=3)
    return seat, basin, _in_a_corner(placer) if wash is None else wash


def _in_a_corner(placer: Placer) -> int | None:
    """A shower in the first corner that takes it."""
    for wall in placer.rng.permutation(len(placer.plan.corners)).tolist():
        model = build(placer, bathroom.shower)
        half = 0.5 * float(model.size[0]) + 0.02
        for along in (half, float(placer.plan.lengths[wall]) - half):
            index = placer.at_wall(model, wall, along)
            if index is not None:
                return index
    placer.give_up(build(placer, bathroom.shower))
    return None


def _paper_beside(placer: Placer, seat: int) -> None:
    """A roll on the wall behind, within reach of who sits there."""
    wall, along = placer.wall_of(seat)
    roll = build(placer, bathroom.toilet_paper)
    for side in np.array([-1, 1]) * (1 if chance(placer, 0.5) else -1):
        if placer.hang(roll, 0.62, wall=wall, along=along + 0.36 * float(side)) is not None:
            return
