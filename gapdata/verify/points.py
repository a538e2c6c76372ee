"""Questions about single pixels, from the depth stored there."""

from __future__ import annotations

import numpy as np

from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import (
    Verdict,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    number_verdict,
    options_verdict,
    unverifiable,
    verdict_of,
)

STATED_STEP = 0.0051  # half of what two decimals tell apart, and rounding
DEPTH_STEP = 0.003  # metres: depth is stored in millimetres


def pointmap(facts: PixelFacts, qa: QA) -> Verdict:
    """The named or marked pixel, unprojected through the stored depth into the first view's axes."""
    view, (u, v) = qa.evidence["view"], qa.evidence["pixel"]
    if fault := spot_fault(qa, view, u, v):
        return contradict(fault)
    if [facts.id_at(view, u, v)] != list(qa.objects):
        return contradict(f"the pixel shows {facts.id_at(view, u, v)}, stated {qa.objects}")
    if facts.label(qa.objects[0]) not in qa.question:
        return contradict(f"the question does not name {facts.label(qa.objects[0])!r}")
    if facts.depth_at(view, u, v) <= 0:
        return unverifiable("no depth at the pixel")
    derived = facts.in_camera(qa.views[0], facts.point_at(view, u, v))
    off = np.abs(np.array(qa.value) - derived).max()
    return verdict_of(
        bool(off <= STATED_STEP), f"stated {qa.answer}, derived {derived.round(3).tolist()}"
    )


def point_depth(facts: PixelFacts, qa: QA) -> Verdict:
    """The stored depth at the named or marked pixel."""
    view, (u, v) = qa.evidence["view"], qa.evidence["pixel"]
    if fault := spot_fault(qa, view, u, v):
        return contradict(fault)
    (number,) = qa.objects
    if facts.id_at(view, u, v) != number:
        return contradict(f"the pixel shows {facts.id_at(view, u, v)}, asked about {number}")
    if facts.depth_at(view, u, v) <= 0:
        return unverifiable("no depth at the pixel")
    forward = (facts.point_at(view, u, v) - facts.center(view)) @ facts.axis(view, "forward")
    return first_doubt(number_verdict(qa, float(forward), DEPTH_STEP), options_verdict(qa))


def spot_fault(qa: QA, view: int, u: float, v: float) -> str:
    """Why the question does not point at this pixel of this view, by coordinates or a cross; "" when it does."""
    spots = [marker for marker in qa.markers if marker["kind"] == "cross"]
    if spots:
        if [(m["view"], *m["pixel"]) for m in spots] != [(view, u, v)]:
            return f"marked {spots}, measured pixel ({u}, {v}) of view {view}"
    elif f"({u:.0f}, {v:.0f})" not in qa.question:
        return f"the question does not name pixel ({u:.0f}, {v:.0f})"
    several = len(qa.views) > 1
    if view not in qa.views or (several and _image(qa, view) not in qa.question):
        return f"the question does not name view {view} of {qa.views}"
    return ""


def _image(qa: QA, view: int) -> str:
    return f"image {qa.views.index(view) + 1}"


def point_depth_order(facts: PixelFacts, qa: QA) -> Verdict:
    """The distances of the marked points from the camera, and their depths: both name the same point."""
    view = qa.views[0]
    spots = [(marker["color"], *marker["pixel"]) for marker in qa.markers]
    if [f"the {color} point" for color, *_ in spots] != list(qa.choices):
        return contradict(f"options {qa.choices} for markers {spots}")
    if [facts.id_at(view, u, v) for _, u, v in spots] != list(qa.objects):
        return contradict(f"the marked pixels do not show {qa.objects}")
    points = np.array([facts.point_at(view, u, v) for _, u, v in spots])
    if np.isnan(points).any():
        return unverifiable("no depth at a marked pixel")
    sign = -1.0 if kind_of(qa).endswith("farthest") else 1.0
    by_depth = sign * ((points - facts.center(view)) @ facts.axis(view, "forward"))
    by_distance = sign * np.linalg.norm(points - facts.center(view), axis=-1)
    found = {qa.choices[int(by.argmin())] for by in (by_depth, by_distance)}
    gap = min(float(np.diff(np.sort(by))[0]) for by in (by_depth, by_distance))
    return first_doubt(
        verdict_of(
            found == {qa.value},
            f"stated {qa.value}, derived {sorted(found)} of depths {by_depth.round(3).tolist()}",
        ),
        margin_verdict(qa, gap, DEPTH_STEP, at_least=qa.evidence["min_gap_m"]),
    )
