"""Answers about rooms, floors and ways: true ones stand, planted wrong ones are contradicted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gapdata.answers import format_answer
from gapdata.sample import QA
from gapdata.tasks import open_task
from gapdata.verify import verify_sample
from tests.fixtures.asking import ask
from tests.fixtures.worlds import sample_of, task_facts, task_world, world

TASKS = ("free_space_point", "navigation", "room_count", "room_size", "route_plan")


def verdicts(task: str, rows: list[QA]) -> list[str]:
    return [verdict.kind for _, verdict in verify_sample(sample_of(task, rows))]


def asked(task: str) -> list[QA]:
    rows = [qa for seed in range(6) for qa in ask(task_facts(task), open_task(task), seed=seed)]
    return [replace(qa, id=f"{qa.id}-{number}") for number, qa in enumerate(rows)]


def answered(qa: QA, value: object) -> QA:
    text = format_answer(value, qa.format, qa.unit, qa.choices)
    return replace(qa, value=value, answer=text)


@pytest.mark.parametrize("task", TASKS)
def test_true_answers_stand(task: str) -> None:
    kinds = Counter(verdicts(task, asked(task)))
    assert kinds["contradict"] == kinds["unverifiable"] == 0
    # What stands on a floor hides some of it, so its area is only bounded.
    assert kinds["bounded" if task == "room_size" else "agree"] > 0


@pytest.mark.parametrize("task", ["navigation", "route_plan", "room_count", "room_size"])
def test_wrong_options_and_numbers_are_contradicted(task: str) -> None:
    rows = []
    for qa in asked(task):
        if qa.format == "choice":
            rows += [answered(qa, option) for option in qa.choices if option != qa.value]
        elif qa.format == "yesno":
            rows.append(answered(qa, not qa.value))
        else:
            rows.append(answered(qa, qa.value + 1.0))
    assert set(verdicts(task, rows)) == {"contradict"}


def test_spots_that_are_not_free_are_contradicted() -> None:
    rows = asked("free_space_point")
    floor = world(task_world("free_space_point"))[0].instances[0].id
    planted = []
    for qa in rows:
        instance = task_facts("free_space_point").views[qa.views[0]].instance
        v, u = (int(part[0]) for part in np.nonzero(instance != floor))
        if qa.format == "pixel":
            planted.append(answered(qa, [float(u), float(v)]))
        elif not qa.value:
            planted.append(answered(qa, True))
    assert set(verdicts("free_space_point", planted)) <= {"contradict", "bounded"}
    assert Counter(verdicts("free_space_point", planted))["contradict"] > 0.9 * len(planted)
