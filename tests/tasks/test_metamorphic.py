"""Changes of the world whose effect on every answer is known: moved, mirrored, renamed, larger, occluded, stricter."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gapdata.answers import parse_answer
from gapdata.geometry.transforms import rotation_about_z
from gapdata.sample import QA
from gapdata.tasks import TASKS, open_task
from gapdata.tasks.facts import Facts, SeenRule
from tests.fixtures.asking import ask, chosen, facts_of, mirrored, moved, renamed, scaled
from tests.fixtures.worlds import task_facts, task_world, world

NAMES = sorted(TASKS)
SEEDS = range(4)
SWAP = {"left": "right", "right": "left", "front-left": "front-right", "front-right": "front-left",
        "back-left": "back-right", "back-right": "back-left", "to the left": "to the right",
        "to the right": "to the left", "turn left": "turn right", "turn right": "turn left"}  # fmt: skip
SWAP |= {
    f"{first}, then {second}": f"{SWAP.get(first, first)}, then {SWAP.get(second, second)}"
    for first in ("straight on", "left", "around", "right")
    for second in ("straight on", "left", "around", "right")
}
# Tasks whose answers speak of left and right, or of coordinates along x.
HAS_SIDES = {
    "camera_motion",
    "describe_object",
    "detect_objects",
    "ground_object",
    "navigation",
    "object_box",
    "object_direction",
    "object_direction_clock",
    "position_matching",
    "relative_pose",
    "route_plan",
    "scene_map",
    "spatial_imagination",
    "view_change",
    "viewer_relation",
}
# These draw other pixels from a flipped picture.
PIXEL_TASKS = {
    "free_space_point",
    "pixel_correspondence",
    "point_depth",
    "point_depth_order",
    "pointmap",
    "pointmap_list",
}


def every(facts, task) -> list[QA]:
    return [qa for seed in SEEDS for qa in ask(facts, task, seed=seed)]


def assert_close(a: Any, b: Any) -> None:
    """Equal but for rounding."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        a, b = list(a.values()), list(b.values())
    if isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_close(one, other)
    elif isinstance(a, float) and isinstance(b, float):
        assert a == pytest.approx(b, abs=2e-4)
    else:
        assert a == b


def place(qa: QA) -> Any:
    """The value; of a choice the place of the right option, as options may be rounded otherwise."""
    return qa.choices.index(qa.value) if qa.choices else qa.value


@cache
def moved_facts(name: str) -> Facts:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_about_z(1.234), (3.0, -2.0, 0.5)
    return facts_of(*moved(*world(name), matrix))


@cache
def mirrored_facts(name: str) -> Facts:
    return facts_of(*mirrored(*world(name)))


@cache
def renamed_facts(name: str) -> tuple[Facts, dict[int, int]]:
    scene, views, names = renamed(*world(name))
    return facts_of(scene, views), names


@pytest.mark.parametrize("name", NAMES)
def test_moving_and_turning_the_world_changes_no_answer(name):
    before = every(task_facts(name), open_task(name))
    after = every(moved_facts(task_world(name)), open_task(name))
    assert before
    for a, b in zip(before, after, strict=True):
        assert (a.question, a.objects, a.views) == (b.question, b.objects, b.views)
        assert_close(place(a), place(b))
        assert a.margin == pytest.approx(b.margin, abs=0.011)


@pytest.mark.parametrize("name", NAMES)
def test_renaming_ids_changes_only_ids(name):
    facts, names = renamed_facts(task_world(name))
    before, after = (every(given, open_task(name)) for given in (task_facts(name), facts))
    assert before
    for a, b in zip(before, after, strict=True):
        assert a.question == b.question
        assert a.answer == b.answer
        assert a.choices == b.choices
        assert sorted(names[number] for number in a.objects) == sorted(b.objects)


@pytest.mark.parametrize("name", sorted(set(NAMES) - PIXEL_TASKS))
def test_mirroring_swaps_left_and_right_and_nothing_else(name):
    facts, flipped = task_facts(name), mirrored_facts(task_world(name))
    before, after = (every(given, open_task(name)) for given in (facts, flipped))
    assert before
    swapped = 0
    for a, b in zip(before, after, strict=True):
        assert (a.objects, a.views, a.format) == (b.objects, b.views, b.format)
        # Overlaps are measured on a coarse grid of pixels that is not its own mirror image.
        assert a.margin == pytest.approx(b.margin, abs=0.03 if name == "overlap" else 0.011)
        if a.format == "pixel":
            width = flipped.views[b.views[0]].camera.width
            u, v = (int(value) for value in b.value)
            assert flipped.views[b.views[0]].instance[v, u] == b.objects[0]
            original = facts.views[a.views[0]].instance
            assert original[v, width - 1 - u] == a.objects[0]
        elif a.format in ("box", "list"):
            swapped += assert_boxes_mirrored(a.value, b.value)
        elif a.format == "text":
            swapped += a.value != b.value
        elif name == "object_direction_clock":
            assert (float(a.value) + float(b.value)) % 12 == 0
            swapped += 1
        elif a.format == "choice" and a.value in SWAP and a.evidence.get("axis") != "y":
            assert b.value == SWAP[a.value]
            swapped += 1
        elif a.format == "yesno" and a.evidence.get("axis") == "x":
            assert b.value is not a.value
            swapped += 1
        else:
            assert_close(place(a), place(b))
    assert (swapped > 0) == (name in HAS_SIDES)


