"""What every task promises, over all of them and several kinds of sample."""

from __future__ import annotations

import json
import re
import string
from collections import Counter, defaultdict
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import chisquare

from gapdata.answers import format_answer, parse_answer, rounded_value
from gapdata.errors import ConfigError
from gapdata.labels import is_structure
from gapdata.markers import COLORS, KINDS
from gapdata.sample import FORMATS, QA
from gapdata.tasks import TASKS, Task, open_task
from gapdata.tasks.engine import ask_questions
from gapdata.tasks.facts import Facts, SceneFacts
from gapdata.tasks.templates import TEMPLATES
from tests.fixtures.asking import ask, facts_of, rendered
from tests.fixtures.scenes import box_room, surface_points
from tests.fixtures.worlds import task_facts

NAMES = sorted(TASKS)
FRAME_NAMES = {"", "viewer", "world", "object", "first_view"}


@pytest.fixture(scope="module")
def samples(room, room_facts):
    """Four views, one view, sixteen views, and four views of a scene without a mesh."""
    scene, views = room
    bare = replace(scene, mesh=None, points=surface_points(scene, 20000))
    long = rendered(box_room(16, height=60, width=80, furniture=7))
    return {
        "four": room_facts,
        "one": facts_of(scene, views[:1]),
        "sixteen": facts_of(scene, long),
        "points": facts_of(bare, [replace(view, amodal=()) for view in views]),
    }


def assert_plain(value):
    """Only what JSON gives back unchanged: str, bool, int, finite float, list, dict."""
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            assert_plain(item)
    else:
        assert type(value) in (str, bool, int, float)
    json.dumps(value, allow_nan=False)


def assert_valid(qa: QA, facts: Facts, task: Task):
    assert qa.task == task.name
    assert qa.format in task.formats
    assert qa.format in FORMATS
    assert re.fullmatch(r"[a-z0-9_-]+", qa.id)
    assert qa.frame in FRAME_NAMES
    assert qa.views
    assert len(set(qa.views)) == len(qa.views)
    assert set(qa.views) <= set(range(len(facts.views)))
    kinds = {"single": 1, "pair": 2, "all": len(facts.views)}
    kinds = {"single": {1}, "pair": {2}, "several": {3, 4, 5}, "all": {len(facts.views)}}
    assert any(len(qa.views) in kinds[kind] for kind in task.views.split(", "))
    assert set(qa.objects) <= set(facts.scene.ids.tolist())
    assert "{" not in qa.question
    assert "  " not in qa.question
    assert qa.question == qa.question.strip()
    assert qa.question[0] == qa.question[0].upper()
    assert qa.question[-1] in "?."
    assert qa.answer == format_answer(qa.value, qa.format, qa.unit, qa.choices)
    read = parse_answer(qa.answer, qa.format, qa.unit, qa.choices)
    assert read == rounded_value(qa.value, qa.format, qa.unit, qa.choices)
    assert_plain(qa.value)
    assert_plain(dict(qa.evidence))
    assert type(qa.margin) is float
    assert np.isfinite(qa.margin)
    assert qa.margin >= 0
    if qa.format == "choice":
        assert qa.value in qa.choices
        assert len(set(qa.choices)) == len(qa.choices) >= 2
        assert not any(choice in qa.question for choice in qa.choices if len(choice) > 8)
    else:
        assert qa.choices == ()
    if qa.format in ("choice", "yesno"):
        assert qa.margin > 0
    for record in qa.markers:
        assert_plain(dict(record))
        assert record["view"] in qa.views
        assert record["kind"] in KINDS
        assert record["color"] in COLORS


@pytest.mark.parametrize("kind", ["four", "one", "sixteen", "points"])
@pytest.mark.parametrize("name", NAMES)
def test_every_question_is_valid(name, kind, samples):
    task, facts = open_task(name), samples[kind]
    rows = [qa for seed in range(3) for qa in ask(facts, task, seed=seed)]
    for qa in rows:
        assert_valid(qa, facts, task)
    if "pair" in task.views and kind == "one":
        assert rows == []
    else:
        assert rows or facts.drops


@pytest.mark.parametrize("name", NAMES)
def test_tasks_are_described_and_configured_by_thresholds(name):
    task = open_task(name)
    assert isinstance(task, Task)
    assert task.name == name
    assert set(task.formats) <= set(FORMATS)
    assert task.frame in FRAME_NAMES
    assert set(task.views.split(", ")) <= {"single", "pair", "several", "all"}
    assert task.summary
    assert task.counterparts
    assert "\n" not in task.summary
    assert fields(task)
    assert task == open_task(name)
    with pytest.raises(AttributeError):
        setattr(task, fields(task)[0].name, None)


def test_an_unknown_task_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match=r"unknown task 'paint'.*object_count"):
        open_task("paint")


def test_all_formats_and_view_counts_are_asked():
    rows = [
        qa
        for name in NAMES
        for seed in range(6)
        for qa in ask(task_facts(name), open_task(name), seed=seed)
    ]
    assert {qa.format for qa in rows} == set(FORMATS)
    assert {len(qa.views) for qa in rows} >= {1, 2, 4}
    assert {qa.frame for qa in rows} >= {"", "viewer", "object", "first_view"}
    per_task = Counter(qa.task for qa in rows)
    assert set(per_task) == set(NAMES)


