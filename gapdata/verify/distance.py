"""Questions about the gap between objects: what is seen bounds it from above, boxes from below."""

from __future__ import annotations

from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    margin_verdict,
    options_verdict,
    stated_number,
)

CLOSE = 0.1  # of a distance: visible and stated gap are the same


def object_distance(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated gap lies between that of the boxes and that of the visible surfaces, of which it may be either."""
    a, b = qa.objects
    if fault := naming_fault(facts, qa, qa.question, a, b):
        return contradict(fault)
    stated, least, most = stated_number(qa), *gap_bounds(facts, a, b)
    if not least - 0.01 <= stated <= most + 0.01:
        return contradict(
            f"stated {stated:.2f} m, boxes are {least:.2f} m and visible surfaces {most:.2f} m apart"
        )
    close = max(CLOSE * stated, 2.0 * facts.tolerance)
    gap = AGREE if most - stated <= close else bounded(f"{least:.2f} to {most:.2f} m")
    return first_doubt(gap, options_verdict(qa))


def closest_object(facts: PixelFacts, qa: QA) -> Verdict:
    """No other option can be nearer than the stated one."""
    anchor, *options = qa.objects
    faults = [naming_fault(facts, qa, qa.question, anchor)]
    faults += [naming_fault(facts, qa, *pair) for pair in zip(qa.choices, options, strict=True)]
    if any(faults):
        return contradict("; ".join(filter(None, faults)))
    bounds = [gap_bounds(facts, anchor, option) for option in options]
    right = qa.choices.index(qa.value)
    least, most = bounds.pop(right)
    rival_most = min(upper for _, upper in bounds)
    rival_least = min(lower for lower, _ in bounds)
    if least > rival_most:
        return contradict(
            f"{qa.value} is at least {least:.2f} m away, another at most {rival_most:.2f} m"
        )
    stated = qa.evidence["distances_m"]
    for number, (option, distance) in enumerate(zip(options, stated, strict=True)):
        low, high = gap_bounds(facts, anchor, option)
        if not low - 0.01 <= distance <= high + 0.01:
            return contradict(
                f"{qa.choices[number]}: measured {distance:.2f} m, bounds are {low:.2f} and {high:.2f} m"
            )
    first, second = sorted(stated)[:2]
    if stated[right] != first:
        return contradict(f"stated {qa.value}, measured {stated} m for {qa.choices}")
    margin = margin_verdict(qa, second - first, 1e-6, at_least=qa.evidence["min_gap_m"])
    decided = most < rival_least or most < rival_most - facts.tolerance
    return first_doubt(
        AGREE
        if decided
        else bounded(
            f"{least:.2f} to {most:.2f} m, another {rival_least:.2f} to {rival_most:.2f} m"
        ),
        margin,
    )


def gap_bounds(facts: PixelFacts, a: int, b: int) -> tuple[float, float]:
    """Least and greatest gap in metres that the pixels allow, with the tolerance of the depth.

    Measured points of either object may stick out of it by the tolerance, towards the other.
    """
    slack = facts.tolerance
    least, most = facts.box_distance(a, b) - slack, facts.surface_distance(a, b) + slack
    return least, most if facts.exact else most + slack