def assert_boxes_mirrored(a: Any, b: Any) -> bool:
    """Centres are at -x and sizes equal; true when there was something to mirror."""
    rows_a, rows_b = (value if isinstance(value, list) else [value] for value in (a, b))
    for one, other in zip(rows_a, rows_b, strict=True):
        flip = [-1.0, 1.0, 1.0]
        assert one.get("view") == other.get("view")
        assert one.get("label") == other.get("label")
        assert_close(
            [s * x for s, x in zip(flip, one["bbox_3d"], strict=False)], other["bbox_3d"][:3]
        )
        assert_close(one["bbox_3d"][3:6], other["bbox_3d"][3:6])
    return len(rows_a) > 0


@pytest.mark.parametrize(
    "name", ["object_distance", "object_size", "object_count", "closest_object"]
)
def test_the_order_of_views_does_not_matter_to_facts_of_the_scene(name, room, room_facts):
    scene, views = room

    def truths(facts):
        rows = [qa for seed in range(12) for qa in ask(facts, open_task(name), seed=seed)]
        key = {"object_distance": "distance_m", "object_size": "size_m", "object_count": "count"}
        measured = {}
        for qa in rows:
            if len(qa.views) == 4:
                value = qa.evidence[key[name]] if name in key else chosen(qa)
                objects = tuple(sorted(qa.objects)) if name != "closest_object" else qa.objects
                measured[
                    objects if name != "closest_object" else (objects[0], frozenset(objects[1:]))
                ] = value
        return measured

    before, after = truths(room_facts), truths(facts_of(scene, views[::-1]))
    common = set(before) & set(after)
    assert common
    for objects in common:
        assert_close(before[objects], after[objects])


def test_permuting_views_moves_the_grounded_view_along(room, room_facts):
    scene, views = room

    def best(facts):
        rows = [
            qa for seed in range(12) for qa in ask(facts, open_task("ground_object"), seed=seed)
        ]
        return {qa.objects[0]: qa.value["view"] for qa in rows if len(qa.views) == 4}

    before, after = best(room_facts), best(facts_of(scene, views[::-1]))
    assert set(before) & set(after)
    assert all(after[number] == 3 - before[number] for number in set(before) & set(after))


GROWTH = 1.25
POWERS = {"m": 1, "m2": 2, "m3": 3}
OF_TASKS = ("min_", "radius_", "cell_")  # evidence that is a threshold rather than measured
# Read off the cells of a raster, whose size does not grow.
COARSE = {"clearance_m": 0.15, "area_m2": 0.6}


@cache
def grown_facts(name: str) -> Facts:
    return facts_of(*scaled(*world(name), GROWTH))


def alike(qa: QA) -> str:
    """What two questions share that ask the same of a world and of a larger one."""
    wording = qa.template.split("/")[0]
    said = {key: qa.evidence.get(key) for key in ("claim", "claimed", "claimed_deg", "radius_m")}
    pointed = [{**m, "text": ""} for m in qa.markers]
    return repr((wording, qa.format, qa.unit, qa.views, qa.objects, said, pointed))


def assert_grown(a: Any, b: Any, power: int, coarse: float) -> None:
    """`b` is `a` times the growth to that power."""
    if isinstance(a, dict):
        a, b = list(a.values()), list(b.values())
    if isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_grown(one, other, power, coarse)
    elif a is not None and not isinstance(a, str):
        assert b == pytest.approx(a * GROWTH**power, rel=2e-3, abs=max(2e-3, coarse))


