"""How a classroom is furnished."""

from __future__ import annotations

import numpy as np

from gapdata.synthetic.arrangements import (
    amount,
    bookcase,
    build,
    chance,
    clutter,
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
    dress_windows(placer, curtains=0.3)
    board = _board(placer)
    if board is not None:
        _rows(placer, board)
    workplace(placer)
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
            index = placer.on_floor(table, spot, ahead)
            if index is not None:
                _pupil(placer, index, chair)


def _pupil(placer: Placer, table: int, chair: Model) -> None:
    """One or two chairs at a table, and what lies on it."""
    wide, deep = placer.placed[table].model.size[:2]
    for x in (-0.25, 0.25) if wide > 1.1 else (0.0,):
        turn = np.pi + float(placer.rng.uniform(-0.1, 0.1))
        for gap in (SEAT_GAP, SEAT_GAP + 0.08, SEAT_GAP + 0.16):
            spot = (float(x * wide), float(-0.5 * deep - gap))
            if placer.near(chair, table, spot, turn=turn) is not None:
                break
    if chance(placer, 0.7):
        clutter(placer, table, (decor.book, tableware.bottle), int(placer.rng.integers(1, 3)))
