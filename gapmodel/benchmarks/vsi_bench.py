"""VSI-Bench (arXiv 2412.14171). A row has question_type, ground_truth (a letter or a number) and options.

`compatible` follows lmms_eval/tasks/vsibench/utils.py of github.com/vision-x-nyu/thinking-in-space. Its quirks:

- Of a reply only what stands before the first blank counts, without final dots: "(A)", "A) sofa" and "The answer is A"
  are wrong, so is "A" with a line break and more after it.
- That word must be a number by itself: "3m" and "three" earn nothing, and of "300 cm" the unit is not read.
- Relative errors that equal a tolerance fall to either side by rounding: 1.1 for 1 fails the tolerance of 10 %.
- The accuracy of relative directions is the sum of its three difficulties over 3, and part of the overall mean, also
  when some or all of them were not asked.

`strict` reads letters, options' words, number words and units, and takes means over what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gapmodel.benchmarks import Mode
from gapmodel.benchmarks.replies import (
    chosen_letter,
    published_accuracy,
    quantity_in,
    strict_accuracy,
)

_DIRECTIONS = tuple(f"object_rel_direction_{level}" for level in ("easy", "medium", "hard"))
CHOICE_TYPES = (*_DIRECTIONS, "object_rel_distance", "route_planning", "obj_appearance_order")

_LENGTHS = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 0.01),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 0.001),
}
_AREAS = (
    "m2",
    "m²",
    "sqm",
    "sq m",
    *(f"square {a}{b}" for a in ("meter", "metre") for b in ("", "s")),
)
# Question type with a number for an answer -> written unit -> asked units. Sizes of objects are asked in centimetres.
NUMBER_TYPES: Mapping[str, Mapping[str, float]] = {
    "object_abs_distance": {"": 1.0, **_LENGTHS},
    "object_counting": {"": 1.0},
    "object_size_estimation": {"": 1.0, **{unit: 100 * size for unit, size in _LENGTHS.items()}},
    "room_size_estimation": {"": 1.0, **dict.fromkeys(_AREAS, 1.0)},
}


def score(row: Mapping[str, Any], reply: str, mode: Mode) -> float:
    """1 or 0 for options, mean relative accuracy for numbers. Raises ValueError for an unknown question type."""
    kind, truth = row["question_type"], str(row["ground_truth"])
    word = reply.split(" ")[0].rstrip(".").strip()
    if kind in CHOICE_TYPES:
        chosen = word if mode == "compatible" else chosen_letter(reply, row["options"])
        return float(chosen.lower() == truth.lower())
    if kind not in NUMBER_TYPES:
        raise ValueError(f"VSI-Bench: unknown question type {kind!r}")
    if mode == "strict":
        return strict_accuracy(quantity_in(reply, NUMBER_TYPES[kind]), float(truth))
    try:
        return published_accuracy(float(word), float(truth))
    except ValueError:
        return 0.0


def summarise(
    rows: Sequence[Mapping[str, Any]], scores: Sequence[float], mode: Mode
) -> dict[str, float]:
    """Mean score of each question type, directions as one, and `overall`, the mean of these."""
    by_type: dict[str, list[float]] = {}
    for row, value in zip(rows, scores, strict=True):
        by_type.setdefault(row["question_type"], []).append(value)
    means = {kind: sum(values) / len(values) for kind, values in sorted(by_type.items())}
    directions = [means.pop(kind) for kind in _DIRECTIONS if kind in means]
    if mode == "compatible":
        means["object_rel_direction"] = sum(directions) / 3
    elif directions:
        means["object_rel_direction"] = sum(directions) / len(directions)
    return {**means, "overall": sum(means.values()) / len(means)}
