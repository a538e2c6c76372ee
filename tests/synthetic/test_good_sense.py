"""Rules that people recognise: what makes a room is there, and stands where one would use it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gapdata.synthetic.description import Placed
from gapdata.synthetic.furnishing import ROOMS
from gapdata.synthetic.layout import Plan, sample_plan
from gapdata.synthetic.palettes import WASHABLE, palette_for
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.shell import build_shell

SEEDS = range(4)
TUCKED = 0.12  # metres between a table and a chair that is tucked in or pushed back a little


@cache
def furnished(kind: str, seed: int) -> Placer:
    """A room of a kind, its area between the least and the middle that this kind may have: the hard ones."""
    rng = np.random.default_rng([41, seed])
    low, high = ROOMS[kind][0]
    area = low * (high / low) ** (0.5 * float(rng.random()))
    plan = sample_plan(rng, kind, area, palette_for(rng, kind))
    placer = Placer(rng, plan, build_shell(rng, plan), difficulty=0.5)
    ROOMS[kind][1](placer)
    return placer


def named(placer: Placer, *labels: str) -> list[Placed]:
    return [thing for thing in placer.placed if thing.model.label in labels]


def gap(a: Placed, b: Placed) -> float:
    """Metres between the footprints' bounding rectangles."""
    low_a, high_a = (f(a.to_world(a.model.outline), axis=0) for f in (np.min, np.max))
    low_b, high_b = (f(b.to_world(b.model.outline), axis=0) for f in (np.min, np.max))
    return float(np.linalg.norm(np.maximum(0.0, np.maximum(low_a - high_b, low_b - high_a))))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("bathroom", {"toilet", "sink"}), ("bedroom", {"bed", "pillow"}), ("classroom", {"table", "chair", "whiteboard"}),
        ("corridor", {"coat rack"}), ("dining room", {"dining table", "chair"}), ("office", {"desk", "office chair"}),
        ("kitchen", {"refrigerator", "stove", "sink", "kitchen counter"}), ("living room", {"couch"}),
    ],
)  # fmt: skip
def test_what_makes_a_room_is_there(kind: str, labels: set[str], seed: int) -> None:
    placer = furnished(kind, seed)
    assert labels <= {thing.model.label for thing in placer.placed}
    if kind == "bathroom":
        assert named(placer, "bathtub", "shower")


@pytest.mark.parametrize("seed", SEEDS)
def test_kitchen_units_stand_side_by_side_under_one_worktop(seed: int) -> None:
    units = named(furnished("kitchen", seed), "refrigerator", "stove", "kitchen counter")
    beside = [min(gap(unit, other) for other in units if other is not unit) for unit in units]
    assert np.median(beside) < 0.03
    assert sum(distance < 0.03 for distance in beside) >= len(units) - 1
    tops = {unit.model.finish for unit in units if unit.model.label == "kitchen counter"}
    assert len(tops) == 1


def test_televisions_and_couches_look_at_each_other() -> None:
    found = 0
    for seed in SEEDS:
        placer = furnished("living room", seed)
        for tv in named(placer, "tv"):
            (couch,) = named(placer, "couch")
            away = tv.position[:2] - couch.position[:2]
            distance = float(np.linalg.norm(away))
            assert 1.0 < distance < 6.5
            assert couch.facing @ away / distance > np.cos(np.deg2rad(35.0))
            assert -tv.facing @ away / distance > np.cos(np.deg2rad(35.0))
            found += 1
    assert found >= 3


def test_forks_lie_to_the_left_of_plates_and_knives_to_the_right() -> None:
    found = 0
    for seed in range(6):
        placer = furnished("dining room", seed)
        chairs = np.array([chair.position[:2] for chair in named(placer, "chair")])
        for cutlery in named(placer, "fork", "knife"):
            plates = [plate for plate in named(placer, "plate") if gap(plate, cutlery) < 0.08]
            plate = min(plates, key=lambda p: gap(p, cutlery)).position[:2]
            chair = chairs[np.linalg.norm(chairs - plate, axis=1).argmin()]
            ahead = (plate - chair) / np.linalg.norm(plate - chair)
            aside = cutlery.position[:2] - plate
            left = float(ahead[0] * aside[1] - ahead[1] * aside[0])
            assert left > 0.05 if cutlery.model.label == "fork" else left < -0.05
            # The handle points to who sits there.
            assert cutlery.facing @ ahead < -0.9
            found += 1
    assert found > 8


@pytest.mark.parametrize("seed", SEEDS)
def test_chairs_at_tables_look_at_them(seed: int) -> None:
    for kind in ("dining room", "kitchen", "classroom"):
        placer = furnished(kind, seed)
        tables = named(placer, "table", "dining table")
        for chair in named(placer, "chair"):
            table = min(tables, key=lambda t: gap(t, chair))
            assert gap(table, chair) < TUCKED
            seat_to_edge = chair.position[:2] + 0.65 * chair.facing
            local = (seat_to_edge - table.position[:2]) @ table.rotation[:2, :2]
            assert (np.abs(local) < 0.5 * table.model.size[:2] + 0.05).all()


def test_every_table_of_a_class_has_a_chair() -> None:
    for seed in SEEDS:
        placer = furnished("classroom", seed)
        for table in named(placer, "table"):
            assert min(gap(table, chair) for chair in named(placer, "chair")) < TUCKED


def test_curtains_hang_in_pairs() -> None:
    found = 0
    for seed in SEEDS:
        for kind in ("bedroom", "living room", "dining room"):
            placer = furnished(kind, seed)
            plan, curtains = placer.plan, named(placer, "curtain")
            found += len(curtains)
            for opening in plan.openings:
                middle = plan.point(opening.wall, 0.5 * (opening.start + opening.end))
                reach = 0.5 * (opening.end - opening.start) + 0.31
                beside = [c for c in curtains if _on(plan, opening.wall, c)]
                near = [c for c in beside if np.linalg.norm(c.position[:2] - middle) < reach]
                if opening.kind == "window" and near:
                    assert len(near) == 2
                    assert near[0].model.size[2] == near[1].model.size[2]
    assert found > 10


def _on(plan: Plan, wall: int, thing: Placed) -> bool:
    return bool(
        plan.inward[wall] @ thing.facing > 0.99
        and abs((thing.position[:2] - plan.corners[wall]) @ plan.inward[wall]) < 0.01
    )


def test_mirrors_hang_above_washbasins_clear_of_the_tap() -> None:
    found = 0
    for seed in SEEDS:
        placer = furnished("bathroom", seed)
        (basin,) = named(placer, "sink")
        for mirror in named(placer, "mirror"):
            local = (mirror.position[:2] - basin.position[:2]) @ basin.rotation[:2, :2]
            assert abs(local[0]) < 1e-6
            assert mirror.position[2] > basin.model.size[2]
            found += 1
    assert found >= 3


def test_bathrooms_are_tiled_and_corridors_long() -> None:
    for seed in SEEDS:
        palette = palette_for(np.random.default_rng(seed), "bathroom")
        assert palette.wall.material == palette.feature_wall.material == "tile"
        assert palette.floor.material in WASHABLE
        sides = np.ptp(furnished("corridor", seed).plan.corners, axis=0)
        assert sides.max() > 1.4 * sides.min()
        assert sides.min() > 1.6


def test_microwaves_kettles_and_toasters_come_one_a_kitchen() -> None:
    for seed in SEEDS:
        placer = furnished("kitchen", seed)
        for label in ("microwave", "kettle", "toaster", "range hood"):
            assert len(named(placer, label)) <= 1
