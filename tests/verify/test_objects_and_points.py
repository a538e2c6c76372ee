"""Answers about points, sizes, camera distances, counts and make: true ones stand, planted wrong ones are contradicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gapdata.answers import format_answer
from gapdata.sample import QA, Sample
from gapdata.tasks import open_task
from gapdata.verify import verify_sample
from gapdata.verify.size_order import _fits
from tests.fixtures.asking import ask
from tests.fixtures.worlds import sample_of, task_facts

TASKS = (
    "camera_object_distance", "color", "count_comparison", "distance_change", "distance_order", "exists", "fits_in",
    "material", "nearest_to_camera", "object_box", "object_volume_order", "pixel_correspondence", "point_depth",
    "shape_name", "size_comparison", "symmetric_axis",
)  # fmt: skip
BOUNDED_ONLY = {"material"}  # no pixel shows it


def asked(task: str) -> list[QA]:
    rows = [qa for seed in range(6) for qa in ask(task_facts(task), open_task(task), seed=seed)]
    return [replace(qa, id=f"{qa.id}-{number}") for number, qa in enumerate(rows)]


def wrong(qa: QA) -> Iterator[QA]:
    """The row with other answers: every other option, the opposite, another number, pixel or box."""
    values: list[Any]
    if qa.format == "choice":
        values = [option for option in qa.choices if option != qa.value]
    elif qa.format == "yesno":
        values = [not qa.value]
    elif qa.format == "number":
        values = [qa.value * 1.1 + 0.05]
    elif qa.format == "pixel":
        values = [[qa.value[0] + 3.0, qa.value[1]], [qa.value[0], qa.value[1] - 3.0]]
    else:
        (row,) = qa.value
        box = row["bbox_3d"]
        values = [
            [{**row, "bbox_3d": [*box[:place], box[place] + 0.1, *box[place + 1 :]]}]
            for place in range(9)
        ]
    for value in values:
        yield replace(qa, value=value, answer=format_answer(value, qa.format, qa.unit, qa.choices))


@pytest.mark.parametrize("task", TASKS)
def test_true_answers_are_never_contradicted(task: str) -> None:
    verdicts = list(verify_sample(sample_of(task, asked(task))))
    assert [(qa.question, v.detail) for qa, v in verdicts if v.kind == "contradict"] == []
    kinds = Counter(verdict.kind for _, verdict in verdicts)
    assert kinds["unverifiable"] == 0
    assert (kinds["agree"] > 0) == (task not in BOUNDED_ONLY)


@pytest.mark.parametrize("task", TASKS)
def test_wrong_answers_are_contradicted(task: str) -> None:
    rows = [bad for qa in asked(task)[:40] for bad in wrong(qa)]
    assert rows
    missed = [
        (qa.question, qa.answer)
        for qa, verdict in verify_sample(sample_of(task, rows))
        if verdict.kind != "contradict"
    ]
    assert missed == []


def with_other_attributes(sample: Sample) -> Sample:
    attributes = [instance.attributes for instance in sample.instances]
    instances = tuple(
        replace(instance, attributes=other)
        for instance, other in zip(sample.instances, attributes[1:] + attributes[:1], strict=True)
    )
    return replace(sample, instances=instances)


def with_other_ids(sample: Sample) -> Sample:
    ids = [instance.id for instance in sample.instances]
    instances = tuple(
        replace(instance, id=number)
        for instance, number in zip(sample.instances, ids[1:] + ids[:1], strict=True)
    )
    return replace(sample, instances=instances)


def with_deeper_pixels(sample: Sample) -> Sample:
    return replace(sample, views=tuple(replace(v, depth=1.25 * v.depth) for v in sample.views))


def with_tipped_boxes(sample: Sample) -> Sample:
    instances = tuple(
        replace(i, box=replace(i.box, size=i.box.size[::-1].copy())) for i in sample.instances
    )
    return replace(sample, instances=instances)


@pytest.mark.parametrize(
    ("task", "change"),
    [
        *((task, with_other_attributes) for task in ("color", "material", "shape_name")),
        *((task, with_other_ids) for task in ("count_comparison", "nearest_to_camera", "exists")),
        *((task, with_deeper_pixels) for task in ("camera_object_distance", "distance_change")),
        *((task, with_deeper_pixels) for task in ("distance_order", "point_depth")),
        ("pixel_correspondence", with_deeper_pixels),
        *((task, with_tipped_boxes) for task in ("object_box", "fits_in", "size_comparison")),
        *((task, with_tipped_boxes) for task in ("object_volume_order", "symmetric_axis")),
    ],
)
def test_answers_do_not_stand_for_a_world_that_was_changed(task, change):
    kinds = Counter(v.kind for _, v in verify_sample(change(sample_of(task, asked(task)))))
    assert kinds["contradict"] > 0.2 * kinds.total()


def test_rectangles_that_fit_only_turned() -> None:
    """1.3 x 0.1 is longer than a unit square's side and shorter than its diagonal less its own width."""
    square = np.array([1.0, 1.0, 1.0])
    assert _fits(np.array([1.3, 0.1, 1.0]), square)
    assert not _fits(np.array([1.3, 0.12, 1.0]), square)
    assert not _fits(np.array([1.3, 0.1, 1.01]), square)
    assert _fits(np.array([0.5, 1.0, 0.2]), square)
    assert not _fits(np.array([0.5, 1.01, 0.2]), np.array([0.6, 1.0, 1.0]))
