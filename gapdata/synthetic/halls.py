"""How a corridor is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import against_wall, build, chance, clutter
from gapdata.synthetic.description import yaw_facing
from gapdata.synthetic.dressing import SHELF_THINGS, decorate_walls, dress_windows, wall_shelf
from gapdata.synthetic.furniture import containers, decor, hallway, hangings, tableware
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer

RACK_HEIGHT = 1.6  # of a coat rack's lower edge


def furnish_corridor(placer: Placer) -> None:
    """Coats on a rack, shoes on a shelf, a mirror, pictures, a mat at the door."""
    rng, palette = placer.rng, placer.plan.palette
    dress_windows(placer, curtains=0.3)
    mat = decor.rug(rng, palette, float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.4, 0.5)), oval=False)  # fmt: skip
    _at_the_door(placer, mat)
    shelf = against_wall(placer, hallway.shoe_shelf)
    if shelf is not None:
        boards = len(placer.placed[shelf].model.surfaces)
        for board in range(boards - 1):
            for _ in range(int(rng.integers(1, 4))):
                placer.on(build(placer, hallway.shoes), shelf, surface=board, turn=0.0, tries=8)
        clutter(placer, shelf, (decor.vase, decor.small_plant, tableware.bowl), 2, boards - 1)
    for _ in range(1 + int(placer.plan.area > 9.0)):
        _coats(placer)
    if chance(placer, 0.7):
        placer.hang(build(placer, hangings.mirror), float(rng.uniform(0.8, 1.1)))
    wall_shelf(placer, SHELF_THINGS)
    if chance(placer, 0.5):
        against_wall(placer, decor.plant, variants=2)
    for _ in range(int(rng.integers(1, 4))):
        against_wall(placer, hallway.shoes, variants=1)
    if chance(placer, 0.5):
        against_wall(placer, containers.suitcase, variants=2)
    if chance(placer, 0.4):
        against_wall(placer, containers.backpack, variants=2)
    decorate_walls(placer)


def _at_the_door(placer: Placer, mat: Model) -> None:
    """Lays a mat in front of the first door."""
    for opening in placer.plan.openings:
        if opening.kind == "door":
            inward = placer.plan.inward[opening.wall]
            middle = placer.plan.point(opening.wall, 0.5 * (opening.start + opening.end))
            placer.on_floor(mat, middle + inward * (0.5 * mat.size[1] + 0.06), yaw_facing(inward))
            return


def _coats(placer: Placer) -> None:
    """A coat rack with coats on some of its hooks."""
    rack = placer.hang(build(placer, hallway.coat_rack), RACK_HEIGHT)
    if rack is None:
        return
    thing = placer.placed[rack]
    wide = float(thing.model.size[0])
    hooks = np.arange(hallway.HOOK_STEP / 2, wide, hallway.HOOK_STEP) - wide / 2
    for x in placer.rng.permutation(hooks)[: int(placer.rng.integers(1, len(hooks) + 1))].tolist():
        coat = build(placer, hallway.coat)
        top = RACK_HEIGHT + hallway.HOOK_RISE
        spot = np.append(thing.to_world(np.array([x, 0.0])), top - float(coat.size[2]))
        placer.try_put(coat, spot, thing.yaw, rack)
