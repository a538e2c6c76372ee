"""Faults in questions: one changed row each, None where a fault does not apply to a row."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from gapdata.answers import AnswerError, format_answer, parse_answer
from gapdata.geometry.transforms import invert_rigid, transform_points
from gapdata.sample import QA, Sample

RowChange = Callable[[Sample, QA], QA | None]

OPPOSITE = (
    ("left", "right"), ("above", "below"), ("front", "behind"), ("forward", "backward"),
    ("up", "down"), ("to the left", "to the right"),
)  # fmt: skip


def restated(qa: QA, value: Any, **changes: Any) -> QA:
    """The row with another value, its text and, where the value is a new option, its options made to fit."""
    choices = qa.choices
    if qa.format == "choice" and value not in choices:
        choices = tuple(value if choice == qa.value else choice for choice in choices)
    answer = format_answer(value, qa.format, qa.unit, choices)
    return replace(qa, value=value, answer=answer, choices=choices, **changes)


def scaled(factor: float, *units: str) -> RowChange:
    """A number times a factor, or all options and the answer times it."""

    def change(sample: Sample, qa: QA) -> QA | None:
        if qa.unit not in units or qa.format not in ("number", "choice"):
            return None
        if qa.format == "number":
            return restated(qa, factor * qa.value)
        try:
            numbers = [float(parse_answer(choice, "number", qa.unit)) for choice in qa.choices]
        except AnswerError:
            return None
        options = tuple(format_answer(factor * n, "number", qa.unit) for n in numbers)
        right = options[qa.choices.index(qa.value)]
        return replace(qa, value=right, answer=right, choices=options, margin=factor * qa.margin)

    return change


def another_rows_answer(sample: Sample, qa: QA) -> QA | None:
    """The value of the next row of the same kind."""
    kin = [
        r
        for r in sample.qa
        if (r.template.split("/")[0], r.format) == (qa.template.split("/")[0], qa.format)
    ]
    other = kin[(kin.index(qa) + 1) % len(kin)]
    if other.answer == qa.answer or (qa.format == "choice" and other.value not in qa.choices):
        return None
    return replace(qa, value=other.value, answer=other.answer)


def next_choice(sample: Sample, qa: QA) -> QA | None:
    if qa.format != "choice":
        return None
    return restated(qa, qa.choices[(qa.choices.index(qa.value) + 1) % len(qa.choices)])


def reversed_choices(sample: Sample, qa: QA) -> QA | None:
    """The options shuffled after the answer's place was noted."""
    if qa.format != "choice" or qa.choices[::-1].index(qa.value) == qa.choices.index(qa.value):
        return None
    return restated(
        replace(qa, choices=qa.choices[::-1]), qa.choices[::-1][qa.choices.index(qa.value)]
    )


def value_not_among_choices(sample: Sample, qa: QA) -> QA | None:
    if qa.format != "choice":
        return None
    return replace(qa, choices=tuple(c for c in qa.choices if c != qa.value))


def answer_not_value(sample: Sample, qa: QA) -> QA | None:
    return replace(qa, answer="1.00 m" if qa.format == "number" and qa.unit == "m" else "7")


def options_saying_the_same(sample: Sample, qa: QA) -> QA | None:
    if qa.format != "choice" or qa.unit != "m" or not qa.value.endswith(" m"):
        return None
    wrong = next(c for c in qa.choices if c != qa.value)
    return replace(
        qa, choices=tuple(qa.value.replace(" m", "0 m") if c == wrong else c for c in qa.choices)
    )


def opposite_word(sample: Sample, qa: QA) -> QA | None:
    """Left for right, above for below, forward for backward: the axis has the wrong sign."""
    if qa.format != "choice":
        return None
    for pair in OPPOSITE:
        for word, other in (pair, pair[::-1]):
            for choice in qa.choices:
                if (
                    word in qa.value
                    and choice.startswith(qa.value.replace(word, other)[:5])
                    and choice != qa.value
                ):
                    return restated(qa, choice)
    return None


def negated(sample: Sample, qa: QA) -> QA | None:
    return restated(qa, not qa.value) if qa.format == "yesno" else None


def count_plus_one(sample: Sample, qa: QA) -> QA | None:
    if qa.task != "object_count":
        return None
    if qa.format == "number":
        return restated(qa, qa.value + 1)
    raised = tuple(str(int(choice) + 1) for choice in qa.choices)
    return replace(qa, choices=raised, value=str(int(qa.value) + 1), answer=str(int(qa.value) + 1))


def centre_to_centre(sample: Sample, qa: QA) -> QA | None:
    if qa.task != "object_distance" or qa.format != "number":
        return None
    centers = {i.id: i.box.center for i in sample.instances}
    a, b = (centers[number] for number in qa.objects)
    return restated(qa, float(np.linalg.norm(a - b)))


