"""Answers about views, matches, imagined places, captions and lists: true ones stand, planted wrong ones are contradicted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gapdata.answers import format_answer
from gapdata.sample import QA
from gapdata.tasks import open_task
from gapdata.verify import verify_sample
from tests.fixtures.asking import ask
from tests.fixtures.worlds import sample_of, task_facts

TASKS = (
    "appearance_order", "describe_object", "frame_order", "object_frame_locate", "overlap", "pointmap_list",
    "position_matching", "refer_to_object", "same_object", "scene_map", "spatial_imagination", "view_change",
)  # fmt: skip


def asked(task: str) -> list[QA]:
    rows = [qa for seed in range(3) for qa in ask(task_facts(task), open_task(task), seed=seed)]
    return [replace(qa, id=f"{qa.id}-{number}") for number, qa in enumerate(rows)]


def wrong(qa: QA) -> Iterator[QA]:
    """The row with other answers: every other option, the opposite, each number changed."""
    if qa.format == "choice":
        values = [option for option in qa.choices if option != qa.value]
    elif qa.format == "yesno":
        values = [not qa.value]
    elif qa.format == "number":
        values = [qa.value * 1.2 + 0.05]
    else:
        numbers = list(
            re.finditer(r"-?\d+(?:\.\d+)?", qa.value.replace("_3d", "_xd").replace("_2d", "_xd"))
        )
        values = [qa.value[: m.start()] + _other(m[0]) + qa.value[m.end() :] for m in numbers]
    for value in values:
        text = format_answer(value, qa.format, qa.unit, qa.choices)
        yield replace(qa, value=value, answer=text)


def _other(number: str) -> str:
    return f"{float(number) + 0.77:.2f}" if "." in number else str(int(number) + 3)


@pytest.mark.parametrize("task", TASKS)
def test_true_answers_are_never_contradicted(task: str) -> None:
    rows = asked(task)
    assert rows
    verdicts = list(verify_sample(sample_of(task, rows)))
    assert [(qa.question, v.detail) for qa, v in verdicts if v.kind == "contradict"] == []
    kinds = Counter(verdict.kind for _, verdict in verdicts)
    assert kinds["agree"] > 0
    assert kinds["unverifiable"] == 0


@pytest.mark.parametrize("task", TASKS)
def test_wrong_answers_are_contradicted(task: str) -> None:
    planted = [
        replace(other, id=f"{other.id}-{n}")
        for qa in asked(task)[:30]
        for n, other in enumerate(wrong(qa))
    ]
    assert planted
    verdicts = list(verify_sample(sample_of(task, planted)))
    assert [(qa.question, qa.answer) for qa, v in verdicts if v.kind != "contradict"] == []