def test_formats_announced_by_tasks_are_all_asked():
    for name in NAMES:
        task = open_task(name)
        rows = [qa for seed in range(8) for qa in ask(task_facts(name), task, seed=seed)]
        assert {qa.format for qa in rows} == set(task.formats)


def test_structure_is_never_asked_about_as_an_object(samples):
    for name in set(NAMES) - {"point_depth", "point_depth_order", "pointmap", "pointmap_list"}:
        facts = samples["four"]
        for qa in ask(facts, open_task(name)):
            for number in qa.objects:
                instance = facts.scene.instances[facts.scene.column_of[number]]
                assert not is_structure(instance.label, instance.nyu40)


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_every_wording_has_six_different_templates_with_the_same_facts(key):
    templates = TEMPLATES[key]
    assert len(templates) >= 6
    assert len(set(templates)) == len(templates)

    def objects(template):
        named = [field for _, field, _, _ in string.Formatter().parse(template) if field]
        return {field.split("_")[-1].rstrip("s") for field in named if not field.endswith("views")}

    assert all(objects(template) == objects(templates[0]) for template in templates)


def test_every_template_is_drawn_and_every_key_is_used():
    drawn = defaultdict(set)
    for name in NAMES:
        for seed in range(40):
            for qa in ask(task_facts(name), open_task(name), seed=seed):
                key, number = qa.template.split("/")
                drawn[key].add(int(number))
    assert {key: len(numbers) for key, numbers in drawn.items()} == {
        key: len(templates) for key, templates in TEMPLATES.items()
    }


def chi_square_p(counts):
    return chisquare(counts).pvalue


@pytest.mark.parametrize("name", [name for name in NAMES if "choice" in open_task(name).formats])
def test_the_right_option_has_no_favourite_place_and_no_favourite_rank(name):
    """Over many draws: the place in the list, the rank by alphabet or size, and the rank by length."""
    places, ranks = defaultdict(Counter), Counter()
    for seed in range(100):
        for qa in ask(task_facts(name), open_task(name), seed=seed):
            if qa.format == "choice":
                places[len(qa.choices)][qa.choices.index(qa.value)] += 1
                if qa.choices[0].endswith(" m"):
                    numbers = sorted(float(choice.split()[0]) for choice in qa.choices)
                    ranks[numbers.index(float(qa.value.split()[0]))] += 1
    for count, seen in places.items():
        assert sum(seen.values()) > 50
        assert chi_square_p([seen[place] for place in range(count)]) > 1e-4
    if ranks:
        assert chi_square_p([ranks[rank] for rank in range(4)]) > 1e-4


def test_yes_and_no_are_about_equally_frequent(samples):
    answers = Counter(
        qa.answer
        for seed in range(100)
        for qa in ask(samples["four"], open_task("viewer_relation"), seed=seed)
        if qa.format == "yesno"
    )
    assert chi_square_p([answers["Yes"], answers["No"]]) > 1e-3


def test_the_spacing_of_number_options_does_not_tell_the_right_one(samples):
    spreads = defaultdict(list)
    for seed in range(60):
        for qa in ask(samples["four"], open_task("object_size"), seed=seed):
            if qa.format == "choice":
                numbers = sorted(float(choice.split()[0]) for choice in qa.choices)
                truth = float(qa.value.split()[0])
                spreads[numbers.index(truth)].append(numbers[-1] / numbers[0])
                others = [number for number in numbers if number != truth]
                assert all(0.5 < other / truth < 1.8 for other in others)
    means = [np.mean(values) for values in spreads.values()]
    assert len(means) == 4
    assert np.ptp(means) < 0.05


def test_asking_is_deterministic_and_capped(room):
    tasks = [open_task(name) for name in NAMES]
    first, second = (facts_of(*room) for _ in range(2))
    rows = ask(first, *tasks, max_per_task=3)
    assert rows == ask(second, *tasks, max_per_task=3)
    assert first.drops == second.drops
    assert max(Counter(qa.task for qa in rows).values()) == 3
    assert len({qa.id for qa in rows}) == len(rows)
    assert rows != ask(first, *tasks, seed=1, max_per_task=3)
    words = {qa.question for qa in ask(second, *tasks)}
    assert {qa.question for qa in rows} <= words


def test_a_task_more_or_less_changes_no_other_tasks_questions(room_facts):
    alone = ask(room_facts, open_task("object_distance"))
    together = ask(room_facts, *(open_task(name) for name in reversed(NAMES)))
    assert alone == [qa for qa in together if qa.task == "object_distance"]


def test_scene_and_sample_number_change_the_draw(room_facts):
    def rows(scene_id, index):
        task = open_task("object_distance")
        return ask_questions(
            room_facts,
            [task],
            seed=0,
            scene_id=scene_id,
            sample_index=index,
            key="k",
            max_per_task=99,
        )

    assert rows("a", 0) == rows("a", 0)
    assert rows("a", 0) != rows("b", 0)
    assert rows("a", 0) != rows("a", 1)


def test_facts_of_a_scene_serve_several_samples(room):
    scene, views = room
    shared = SceneFacts(scene)
    task = open_task("object_distance")
    ask(Facts(shared, views[:2]), task)
    assert ask(Facts(shared, views), task) == ask(facts_of(scene, views), task)
