"""Questions about the change from view to view, from the cameras and from what both views show."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np

from gapdata.answers import FENCE
from gapdata.geometry.depth import DepthTolerance
from gapdata.sample import QA
from gapdata.verify.camera import STATED_STEP
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.verdict import (
    Verdict,
    contradict,
    first_doubt,
    margin_verdict,
    unverifiable,
    verdict_of,
)

Array = np.ndarray

GRID = 48  # pixels across the image at which overlap is measured again
OVERLAP_NOISE = 0.06  # by which two grids may differ
DEGREE_STEP = 0.51  # half of a stated degree, and rounding
KEYS = ("move_right", "move_down", "move_forward", "turn_left", "tilt_up")


def view_change(facts: PixelFacts, qa: QA) -> Verdict:
    """The turn between the level parts of the two viewing directions, and the change of their heights."""
    first, second = (facts.axis(view, "forward") for view in qa.views)
    cross = float(first[0] * second[1] - first[1] * second[0])
    turn = float(np.degrees(np.arctan2(cross, first[:2] @ second[:2])))
    tilt = float(np.degrees(np.arcsin(second[2]) - np.arcsin(first[2])))
    if qa.format == "text":
        moved = facts.center(qa.views[1]) - facts.center(qa.views[0])
        along = [float(moved @ facts.axis(qa.views[0], n)) for n in ("right", "down", "forward")]
        return _stated_change(qa, [*along, turn, tilt])
    # The four words lie on two axes whose sectors meet where turn and tilt are equal.
    word = (
        ("left" if turn > 0 else "right") if abs(turn) > abs(tilt) else "up" if tilt > 0 else "down"
    )
    lead = abs(abs(turn) - abs(tilt)) / (np.sqrt(2.0) * np.hypot(turn, tilt))
    detail = f"stated {qa.answer}, turned {turn:.1f} to the left and {tilt:.1f} up"
    holds = qa.value == word
    if qa.format == "yesno":
        said = re.findall("[a-z]+", qa.question.lower())
        claims = [direction for direction in ("left", "right", "up", "down") if direction in said]
        if len(claims) != 1:
            return contradict(f"expected one direction in {qa.question!r}, found {claims}")
        holds = qa.value == (claims[0] == word)
    return first_doubt(
        verdict_of(holds, detail),
        margin_verdict(
            qa, float(np.degrees(np.arcsin(lead))), 0.1, at_least=qa.evidence["min_angle_deg"]
        ),
    )


def _stated_change(qa: QA, derived: list[float]) -> Verdict:
    fenced = FENCE.search(qa.answer)
    if fenced is None:
        return contradict(f"expected fenced JSON, found {qa.answer!r}")
    stated = json.loads(fenced[1])
    if tuple(stated) != KEYS:
        return contradict(f"expected the keys {KEYS}, found {tuple(stated)}")
    steps = [STATED_STEP] * 3 + [DEGREE_STEP] * 2
    off = np.abs(np.array([stated[key] for key in KEYS]) - derived)
    # A turn of 180 degrees may be stated either way.
    off[3] = min(off[3], 360.0 - off[3])
    rounded = [round(value, 3) for value in derived]
    return verdict_of(bool((off <= steps).all()), f"stated {fenced[1]}, derived {rounded}")


def frame_order(facts: PixelFacts, qa: QA) -> Verdict:
    """The stored times give the order, and no other way through the cameras is as short."""
    times = [facts.views[view].timestamp_s for view in qa.views]
    ranked = sorted(range(len(times)), key=lambda place: times[place])
    stated = [int(word.removeprefix("image ")) - 1 for word in qa.value.split(", ")]
    if len(set(times)) < len(times) or ranked[0] != 0:
        return contradict(f"times {times} do not begin with image 1 or are not distinct")
    if ranked[1:] != stated:
        return contradict(f"stated {qa.value}, times are {times}")
    length = {
        order: sum(_step(facts, qa.views[a], qa.views[b]) for a, b in pairwise((0, *order)))
        for order in permutations(range(1, len(times)))
    }
    given = length.pop(tuple(stated))
    lead = min(length.values()) / given - 1.0
    return margin_verdict(qa, lead, 1e-3, at_least=qa.evidence["min_lead"])


def _step(facts: PixelFacts, a: int, b: int) -> float:
    """Metres between two cameras plus radians between their orientations, from the chord of the rotations."""
    one, other = (facts.views[view].camera.cam2world[:3, :3] for view in (a, b))
    chord = np.linalg.norm(one - other) / (2.0 * np.sqrt(2.0))
    angle = 2.0 * np.arcsin(min(1.0, float(chord)))
    return float(np.linalg.norm(facts.center(a) - facts.center(b)) + angle)


def overlap(facts: PixelFacts, qa: QA) -> Verdict:
    """The part of one view's surfaces that the other sees, measured again on a finer grid."""
    derived = [shared_part(facts, qa.views[0], other) for other in qa.views[1:]]
    if np.isnan(derived).any():
        return unverifiable("a view without depth")
    if qa.format == "choice":
        right = int(qa.value.removeprefix("image ")) - 2
        stated: Sequence[float] = qa.evidence["overlaps"]
        rivals = [value for place, value in enumerate(stated) if place != right]
        holds = derived[right] == max(derived)
        margin = margin_verdict(
            qa, stated[right] - max(rivals), 1e-6, at_least=qa.evidence["min_gap_overlap"]
        )
    else:
        stated = [qa.evidence["overlap"]]
        boundary = qa.evidence["boundary"]
        holds = qa.value == (derived[0] > boundary)
        margin = margin_verdict(
            qa, abs(stated[0] - boundary), 1e-6, at_least=qa.evidence["min_margin"]
        )
    off = float(np.abs(np.array(stated) - derived).max())
    shown = [round(value, 2) for value in derived]
    return first_doubt(
        verdict_of(holds, f"stated {qa.answer}, the views share {shown}"),
        verdict_of(off <= OVERLAP_NOISE, f"measured {list(stated)}, derived {shown}"),
        margin,
    )


