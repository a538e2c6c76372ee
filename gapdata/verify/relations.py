"""Questions about where objects are relative to each other, from what is seen of them."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

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
    stated_number,
    unverifiable,
    verdict_of,
)

Array = np.ndarray

# Camera axis and sign of every relation, as claims and as options write it.
RELATIONS = {
    "to the left": (0, -1), "to the right": (0, 1), "above": (1, -1), "below": (1, 1),
    "in front": (2, -1), "behind": (2, 1),
}  # fmt: skip
# Where each side begins, in degrees to the left of straight ahead, by level of difficulty.
SIDES: dict[str, dict[float, str]] = {
    "easy": {0.0: "left", 180.0: "right"},
    "medium": {0.0: "left", 135.0: "back", 225.0: "right"},
    "hard": {0.0: "front-left", 90.0: "back-left", 180.0: "back-right", 270.0: "front-right"},
}


def viewer_relation(facts: PixelFacts, qa: QA) -> Verdict:
    """The medians of what the view shows of the two: columns, rows or depths; and the angle between the boxes."""
    (view,), (a, b) = qa.views, qa.objects
    if fault := naming_fault(facts, qa, qa.question, a, b):
        return contradict(fault)
    text = qa.question if qa.format == "yesno" else qa.value
    claims = [relation for relation in RELATIONS if re.search(rf"\b{relation}\b", text)]
    if len(claims) != 1:
        return contradict(f"expected one relation in {text!r}, found {claims}")
    if not (facts.pixels(view, a) and facts.pixels(view, b)):
        return contradict(f"view {view} does not show both {a} and {b}")
    axis, sign = RELATIONS[claims[0]]
    if axis == 2 and not (len(facts.points(view, a)) and len(facts.points(view, b))):
        return unverifiable("no depth on an object")
    shown = [_median_along(facts, view, number, axis) for number in (a, b)]
    holds = sign * (shown[0] - shown[1]) > 0
    stated = qa.value if qa.format == "yesno" else True
    detail = f"stated {qa.answer}, a at {shown[0]:.2f}, b at {shown[1]:.2f} along {'xyz'[axis]}"
    angle = _angle(facts, view, (a, b), axis)
    return first_doubt(
        verdict_of(holds == stated, detail),
        margin_verdict(qa, abs(angle), 0.1, at_least=qa.evidence["min_angle_deg"]),
        verdict_of((angle > 0) == (shown[0] > shown[1]), f"boxes are {angle:.0f} degrees apart"),
    )


def _median_along(facts: PixelFacts, view: int, number: int, axis: int) -> float:
    if axis == 2:
        return float(np.median(facts.in_camera(view, facts.points(view, number))[:, 2]))
    return float(np.median(facts.uv(view, number)[:, axis]))


def _angle(facts: PixelFacts, view: int, pair: tuple[int, int], axis: int) -> float:
    """Degrees by which the line from b's box to a's leaves the plane between the two answers; for above and below
    the smaller one of the camera's and the world's.
    """
    offset = facts.instance(pair[0]).box.center - facts.instance(pair[1]).box.center
    direction = offset / np.linalg.norm(offset)
    names = ("right", "down", "forward")
    angles = [
        90.0 - np.degrees(np.arccos(np.clip(direction @ facts.axis(view, names[axis]), -1, 1)))
    ]
    if axis == 1:
        angles.append(np.degrees(np.arccos(np.clip(direction @ facts.UP, -1, 1))) - 90.0)
    return float(min(angles, key=abs))


def object_direction(facts: PixelFacts, qa: QA) -> Verdict:
    """The bearing of C from A, turned to B: of the boxes' middles, and of the middles of what all views show."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    level = qa.evidence["level"]
    centers = np.stack([facts.instance(number).box.center for number in qa.objects])
    angle = bearing(centers)
    side, margin = side_of(angle, level)
    if side != qa.value:
        return contradict(f"stated {qa.value}, boxes give {angle:.0f} degrees: {side}")
    doubt = margin_verdict(qa, margin, 0.1, at_least=qa.evidence["min_angle_deg"])
    seen = np.stack([facts.middle(number) for number in qa.objects])
    if np.isnan(seen).any():
        return first_doubt(doubt, bounded("an object without depth"))
    seen_angle = bearing(seen)
    turn = abs((seen_angle - angle + 180.0) % 360.0 - 180.0)
    allowed = _turn_of(facts, qa.objects, seen)
    if turn > allowed:
        return contradict(
            f"stated {qa.value} at {angle:.0f} degrees, visible middles give {seen_angle:.0f}, {allowed:.0f} off at most"
        )
    same = side_of(seen_angle, level)[0] == qa.value
    detail = f"visible middles give {seen_angle:.0f} degrees, stated {angle:.0f}"
    return first_doubt(doubt, AGREE if same else bounded(detail))