def in_boxes(change: Callable[[Sample, QA, list[float]], list[float]]) -> RowChange:
    """Every 9-DoF box of an answer changed."""

    def changed(sample: Sample, qa: QA) -> QA | None:
        if qa.format == "box":
            return restated(qa, {**qa.value, "bbox_3d": change(sample, qa, qa.value["bbox_3d"])})
        if qa.format == "list":
            rows = [{**row, "bbox_3d": change(sample, qa, row["bbox_3d"])} for row in qa.value]
            return restated(qa, rows)
        return None

    return changed


def euler_xyz(sample: Sample, qa: QA, box: list[float]) -> list[float]:
    angles = Rotation.from_euler("zxy", box[6:]).as_euler("xyz")
    return [*box[:6], *angles.tolist()]


def intrinsic_angles(sample: Sample, qa: QA, box: list[float]) -> list[float]:
    return [*box[:6], *Rotation.from_euler("zxy", box[6:]).as_euler("ZXY").tolist()]


def in_world(sample: Sample, qa: QA, box: list[float]) -> list[float]:
    pose = sample.views[qa.views[0]].camera.cam2world
    return [*transform_points(pose, np.array(box[:3])).tolist(), *box[3:]]


def of_last_view(sample: Sample, qa: QA, box: list[float]) -> list[float]:
    first, last = (sample.views[v].camera for v in (qa.views[0], qa.views[-1]))
    world = transform_points(first.cam2world, np.array(box[:3]))
    return [*transform_points(last.world2cam, world).tolist(), *box[3:]]


def on_points(change: Callable[[Sample, QA, np.ndarray], np.ndarray]) -> RowChange:
    def changed(sample: Sample, qa: QA) -> QA | None:
        if qa.format != "point" or qa.task != "pointmap":
            return None
        return restated(qa, change(sample, qa, np.array(qa.value)).tolist())

    return changed


def point_of_own_view(sample: Sample, qa: QA, point: np.ndarray) -> np.ndarray:
    first, own = (sample.views[v].camera for v in (qa.views[0], qa.evidence["view"]))
    return transform_points(own.world2cam, transform_points(first.cam2world, point))


def on_pose(change: Callable[[np.ndarray], np.ndarray]) -> RowChange:
    """The stated relative pose changed as a matrix."""

    def changed(sample: Sample, qa: QA) -> QA | None:
        if qa.template.split("/")[0] != "relative_pose_pose":
            return None
        stated = json.loads(qa.answer.strip("`").removeprefix("json"))
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_euler("zxy", stated["rotation_zxy"]).as_matrix()
        matrix[:3, 3] = stated["translation"]
        matrix = change(matrix)
        row = {
            "translation": matrix[:3, 3].round(2).tolist(),
            "rotation_zxy": Rotation.from_matrix(matrix[:3, :3]).as_euler("zxy").round(2).tolist(),
        }
        text = f"```json\n{json.dumps(row)}\n```"
        return replace(qa, value=text, answer=text)

    return changed


def turned_back(pose: np.ndarray) -> np.ndarray:
    back = pose.copy()
    back[:3, :3] = pose[:3, :3].T
    return back


def swapped_objects(sample: Sample, qa: QA) -> QA | None:
    if qa.task in ("viewer_relation", "object_direction"):
        return replace(qa, objects=(qa.objects[1], qa.objects[0], *qa.objects[2:]))
    return None


def another_object(sample: Sample, qa: QA) -> QA | None:
    """The row points at an instance that its words do not name."""
    if qa.task not in ("object_size", "object_distance", "ground_object", "object_count"):
        return None
    others = sorted({i.id for i in sample.instances} - set(qa.objects))
    return replace(qa, objects=(others[0], *qa.objects[1:]))


def next_best_view(sample: Sample, qa: QA) -> QA | None:
    if qa.format != "box" or len(qa.views) < 2:
        return None
    return restated(qa, {**qa.value, "view": (qa.value["view"] + 1) % len(qa.views)})


def reversed_views(sample: Sample, qa: QA) -> QA | None:
    return replace(qa, views=qa.views[::-1]) if len(qa.views) == 2 else None


def neighbouring_view(sample: Sample, qa: QA) -> QA | None:
    """A question about one view attached to the next one."""
    if len(qa.views) != 1:
        return None
    return replace(qa, views=((qa.views[0] + 1) % len(sample.views),))


def row_and_column(sample: Sample, qa: QA) -> QA | None:
    if qa.format != "pixel":
        return None
    return restated(qa, qa.value[::-1])


def marked_elsewhere(sample: Sample, qa: QA) -> QA | None:
    """Markers drawn at (row, column)."""
    if not qa.markers or not all(marker["pixel"] for marker in qa.markers):
        return None
    return replace(qa, markers=tuple({**m, "pixel": m["pixel"][::-1]} for m in qa.markers))


