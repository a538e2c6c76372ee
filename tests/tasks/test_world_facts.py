"""Facts of the world in a furnished room, worked out by hand from the list of its things."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gapdata.geometry.transforms import rotation_about_z
from gapdata.tasks.facts import SceneFacts
from gapdata.tasks.placing import AgainstWall, Between, NextTo
from gapdata.tasks.plumb import PlumbLines
from gapdata.tasks.resting import Hanging, Inside, OnTopOf, Under
from gapdata.tasks.rooms import FreeSpacePoint, RoomCount, RoomSize
from gapdata.tasks.walking import Navigation, ObjectDirectionClock, RoutePlan, _walk
from tests.fixtures.asking import ask
from tests.fixtures.furnished import HALF_X, HALF_Y, THINGS
from tests.fixtures.scenes import MeshBuilder, camera_at
from tests.fixtures.worlds import world, world_facts

SEEDS = range(12)
CENTER = {label: np.array(center) for label, center, _ in THINGS}
ON = {
    ("lamp", "table"),
    ("laptop", "table"),
    ("vase", "cabinet"),
    ("bag", "stool"),
    ("table", "stand"),
}
UNDER = {("box", "table")}
INSIDE = {("basket", "bookshelf"), ("printer", "bookshelf")}
HANGS = {"picture", "clock"}
AT_WALL = {"cabinet", "sofa", "bookshelf", "plant"}


@pytest.fixture(scope="module")
def scene() -> SceneFacts:
    return SceneFacts(world("furnished")[0])


def column(scene: SceneFacts, label: str) -> int:
    return scene.labels.index(label)


def labels(facts, qa):
    return [facts.scene.labels[facts.scene.column_of[number]] for number in qa.objects]


def stated(facts, qa, anchors):
    """Pairs of (asked object's label, whether the relation is said to hold) and the anchors' labels."""
    names = labels(facts, qa)
    if qa.format == "yesno":
        holds = [qa.value]
    else:
        holds = [choice == qa.value for choice in qa.choices]
    return list(zip(names[anchors:], holds, strict=True)), names[:anchors]


def every(task):
    facts = world_facts("furnished")
    return facts, [qa for seed in SEEDS for qa in ask(facts, task, seed=seed)]


@pytest.mark.parametrize(
    ("task", "truth"),
    [(OnTopOf(), ON), (Under(), UNDER), (Inside(), INSIDE)],
    ids=["on_top_of", "under", "inside"],
)
def test_pairs(task, truth):
    facts, rows = every(task)
    formats = set()
    for qa in rows:
        claims, (anchor,) = stated(facts, qa, 1)
        for label, holds in claims:
            assert holds == ((label, anchor) in truth), (label, anchor)
        formats.add((qa.format, qa.value if qa.format == "yesno" else None))
    assert formats == {("yesno", True), ("yesno", False), ("choice", None)}


@pytest.mark.parametrize(
    ("task", "truth"),
    [(Hanging(), HANGS), (AgainstWall(), AT_WALL)],
    ids=["hanging", "against_wall"],
)
def test_single_objects(task, truth):
    facts, rows = every(task)
    assert rows
    for qa in rows:
        for label, holds in stated(facts, qa, 0)[0]:
            assert holds == (label in truth), label


def test_next_to():
    facts, rows = every(NextTo())
    assert rows
    size = {label: np.array(size) for label, _, size in THINGS}
    for qa in rows:
        claims, (anchor,) = stated(facts, qa, 1)
        for (label, holds), gap in zip(claims, qa.evidence["gap_m"], strict=True):
            assert gap <= 0.5 if holds else gap >= 1.0
            if {label, anchor} <= set(size):
                away = np.abs(CENTER[label] - CENTER[anchor]) - 0.5 * (size[label] + size[anchor])
                assert gap == pytest.approx(np.linalg.norm(np.maximum(away, 0.0)), abs=0.01)


def test_what_is_between_shuts_the_neighbours_apart():
    builder = MeshBuilder()
    for label, x in (("chair", -0.3), ("sofa", 0.3)):
        builder.box((x, 3.0, 0.4), (0.2, 0.6, 0.8), label)
    for label, x in (("bed", 2.0), ("lamp", -2.0), ("desk", 3.2)):
        builder.box((x, 3.5, 0.4), (0.3, 0.3, 0.8), label)
    open_scene = SceneFacts(builder.scene([camera_at((0, 0, 1), (0, 3, 0.5))]))
    assert NextTo()._judge(open_scene, 0, 1).holds
    builder.box((0.0, 3.0, 0.4), (0.1, 0.8, 0.8), "screen")
    shut_scene = SceneFacts(builder.scene([camera_at((0, 0, 1), (0, 3, 0.5))]))
    assert NextTo()._judge(shut_scene, 0, 1) is None


def test_between():
    facts, rows = every(Between())
    assert rows
    for qa in rows:
        claims, anchors = stated(facts, qa, 2)
        for label, holds in claims:
            if {label, *anchors} <= set(CENTER):
                one, other = (CENTER[a][:2] - CENTER[label][:2] for a in anchors)
                cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
                angle = np.degrees(np.arccos(cosine))
                assert angle >= 150 - 1e-6 if holds else angle <= 90 + 1e-6


def bearing(stand, ahead, aside):
    """Degrees clockwise from ahead to aside, by compass headings."""
    headings = [np.degrees(np.arctan2(*(CENTER[x] - CENTER[stand])[:2])) for x in (ahead, aside)]
    return (headings[1] - headings[0]) % 360.0


def test_object_direction_clock():
    facts, rows = every(ObjectDirectionClock())
    checked = 0
    for qa in rows:
        names = labels(facts, qa)
        if set(names) <= set(CENTER):
            hour = int(float(qa.value)) % 12
            assert abs((bearing(*names) - 30.0 * hour + 180.0) % 360.0 - 180.0) <= 7.0 + 1e-6
            checked += 1
    assert checked > 10


def test_navigation_and_route_plan():
    sectors = {"straight": 0, "right": 90, "around": 180, "left": 270}
    facts, rows = every(Navigation())
    for qa in rows:
        names = labels(facts, qa)
        text = qa.question if qa.format == "yesno" else qa.value
        moves = {"go straight ahead": 0, "turn right": 90, "turn around": 180, "turn left": 270}
        (turn,) = [degrees for move, degrees in moves.items() if move in text]
        if set(names) <= set(CENTER):
            off = abs((bearing(*names) - turn + 180.0) % 360.0 - 180.0)
            right = qa.value if qa.format == "yesno" else True
            assert off <= 30.0 + 1e-6 if right else off >= 60.0 - 1e-6
    facts, routes = every(RoutePlan())
    for qa in routes:
        a, b, c, d = labels(facts, qa)
        turns = [sectors[word.split()[0]] for word in qa.value.split(", then ")]
        if {a, b, c, d} <= set(CENTER):
            measured = bearing(a, b, c), bearing(c, a, d) - 180.0
            for angle, turn in zip(measured, turns, strict=True):
                assert abs((angle - turn + 180.0) % 360.0 - 180.0) <= 30.0 + 1e-6
    assert rows
    assert routes


def test_a_way_is_free_only_when_nothing_stands_across_it(scene):
    free = _walk(scene, column(scene, "stool"), column(scene, "chair"))
    assert free is not None
    assert free[1] > 0.2
    # The table stands between the chair and the sofa.
    assert _walk(scene, column(scene, "chair"), column(scene, "sofa")) is None


def test_room_size_and_walls(scene):
    (room,) = scene.floor_plan.rooms
    assert room.area == pytest.approx(4 * HALF_X * HALF_Y, rel=0.005)
    assert room.floor_share == pytest.approx(1.0, abs=0.01)
    assert scene.floor_plan.room_of(np.array([0.0, 0.0])) is room
    assert scene.floor_plan.room_of(np.array([3.2, 0.0])) is None
    _, rows = every(RoomSize())
    assert rows
    for qa in rows:
        assert float(qa.answer.split()[0]) == pytest.approx(30.0, abs=0.2)


def test_the_area_does_not_depend_on_how_the_room_is_turned():
    for degrees in (0, 17, 45, 80):
        turn = rotation_about_z(np.radians(degrees))[:2, :2]
        corners = np.array([(0, 0), (4, 0), (4, 2), (2.5, 2), (2.5, 5), (0, 5)]) @ turn.T
        builder = MeshBuilder()
        for low, high in (((0, 0), (4, 2)), ((0, 2), (2.5, 5))):
            quad = np.array([low, (high[0], low[1]), high, (low[0], high[1])]) @ turn.T
            builder.quad(np.column_stack([quad, np.zeros(4)]).tolist(), "floor")
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            builder.quad([(*start, 0), (*end, 0), (*end, 2.5), (*start, 2.5)], "wall")
        (room,) = SceneFacts(builder.scene([])).floor_plan.rooms
        assert room.area == pytest.approx(4 * 2 + 2.5 * 3, rel=0.01)


def test_a_gap_in_the_walls_leaves_no_room():
    builder = MeshBuilder()
    builder.quad([(0, 0, 0), (4, 0, 0), (4, 3, 0), (0, 3, 0)], "floor")
    corners = [(0, 0), (4, 0), (4, 3), (0, 3)]
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], (0, 0.2)], strict=True):
        builder.quad([(x0, y0, 0), (x1, y1, 0), (x1, y1, 2.5), (x0, y0, 2.5)], "wall")
    assert SceneFacts(builder.scene([])).floor_plan.rooms == ()


def test_room_count():
    facts = world_facts("flat")
    rows = [qa for seed in SEEDS for qa in ask(facts, RoomCount(), seed=seed)]
    assert {int(float(qa.value)) for qa in rows} == {3}
    one = world_facts("furnished")
    assert not ask(one, RoomCount())
    assert one.drops["room_count: fewer than two rooms seen"] > 0


def test_free_space_point():
    facts, rows = every(FreeSpacePoint())
    boxes = [(np.array(c), np.array(s)) for _, c, s in THINGS if c[2] - s[2] / 2 < 1.8]
    values = set()
    for qa in rows:
        view = facts.views[qa.views[0]]
        u, v = (int(x) for x in qa.evidence["pixel"])
        ray = np.linalg.inv(view.camera.K) @ [u, v, 1.0] * view.depth[v, u]
        spot = (view.camera.cam2world @ [*ray, 1.0])[:2]
        walls = min(HALF_X - abs(spot[0]), HALF_Y - abs(spot[1]))
        away = [np.hypot(*np.maximum(np.abs(spot - c[:2]) - s[:2] / 2, 0.0)) for c, s in boxes]
        nearest, radius = min(walls, *away), qa.evidence["radius_m"]
        if qa.format == "pixel" or qa.value:
            assert nearest >= radius + 0.05
            assert qa.evidence["clearance_m"] == pytest.approx(qa.margin + radius)
        values.add((qa.format, qa.value if qa.format == "yesno" else None))
    assert values == {("yesno", True), ("yesno", False), ("pixel", None)}


def test_plumb_lines_meet_what_a_slow_search_meets():
    rng = np.random.default_rng(3)
    triangles = rng.uniform(-1, 1, (60, 1, 3)) + rng.uniform(-0.4, 0.4, (60, 3, 3))
    owner = np.arange(60, dtype=np.int32)
    points = rng.uniform(-1, 1, (200, 3))
    hits = PlumbLines(triangles, owner).hits(points)
    found = {
        (int(p), int(o)): float(g) for p, o, g in zip(hits.point, hits.owner, hits.gap, strict=True)
    }
    expected = {}
    for row, (x, y, z) in enumerate(points):
        for number, triangle in enumerate(triangles):
            normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
            if abs(normal[2]) < 0.3 * np.linalg.norm(normal):
                continue
            weights = np.linalg.solve(np.vstack([triangle[:, :2].T, np.ones(3)]), [x, y, 1.0])
            if weights.min() >= 0:
                expected[row, number] = z - weights @ triangle[:, 2]
    assert found.keys() == expected.keys()
    assert len(expected) > 100
    for key, gap in expected.items():
        assert found[key] == pytest.approx(gap, abs=1e-9)


def test_facts_of_many_things_grow_no_worse_than_pairs_do():
    def seconds(count: int) -> float:
        builder = MeshBuilder()
        builder.quad([(-1, -1, 0), (40, -1, 0), (40, 40, 0), (-1, 40, 0)], "floor")
        for number in range(count):
            x, y = 1.5 * (number % 25), 1.5 * (number // 25)
            builder.box((x, y, 0.3), (0.4, 0.4, 0.6), f"thing {number}")
        scene = SceneFacts(builder.scene([]))
        for row in range(count):
            scene.surfaces.points(row)
        start = time.perf_counter()
        assert (scene.contacts.rest[1:, 0] == 1.0).all()
        assert not scene.contacts.cover[1:].any()
        assert scene.contacts.piled[1:, 0].all()
        return time.perf_counter() - start

    small, large = (min(seconds(count) for _ in range(2)) for count in (125, 500))
    assert large < 3 * 16 * small
