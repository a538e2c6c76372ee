"""Questions about what stands next to, between or against what: gaps and middles of what is seen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.sample import QA
from gapdata.verify.claims import claim_verdict
from gapdata.verify.distance import gap_bounds
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.resting import shell
from gapdata.verify.verdict import Verdict, contradict

Array = np.ndarray

# Where the answers flip: metres of gap between two objects, degrees at the object between, metres to a wall.
NEXT_TO, BETWEEN, AGAINST = 0.75, 120.0, 0.28
LARGE = 0.5  # metres: what is smaller has to be nearer to be next to something


def next_to(facts: PixelFacts, qa: QA) -> Verdict:
    """What is seen is near, or the boxes are far: for small things as near and far as they are small."""
    anchor = qa.objects[0]

    def judge(number: int) -> bool | None:
        largest = max(float(facts.instance(n).box.size.max()) for n in (number, anchor))
        return _is_within(facts, number, [anchor], NEXT_TO * min(1.0, largest / LARGE))

    return claim_verdict(facts, qa, 1, judge)


def against_wall(facts: PixelFacts, qa: QA) -> Verdict:
    """What is seen of it is near what is seen of a wall, or its box is far from the boxes of all walls."""
    walls = shell(facts, "wall")
    if not walls:
        return contradict("there is no wall")
    return claim_verdict(facts, qa, 0, lambda number: _is_within(facts, number, walls, AGAINST))


def between(facts: PixelFacts, qa: QA) -> Verdict:
    """The angle at the object to the two others, by boxes and by the middles of what is seen: open where they differ."""
    one, other = qa.objects[:2]

    def judge(number: int) -> bool | None:
        centers = [facts.instance(n).box.center for n in (number, one, other)]
        seen = [facts.middle(n) for n in (number, one, other)]
        by_boxes = _angle(np.stack(centers)) > BETWEEN
        by_pixels = _angle(np.stack(seen)) > BETWEEN
        wide = [abs(_angle(np.stack(at)) - BETWEEN) > 5.0 for at in (centers, seen)]
        return by_boxes if by_boxes == by_pixels and all(wide) else None

    return claim_verdict(facts, qa, 2, judge)


def _is_within(facts: PixelFacts, number: int, others: list[int], limit: float) -> bool | None:
    bounds = [gap_bounds(facts, number, other) for other in others]
    if min(most for _, most in bounds) < limit:
        return True
    return False if min(least for least, _ in bounds) > limit else None


def _angle(places: Float[Array, "3 3"]) -> float:
    """Degrees at the first place between the ways to the other two, seen from above; NaN for unseen ones."""
    ways = places[1:, :2] - places[0, :2]
    cosine = ways[0] @ ways[1] / np.maximum(np.linalg.norm(ways, axis=1).prod(), 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