def exchanged_colors(sample: Sample, qa: QA) -> QA | None:
    if qa.task != "point_depth_order":
        return None
    colors = [marker["color"] for marker in qa.markers]
    markers = tuple(
        {**m, "color": color}
        for m, color in zip(qa.markers, np.roll(colors, 1).tolist(), strict=True)
    )
    return replace(qa, markers=markers)


def farthest_for_nearest(sample: Sample, qa: QA) -> QA | None:
    swap = {"nearest": "farthest", "farthest": "nearest"}
    kind, _, number = qa.template.partition("/")
    head, _, word = kind.rpartition("_")
    return replace(qa, template=f"{head}_{swap[word]}/{number}") if word in swap else None


def margin_of_one_side(sample: Sample, qa: QA) -> QA | None:
    """The distance to the other, farther boundary."""
    return (
        replace(qa, margin=2.5 * qa.margin + 0.5)
        if qa.margin > 0 and qa.task != "object_count"
        else None
    )


def threshold_not_kept(sample: Sample, qa: QA) -> QA | None:
    """A row that its own threshold should have removed."""
    names = ("min_gap_m", "min_angle_deg", "min_inside", "min_lead")
    kept = {n: 2 * qa.margin + 0.1 for n in names if n in qa.evidence and qa.margin > 0}
    return replace(qa, evidence={**qa.evidence, **kept}) if kept else None


def one_object_less(sample: Sample, qa: QA) -> QA | None:
    if qa.task != "detect_objects" or len(qa.value) < 2:
        return None
    return restated(qa, qa.value[1:], objects=qa.objects[1:])


def shifted_rows(sample: Sample, qa: QA) -> QA | None:
    """Detection labels against the boxes of the next rows."""
    if qa.task != "detect_objects" or len(qa.value) < 2:
        return None
    boxes = [row["bbox_3d"] for row in qa.value[1:] + qa.value[:1]]
    rows = [{**row, "bbox_3d": box} for row, box in zip(qa.value, boxes, strict=True)]
    return restated(qa, rows)


ROW_FAULTS: dict[str, RowChange] = {
    "answer of another row": another_rows_answer,
    "answer text not the value": answer_not_value,
    "another option is right": next_choice,
    "options swapped after the answer": reversed_choices,
    "value not among the options": value_not_among_choices,
    "two options say the same": options_saying_the_same,
    "left and right, up and down exchanged": opposite_word,
    "yes and no exchanged": negated,
    "nearest and farthest exchanged": farthest_for_nearest,
    "count + 1": count_plus_one,
    "lengths doubled": scaled(2.0, "m"),
    "lengths halved": scaled(0.5, "m"),
    "lengths in millimetres": scaled(1000.0, "m"),
    "angles in radians": scaled(np.pi / 180.0, "deg"),
    "centre to centre for surface to surface": centre_to_centre,
    "Euler angles in order xyz": in_boxes(euler_xyz),
    "Euler angles intrinsic": in_boxes(intrinsic_angles),
    "Euler angles in degrees": in_boxes(lambda s, q, b: [*b[:6], *np.rad2deg(b[6:]).tolist()]),
    "Euler angles of other sign": in_boxes(lambda s, q, b: [*b[:6], *(-x for x in b[6:])]),
    "stated boxes half as large": in_boxes(
        lambda s, q, b: [*b[:3], *(0.5 * x for x in b[3:6]), *b[6:]]
    ),
    "stated boxes by half sizes from corners": in_boxes(
        lambda s, q, b: [*(c + 0.5 * x for c, x in zip(b[:3], b[3:6], strict=True)), *b[3:]]
    ),
    "stated boxes in the world frame": in_boxes(in_world),
    "stated boxes in the last view's frame": in_boxes(of_last_view),
    "points in the world frame": on_points(
        lambda s, q, p: transform_points(s.views[q.views[0]].camera.cam2world, p)
    ),
    "points in their own view's frame": on_points(point_of_own_view),
    "points with y up": on_points(lambda s, q, p: p * np.array([1, -1, -1])),
    "points with y flipped": on_points(lambda s, q, p: p * np.array([1, -1, 1])),
    "pose of the first view in the second": on_pose(invert_rigid),
    "pose with its rotation turned back": on_pose(turned_back),
    "objects swapped": swapped_objects,
    "another object than named": another_object,
    "next view called the best": next_best_view,
    "views of a pair exchanged": reversed_views,
    "question attached to the next view": neighbouring_view,
    "pixel as (row, column)": row_and_column,
    "markers at (row, column)": marked_elsewhere,
    "marker colours exchanged": exchanged_colors,
    "margin to one side only": margin_of_one_side,
    "threshold not kept": threshold_not_kept,
    "an object missing from a detection": one_object_less,
    "detected boxes shifted by a row": shifted_rows,
}
