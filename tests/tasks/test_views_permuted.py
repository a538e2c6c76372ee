"""The same views in the opposite order: what is said of views moves along with them, and what is said of the scene stays."""

from __future__ import annotations

import json

import pytest

from gapdata.tasks import open_task
from tests.fixtures.asking import ask, facts_of
from tests.fixtures.worlds import world, world_facts

SEEDS = range(16)


@pytest.fixture(scope="module")
def reversed_facts():
    scene, views = world("walk")
    return facts_of(scene, views[::-1])


def every(facts, task):
    return [qa for seed in SEEDS for qa in ask(facts, open_task(task), seed=seed)]


def original(views):
    """The views' places before they were reversed."""
    return tuple(3 - view for view in views)


def test_the_images_that_show_an_object_move_along(reversed_facts):
    def shown(facts):
        rows = every(facts, "object_frame_locate")
        return {qa.objects: set(json.loads(qa.answer)) for qa in rows if qa.format == "text"}

    before, after = shown(world_facts("walk")), shown(reversed_facts)
    common = set(before) & set(after)
    assert len(common) > 3
    assert all({5 - image for image in after[c]} == before[c] for c in common)


def test_what_appears_last_appears_first(reversed_facts):
    def visible_in(facts, number):
        column = facts.scene.ids.tolist().index(number)
        return [view for view in range(4) if facts.visibility.pixels[view, column]]

    rows = [qa for qa in every(reversed_facts, "appearance_order") if qa.format == "choice"]
    assert rows
    for qa in rows:
        last = [visible_in(world_facts("walk"), number)[-1] for number in qa.objects]
        assert last == sorted(last, reverse=True)


def test_overlap_depends_on_the_two_views_alone(reversed_facts):
    def truths(facts, place):
        rows = every(facts, "overlap")
        return {frozenset(place(qa.views)): qa.value for qa in rows if qa.format == "yesno"}

    before = truths(world_facts("walk"), tuple)
    assert len(before) == 6
    assert truths(reversed_facts, original) == before


@pytest.mark.parametrize("task", ["view_change", "position_matching"])
def test_questions_of_pairs_are_those_of_the_same_pairs(task, reversed_facts):
    def truths(facts, place):
        rows = [qa for qa in every(facts, task) if qa.format == "text"]
        return {(place(qa.views), qa.objects): qa.value for qa in rows}

    before, after = truths(world_facts("walk"), tuple), truths(reversed_facts, original)
    common = set(before) & set(after)
    assert common
    assert all(before[key] == after[key] for key in common)


def test_time_has_to_run_forwards_to_be_asked_about(reversed_facts):
    assert every(reversed_facts, "frame_order") == []
    assert reversed_facts.drops["frame_order: views are not one clip"] > 0
