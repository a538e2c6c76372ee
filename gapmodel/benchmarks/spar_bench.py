"""SPAR-Bench (arXiv 2503.22976). A row has task and answer, a letter, a number or "move_right:0.4,rotate_up:5,...".

`compatible` follows lmms_eval/tasks/sparbench/utils.py of github.com/EvolvingLMMs-Lab/lmms-eval. Its quirks:

- A reply whose text is contained in the answer is right, the empty reply therefore always; so is any reply whose first
  character is the right letter ("Apple" for A).
- Of numbers the first digits of a reply count, with several views the last; signs and units are not read.
- A view change is scored against the prediction: errors are divided by what was predicted, and where that is 0 they
  count as they are.
- View changes are left out of the mean of the middle tasks, for the name under which it looks for them is never there.

`strict` reads letters and quantities, divides by the truth, and counts view changes among the middle tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gapmodel.benchmarks import Mode
from gapmodel.benchmarks.replies import (
    chosen_letter,
    published_accuracy,
    quantity_in,
    strict_accuracy,
)
from gapmodel.benchmarks.vsi_bench import NUMBER_TYPES

VIEW_CHANGE = "view_change_infer"
LOW = tuple(
    f"{what}_prediction_{who}{many}"
    for what in ("depth", "distance")
    for who in ("oc", "oo")
    for many in ("", "_mv")
)
MIDDLE = (VIEW_CHANGE, "position_matching", "camera_motion_infer")
HIGH = (
    *("obj_spatial_relation_oo", "obj_spatial_relation_oc_mv", "obj_spatial_relation_oo_mv"),
    *(f"spatial_imagination_{who}{many}" for who in ("oc", "oo") for many in ("", "_mv")),
    *("distance_infer_center_oo", "distance_infer_center_oo_mv"),
)
LEVELS: Mapping[str, Sequence[str]] = {"low": LOW, "middle": MIDDLE, "high": HIGH}
# The five motions that a view change is made of: the first name counts positive, the second negative.
MOTIONS = (
    ("move_right", "move_left"),
    ("move_up", "move_down"),
    ("move_forward", "move_backward"),
    ("rotate_right", "rotate_left"),
    ("rotate_up", "rotate_down"),
)
_DIGITS = re.compile(r"(?<!\^)\d+\.\d+|(?<!\^)\d+")
_METRES = NUMBER_TYPES["object_abs_distance"]


def score(row: Mapping[str, Any], reply: str, mode: Mode) -> float:
    """1 or 0 for options, mean relative accuracy for numbers and view changes. Raises ValueError for an unknown task."""
    task, answer = row["task"], str(row["answer"])
    if task == VIEW_CHANGE:
        return _view_change(reply, answer, mode)
    if task in LOW:
        return _number(task, reply, float(answer), mode)
    if task in MIDDLE or task in HIGH:
        if mode == "strict":
            return float(chosen_letter(reply, row.get("options", ())) == answer.upper())
        found, true = reply.lower(), answer.lower()
        return float(found in true or found[0] == true)
    raise ValueError(f"SPAR-Bench: unknown task {task!r}")


def summarise(
    rows: Sequence[Mapping[str, Any]], scores: Sequence[float], mode: Mode
) -> dict[str, float]:
    """Mean score of each task, `overall`, the mean of these, and the means of the low, middle and high tasks asked."""
    by_task: dict[str, list[float]] = {}
    for row, value in zip(rows, scores, strict=True):
        by_task.setdefault(row["task"], []).append(value)
    means = {task: sum(values) / len(values) for task, values in sorted(by_task.items())}
    figures = {**means, "overall": sum(means.values()) / len(means)}
    for level, tasks in LEVELS.items():
        left_out = VIEW_CHANGE if mode == "compatible" else ""
        asked = [means[task] for task in tasks if task in means and task != left_out]
        if asked:
            figures[level] = sum(asked) / len(asked)
    return figures


def _number(task: str, reply: str, true: float, mode: Mode) -> float:
    if mode == "strict":
        return strict_accuracy(quantity_in(reply, _METRES), true)
    digits = _DIGITS.findall(reply)
    if not digits:
        return 0.0
    return published_accuracy(float(digits[-1 if task.endswith("_mv") else 0]), true)


def _view_change(reply: str, answer: str, mode: Mode) -> float:
    try:
        found = _motions(reply)
    except ValueError:
        return 0.0
    true = _motions(answer)
    if mode == "compatible":
        # The two are handed over in the other order.
        scores = [published_accuracy(t, f) for f, t in zip(found, true, strict=True)]
    else:
        scores = [strict_accuracy(f, t) for f, t in zip(found, true, strict=True)]
    return sum(scores) / len(scores)


def _motions(text: str) -> list[float]:
    """The five signed motions; what is not named is 0. Raises ValueError for a text that is no list of name:number."""
    parts = [part.split(":") for part in text.split(",")]
    if any(len(part) != 2 for part in parts):
        raise ValueError(f"expected name:number, found {text!r}")
    named = {name: float(number) for name, number in parts}
    return [named.get(plus, 0.0) - named.get(minus, 0.0) for plus, minus in MOTIONS]
