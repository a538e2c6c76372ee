"""Questions about one object in two views: what the drawn boxes surround."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from gapdata.answers import FENCE
from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict, contradict, first_doubt, margin_verdict, verdict_of


def boxed(facts: PixelFacts, marker: Mapping[str, Any]) -> list[int]:
    """Instances whose visible part a drawn box surrounds exactly; normally one."""
    view = marker["view"]
    return [
        number
        for number in facts.ids((view,))
        if [round(edge) for edge in facts.extent(view, number) or ()] == list(marker["bbox"])
    ]


def boxed_choice_fault(facts: PixelFacts, qa: QA, view: int, objects: tuple[int, ...]) -> str:
    """Why the boxes drawn on a view are not those of the objects in order, or not the options; "" when they are."""
    drawn = [marker for marker in qa.markers if marker["view"] == view and marker["kind"] == "box"]
    for number, marker in zip(objects, drawn, strict=False):
        if number not in boxed(facts, marker):
            return f"the {marker['color']} box does not surround {number} {facts.label(number)}"
    colors = sorted(f"the {marker['color']} box" for marker in drawn[: len(objects)])
    if len(drawn) < len(objects) or colors != sorted(qa.choices):
        return f"options {qa.choices} for boxes {colors}"
    return ""


def position_matching(facts: PixelFacts, qa: QA) -> Verdict:
    """The boxed object of the first view has the stated box, or the box of the stated colour, in the second."""
    first, second = qa.views
    own, *others = qa.markers
    target = qa.objects[0]
    if own["view"] != first or target not in boxed(facts, own):
        return contradict(f"the {own['color']} box does not surround {target} in view {first}")
    if own["color"] not in qa.question:
        return contradict(f"the question does not name the {own['color']} box")
    if qa.format == "text":
        fenced = FENCE.search(qa.answer)
        stated = json.loads(fenced[1])["bbox_2d"] if fenced else None
        extent = facts.extent(second, target)
        shown = [round(edge) for edge in extent] if extent else None
        return verdict_of(stated == shown, f"stated {stated}, shown in {shown}")
    if fault := boxed_choice_fault(facts, qa, second, qa.objects):
        return contradict(fault)
    right = [f"the {m['color']} box" for m in others if target in boxed(facts, m)]
    return first_doubt(
        verdict_of(right == [qa.value], f"stated {qa.value}, {right} surround {target}"),
        margin_verdict(
            qa,
            nearest_center(facts, target, qa.objects[1:]),
            1e-4,
            at_least=qa.evidence["min_gap_m"],
        ),
    )


def same_object(facts: PixelFacts, qa: QA) -> Verdict:
    """The two boxes surround the same instance, or not."""
    marked = [boxed(facts, marker) for marker in qa.markers]
    if [marker["view"] for marker in qa.markers] != list(qa.views):
        return contradict(f"the boxes are not drawn on views {qa.views}, one each")
    if not all(marker["color"] in qa.question for marker in qa.markers):
        return contradict("the question does not name the colours of the boxes")
    same = bool(set(marked[0]) & set(marked[1]))
    doubt = verdict_of(
        all(marked) and qa.value == same, f"stated {qa.answer}, the boxes surround {marked}"
    )
    if same:
        # Which objects could be mistaken for it is for the asker to say: no shown object is nearer than the nearest.
        others = tuple(number for number in facts.ids(qa.views[1:]) if number != qa.objects[0])
        least = nearest_center(facts, qa.objects[0], others)
        return first_doubt(
            doubt,
            verdict_of(qa.margin >= least - 1e-4, f"margin {qa.margin:.2f}, nearest {least:.2f} m"),
        )
    gap = nearest_center(facts, qa.objects[0], qa.objects[1:])
    return first_doubt(doubt, margin_verdict(qa, gap, 1e-4, at_least=qa.evidence["min_gap_m"]))


def nearest_center(facts: PixelFacts, number: int, others: tuple[int, ...]) -> float:
    """Metres from an object's box centre to the nearest other's; inf without others."""
    center = facts.instance(number).box.center
    away = [np.linalg.norm(facts.instance(other).box.center - center) for other in others]
    return float(min(away, default=np.inf))