def shared_part(facts: PixelFacts, a: int, b: int) -> float:
    """The smaller part of the two views' known surface points that the other view sees; NaN without any depth."""
    return min(_seen_from(facts, a, b), _seen_from(facts, b, a))


def _seen_from(facts: PixelFacts, view: int, other: int) -> float:
    camera, there = facts.views[view].camera, facts.views[other].camera
    own = facts.views[view].depth
    assert own is not None
    step = max(1, camera.width // GRID)
    v, u = np.mgrid[step // 2 : camera.height : step, step // 2 : camera.width : step]
    depth = own[v, u].astype(np.float64)
    v, u, depth = (values[depth > 0] for values in (v, u, depth))
    if len(depth) == 0:
        return float("nan")
    rays = np.stack([(u - camera.K[0, 2]) / camera.K[0, 0], (v - camera.K[1, 2]) / camera.K[1, 1]])
    cam = np.stack([*(rays * depth), depth], axis=-1)
    points = cam @ camera.cam2world[:3, :3].T + camera.cam2world[:3, 3]
    pixel, z = facts.project(other, points)
    column, row = np.floor(np.nan_to_num(pixel, nan=-1.0).T + 0.5).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < there.width) & (row < there.height) & (z > 0)
    image = facts.views[other].depth
    assert image is not None
    measured = np.where(
        inside, image[row.clip(0, there.height - 1), column.clip(0, there.width - 1)], -1.0
    )
    slack = DepthTolerance().at(z)
    known = ~inside | ((measured > 0) & (measured <= z + slack))
    seen = inside & (measured > 0) & (np.abs(measured - z) <= slack)
    return float(seen.sum() / known.sum()) if known.any() else float("nan")