def bearing(places: Float[Array, "3 3"]) -> float:
    """Degrees from the way A to B to the way A to C, seen from above, left positive, within (-180, 180]."""
    compass = [float(np.arctan2(*(place - places[0])[[1, 0]])) for place in places[1:]]
    return 180.0 - (180.0 - float(np.degrees(compass[1] - compass[0]))) % 360.0


def side_of(angle: float, level: str) -> tuple[str, float]:
    """The side's name at a level of difficulty, and degrees to the nearest other side."""
    sides, around = SIDES[level], angle % 360.0
    begun = max(edge for edge in sides if around >= edge)
    return sides[begun], min(abs((around - edge + 180.0) % 360.0 - 180.0) for edge in sides)


def _turn_of(facts: PixelFacts, objects: tuple[int, ...], seen: Float[Array, "3 3"]) -> float:
    """Degrees by which the visible middles may turn the bearing: each may be off by what its box leaves unseen."""
    off = []
    for number in objects:
        box = facts.instance(number).box
        half = 0.5 * float(np.hypot(*box.size[:2]))
        filled = facts.box_fit(number).filled
        unseen = 0.5 * float(np.hypot(*(np.clip(1.0 - filled[:2], 0.0, 1.0) * box.size[:2])))
        off.append(min(half, unseen) + facts.tolerance)
    reach = [float(np.hypot(*(place - seen[0])[:2])) for place in seen[1:]]
    turns = [
        np.arcsin(min(1.0, (off[0] + other) / max(length, 1e-6)))
        for other, length in zip(off[1:], reach, strict=True)
    ]
    return float(np.degrees(sum(turns)))


def object_direction_clock(facts: PixelFacts, qa: QA) -> Verdict:
    """The bearing of C from A as an hour, with B at twelve: of the boxes' middles, and of what all views show."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    stated = round(stated_number(qa))
    centers = np.stack([facts.instance(number).box.center for number in qa.objects])
    seen = np.stack([facts.middle(number) for number in qa.objects])
    hours = -bearing(centers) / 30.0 % 12.0  # hours run clockwise, bearings the other way
    hour = round(hours) % 12 or 12
    if hour != stated:
        return contradict(f"stated {qa.answer}, boxes give {hours:.2f}")
    margin = 15.0 - 30.0 * abs(hours - round(hours))
    doubt = margin_verdict(qa, margin, 0.1, at_least=qa.evidence["min_angle_deg"])
    if np.isnan(seen).any():
        return first_doubt(doubt, bounded("an object without depth"))
    shown = -bearing(seen) / 30.0 % 12.0
    turn = 30.0 * abs((shown - hours + 6.0) % 12.0 - 6.0)
    allowed = _turn_of(facts, qa.objects, seen)
    if turn > allowed:
        return contradict(
            f"boxes give {hours:.2f}, visible middles {shown:.2f}: {turn:.0f} degrees"
        )
    detail = f"boxes give {hours:.2f}, visible middles {shown:.2f}"
    return first_doubt(doubt, AGREE if round(shown) % 12 == hour % 12 else bounded(detail))
