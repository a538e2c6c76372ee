"""How a classroom is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import (
    amount,
    bookcase,
    build,
    chance,
    plants,
    workplace,
)
from gapdata.synthetic.description import yaw_facing
from gapdata.synthetic.dressing import decorate_walls, dress_windows
from gapdata.synthetic.furniture import containers, decor, hangings, seating, tables, tableware
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer

BOARD_HEIGHT = 0.9  # of a whiteboard's lower edge
FIRST_ROW = 2.0  # metres from the board to the middle of the first row of tables
ROW_GAP, AISLE = 0.85, 0.55  # metres of floor behind tables, and between them
SEAT_GAP = 0.14  # metres from a table's edge to the middle of the chair pushed under it


def furnish_classroom(placer: Placer) -> None:
    """A whiteboard, rows of tables and chairs that face it, a teacher's desk, shelves."""
    board = _board(placer)
    if board is not None:
        _rows(placer, board)
    workplace(placer)
    dress_windows(placer, curtains=0.3)
    for _ in range(int(placer.rng.integers(1, 3))):
        bookcase(placer)
    placer.against_wall(build(placer, containers.trash_can))
    placer.hang(build(placer, hangings.clock), float(placer.rng.uniform(2.0, 2.15)))
    plants(placer)
    decorate_walls(placer)
    for _ in range(amount(placer, int(placer.rng.integers(0, 4)))):
        placer.anywhere(build(placer, containers.backpack))


def _board(placer: Placer) -> int | None:
    """The widest of a few whiteboards in the middle of the first wall that takes it."""
    models = [build(placer, hangings.whiteboard) for _ in range(4)]
    model = max(models, key=lambda m: float(m.size[0]))
    for wall in np.argsort(-placer.plan.lengths, kind="stable").tolist():
        middle = 0.5 * float(placer.plan.lengths[wall])
        for shift in (0.0, 0.5, -0.5, 1.0, -1.0):
            index = placer.hang(model, BOARD_HEIGHT, wall=wall, along=middle + shift)
            if index is not None:
                return index
    return None


def _rows(placer: Placer, board: int) -> None:
    """Tables side by side in rows across the room, a chair or two behind each, all turned to the board."""
    plan, (wall, _) = placer.plan, placer.wall_of(board)
    inward, along = plan.inward[wall], plan.directions[wall]
    table, chair = build(placer, tables.school_table), build(placer, seating.chair)
    reach = (plan.corners - plan.corners[wall]) @ inward
    pitch = float(table.size[1] + chair.size[1]) + ROW_GAP - SEAT_GAP
    column = float(table.size[0]) + AISLE
    columns = int((plan.lengths[wall] - 0.8) / column)
    middle = plan.point(wall, 0.5 * float(plan.lengths[wall]))
    ahead = yaw_facing(inward)  # a table's front is where one sits
    for row in np.arange(FIRST_ROW, float(reach.max()) - 1.0, pitch).tolist():
        for place in range(columns):
            spot = middle + inward * row + along * (place - 0.5 * (columns - 1)) * column
            if not plan.inside(spot):
                continue
            start = placer.checkpoint()
            index = placer.on_floor(table, spot, ahead)
            if index is not None and not _pupils(placer, index, chair):
                placer.restore(start)


def _pupils(placer: Placer, table: int, chair: Model) -> int:
    """One or two chairs at a table, and what lies before each; how many chairs found room."""
    wide, deep = placer.placed[table].model.size[:2]
    seated = 0
    for x in (-0.25, 0.25) if wide > 1.1 else (0.0,):
        turn = np.pi + float(placer.rng.uniform(-0.1, 0.1))
        for gap in (SEAT_GAP, SEAT_GAP + 0.08, SEAT_GAP + 0.16):
            spot = (float(x * wide), float(-0.5 * deep - gap))
            if placer.near(chair, table, spot, turn=turn) is not None:
                seated += 1
                _before_a_pupil(placer, table, float(x * wide))
                break
    return seated


def _before_a_pupil(placer: Placer, table: int, x: float) -> None:
    """Perhaps a book or two, a pencil, something to drink."""
    rng, half = placer.rng, 0.5 * float(placer.placed[table].model.size[1])
    if chance(placer, 0.3 + 0.6 * placer.difficulty):
        spot = np.array([x + float(rng.uniform(-0.06, 0.06)), -half + 0.2])
        index = placer.try_on(build(placer, decor.book), table, spot, float(rng.uniform(-0.2, 0.2)))
        if index is not None and chance(placer, 0.25):
            placer.on(build(placer, decor.book), index, at=(0.0, 0.0), turn=0.1)
    if chance(placer, 0.1 + 0.4 * placer.difficulty):
        builder = tableware.cup if chance(placer, 0.4) else tableware.bottle
        spot = np.array([x + float(rng.uniform(0.13, 0.17)), half - 0.09])
        placer.try_on(build(placer, builder), table, spot, float(rng.uniform(-np.pi, np.pi)))
