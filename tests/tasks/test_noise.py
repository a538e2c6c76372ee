"""Disturbed worlds move what they should by what they say, and answers that flip in one of them are not asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from gapdata.geometry.transforms import rotation_angle
from gapdata.tasks import TASKS, open_task
from gapdata.tasks.contacts import ASIDE_STEP
from gapdata.tasks.distance import ClosestObject, ObjectDistance
from gapdata.tasks.engine import MARGINS, with_margin
from gapdata.tasks.facts import SceneFacts
from gapdata.tasks.noise import SHIFT, TURN, WORLDS, Noise, keeps_option
from gapdata.tasks.placing import Between, NextTo
from gapdata.tasks.question import Question
from gapdata.tasks.relations import ObjectDirection, ViewerRelation
from gapdata.tasks.resting import Hanging, OnTopOf, Under
from tests.fixtures.asking import ask, facts_of
from tests.fixtures.scenes import MeshBuilder, camera_at
from tests.fixtures.worlds import task_facts

NAMES = sorted(TASKS)


def boxes(*centers, size=(0.4, 0.4, 0.4)):
    builder = MeshBuilder()
    for number, center in enumerate(centers):
        builder.box(center, size, ("chair", "lamp", "sofa", "table", "bed")[number])
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    return facts_of(builder.scene([camera_at((0, 0, 1), (0, 4, 1), height=240, width=320)]))


def test_objects_move_and_turn_by_the_stated_amounts(room_facts):
    noise = Noise(room_facts)
    columns = list(range(len(room_facts.scene.ids)))
    centers = np.array([i.box.center for i in room_facts.scene.instances])
    moves = noise.centers(columns) - centers
    assert np.allclose(np.linalg.norm(moves, axis=-1), SHIFT)
    assert len(np.unique(moves.round(6).reshape(-1, 3), axis=0)) == WORLDS * len(columns)
    for column in columns[:5]:
        corners = room_facts.scene.instances[column].box.corners
        moved = noise.points(column, corners) - moves[:, None, column]
        arms = corners - centers[column]
        # A turn about an axis moves no corner by more than its arm times the angle, and the corners together by that much.
        ratio = np.linalg.norm(moved - corners, axis=-1) / np.linalg.norm(arms, axis=-1)
        assert ratio.max() <= TURN * 1.0001
        assert ratio.max(axis=1).min() > 0.4 * TURN
    sizes = np.array([i.box.size for i in room_facts.scene.instances])
    assert np.allclose(np.abs(noise.sizes(columns) - sizes)[:, sizes.min(axis=1) > SHIFT], SHIFT)


def test_cameras_move_and_turn_by_the_stated_amounts(room_facts):
    noise = Noise(room_facts)
    for number, view in enumerate(room_facts.views):
        moved = noise.cam2world(number)
        assert np.allclose(moved @ noise.world2cam(number), np.eye(4))
        off = moved[:, :3, 3] - view.camera.cam2world[:3, 3]
        assert np.allclose(np.linalg.norm(off, axis=-1), SHIFT)
        for rotation in moved[:, :3, :3]:
            assert np.allclose(rotation @ rotation.T, np.eye(3))
            turned = view.camera.cam2world[:3, :3].T @ rotation
            assert rotation_angle(turned) == pytest.approx(TURN)


def test_distances_follow_the_surfaces():
    facts = boxes((-1, 4, 1), (1, 4, 1))
    noise = Noise(facts)
    # Cubes side by side: their faces part by the difference of their moves along x, give or take the turns.
    moved = noise.centers([0, 1])
    expected = 1.6 + (moved[:, 1] - moved[:, 0])[:, 0] - 2.0
    lever = 2 * TURN * np.hypot(0.2, 0.2)
    assert np.abs(noise.distance(0, 1) - expected).max() <= lever + 1e-6
    assert np.allclose(noise.distance(0, 1), noise.distance(1, 0))
    assert noise.distance(0, 1).std() > 0.005


def test_touching_and_missing_surfaces_have_a_distance_too():
    facts = boxes((0, 4, 0.2), (0, 4, 0.6))
    assert (Noise(facts).distance(0, 1) == 0.0).all()


def test_an_option_is_kept_only_while_it_is_the_nearest():
    moved = np.array([1.00, 1.09, 1.11, 0.7])
    kept = keeps_option("1.00 m", ("1.20 m", "1.00 m", "0.80 m"), moved)
    assert kept.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("task", "loose", "facts"),
    [
        # A centimetre decides which is nearer.
        (ClosestObject(), {"min_gap": 0.0, "min_gap_ratio": 0.0}, boxes((0, 4, 1), (-1, 4, 1), (1.01, 4, 1), (0, 7, 2.5))),
        # The options lie 3 cm apart.
        (ObjectDistance(), {"min_distance": 0.0}, boxes((0, 4, 1), (0.55, 4, 1))),
        # Half a degree above the plane between the answers.
        (ViewerRelation(), {"min_angle": 0.0}, boxes((0, 4, 1), (0.7, 4, 1.006))),
        # Standing 10 cm from what is to the side, 2 cm are 11 degrees.
        (ObjectDirection(), {"min_angle": 0.0, "min_separation": 0.0}, boxes((0, 4, 0.2), (0.3, 4, 0.9), (0.6, 4.02, 1.6), size=(0.2, 0.2, 0.2))),
    ],
)  # fmt: skip
def test_an_answer_that_noise_flips_is_not_asked_though_its_thresholds_would_let_it(
    task, loose, facts
):
    task = replace(task, **loose)
    reason = f"{task.name}: answer flips under noise"
    for seed in range(20):
        ask(facts, task, seed=seed)
    assert facts.drops[reason] > 0, facts.drops


def on_the_edge(overlap):
    """Four 10 cm boxes on tables; the first one's table ends `overlap` metres from the box's side."""
    builder = MeshBuilder()
    builder.quad([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], "floor")
    builder.box((overlap - 0.4, 4, 0.35), (0.7, 0.7, 0.7), "table")
    builder.box((0, 4, 0.75), (0.1, 0.1, 0.1), "lamp")
    for number, label in enumerate(("clock", "toaster", "kettle")):
        builder.box((1.0 + 0.9 * number, 4, 0.35), (0.7, 0.7, 0.7), f"cabinet {number}x")
        builder.box((1.0 + 0.9 * number, 4, 0.75), (0.1, 0.1, 0.1), label)
    return facts_of(builder.scene([camera_at((1, 1.8, 1.8), (1, 4, 0.6), height=480, width=640)]))


@pytest.mark.parametrize(("overlap", "is_asked"), [(0.075, False), (0.2, True)])
def test_what_a_small_step_takes_off_its_table_is_not_asked_about(overlap, is_asked):
    facts = on_the_edge(overlap)
    lamp = facts.id(facts.scene.labels.index("lamp"))
    table = facts.id(facts.scene.labels.index("table"))
    rows = [qa for seed in range(12) for qa in ask(facts, OnTopOf(min_rest=0.6), seed=seed)]
    assert rows
    assert any({table, lamp} <= set(qa.objects) for qa in rows) == is_asked
    assert (facts.drops["on_top_of: answer flips under noise"] > 0) != is_asked


@pytest.mark.parametrize("task", [OnTopOf(), Under()])
def test_contacts_hold_as_much_a_step_aside_as_shifted_meshes_say(task):
    """The least and most contact against the same scene with the object really moved."""
    name = {"on_top_of": "rest", "under": "cover"}[task.name]
    facts = on_the_edge(0.075)
    builder = facts.scene.scene
    column = facts.scene.labels.index("lamp")
    found = getattr(facts.scene.contacts, f"{name}_aside")[:, column]
    shares = []
    for step in ((0, 0), (ASIDE_STEP, 0), (-ASIDE_STEP, 0), (0, ASIDE_STEP), (0, -ASIDE_STEP)):
        own = builder.mesh.face_instance == facts.id(column)
        vertices = builder.mesh.vertices.copy()
        vertices[np.unique(builder.mesh.faces[own])] += np.array([*step, 0], np.float32)
        moved = replace(builder, mesh=replace(builder.mesh, vertices=vertices))
        shares.append(getattr(SceneFacts(moved).contacts, name)[column])
    assert np.allclose(found, [np.min(shares, axis=0), np.max(shares, axis=0)], atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_tells_of_each_world_whether_its_answer_holds(name):
    facts = task_facts(name)
    noise = Noise(facts)
    for question in open_task(name).ask(facts, np.random.default_rng(0)):
        if question.holds is not None:
            held = question.holds(noise)
            assert held.shape == (WORLDS,)
            assert held.dtype == bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wobbly:
    """Asks twice; noise flips the second answer in one world."""

    name: ClassVar[str] = "wobbly"
    formats: ClassVar[tuple[str, ...]] = ("yesno",)
    views: ClassVar[str] = "pair"
    frame: ClassVar[str] = ""
    summary: ClassVar[str] = "asks twice"
    counterparts: ClassVar[str] = "none"

    def ask(self, facts, rng):
        for flips in (False, True):
            held = np.ones(WORLDS, bool)
            held[3] = not flips
            yield Question(
                task="wobbly", wording="overlap_yesno", format="yesno", views=(0, 1), value=not flips,
                margin=1.0, holds=lambda _, held=held: held,
            )  # fmt: skip


def test_the_engine_drops_and_counts_what_one_world_flips(room):
    facts = facts_of(*room)
    rows = ask(facts, _Wobbly())
    assert [qa.value for qa in rows] == [True]
    assert facts.drops == {"wobbly: answer flips under noise": 1}


@pytest.mark.parametrize("name", NAMES)
def test_a_larger_margin_only_removes_rows(name):
    facts = task_facts(name)
    rows = ask(facts, open_task(name), max_per_task=3)
    fewer = ask(facts, open_task(name), max_per_task=3, margin=1.7)
    kept = {qa.id for qa in fewer}
    assert fewer == [qa for qa in rows if qa.id in kept]


def test_the_margin_multiplies_the_thresholds_at_boundaries_and_no_others():
    task = with_margin(ClosestObject(), 2.0)
    assert task == replace(ClosestObject(), min_gap=0.3, min_gap_ratio=0.2)
    assert with_margin(ObjectDirection(), 1.5) == replace(ObjectDirection(), min_angle=22.5)
    # Nothing between 0.5 and 1.0 m is next to or not next to something; twice as strict, nothing between 0.25 and 1.25.
    assert with_margin(NextTo(), 2.0) == replace(NextTo(), max_gap=0.25, min_apart=1.25)
    assert with_margin(Between(), 1.5) == replace(Between(), min_straight=165.0, max_bent=75.0)
    strict = with_margin(Hanging(), 2.0)
    assert (strict.min_drop, strict.min_rest) == pytest.approx((0.22, 0.9))


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(open_task(n), "boundaries")])
def test_what_a_margin_scales_lies_on_one_side_of_its_boundary(name):
    """A threshold on the wrong side, or on the boundary, would let in more with a larger margin."""
    task = open_task(name)
    for threshold, boundary in task.boundaries.items():
        is_above = getattr(task, threshold) > boundary
        assert getattr(task, threshold) != boundary
        assert is_above == threshold.startswith("min_")
        stricter = getattr(with_margin(task, 1.5), threshold)
        assert (stricter > getattr(task, threshold)) == is_above
    assert task == with_margin(task, 1.0)


def test_a_large_margin_leaves_no_question_with_a_boundary_that_it_scales():
    for name in NAMES:
        task = open_task(name)
        if hasattr(task, "boundaries") or any(f.startswith(MARGINS) for f in task.__slots__):
            rows = ask(task_facts(name), task, margin=1e6)
            assert not [qa for qa in rows if qa.format in ("choice", "yesno")], name
