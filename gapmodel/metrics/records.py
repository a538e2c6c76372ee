"""Answers that are small records in JSON, of format "text": what agrees, by task."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from gapdata.answers import FENCE, AnswerError
from gapdata.geometry.transforms import rotation_angle
from gapmodel.metrics.detection import best_pairs, plain_label
from gapmodel.metrics.numbers import accuracy_of_errors, relative_accuracy

# Rotation errors in degrees that are allowed; a score is the share of them that an error is within.
ANGLES_DEG = (5.0, 10.0, 15.0, 20.0, 30.0)


def read_record(text: str) -> Any:
    """The JSON that a text states, fenced or bare. Raises AnswerError for anything else, NaN and infinity included."""

    def reject(constant: str) -> None:
        raise AnswerError(f"answer: expected finite numbers, found {constant}")

    match = FENCE.search(text)
    try:
        return json.loads((match[1] if match else text).strip(), parse_constant=reject)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"answer: expected JSON, found {text[:80]!r}") from error


def image_numbers(found: Any, true: list[int]) -> float:
    """F1 of a set of picture numbers."""
    if not isinstance(found, list):
        return 0.0
    named = {number for number in found if isinstance(number, int)}
    both = len(found) + len(true)
    return 2 * len(named & set(true)) / both if both else 1.0


def bbox_2d(found: Any, true: Mapping[str, Any]) -> float:
    """Intersection over union of rectangles left, top, right, bottom in inclusive pixels."""
    a, b = _numbers(found, "bbox_2d", 4), true["bbox_2d"]
    if a is None:
        return 0.0
    shared = _area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    return shared / (_area(a) + _area(b) - shared)


def camera_pose(found: Any, true: Mapping[str, Any]) -> float:
    """Mean of the relative accuracy of the translation and the share of ANGLES_DEG that the rotation errs by less than."""
    moved, turned = _numbers(found, "translation", 3), _numbers(found, "rotation_zxy", 3)
    score = 0.0
    if moved is not None:
        score += 0.5 * _vector_accuracy(moved, true["translation"])
    if turned is not None:
        a, b = (
            Rotation.from_euler("zxy", angles).as_matrix()
            for angles in (turned, true["rotation_zxy"])
        )
        error = math.degrees(float(rotation_angle(a.T @ b)))
        score += 0.5 * sum(error <= limit for limit in ANGLES_DEG) / len(ANGLES_DEG)
    return score


def named_numbers(found: Any, true: Mapping[str, float]) -> float:
    """Mean relative accuracy of the numbers under each name; a missing one scores 0."""
    if not isinstance(found, dict):
        return 0.0
    scores = [
        relative_accuracy(np.array([float(found[name])]), np.array([float(value)]))[0]
        if _is_number(found.get(name))
        else 0.0
        for name, value in true.items()
    ]
    return float(np.mean(scores))


def labelled_cells(found: Any, true: list[Mapping[str, Any]]) -> float:
    """F1 of rows whose label and cell [column, row] both agree, matched one to one."""

    def agree(row: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        return float(_numbers(row, "cell", 2) == [float(part) for part in other["cell"]])

    return _rows_f1(found, true, agree)


def labelled_points(found: Any, true: list[Mapping[str, Any]]) -> float:
    """F1 of rows whose labels agree, each pair weighing as much as its point's relative accuracy."""

    def agree(row: Mapping[str, Any], other: Mapping[str, Any]) -> float:
        point = _numbers(row, "point_3d", 3)
        return 0.0 if point is None else _vector_accuracy(point, other["point_3d"])

    return _rows_f1(found, true, agree)


# Task of format "text" -> agreement, from 0 to 1, of what was read with the truth.
RECORDS: Mapping[str, Callable[[Any, Any], float]] = {
    "object_frame_locate": image_numbers,
    "position_matching": bbox_2d,
    "relative_pose": camera_pose,
    "view_change": named_numbers,
    "scene_map": labelled_cells,
    "pointmap_list": labelled_points,
}


def _rows_f1(
    found: Any,
    true: Sequence[Mapping[str, Any]],
    agree: Callable[[Mapping[str, Any], Mapping[str, Any]], float],
) -> float:
    if not isinstance(found, list):
        return 0.0
    rows = [row if isinstance(row, dict) else {} for row in found]
    value = np.zeros((len(rows), len(true)))
    for i, row in enumerate(rows):
        for j, other in enumerate(true):
            label = row.get("label")
            if isinstance(label, str) and plain_label(label) == plain_label(other["label"]):
                value[i, j] = agree(row, other)
    both = len(rows) + len(true)
    won = sum(value[pair] for pair in best_pairs(value > 0, value))
    return float(2 * won / both) if both else 1.0


def _numbers(record: Any, name: str, count: int) -> list[float] | None:
    values = record.get(name) if isinstance(record, dict) else None
    if isinstance(values, list) and len(values) == count and all(map(_is_number, values)):
        return [float(value) for value in values]
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


def _vector_accuracy(found: Sequence[float], true: Sequence[float]) -> float:
    error = np.array([np.linalg.norm(np.subtract(found, true))])
    return float(accuracy_of_errors(error, np.array([np.linalg.norm(true)]))[0])


def _area(rectangle: Sequence[float]) -> float:
    left, top, right, bottom = rectangle
    return max(0.0, right - left + 1) * max(0.0, bottom - top + 1)
