"""Table tops: hollows are hollow, what is in them rests on their bottom, what leans touches at both ends."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.scene import Scene
from gapdata.sources.synthetic import SyntheticSource
from gapdata.synthetic.description import Description
from gapdata.synthetic.drawing import draw
from gapdata.synthetic.furniture import tables
from gapdata.synthetic.studio import empty_studio, studio_lights
from gapdata.synthetic.tabletop import containing, leaning, settings, stacks, vessels
from gapdata.synthetic.tabletop.groups import Bench, Group, standing
from gapdata.synthetic.tabletop.robot import robot_arm
from gapdata.tasks.facts import SceneFacts
from gapdata.tasks.placing import NextTo
from gapdata.tasks.resting import Inside, OnTopOf
from tests.synthetic.oracle import distance_to, penetrations, surface_samples

GROUPS = (
    containing.fruit_bowl, containing.pencil_mug, leaning.leaning_book, settings.place_setting,
    settings.raised_board, stacks.block_tower, stacks.book_stack, stacks.plate_stack, stacks.saucer_and_mug,
)  # fmt: skip
VESSELS = (vessels.bowl, vessels.mug, vessels.tray, vessels.bin_, vessels.basket, vessels.open_box)
TOUCH = 1e-3  # metres


def _table(seed: int) -> tuple[Bench, int]:
    rng = np.random.default_rng(seed)
    for _ in range(40):
        bench = empty_studio(Bench, rng, 0.5)
        index = bench.on_floor(tables.dining_table(rng, bench.plan.palette), np.zeros(2), 0.3)
        if index is not None:
            return bench, index
    raise AssertionError("no table")


def _laid(make, seed: int) -> tuple[Scene, list[int]]:
    """A scene with one group on a table, and the ids of its members."""
    bench, table = _table(seed)
    group: Group = make(bench.rng, bench.plan.palette)
    placed = bench.put_group(group, table, spot=np.zeros(2), heading=0.4)
    assert placed is not None
    scene = draw(
        Description(placed=tuple(bench.placed), lights=studio_lights(bench), frames=()),
        "laid",
        "test",
    )
    return scene, [index + 1 for index in placed]


def _triangles(scene: Scene, number: int) -> np.ndarray:
    assert scene.mesh is not None
    mesh = scene.mesh
    return mesh.vertices.astype(np.float64)[mesh.faces[mesh.face_instance == number]]


def _gap(scene: Scene, one: int, other: int) -> float:
    a, b = _triangles(scene, one), _triangles(scene, other)
    samples = surface_samples(a, np.random.default_rng(0), 0.004)
    back = surface_samples(b, np.random.default_rng(0), 0.004)
    return float(min(distance_to(samples, b).min(), distance_to(back, a).min()))


def _overlaps(scene: Scene) -> list[tuple[str, str, float]]:
    return [pair for pair in penetrations(scene, 0.006) if "wall" not in pair[0] + pair[1]]


@pytest.mark.parametrize("make", GROUPS, ids=lambda make: make.__name__)
def test_members_touch_what_carries_them_and_cut_nothing(make):
    for seed in (1, 2):
        scene, members = _laid(make, seed)
        assert len(members) < 8
        assert not _overlaps(scene)
        for number in members:
            support = scene.instances[number - 1].support
            assert support == members[0] - 1 or support in members
            if scene.instances[support - 1].label in ("apple", "orange"):
                continue  # lies on the whole ring below: see the test of heaps
            assert _gap(scene, number, support) < TOUCH


@pytest.mark.parametrize("make", VESSELS, ids=lambda make: make.__name__)
def test_hollows_are_convex_and_open_above(make):
    vessel = make(np.random.default_rng(3), _table(3)[0].plan.palette)
    inside = vessel.planes[:, :3] @ np.array([0.0, 0.0, vessel.rim_z + 0.3])
    assert (inside < vessel.planes[:, 3]).all()
    bottom = np.column_stack([vessel.floor, np.full(len(vessel.floor), vessel.floor_z)])
    assert (bottom @ vessel.planes[:, :3].T <= vessel.planes[:, 3] + 1e-9).all()
    grain = 1e-4 * np.array([[1, 1, 0], [1, -1, 0], [-1, 0, 0], [0, 0, 2]])
    assert vessel.rest_height(grain) == pytest.approx(vessel.floor_z)
    wide = 2.0 * float(vessel.model.size[0]) * grain / 1e-4
    height = vessel.rest_height(wide)
    assert height is None or height > vessel.rim_z


def test_contents_stand_within_the_opening():
    contents = 0
    for seed in range(6):
        bench, _ = _table(seed)
        group = containing.filled_vessel(bench.rng, bench.plan.palette, 6)
        outer = group[0].model
        for member in group[1:]:
            contents += 1
            for prism in member.prisms:
                assert (prism.outline > outer.low[:2]).all()
                assert (prism.outline < outer.high[:2]).all()
            assert 0.003 < member.at[2] < 0.02
            assert member.on == 0
    assert contents > 6
    scene, _ = _laid(lambda rng, palette: containing.filled_vessel(rng, palette, 6), 1)
    assert not _overlaps(scene)


def test_a_heaped_fruit_lies_on_the_ring_below():
    heaps = 0
    bench, _ = _table(1)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        group = containing.fruit_bowl(rng, bench.plan.palette)
        radius = 0.5 * float(group[1].model.size[2])
        centers = np.array([member.at + [0, 0, radius] for member in group[1:]])
        apart = np.linalg.norm(centers[:, None] - centers[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        assert apart.min() >= 2 * radius - 1e-9
        if len(group) > 2:
            assert apart.min(axis=1) == pytest.approx(2 * radius, abs=TOUCH)
        if group[-1].on == 1:
            heaps += 1
            assert apart[-1, :-1] == pytest.approx(2 * radius, abs=TOUCH)
    assert heaps > 3


def test_what_leans_is_held_at_both_ends():
    for seed in range(5):
        scene, members = _laid(leaning.leaning_book, seed)
        if len(members) < 2:
            continue
        prop, book = members
        assert _gap(scene, book, prop) < TOUCH
        assert _gap(scene, book, members[0] - 1) < TOUCH
        box = scene.instances[book - 1].box
        assert box.rotation[:, 2] == pytest.approx([0, 0, 1])  # upright around it
        # Its weight lies between its foot and what holds it, along its own y.
        points = _triangles(scene, book).reshape(-1, 3)
        local, other = points @ box.rotation, _triangles(scene, prop).reshape(-1, 3) @ box.rotation
        foot = local[points[:, 2] < points[:, 2].min() + 1e-5, 1].mean()
        weight = 0.5 * (local[:, 1].min() + local[:, 1].max())
        assert foot < weight < other[:, 1].min() + TOUCH


def test_a_pencil_touches_bottom_and_rim():
    scene, (mug, pencil) = _laid(containing.pencil_mug, 5)
    rim = _triangles(scene, mug).reshape(-1, 3)[:, 2].max()
    shaft = surface_samples(_triangles(scene, pencil), np.random.default_rng(0), 0.0008)
    gap = distance_to(shaft, _triangles(scene, mug))
    assert gap[shaft[:, 2] < rim - 0.05].min() < TOUCH
    assert gap[np.abs(shaft[:, 2] - rim) < 0.003].min() < TOUCH
    assert shaft[:, 2].max() > rim + 0.03


def test_a_group_stays_on_the_table_and_off_others():
    bench, table = _table(2)
    group = stacks.block_tower(bench.rng, bench.plan.palette)
    half = 0.5 * bench.placed[table].model.size[:2]
    assert bench.put_group(group, table, spot=half, heading=0.0) is None
    first = bench.put_group(group, table, spot=np.zeros(2), heading=0.0)
    assert first == list(range(table + 1, table + 1 + len(group)))
    assert bench.put_group(group, table, spot=np.array([0.01, 0.0]), heading=0.7) is None
    crowd = (standing(robot_arm(bench.rng, bench.plan.palette)),)
    assert bench.put_somewhere(crowd, table, about=5 * half, reach=0.1) is None
    assert bench.given_up["robot arm"] == 1


def test_worlds_are_solid_and_sized_like_the_real_things():
    source = SyntheticSource(world="tabletop", difficulty=0.6, num_scenes=2, seed=2)
    heights = {
        "cup": (0.075, 0.115),
        "plate": (0.015, 0.03),
        "bottle": (0.18, 0.31),
        "can": (0.08, 0.13),
    }
    for scene_id in source.splits()["train"]:
        scene = source.load(scene_id)
        assert not _overlaps(scene)
        for instance in scene.instances:
            low, high = heights.get(instance.label, (0.0, 20.0))
            assert low < instance.box.size[2] < high, instance.label


def test_inside_open_vessels_and_not_on_top_of_them():
    scene, (bowl, *fruit) = _laid(containing.fruit_bowl, 2)
    facts = SceneFacts(scene)
    for number in fruit[:1]:
        judged = Inside()._judge(facts, number - 1, bowl - 1)
        assert judged is not None
        assert judged.holds
        assert judged.evidence["sides"] == 4
        assert OnTopOf()._judge(facts, number - 1, bowl - 1) is None
    scene, (saucer, mug) = _laid(stacks.saucer_and_mug, 2)
    facts = SceneFacts(scene)
    judged = OnTopOf()._judge(facts, mug - 1, saucer - 1)
    assert judged is not None
    assert judged.holds
    inside = Inside()._judge(facts, mug - 1, saucer - 1)
    assert inside is None or not inside.holds


@pytest.mark.parametrize(("apart", "near"), [(0.03, True), (0.4, False)])
def test_small_things_are_next_to_each_other_when_near(apart, near):
    bench, table = _table(1)
    block = stacks.toy_block(np.random.default_rng(0), bench.plan.palette)
    side = float(block.size[0])
    pair = standing(block), standing(block, (side + apart, 0.0))
    first = bench.put_group(pair, table, spot=np.array([-0.2, 0.0]), heading=0.0)
    assert first is not None
    scene = draw(
        Description(placed=tuple(bench.placed), lights=studio_lights(bench), frames=()),
        "pair",
        "test",
    )
    judged = NextTo()._judge(SceneFacts(scene), *first)
    assert judged is not None
    assert judged.holds == near
    assert judged.evidence["gap_m"] == pytest.approx(apart, abs=1e-5)