def assert_value_grown(a: QA, b: QA) -> None:
    """Numbers grow by their unit; boxes grow but for their angles; everything else stays."""
    if a.format in ("choice", "yesno"):
        assert place(a) == place(b)
    elif a.format in ("box", "list"):
        rows = [qa.value if isinstance(qa.value, list) else [qa.value] for qa in (a, b)]
        for one, other in zip(*rows, strict=True):
            assert (one.get("label"), one.get("view")) == (other.get("label"), other.get("view"))
            assert_grown(one["bbox_3d"][:6], other["bbox_3d"][:6], 1, 0.0)
            assert_grown(one["bbox_3d"][6:], other["bbox_3d"][6:], 0, 0.0)
    elif a.format == "pixel":
        if "clearance_m" not in a.evidence:  # of free floor many pixels are right
            assert a.value == pytest.approx(b.value, abs=1e-3)
    elif a.format != "text":  # the numbers in a text are those of its evidence
        power = POWERS.get(a.unit, 0)
        assert_grown(a.value, b.value, power, COARSE["area_m2"] if a.unit == "m2" else 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_in_a_larger_world_lengths_grow_and_nothing_else(name):
    """As if its metres had been others: what is still asked has the same answer, in the new lengths."""
    task = open_task(name)
    both = [every(facts, task) for facts in (task_facts(name), grown_facts(task_world(name)))]
    before, after = ({alike(qa): qa for qa in rows} for rows in both)
    common = before.keys() & after.keys()
    assert len(common) > 0.2 * len(before)
    for key in sorted(common):
        a, b = before[key], after[key]
        assert_value_grown(a, b)
        for fact in a.evidence.keys() & b.evidence.keys():
            if not fact.startswith(OF_TASKS) and fact.endswith(
                tuple(f"_{unit}" for unit in POWERS)
            ):
                power = POWERS[fact.rsplit("_", 1)[1]]
                assert_grown(a.evidence[fact], b.evidence[fact], power, COARSE.get(fact, 0.0))


@pytest.mark.parametrize("name", [n for n in NAMES if "number" in open_task(n).formats])
def test_a_number_in_another_unit_is_the_same_answer(name):
    """Answers in centimetres and radians are read as what they are in the asked unit."""
    others = {"m": ("cm", 100.0), "deg": ("radians", np.pi / 180)}
    for qa in every(task_facts(name), open_task(name)):
        if qa.format == "number" and qa.unit in others:
            word, factor = others[qa.unit]
            stated = parse_answer(qa.answer, "number", qa.unit)
            assert parse_answer(f"about {stated * factor:.6f} {word}", "number", qa.unit) == stated


STRICTER = [
    (name, field.name, factor)
    for name in NAMES
    for field in fields(open_task(name))
    for factor in ((1.5, 3.0) if field.name.startswith("min_") else (0.5, 0.0))
    if field.name.startswith(("min_", "max_")) and field.name != "max_options"
]


def without_thresholds(qa: QA) -> tuple[Any, ...]:
    return (qa.question, qa.views, qa.objects, qa.answer, qa.choices, qa.margin, qa.template)


@pytest.mark.parametrize(("name", "field", "factor"), STRICTER)
def test_a_stricter_threshold_only_removes_questions(name, field, factor):
    task = open_task(name)
    stricter = replace(task, **{field: getattr(task, field) * factor})
    for seed in range(2):
        loose, strict = (
            [without_thresholds(qa) for qa in ask(task_facts(name), asked, seed=seed)]
            for asked in (task, stricter)
        )
        assert set(strict) <= set(loose)


@pytest.mark.parametrize("name", NAMES)
def test_an_endless_margin_leaves_no_question_with_a_boundary(name):
    task = open_task(name)
    endless = {
        f.name: 1e6
        for f in fields(task)
        if f.name in ("min_gap", "min_angle", "min_option_gap", "min_lead")
    }
    if not endless:
        return
    rows = ask(task_facts(name), replace(task, **endless))
    assert all(qa.format not in ("choice", "yesno") for qa in rows)


def test_margins_are_at_least_their_thresholds():
    thresholds = {"min_gap_m": 1.0, "min_angle_deg": 1.0, "min_lead": 1.0, "min_inside": 1.0}
    checked = set()
    for name in NAMES:
        for qa in every(task_facts(name), open_task(name)):
            for key in thresholds.keys() & qa.evidence.keys():
                if qa.margin or qa.format == "choice":
                    assert qa.margin >= qa.evidence[key]
                    checked.add(key)
            if qa.format == "choice" and "min_option_gap" in qa.evidence:
                truth = float(qa.value.split()[0])
                assert qa.margin >= qa.evidence["min_option_gap"] * truth - 0.001
    assert checked == set(thresholds)


def test_a_stricter_rule_of_what_is_seen_asks_about_fewer_objects(room_facts):
    task = open_task("object_distance")
    strict = replace(task, seen=SeenRule(min_visible=0.9))
    asked = [
        {number for qa in every(room_facts, t) for number in qa.objects} for t in (task, strict)
    ]
    assert asked[1] < asked[0]


def test_an_occluder_silences_questions_about_what_it_hides(room):
    scene, views = room
    view = views[0]
    column = max(
        range(len(scene.instances)),
        key=lambda c: (
            (view.instance == scene.instances[c].id).sum() * (scene.instances[c].label == "table")
        ),
    )
    hidden = scene.instances[column]
    mask = view.instance == hidden.id
    assert mask.any()
    depth, instance = view.depth.copy(), view.instance.copy()
    depth[mask], instance[mask] = 0.5, 1  # something of instance 1 right before the lens
    before = facts_of(scene, [view])
    after = facts_of(scene, [replace(view, depth=depth, instance=instance)])
    for name in sorted(set(NAMES) - PIXEL_TASKS):
        asked = {number for qa in every(before, open_task(name)) for number in qa.objects}
        still = {number for qa in every(after, open_task(name)) for number in qa.objects}
        assert hidden.id not in still
        if name in ("object_distance", "viewer_relation"):
            assert hidden.id in asked
