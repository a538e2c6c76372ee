"""Questions that compare the boxes of objects: what the boxes say, and how they fit the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from gapdata.sample import QA
from gapdata.verify.grounding import stated_box_verdict
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.size import box_verdict
from gapdata.verify.verdict import (
    Verdict,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    verdict_of,
)

Array = np.ndarray

FIT_STEP = 2e-3  # relative: the yaw of the best fit is searched in steps
HALVINGS = 40


def object_box(facts: PixelFacts, qa: QA) -> Verdict:
    """The one row states the named object's label and its box."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    if [row["label"] for row in qa.value] != [facts.label(number)]:
        return contradict(f"rows {qa.value} for {number} {facts.label(number)}")
    return stated_box_verdict(facts, qa.views[0], number, qa.value[0]["bbox_3d"])


def size_comparison(facts: PixelFacts, qa: QA) -> Verdict:
    """Which of the two boxes has the larger extent of the asked kind."""
    if fault := pair_fault(facts, qa):
        return contradict(fault)
    aspect = kind_of(qa).split("_")[2]
    a, b = (_extent(facts.instance(number).box.size, aspect) for number in qa.objects)
    larger = qa.choices[int(b > a)] if qa.choices else a > b
    return first_doubt(
        verdict_of(larger == qa.value, f"stated {qa.answer}, {aspect}: {a:.3f} and {b:.3f} m"),
        margin_verdict(qa, abs(a - b), 1e-6, at_least=qa.evidence["min_gap_m"]),
        *(box_verdict(facts, number) for number in qa.objects),
    )


def object_volume_order(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated order is that of the boxes' volumes."""
    if fault := order_fault(facts, qa):
        return contradict(fault)
    roots = [_extent(facts.instance(number).box.size, "bigger") for number in qa.objects]
    found = order_of(qa, qa.value)
    ranked = [roots[qa.objects.index(number)] for number in found]
    gap = min(1.0 - low / high for low, high in pairwise(ranked))
    return first_doubt(
        verdict_of(ranked == sorted(ranked), f"stated {qa.value}, cube roots {ranked}"),
        margin_verdict(qa, gap, 1e-6, at_least=qa.evidence["min_gap"]),
        *(box_verdict(facts, number) for number in qa.objects),
    )


def fits_in(facts: PixelFacts, qa: QA) -> Verdict:
    """Whether the first object's upright box fits into the second's: by height, and rectangle in rectangle."""
    if fault := pair_fault(facts, qa):
        return contradict(fault)
    inner, outer = (facts.instance(number).box.size for number in qa.objects)
    low, high = 1e-3, 1e3
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if _fits(middle * inner, outer) else (low, middle)
    ratio = max(low, 1.0 / low)
    return first_doubt(
        verdict_of(
            qa.value == _fits(inner, outer), f"stated {qa.answer}, fits at {low:.3f} its size"
        ),
        margin_verdict(qa, ratio - 1.0, FIT_STEP * ratio, at_least=qa.evidence["min_gap"]),
        *(box_verdict(facts, number) for number in qa.objects),
    )


def pair_fault(facts: PixelFacts, qa: QA) -> str:
    """Why the two objects are not named, in a claim by the question and in a choice by the options; "" when they are."""
    if qa.choices:
        faults = [
            naming_fault(facts, qa, *pair) for pair in zip(qa.choices, qa.objects, strict=True)
        ]
        return "; ".join(filter(None, faults))
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return fault
    return ""


def order_fault(facts: PixelFacts, qa: QA) -> str:
    """Why the options are not orders of all the objects, named one by one; "" when they are."""
    for named in qa.evidence["references"]:
        if fault := naming_fault(facts, qa, named["words"], named["object"]):
            return fault
    for option in qa.choices:
        if sorted(order_of(qa, option)) != sorted(qa.objects):
            return f"{option!r} is no order of {qa.objects}"
    return ""


def order_of(qa: QA, option: str) -> list[int]:
    """The objects that an option "the a, the b, the c" names, in its order; 0 for a part that names none of them."""
    words = {named["words"]: named["object"] for named in qa.evidence["references"]}
    return [words.get(part, 0) for part in option.removeprefix("the ").split(", the ")]


def _extent(size: Sequence[float] | Float[Array, "3"], aspect: str) -> float:
    """Metres: the longer side of the footprint, the height, or the side of the cube of equal volume."""
    width, depth, height = (float(side) for side in size)
    if aspect == "wider":
        return max(width, depth)
    return height if aspect == "taller" else (width * depth * height) ** (1.0 / 3.0)


def _fits(inner: Float[Array, "3"], outer: Float[Array, "3"]) -> bool:
    """Whether a box fits upright into another: not higher, and its footprint fits as a rectangle does.

    Rectangle p >= q fits into a >= b straight, or turned when p > a and
    b (p^2 + q^2) >= 2 p q a + (p^2 - q^2) sqrt(p^2 + q^2 - a^2) (Carver, Amer. Math. Monthly 64, 1957).
    """
    if inner[2] > outer[2]:
        return False
    q, p = sorted(inner[:2].tolist())
    b, a = sorted(outer[:2].tolist())
    if p <= a:
        return bool(q <= b)
    diagonal = p * p + q * q
    turned = 2 * p * q * a + (p * p - q * q) * np.sqrt(max(diagonal - a * a, 0.0))
    return bool(q <= b and b * diagonal >= turned)
