"""Placing: what is free is taken, what is reserved or too low is not, and undoing leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.errors import ConfigError
from gapdata.synthetic import open_world
from gapdata.synthetic.furniture import bedroom, containers, decor, storage, tables
from gapdata.synthetic.layout import Opening, Plan
from gapdata.synthetic.materials import sample_palette
from gapdata.synthetic.placement import FLOOR, Placer
from gapdata.synthetic.shell import build_shell


def _room(*openings: Opening, corners: list[list[float]] | None = None) -> Placer:
    rng = np.random.default_rng(4)
    outline = corners or [[-2.5, -2.0], [2.5, -2.0], [2.5, 2.0], [-2.5, 2.0]]
    plan = Plan(
        name="test", corners=np.array(outline), height=2.6, openings=openings, palette=sample_palette(rng)
    )  # fmt: skip
    return Placer(rng, plan, build_shell(rng, plan), difficulty=0.5)


L_SHAPE = [[-2.5, -2.0], [2.5, -2.0], [2.5, 0.5], [0.5, 0.5], [0.5, 2.0], [-2.5, 2.0]]


def test_plan_of_an_l_shape() -> None:
    plan = _room(corners=L_SHAPE).plan
    assert plan.area == pytest.approx(5 * 4 - 2 * 1.5)
    assert sum(float(np.prod(b - a)) for a, b in plan.rectangles(0.0)) == pytest.approx(plan.area)
    assert plan.inside(np.array([-2.0, 1.8]))
    assert not plan.inside(np.array([2.0, 1.5]))
    for wall in range(6):
        middle = plan.point(wall, 0.5 * float(plan.lengths[wall]))
        assert plan.inside(middle + 0.05 * plan.inward[wall])
        assert not plan.inside(middle - 0.05 * plan.inward[wall])


def test_furniture_stands_with_its_back_to_each_wall() -> None:
    for wall in range(6):
        placer = _room(corners=L_SHAPE)
        chest = storage.nightstand(placer.rng, placer.plan.palette)
        index = placer.at_wall(chest, wall, 0.5 * float(placer.plan.lengths[wall]))
        assert index is not None
        thing = placer.placed[index]
        assert thing.facing == pytest.approx(placer.plan.inward[wall])
        back = thing.position[:2] - thing.facing * chest.high[1]
        gap = (back - placer.plan.corners[wall]) @ placer.plan.inward[wall]
        assert gap == pytest.approx(0.02)
        assert placer.wall_of(index) == pytest.approx((wall, 0.5 * placer.plan.lengths[wall]))


def test_a_taken_place_is_not_taken_again_until_restored() -> None:
    placer = _room()
    box = containers.cardboard_box(placer.rng, placer.plan.palette)
    spot = np.array([0.3, 0.2])
    before, cells = placer.checkpoint(), placer.free.blocked.copy()
    assert placer.on_floor(box, spot, 0.4) is not None
    assert placer.on_floor(box, spot + 0.05, 0.4) is None
    assert (placer.free.blocked != cells).any()
    placer.restore(before)
    assert np.array_equal(placer.free.blocked, cells)
    assert len(placer.placed) == before.placed
    assert placer.on_floor(box, spot + 0.05, 0.4) is not None


def test_the_door_stays_free() -> None:
    door = Opening(wall=0, kind="door", start=1.0, end=1.9, sill=0.0, top=2.05)
    placer = _room(door)
    box = containers.cardboard_box(placer.rng, placer.plan.palette)
    in_front = placer.plan.point(0, 1.45) + 0.5 * placer.plan.inward[0]
    assert placer.on_floor(box, in_front, 0.0) is None
    assert (
        placer.on_floor(box, placer.plan.point(0, 3.5) + 0.5 * placer.plan.inward[0], 0.0)
        is not None
    )
    shelf = storage.wall_shelf(placer.rng, placer.plan.palette)
    assert placer.hang(shelf, 1.3, wall=0, along=1.45) is None
    assert placer.given_up["shelf"] == 1


def test_shelves_take_only_what_fits_below_the_next_board() -> None:
    placer = _room()
    case = placer.at_wall(storage.bookshelf(placer.rng, placer.plan.palette), 0, 2.5)
    assert case is not None
    area = placer.placed[case].model.surfaces[0]
    vase = decor.vase(placer.rng, placer.plan.palette)
    tall = decor.book_row(placer.rng, placer.plan.palette, 0.3, area.headroom + 0.2)
    fits = decor.book_row(placer.rng, placer.plan.palette, 0.3, area.headroom)
    assert fits.high[2] <= area.headroom
    assert (placer.on(vase, case) is not None) == (vase.high[2] <= area.headroom)
    if tall.high[2] > area.headroom:
        assert placer.on(tall, case, turn=0.0) is None


def test_a_table_is_carried_by_the_rug_only_when_wholly_on_it() -> None:
    placer = _room()
    rug = decor.rug(placer.rng, placer.plan.palette, 2.4, 2.0, oval=False)
    index = placer.on_floor(rug, np.zeros(2), 0.0)
    assert index is not None
    table = tables.coffee_table(placer.rng, placer.plan.palette)
    assert placer.on_floor(table, np.array([1.2, 0.0]), 0.0) is None
    on_rug = placer.on_floor(table, np.zeros(2), 0.0)
    assert on_rug is not None
    assert placer.placed[on_rug].support == index
    assert placer.placed[on_rug].position[2] == rug.surfaces[0].z


def test_things_fit_below_a_bed_but_not_through_it() -> None:
    placer = _room()
    bed = placer.at_wall(bedroom.bed(placer.rng, placer.plan.palette), 2, 2.5)
    assert bed is not None
    box = containers.cardboard_box(placer.rng, placer.plan.palette)
    clearance = min(p.solid.low for p in placer.placed[bed].model.parts if p.solid.low > 0.01)
    placed = placer.near(box, bed, (0.0, 0.0))
    assert (placed is not None) == (box.high[2] <= clearance)
    flat = decor.book(placer.rng, placer.plan.palette)
    low = placer.near(flat, bed, (0.3, -0.7))
    assert low is not None
    assert placer.placed[low].support == FLOOR


def test_unknown_world() -> None:
    with pytest.raises(ConfigError, match="unknown world"):
        open_world("moon")
