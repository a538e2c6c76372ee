"""How right a model's reply to a question is: one number from 0 to 1, with the figures behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gapdata.answers import AnswerError, parse_answer, rounded_value
from gapdata.sample import QA, Sample
from gapmodel.metrics.boxes import boxes_from_bbox_3d, iou_matrix
from gapmodel.metrics.detection import match_detections, total
from gapmodel.metrics.free_space import stands_free
from gapmodel.metrics.numbers import accuracy_of_errors, relative_accuracy
from gapmodel.metrics.records import RECORDS, read_record

Array = np.ndarray

# What a score is called in tables, by format of the answer.
SCORE_NAMES: Mapping[str, str] = {
    "number": "relative accuracy",
    "choice": "accuracy",
    "yesno": "accuracy",
    "text": "agreement",
    "point": "relative accuracy",
    "box": "IoU >= 0.25",
    "pixel": "hits",
    "list": "F1 at IoU 0.25",
}
# A pixel counts as found within this part of the picture's longer side.
PIXEL_TOLERANCE = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """`score` from 0 to 1; `parsed` is None for a reply that is no answer in the asked format, which scores 0.

    figures: what else was measured, by name; see `score_answer`.
    """

    score: float
    parsed: Any = None
    figures: Mapping[str, float] = field(default_factory=dict)


def score_answer(sample: Sample, qa: QA, reply: str) -> Score:
    """How right a reply is, against the truth as its text states it (rounded). Replies are parsed, never evaluated.

    number: relative accuracy (`numbers`), figure `exact`; hours on a clock: exact. choice, yesno: exact. point: relative
    accuracy of the distance between the points, figure `error_m`. box: 1 for an IoU of 0.25 or more, figures `iou`,
    `iou_50` and `view`. list: F1 of boxes at IoU 0.25, figures `matched`, `predicted` and `true`. pixel: within 5 % of
    the longer side, or on the object where any of its pixels is right, or where it stands free, figure `error_px`. text:
    records (fenced JSON) by their task, see `records`; other words by F1 of their words. Needs the layers depth and
    instance.
    """
    try:
        parsed = parse_answer(reply, qa.format, qa.unit, qa.choices)
        if qa.format == "text" and qa.task in RECORDS:
            parsed = read_record(parsed)
    except AnswerError:
        return Score(score=0.0)
    truth = rounded_value(qa.value, qa.format, qa.unit, qa.choices)
    score, figures = _SCORERS[qa.format](sample, qa, parsed, truth)
    return Score(score=float(score), parsed=parsed, figures=figures)


_Scored = tuple[float, dict[str, float]]


def _exact(sample: Sample, qa: QA, parsed: Any, truth: Any) -> _Scored:
    return float(parsed == truth), {}


def _number(sample: Sample, qa: QA, parsed: float, truth: float) -> _Scored:
    exact = float(parsed == truth)
    if (
        qa.task == "object_direction_clock"
    ):  # 1 follows 12: hours are not far apart by their numbers
        return exact, {"exact": exact, "error_hours": abs((parsed - truth + 6.0) % 12.0 - 6.0)}
    score = relative_accuracy(np.array([parsed]), np.array([truth]))[0]
    return float(score), {"exact": exact}


def _point(sample: Sample, qa: QA, parsed: list[float], truth: list[float]) -> _Scored:
    error = float(np.linalg.norm(np.subtract(parsed, truth)))
    score = accuracy_of_errors(np.array([error]), np.array([np.linalg.norm(truth)]))[0]
    return float(score), {"error_m": error}


def _box(sample: Sample, qa: QA, parsed: dict[str, Any], truth: dict[str, Any]) -> _Scored:
    pair = [boxes_from_bbox_3d(np.array([box["bbox_3d"]])) for box in (parsed, truth)]
    iou = float(iou_matrix(*pair)[0, 0])
    figures = {"iou": iou, "iou_50": float(iou >= 0.5)}
    return float(iou >= 0.25), {**figures, "view": float(parsed["view"] == truth["view"])}


def _list(
    sample: Sample, qa: QA, parsed: list[dict[str, Any]], truth: list[dict[str, Any]]
) -> _Scored:
    counts = total(match_detections(parsed, truth).values())
    return counts.f1, {
        "matched": float(counts.matched),
        "predicted": float(counts.predicted),
        "true": float(counts.true),
    }


def _pixel(sample: Sample, qa: QA, parsed: list[float], truth: list[float]) -> _Scored:
    view = sample.views[qa.views[0]]
    height, width = view.camera.height, view.camera.width
    error = float(np.linalg.norm(np.subtract(parsed, truth)))
    hit = error <= PIXEL_TOLERANCE * max(height, width)
    if qa.task == "free_space_point":
        spot = int(parsed[0]), int(parsed[1])
        hit = stands_free(sample, qa.views[0], spot, float(qa.evidence["radius_m"]))
    elif qa.evidence.get("any_pixel_of_the_object_is_right") and qa.objects:
        if view.instance is None:
            raise ValueError("pixel: expected a view with instance ids; read that layer")
        u, v = int(parsed[0]), int(parsed[1])
        inside = 0 <= u < width and 0 <= v < height
        hit = inside and int(view.instance[v, u]) in qa.objects
    return float(hit), {"error_px": error}


def _text(sample: Sample, qa: QA, parsed: Any, truth: str) -> _Scored:
    if qa.task in RECORDS:
        return RECORDS[qa.task](parsed, read_record(truth)), {}
    return word_f1(parsed, truth), {"exact": float(parsed.casefold() == truth.casefold())}


def word_f1(a: str, b: str) -> float:
    """Harmonic mean of the shares of words that two texts have in common, each as often as it occurs."""
    words = [Counter(re.findall(r"\d+\.\d+|\w+", text.casefold())) for text in (a, b)]
    both = words[0].total() + words[1].total()
    return 2.0 * (words[0] & words[1]).total() / both if both else 1.0


_SCORERS: Mapping[str, Callable[[Sample, QA, Any, Any], _Scored]] = {
    "number": _number,
    "choice": _exact,
    "yesno": _exact,
    "text": _text,
    "point": _point,
    "box": _box,
    "pixel": _pixel,
    "list": _list,
}
