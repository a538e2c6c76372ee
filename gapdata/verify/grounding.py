"""Questions whose answer is a box or a pixel of an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gapdata.geometry.boxes import Box
from gapdata.labels import is_structure
from gapdata.sample import QA
from gapdata.verify.camera import rotation_zxy
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.size import box_verdict
from gapdata.verify.verdict import Verdict, contradict, first_doubt, margin_verdict, verdict_of

CORNER = 1e-3  # metres


def detect_objects(facts: PixelFacts, qa: QA) -> Verdict:
    """Every object that the views show is listed or declared unclear, with its own label and box."""
    rows = [(row["label"], row["bbox_3d"]) for row in qa.value]
    if [label for label, _ in rows] != [facts.label(number) for number in qa.objects]:
        return contradict(f"rows {[label for label, _ in rows]} for objects {qa.objects}")
    shown = [
        number
        for number in facts.ids(qa.views)
        if facts.label(number).strip()
        and not is_structure(facts.label(number), facts.instance(number).nyu40)
    ]
    hidden = sorted(set(qa.objects) - set(shown))
    missing = sorted(set(shown) - set(qa.objects) - set(qa.evidence["unclear"]))
    if hidden or missing:
        return contradict(
            f"objects {hidden} are listed and not shown, {missing} shown and not listed"
        )
    return first_doubt(
        *(
            stated_box_verdict(facts, qa.views[0], number, bbox)
            for number, (_, bbox) in zip(qa.objects, rows, strict=True)
        )
    )


def ground_object(facts: PixelFacts, qa: QA) -> Verdict:
    """The view with most of the object's pixels and its box, or a pixel that shows it."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    if qa.format == "pixel":
        u, v = qa.value
        edge = _pixels_to_edge(facts, qa.views[0], number, u, v)
        shown = facts.id_at(qa.views[0], u, v)
        return first_doubt(
            verdict_of(shown == number, f"pixel ({u:.0f}, {v:.0f}) shows {shown}, not {number}"),
            margin_verdict(qa, edge, 0.01, at_least=qa.evidence["min_inside"]),
        )
    pixels = [facts.pixels(view, number) for view in qa.views]
    most, *others = sorted(pixels, reverse=True)
    if most == 0:
        return contradict(f"no view shows {number} {facts.label(number)}")
    lead = 1.0 - max([0, *others]) / most
    return first_doubt(
        verdict_of(pixels[qa.value["view"]] == most, f"stated view {qa.value['view']} of {pixels}"),
        margin_verdict(qa, lead, 1e-6, at_least=qa.evidence["min_lead"]),
        stated_box_verdict(facts, qa.views[0], number, qa.value["bbox_3d"]),
    )


def stated_box_verdict(facts: PixelFacts, view: int, number: int, bbox: Sequence[float]) -> Verdict:
    """Whether nine numbers in a view's camera frame are the instance's box, and that box fits the pixels."""
    values = np.array(bbox, np.float64)
    stated = Box(center=values[:3], size=values[3:6], rotation=rotation_zxy(values[6:]))
    corners = facts.in_camera(view, facts.instance(number).box.corners)
    away = np.linalg.norm(stated.corners[:, None] - corners, axis=-1).min(axis=1).max()
    if away > CORNER:
        return contradict(
            f"{number} {facts.label(number)}: a stated corner is {away:.2f} m from its box's"
        )
    return box_verdict(facts, number)


def _pixels_to_edge(facts: PixelFacts, view: int, number: int, u: float, v: float) -> float:
    """Distance in pixels from a pixel to the nearest one that does not show the instance, or is outside the image."""
    camera = facts.views[view].camera
    border = min(u + 1, v + 1, camera.width - u, camera.height - v)
    image = facts.views[view].instance
    assert image is not None
    reach = int(np.ceil(border))
    top, left = max(0, round(v) - reach), max(0, round(u) - reach)
    window = image[top : round(v) + reach + 1, left : round(u) + reach + 1]
    rows, columns = np.nonzero(window != number)
    if len(rows) == 0:
        return float(border)
    return float(min(border, np.hypot(rows + top - v, columns + left - u).min()))
