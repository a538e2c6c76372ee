"""Questions about which points of two views are one, from the depth of both."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.points import DEPTH_STEP, spot_fault
from gapdata.verify.verdict import (
    Verdict,
    contradict,
    first_doubt,
    margin_verdict,
    unverifiable,
    verdict_of,
)

PIXEL_STEP = 0.6  # pixels: a pixel is stated as integers, its point has stored depth
SPREAD = 0.01  # per metre of squared depth, by which recorded depths of one point differ


def pixel_correspondence(facts: PixelFacts, qa: QA) -> Verdict:
    """The marked point, unprojected from its view, is the right mark's point, or lands on the stated pixel."""
    source, target = qa.evidence["source_view"], qa.evidence["target_view"]
    u, v = qa.evidence["source_pixel"]
    point = facts.point_at(source, u, v)
    if np.isnan(point).any():
        return unverifiable("no depth at the pixel")
    if qa.format == "pixel":
        return _pixel(facts, qa, point)
    cross, *spots = qa.markers
    if (cross["kind"], cross["view"], *cross["pixel"]) != ("cross", source, u, v):
        return contradict(f"marked {cross}, measured pixel ({u}, {v}) of view {source}")
    if f"{cross['color']} cross" not in qa.question or qa.views != (source, target):
        return contradict(f"the question does not ask from the {cross['color']} cross")
    if any(spot["kind"] != "point" or spot["view"] != target for spot in spots):
        return contradict(f"the marks {spots} are not points of view {target}")
    if sorted(f"the {spot['color']} point" for spot in spots) != sorted(qa.choices):
        return contradict(f"options {qa.choices} for other marks")
    found = np.array([facts.point_at(target, *spot["pixel"]) for spot in spots])
    if np.isnan(found).any():
        return unverifiable("no depth at a marked pixel")
    away = np.linalg.norm(found - point, axis=-1)
    best = int(away.argmin())
    slack = facts.tolerance + 2 * SPREAD * float(((point - facts.center(target)) ** 2).sum())
    return first_doubt(
        verdict_of(
            f"the {spots[best]['color']} point" == qa.value and away[best] <= slack,
            f"stated {qa.value}, marks are {away.round(3).tolist()} m from the point",
        ),
        margin_verdict(
            qa,
            float(np.delete(away, best).min()),
            2 * DEPTH_STEP,
            at_least=qa.evidence["min_separation_m"],
        ),
    )


def _pixel(facts: PixelFacts, qa: QA, point: Float[np.ndarray, "3"]) -> Verdict:
    source, target = qa.evidence["source_view"], qa.evidence["target_view"]
    u, v = qa.evidence["source_pixel"]
    if fault := spot_fault(qa, source, u, v):
        return contradict(fault)
    if qa.views != (target, source):
        return contradict(f"the answer is a pixel of view {target}, not {qa.views[0]}")
    (derived,), (z,) = facts.project(target, point[None])
    off = float(np.abs(derived - np.array(qa.value)).max())
    if not off <= PIXEL_STEP:
        return contradict(f"stated {qa.answer}, derived {derived.round(1).tolist()}")
    shown, seen = facts.id_at(target, *qa.value), facts.depth_at(target, *qa.value)
    slack = facts.tolerance + SPREAD * float(z) ** 2
    return verdict_of(
        shown == facts.id_at(source, u, v) and abs(seen - z) <= slack,
        f"view {target} shows {shown} at {seen:.2f} m there, the point is {z:.2f} m deep",
    )
