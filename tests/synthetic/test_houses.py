"""What a house must be: rooms that share walls, doors that lead somewhere, a walk into every room."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gapdata.scene import Instance, Scene
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic.house_plan import OUTSIDE, PARTITION, HousePlan, sample_house
from gapdata.tasks.facts import SceneFacts
from tests.synthetic.oracle import distance_to, penetrations, unsupported

HOUSES = 3


@pytest.fixture(scope="module")
def houses() -> list[Scene]:
    source = SyntheticSource(num_scenes=HOUSES, seed=7, world="house")
    return [source.load(f"house_s7_{number:06d}") for number in range(HOUSES)]


@pytest.fixture(scope="module")
def plans() -> list[HousePlan]:
    return [sample_house(np.random.default_rng(seed)) for seed in range(40)]


def _rooms(scene: Scene) -> list[dict]:
    return json.loads(scene.provenance["rooms"])


def _area(corners: np.ndarray) -> float:
    return float(np.prod(corners.max(axis=0) - corners.min(axis=0)))


def test_plans_have_three_to_eight_rooms_that_tile_the_house(plans: list[HousePlan]) -> None:
    assert {len(plan.rooms) for plan in plans} == {3, 4, 5, 6, 7, 8}
    for plan in plans:
        outer = [room.outer_corners for room in plan.rooms]
        low, high = np.min(outer, axis=(0, 1)), np.max(outer, axis=(0, 1))
        assert low == pytest.approx(-high), "centred on the origin"
        # Grown by their walls the rooms cover the house once: no gap, no overlap.
        assert sum(map(_area, outer)) == pytest.approx(float(np.prod(high - low)))
        assert len({room.name for room in plan.rooms}) == len(plan.rooms)
        for room, kind in zip(plan.rooms, plan.kinds, strict=True):
            sides = np.ptp(room.corners, axis=0)
            assert room.name.startswith(kind)
            assert sides.min() >= (1.2 if kind == "corridor" else 1.75)
            assert 3.0 <= _area(room.corners) <= 40.0


def test_every_room_can_be_reached_from_the_front_door(plans: list[HousePlan]) -> None:
    for plan in plans:
        reached, todo = set(), {door.owner for door in plan.doorways if door.other == OUTSIDE}
        while todo:
            room = todo.pop()
            reached.add(room)
            ways = [{d.owner, d.other} for d in plan.doorways if d.other != OUTSIDE]
            todo |= {n for way in ways if room in way for n in way} - reached
        assert reached == set(range(len(plan.rooms)))


def test_doorways_are_one_hole_in_both_rooms_walls(plans: list[HousePlan]) -> None:
    for plan in plans:
        for door in plan.doorways:
            if door.other == OUTSIDE:
                continue
            far = plan.rooms[door.other]
            ends = np.stack(
                [plan.rooms[door.owner].point(door.wall, s) for s in (door.start, door.end)]
            )
            beyond = ends - PARTITION * plan.rooms[door.owner].inward[door.wall]
            holes = [
                np.stack([far.point(o.wall, s) for s in (o.end, o.start)])
                for o in far.openings
                if o.kind == "door"
            ]
            assert any(np.allclose(hole, beyond) for hole in holes)


def test_windows_look_outside(plans: list[HousePlan]) -> None:
    for plan in plans:
        edge = np.max([room.outer_corners for room in plan.rooms], axis=(0, 1))
        for room in plan.rooms:
            for opening in room.openings:
                if opening.kind == "window":
                    middle = room.point(opening.wall, 0.5 * (opening.start + opening.end))
                    outside = middle - 0.2 * room.inward[opening.wall]
                    assert (np.abs(outside) > edge).any()


def test_nothing_floats_or_reaches_into_anything(houses: list[Scene]) -> None:
    scene = min(houses, key=lambda house: len(house.instances))
    assert penetrations(scene, spacing=0.1) == []
    assert unsupported(scene) == []


def test_instances_know_their_room_and_what_carries_them(houses: list[Scene]) -> None:
    for scene in houses:
        corners = {room["name"]: np.array(room["corners"]) for room in _rooms(scene)}
        known = {i.id: i for i in scene.instances}
        for instance in scene.instances:
            room = corners[instance.room]
            middle = instance.aabb.center[:2]
            assert (middle > room.min(axis=0) - 0.16).all()
            assert (middle < room.max(axis=0) + 0.16).all()
            if instance.label in ("wall", "floor", "ceiling"):
                assert instance.support == 0
            else:
                carrier = known[instance.support]
                assert carrier.room == instance.room
                assert _touch(instance, carrier), (instance.label, carrier.label)


def _touch(a: Instance, b: Instance) -> bool:
    gap = np.abs(a.aabb.center - b.aabb.center) - (a.aabb.size + b.aabb.size) / 2
    return bool((gap < 0.005).all())


def test_the_camera_walks_into_every_room_and_keeps_clear(houses: list[Scene]) -> None:
    for scene in houses:
        centers = np.stack([frame.camera.center_world for frame in scene.frames])
        assert scene.mesh is not None
        assert distance_to(centers, scene.mesh.vertices[scene.mesh.faces]).min() >= 0.14
        for room in _rooms(scene):
            corners = np.array(room["corners"])
            inside = (centers[:, :2] > corners.min(axis=0)) & (centers[:, :2] < corners.max(axis=0))
            assert inside.all(axis=1).any(), room["name"]


def test_rooms_are_furnished_as_what_they_are(houses: list[Scene]) -> None:
    typical = {
        "bathroom": {"toilet", "sink"}, "bedroom": {"bed"}, "kitchen": {"stove", "refrigerator"},
        "living room": {"couch"}, "office": {"desk"},
    }  # fmt: skip
    for scene in houses:
        for room in _rooms(scene):
            there = {i.label for i in scene.instances if i.room == room["name"]}
            assert typical.get(room["kind"], set()) <= there, room["name"]


def test_the_floor_plan_finds_the_rooms(houses: list[Scene]) -> None:
    for scene in houses:
        found = sorted(room.area for room in SceneFacts(scene).floor_plan.rooms)
        meant = sorted(_area(np.array(room["corners"])) for room in _rooms(scene))
        assert found == pytest.approx(meant, rel=0.03)
