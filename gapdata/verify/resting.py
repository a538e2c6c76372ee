"""Questions about what carries, covers, contains or holds what: boxes rule out, visible surfaces confirm."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from gapdata.geometry.boxes import Box
from gapdata.labels import NYU40_ID
from gapdata.sample import QA
from gapdata.verify.boxes import plan_distance
from gapdata.verify.claims import claim_verdict
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import Verdict

Array = np.ndarray

ASIDE = 0.1  # metres in the plane within which a visible point stands for what is above or below it
SOLE = 0.05  # metres above an object's lowest point that belong to its underside
MOST = 0.7  # of the points: enough to confirm
INSIDE = 0.9  # likewise, for what lies in a box


def on_top_of(facts: PixelFacts, qa: QA) -> Verdict:
    """The object's underside is at a height, and over a place, where the other has a surface."""
    carrier = qa.objects[0]

    def judge(number: int) -> bool | None:
        box, other = facts.instance(number).box, facts.instance(carrier).box
        low = _low(box)
        within = _low(other) - SOLE <= low <= _high(other) + SOLE
        if plan_distance(box, other) > facts.tolerance or not within:
            return False
        cloud, surface = facts.cloud(number), facts.cloud(carrier)
        sole = cloud[cloud[:, 2] <= low + SOLE]
        under = surface[np.abs(surface[:, 2] - low) <= SOLE]
        over = np.abs((sole - other.center) @ other.rotation)[:, :2] <= 0.5 * other.size[:2]
        is_over = len(sole) > 0 and over.all(axis=-1).mean() >= MOST
        return True if is_over and _share_beside(sole, under) >= MOST else None

    return claim_verdict(facts, qa, 1, judge)


def under(facts: PixelFacts, qa: QA) -> Verdict:
    """Most of the object's visible points have a surface of the other above them."""
    cover = qa.objects[0]

    def judge(number: int) -> bool | None:
        box, other = facts.instance(number).box, facts.instance(cover).box
        if plan_distance(box, other) > facts.tolerance or _high(other) < _low(box):
            return False
        cloud, surface = facts.cloud(number), facts.cloud(cover)
        above = surface[surface[:, 2] > np.median(cloud[:, 2])] if len(cloud) else surface
        return True if _share_beside(cloud, above) >= MOST else None

    return claim_verdict(facts, qa, 1, judge)


def inside(facts: PixelFacts, qa: QA) -> Verdict:
    """The object's visible points lie in the other's box, or none of them does."""
    container = facts.instance(qa.objects[0]).box

    def judge(number: int) -> bool | None:
        cloud = facts.cloud(number)
        if len(cloud) == 0:
            return None
        share = float((facts.outside_box(container, cloud) <= facts.tolerance).mean())
        return True if share >= INSIDE else None if share > 0 else False

    return claim_verdict(facts, qa, 1, judge)


def hanging(facts: PixelFacts, qa: QA) -> Verdict:
    """What hangs is off the floor and at a wall or the ceiling; what stands has something visible at its foot."""

    def judge(number: int) -> bool | None:
        box = facts.instance(number).box
        floors, walls = shell(facts, "floor"), shell(facts, "wall") + shell(facts, "ceiling")
        floor = max((_high(facts.instance(f).box) for f in floors), default=-np.inf)
        away = min((facts.box_distance(number, w) for w in walls), default=0.0)
        if _low(box) < floor + SOLE or away > SOLE + facts.tolerance:
            return False
        cloud = facts.cloud(number)
        sole = cloud[cloud[:, 2] <= _low(box) + SOLE]
        others = [n for n in facts.ids(range(len(facts.views))) if n not in (number, *walls)]
        near = [n for n in others if facts.box_distance(number, n) <= SOLE]
        parts = [facts.cloud(n) for n in near]
        feet = [part[np.abs(part[:, 2] - _low(box)) <= 0.02] for part in parts]
        if any(_share_beside(sole, part) >= MOST for part in feet):
            return False
        # With nothing but walls beside it there is nothing that it could stand on.
        return None if near else True

    return claim_verdict(facts, qa, 0, judge)


def shell(facts: PixelFacts, name: str) -> list[int]:
    """Instances of a part of the room's shell: floor, wall or ceiling."""
    return [
        instance.id
        for instance in facts.sample.instances
        if instance.nyu40 == NYU40_ID[name] or instance.label == name
    ]


def _low(box: Box) -> float:
    return float(box.center[2] - 0.5 * box.size[2])


def _high(box: Box) -> float:
    return float(box.center[2] + 0.5 * box.size[2])


def _share_beside(points: Float[Array, "n 3"], others: Float[Array, "m 3"]) -> float:
    """Share of the points that have one of the others within ASIDE in the plane; 0 without points."""
    if len(points) == 0 or len(others) == 0:
        return 0.0
    return float((cKDTree(others[:, :2]).query(points[:, :2])[0] <= ASIDE).mean())
