"""Questions about shape, symmetry, material and colour: what the table records, and what the pixels bear out."""

from __future__ import annotations

import colorsys

import numpy as np

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
    unverifiable,
    verdict_of,
)

ROUND, CORNERED = (
    1.15,
    1.25,
)  # squared reach in the plan, of the half sizes: a circle has 1, corners 2
# Shapes that are round across some axis of their box, and across the vertical one.
ACROSS, UPRIGHT = ("capsule", "cylinder", "round"), ("cone", "sphere", "torus")
EQUAL_SIDES = 0.05  # of the longest side: two sides that differ by less pass for equal
BODY = 98.0  # percent of the points that the reach is taken of
# Hues (degrees, from, to) that a name may have in a lit picture, the least saturation, and the least and greatest value.
LOOKS: dict[str, tuple[float, float, float, float, float]] = {
    "beige": (15, 65, 0.03, 0.35, 1.0), "black": (0, 360, 0.0, 0.0, 0.4), "blue": (185, 260, 0.1, 0.08, 1.0),
    "brown": (5, 50, 0.12, 0.05, 0.85), "gray": (0, 360, 0.0, 0.15, 0.9), "green": (60, 175, 0.08, 0.08, 1.0),
    "orange": (8, 48, 0.35, 0.25, 1.0), "pink": (300, 375, 0.12, 0.35, 1.0),
    "purple": (235, 330, 0.1, 0.1, 1.0), "red": (335, 385, 0.35, 0.1, 1.0),
    "turquoise": (150, 205, 0.12, 0.2, 1.0), "white": (0, 360, 0.0, 0.5, 1.0),
    "yellow": (30, 70, 0.3, 0.3, 1.0),
}  # fmt: skip


def color(facts: PixelFacts, qa: QA) -> Verdict:
    """The recorded colour, and that the object's pixels may look like it."""
    recorded = recorded_verdict(facts, qa, "color")
    (number,) = qa.objects
    picture, image = (
        getattr(facts.views[qa.evidence["view"]], name) for name in ("rgb", "instance")
    )
    if picture is None:
        return first_doubt(recorded, unverifiable("the picture was not read"))
    if not (image == number).any():
        return contradict(f"view {qa.evidence['view']} does not show {number}")
    red, green, blue = np.median(picture[image == number], axis=0) / 255.0
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    name = facts.instance(number).attributes.color
    low, high, least, dark, light = LOOKS[name]
    fits = (hue * 360.0 - low) % 360.0 <= high - low
    looks = fits and saturation >= least and dark <= value <= light
    seen = f"hue {360 * hue:.0f}, saturation {saturation:.2f}, value {value:.2f}"
    return first_doubt(recorded, verdict_of(looks, f"{number} is called {name}, shows {seen}"))


def material(facts: PixelFacts, qa: QA) -> Verdict:
    """The recorded material; no pixel shows what a thing is made of."""
    return first_doubt(
        recorded_verdict(facts, qa, "material"), bounded("as recorded; pixels do not show it")
    )


def shape_name(facts: PixelFacts, qa: QA) -> Verdict:
    """The recorded shape, and whether what is seen reaches into the corners of its box as that shape does."""
    (number,) = qa.objects
    shape = facts.instance(number).attributes.shape
    size = facts.instance(number).box.size
    planes = [[0, 1]]
    if shape in ACROSS:  # the disc lies across an axis that leaves two equal sides
        pairs = ([0, 1], [0, 2], [1, 2])
        uneven = [abs(float(np.diff(size[pair])[0])) for pair in pairs]
        close = min(uneven) + EQUAL_SIDES * float(size.max())
        planes = [pair for pair, gap in zip(pairs, uneven, strict=True) if gap <= close]
    elif shape == "rectangular":
        planes = [[axis for axis in range(3) if axis != int(size.argmin())]]
    is_round = shape in ACROSS or shape in UPRIGHT
    reaches = [_reach_verdict(facts, number, axes, is_round) for axes in planes]
    possible = [reach for reach in reaches if reach.kind != "contradict"]
    return first_doubt(recorded_verdict(facts, qa, "shape"), (possible or reaches)[0])


def symmetric_axis(facts: PixelFacts, qa: QA) -> Verdict:
    """A round plan in a square box turns into itself; what reaches into corners, or is longer than wide, does not."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    width, depth = sorted(facts.instance(number).box.size[:2].tolist())
    even = width >= 0.9 * depth
    margin = abs(qa.evidence["width_spread"] - qa.evidence["even_width"])
    stated = margin_verdict(qa, margin, 1e-6, at_least=qa.evidence["min_gap"])
    shape = facts.instance(number).attributes.shape
    if qa.value != (even and shape in ("cylinder", *UPRIGHT)):
        return contradict(f"stated {qa.answer}, recorded shape {shape}")
    if qa.value:
        plan = _reach_verdict(facts, number, [0, 1], True)
        return first_doubt(verdict_of(even, f"plan {width:.2f} x {depth:.2f} m"), plan, stated)
    return first_doubt(AGREE if not even else _reach_verdict(facts, number, [0, 1], False), stated)


def recorded_verdict(facts: PixelFacts, qa: QA, attribute: str) -> Verdict:
    """Whether the answer is what the table records of the named object; a claim's words are in the question."""
    (number,) = qa.objects
    if fault := naming_fault(facts, qa, qa.question, number):
        return contradict(fault)
    recorded = getattr(facts.instance(number).attributes, attribute)
    if qa.format == "choice":
        return verdict_of(qa.value == recorded, f"stated {qa.value}, recorded {recorded}")
    claim = qa.evidence["claim"]
    asked = f" {claim}" in qa.question.rstrip("?.")
    return verdict_of(
        asked and qa.value == (claim == recorded),
        f"stated {qa.answer} to {claim}, recorded {recorded}",
    )


def _reach_verdict(facts: PixelFacts, number: int, axes: list[int], is_round: bool) -> Verdict:
    """Whether the points stay out of the corners of the box's rectangle along two of its axes, as of a round body."""
    box = facts.instance(number).box
    points = facts.cloud(number)
    if len(points) == 0:
        return unverifiable("no depth on the object")
    local = ((points - box.center) @ box.rotation) / np.maximum(0.5 * box.size, 1e-6)
    reach = float(np.percentile((local[:, axes] ** 2).sum(axis=-1), BODY))
    # Depth that is off by the tolerance moves a point of a small object far, in its half sizes.
    slack = 2.0 * facts.tolerance / float(0.5 * box.size[axes].min())
    if is_round:
        if reach > CORNERED + slack:
            return contradict(f"{number}: round, and reaches {reach:.2f} into the corners")
        return AGREE if slack < CORNERED - ROUND else bounded(f"{number}: reaches {reach:.2f}")
    return AGREE if reach >= ROUND else bounded(f"{number}: what is seen reaches {reach:.2f}")
