"""Whether a sample's tables say what its images and questions need: instances, visibility, questions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gapdata.answers import AnswerError, parse_answer, rounded_value
from gapdata.geometry.boxes import Box
from gapdata.geometry.transforms import is_rigid
from gapdata.sample import FORMATS, QA, Sample
from gapdata.scene import AXIS_ALIGNED, GRAVITY_ALIGNED

Faults = Iterator[tuple[str, str]]  # code, message

FRAMES = ("", "viewer", "world", "object", "first_view")
DEPTH_SOURCES = ("mesh", "sensor", "points")
NORMAL_SOURCES = ("mesh", "depth", "points")


def record_faults(sample: Sample) -> Faults:
    """(code, message) of everything wrong in the sample's tables."""
    for number, view in enumerate(sample.views):
        if view.depth_source not in DEPTH_SOURCES or view.normal_source not in NORMAL_SOURCES:
            yield (
                "schema",
                f"view {number}: expected depth from {DEPTH_SOURCES} and normals from {NORMAL_SOURCES}, "
                f"found {view.depth_source!r} and {view.normal_source!r}",
            )
    if sample.world_frame not in (AXIS_ALIGNED, GRAVITY_ALIGNED):
        yield "schema", f"unknown world frame {sample.world_frame!r}"
    yield from _instance_faults(sample)
    yield from _visibility_faults(sample)
    ids = [qa.id for qa in sample.qa]
    if len(set(ids)) < len(ids):
        yield "question", f"expected unique question ids, found {ids}"
    for qa in sample.qa:
        for message in question_faults(qa, sample):
            yield "question", f"{qa.id}: {message}"


def _instance_faults(sample: Sample) -> Faults:
    ids = [instance.id for instance in sample.instances]
    if len(set(ids)) < len(ids) or not all(1 <= number <= 65535 for number in ids):
        yield "instance", f"expected unique ids in 1..65535, found {ids}"
    for instance in sample.instances:
        if not _is_upright(instance.box) or not np.array_equal(instance.aabb.rotation, np.eye(3)):
            yield (
                "instance",
                f"{instance.id} {instance.label}: expected an upright box and an axis-aligned one of sizes >= 0, "
                f"found {instance.box} and {instance.aabb}",
            )

    known = set(ids)
    carriers = {instance.id: instance.support for instance in sample.instances}
    for number, support in carriers.items():
        if support and support not in known:
            yield "instance", f"{number}: its support {support} is not in the table"
        below, seen = support, {number}
        while below and below not in seen:
            seen.add(below)
            below = carriers.get(below, 0)
        if below == number:
            yield "instance", f"{number}: is carried by itself, through {sorted(seen)}"


def _is_upright(box: Box) -> bool:
    pose = np.eye(4)
    pose[:3, :3] = box.rotation
    finite = np.isfinite(box.center).all() and np.isfinite(box.size).all()
    upright = abs(box.rotation[2, 2] - 1) < 1e-6
    return bool(finite and (box.size >= 0).all() and is_rigid(pose) and upright)


def _visibility_faults(sample: Sample) -> Faults:
    table = sample.visibility
    for number, view in enumerate(sample.views):
        if view.instance is None:
            continue
        found = np.bincount(view.instance.ravel(), minlength=65536)
        strangers = np.setdiff1d(np.flatnonzero(found[1:]) + 1, table.ids)
        if len(strangers):
            yield "instance", f"view {number}: ids {strangers.tolist()} are not in the table"
        for column in np.flatnonzero(found[table.ids] != table.pixels[number])[:3].tolist():
            yield (
                "visibility",
                f"view {number}: instance {table.ids[column]}: expected the image's {found[table.ids[column]]} "
                f"pixels, found {table.pixels[number, column]}",
            )
    fractions = np.stack([table.visible, table.truncated, table.occluded])
    if not ((fractions >= 0).all() and (fractions.sum(axis=0) <= 1 + 1e-4).all()):
        yield "visibility", "visible, truncated and occluded must be >= 0 and add up to at most 1"
    if ((table.visible > 0) & (table.pixels == 0)).any():
        yield "visibility", "an instance without a pixel has a visible fraction above 0"


def question_faults(qa: QA, sample: Sample) -> Iterator[str]:
    """What is wrong with a question: names, references to views and objects, value, answer."""
    if qa.format not in FORMATS or qa.frame not in FRAMES:
        yield f"unknown format {qa.format!r} or frame {qa.frame!r}"
        return
    if not (qa.task and qa.question.strip() and qa.answer.strip()):
        yield "expected a task, a question and an answer, found an empty one"
    count = len(sample.views)
    if not qa.views or len(set(qa.views)) < len(qa.views):
        yield f"expected different views, found {qa.views}"
    shown = [*qa.views, *(marker.get("view", -1) for marker in qa.markers)]
    if not all(0 <= view < count for view in shown):
        yield f"views or markers name views {shown}, there are {count}"
        return
    strangers = sorted(set(qa.objects) - {instance.id for instance in sample.instances})
    if strangers:
        yield f"objects {strangers} are not in the instance table"
    if not (math.isfinite(qa.margin) and qa.margin >= 0):
        yield f"expected a margin of at least 0, found {qa.margin}"
    if qa.format == "choice" and len(set(qa.choices)) < max(2, len(qa.choices)):
        yield f"expected two or more different choices, found {qa.choices}"
    yield from _value_faults(qa, sample)


def _value_faults(qa: QA, sample: Sample) -> Iterator[str]:
    try:
        expected = rounded_value(qa.value, qa.format, qa.unit, qa.choices)
        found = parse_answer(qa.answer, qa.format, qa.unit, qa.choices)
    except AnswerError as error:
        yield f"value {qa.value!r} or answer {qa.answer!r} does not fit format {qa.format}: {error}"
        return
    if found != expected:
        yield f"the answer says {found!r}, the value is {expected!r}"
    if qa.format == "box" and qa.value["view"] >= len(sample.views):
        yield f"the value names view {qa.value['view']}, there are {len(sample.views)}"
    if qa.format == "pixel":
        camera = sample.views[qa.views[0]].camera
        u, v = qa.value
        if not (-0.5 <= u < camera.width - 0.5 and -0.5 <= v < camera.height - 0.5):
            yield f"pixel {qa.value} is outside view {qa.views[0]}"
