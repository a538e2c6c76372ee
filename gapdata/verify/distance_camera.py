"""Questions about how far objects are from a camera: its nearest pixels tell, as it has to see the nearest point."""

from __future__ import annotations

import numpy as np

from gapdata.sample import QA
from gapdata.verify.correspondence import SPREAD
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.size_order import order_fault, order_of, pair_fault
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    number_verdict,
    options_verdict,
    unverifiable,
    verdict_of,
)

ALL = 10**9  # points: every pixel may be the nearest
STRAY = 2.0  # percent of recorded depths that fly off at edges
SLIVER = 0.1  # metres by which the nearest point may lie on something thinner than a pixel
PIXELS = 2.0  # pixels by which the nearest one may miss the nearest point


def camera_object_distance(facts: PixelFacts, qa: QA) -> Verdict:
    """The nearest of the object's pixels in the named view, and the object's box."""
    (number,) = qa.objects
    view, stated = qa.evidence["view"], qa.evidence["distance_m"]
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    if len(qa.views) > 1 and f"image {qa.views.index(view) + 1}" not in qa.question:
        return contradict(f"the question does not name view {view} of {qa.views}")
    return first_doubt(
        number_verdict(qa, stated, 1e-6),
        options_verdict(qa),
        distance_verdict(facts, view, number, stated),
    )


def nearest_to_camera(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated object is nearer than the others, by measured distances that the pixels bear out."""
    if fault := pair_fault(facts, qa):
        return contradict(fault)
    stated = qa.evidence["distances_m"]
    best = int(np.argmin(stated))
    right = qa.choices[best] if qa.choices else best == 0
    first, second = sorted(stated)[:2]
    return first_doubt(
        verdict_of(right == qa.value, f"stated {qa.answer}, measured {stated} m"),
        margin_verdict(qa, second - first, 1e-6, at_least=qa.evidence["min_gap_m"]),
        *_all_distances(facts, qa),
    )


def distance_order(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated order is that of measured distances that the pixels bear out."""
    if fault := order_fault(facts, qa):
        return contradict(fault)
    stated = dict(zip(qa.objects, qa.evidence["distances_m"], strict=True))
    steps = [stated[number] for number in order_of(qa, qa.value)]
    return first_doubt(
        verdict_of(steps == sorted(steps), f"stated {qa.value}, measured {steps} m"),
        margin_verdict(
            qa, float(np.diff(sorted(steps)).min()), 1e-6, at_least=qa.evidence["min_gap_m"]
        ),
        *_all_distances(facts, qa),
    )


def distance_change(facts: PixelFacts, qa: QA) -> Verdict:
    """The sign or the amount of the change between two distances that the pixels of their views bear out."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    before, after = qa.evidence["distances_m"]
    word = "nearer" if after < before else "farther"
    if kind_of(qa).endswith("number"):
        answer = number_verdict(qa, abs(after - before), 1e-6)
        other = "farther" if word == "nearer" else "nearer"
        if word not in qa.question or other in qa.question:
            return contradict(f"{qa.question!r} for {before:.2f} m, then {after:.2f} m")
    else:
        answer = verdict_of(qa.value == word, f"stated {qa.value}: {before:.2f}, {after:.2f} m")
    return first_doubt(
        answer,
        margin_verdict(qa, abs(after - before), 1e-6, at_least=qa.evidence["min_gap_m"]),
        distance_verdict(facts, qa.views[0], number, before),
        distance_verdict(facts, qa.views[1], number, after),
    )


def distance_verdict(facts: PixelFacts, view: int, number: int, stated: float) -> Verdict:
    """Whether a distance from a camera is that of the nearest pixel, or a little less and not below the box's."""
    points = facts.points(view, number, ALL)
    if len(points) == 0:
        return unverifiable("no depth on the object")
    lengths = np.linalg.norm(points - facts.center(view), axis=-1)
    seen = float(np.percentile(lengths, 0.0 if facts.exact else STRAY))
    box = facts.instance(number).box
    least = float(facts.outside_box(box, facts.center(view)[None])[0])
    spacing = PIXELS * seen / float(facts.views[view].camera.K[0, 0])
    detail = f"stated {stated:.3f} m, box {least:.3f} m, nearest pixel {seen:.3f} m"
    slack = facts.tolerance if facts.exact else facts.tolerance + SPREAD * seen**2
    if not least - facts.tolerance <= stated <= seen + slack:
        return contradict(detail)
    lack = seen - facts.tolerance - spacing - stated
    if lack <= 0:
        return AGREE
    return bounded(detail) if lack <= SLIVER else contradict(detail)


def _all_distances(facts: PixelFacts, qa: QA) -> list[Verdict]:
    pairs = zip(qa.objects, qa.evidence["distances_m"], strict=True)
    return [distance_verdict(facts, qa.views[0], number, stated) for number, stated in pairs]
