"""Questions about standing, turning and walking: bearings of boxes and visible middles, and ways seen to be free."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.relations import bearing
from gapdata.verify.resting import shell
from gapdata.verify.surroundings import all_points, over_box
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    margin_verdict,
    verdict_of,
)

Array = np.ndarray

# Degrees to the left at the middle of each quarter, by how it is written.
MOVES = {"go straight ahead": 0.0, "turn left": 90.0, "turn around": 180.0, "turn right": 270.0}
TURNS = {"straight on": 0.0, "left": 90.0, "around": 180.0, "right": 270.0}
HALF_WAY = 0.15  # metres on either side of a way that no visible point may be in
LEAVING = 0.4  # metres from an object where the way to or from it is not looked at
BODY = (0.15, 1.6)  # metres above the floor
MANY = 5  # points that make an obstacle


def navigation(facts: PixelFacts, qa: QA) -> Verdict:
    """The bearing of C from A, turned to B, in quarters; and whether anything visible stands in the way."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    text = qa.question if qa.format == "yesno" else qa.value
    moves = [degrees for move, degrees in MOVES.items() if move in text]
    if len(moves) != 1:
        return contradict(f"expected one move in {text!r}, found {len(moves)}")
    angle = bearing(_middles(facts, qa.objects))
    off = _apart(angle, moves[0])
    stated = qa.value if qa.format == "yesno" else True
    margin = 45.0 - abs((angle + 45.0) % 90.0 - 45.0)
    return first_doubt(
        verdict_of((off < 45.0) == stated, f"stated {qa.answer}, boxes give {angle:.0f} degrees"),
        margin_verdict(qa, margin, 0.1, at_least=qa.evidence["min_angle_deg"]),
        _seen_bearing(facts, qa.objects, 90.0 * round(angle / 90.0), 45.0),
        _free_way(facts, qa.objects[0], qa.objects[2]),
    )


def route_plan(facts: PixelFacts, qa: QA) -> Verdict:
    """The bearings at both places where one turns, and whether anything visible stands in either way."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    first, _, second = qa.value.partition(", then ")
    start, _, middle, end = qa.objects
    angles = [
        bearing(_middles(facts, qa.objects[:3])),
        bearing(_middles(facts, (middle, start, end))) + 180.0,
    ]
    stated = [TURNS[first], TURNS[second]]
    offs = [_apart(*pair) for pair in zip(angles, stated, strict=True)]
    detail = f"stated {qa.value}, boxes give {angles[0]:.0f} and {angles[1] % 360:.0f} degrees"
    derived = min(45.0 - off for off in offs)
    threshold = qa.evidence["min_angle_deg"]
    return first_doubt(
        verdict_of(max(offs) < 45.0, detail),
        verdict_of(
            threshold <= qa.margin <= derived + 0.1,
            f"margin {qa.margin:.1f}, at most {derived:.1f}",
        ),
        _seen_bearing(facts, qa.objects[:3], stated[0], 45.0),
        _free_way(facts, start, middle),
        _free_way(facts, middle, end),
    )


def _middles(facts: PixelFacts, ids: tuple[int, ...]) -> Float[Array, "n 3"]:
    return np.stack([facts.instance(number).box.center for number in ids])


def _apart(angle: float, other: float) -> float:
    return abs((angle - other + 180.0) % 360.0 - 180.0)


def _seen_bearing(facts: PixelFacts, ids: tuple[int, ...], middle: float, half: float) -> Verdict:
    """Whether visible middles lie in the sector too; what is seen of an object in part only bounds where it is."""
    seen = np.stack([facts.middle(number) for number in ids])
    if np.isnan(seen).any():
        return bounded("an object without depth")
    angle = bearing(seen)
    same = _apart(angle, middle) < half
    return AGREE if same else bounded(f"visible middles give {angle:.0f} degrees")


def _free_way(facts: PixelFacts, start: int, end: int) -> Verdict:
    """Contradiction when visible points of others stand in the strip between two objects; bounded when few see it."""
    ends = _middles(facts, (start, end))
    points = all_points(facts, {start, end, *shell(facts, "floor"), *shell(facts, "ceiling")})
    floors = [facts.cloud(number) for number in shell(facts, "floor")]
    ground = np.concatenate([np.zeros((0, 3)), *floors])
    if len(ground) == 0:
        return bounded("no floor seen")
    height = points[:, 2] - float(np.median(ground[:, 2]))
    length = float(np.linalg.norm((ends[1] - ends[0])[:2]))
    along = (ends[1] - ends[0])[:2] / max(length, 1e-9)
    offset = points[:, :2] - ends[0, :2]
    forward, aside = offset @ along, offset @ np.array([-along[1], along[0]])
    inside = (forward > 0) & (forward < length) & (np.abs(aside) < HALF_WAY)
    inside &= (height > BODY[0]) & (height < BODY[1])
    for number in (start, end):
        inside &= ~over_box(facts.instance(number).box, points, LEAVING)
    blocked = int(inside.sum())
    return verdict_of(blocked < MANY, f"{blocked} points in the way from {start} to {end}")
