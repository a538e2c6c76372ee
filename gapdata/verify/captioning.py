"""Questions about descriptions of objects, and lists of points, from what the pixels show of them."""

from __future__ import annotations

import json
import re

import numpy as np

from gapdata.answers import FENCE, AnswerError
from gapdata.captions import Caption, read_caption
from gapdata.sample import QA
from gapdata.verify.distance import gap_bounds
from gapdata.verify.grounding import stated_box_verdict
from gapdata.verify.matching import boxed_choice_fault, nearest_center
from gapdata.verify.names import ADJECTIVES, naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.points import STATED_STEP
from gapdata.verify.size import box_verdict
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    unverifiable,
    verdict_of,
)

BOX_WORDS = re.compile(r"bbox_3d \[([-0-9., ]+)\]")
POINT_STEP = STATED_STEP + 0.001  # metres: and depth is stored in millimetres
BOX_STEP = 0.006  # half of two decimals


def describe_object(facts: PixelFacts, qa: QA) -> Verdict:
    """The caption, read back: label and attributes, the box's sizes, bounds of the gap, sides in the picture."""
    (number,), (view,) = qa.objects, qa.views
    try:
        caption = read_caption(qa.answer)
    except AnswerError as error:
        return contradict(str(error))
    if kind_of(qa) == "describe_object_marked":
        if fault := naming_fault(facts, qa, qa.question, number):
            return contradict(fault)
        named = AGREE
    else:
        match = BOX_WORDS.search(qa.question)
        if match is None:
            return contradict("the question names no bbox_3d")
        named = _box_named(facts, view, number, [float(part) for part in match[1].split(",")])
    instance = facts.instance(number)
    size = instance.box.size
    words = caption.name.casefold().split()
    label = instance.label.casefold().split()
    said = instance.attributes
    told = {said.color, ADJECTIVES.get(said.material, said.material), "a", "an", "the"}
    if words[-len(label) :] != label or not set(words[: -len(label)]) <= told:
        return contradict(f"named {caption.name!r}, the table says {instance.label!r} and {told}")
    off = max(abs(caption.height - size[2]), abs(caption.width - size[:2].max()))
    return first_doubt(
        named,
        verdict_of(
            off <= STATED_STEP, f"stated {qa.answer!r}, the box is {size.round(3).tolist()} m"
        ),
        box_verdict(facts, number),
        _neighbour_verdict(facts, view, number, caption),
    )


def _box_named(facts: PixelFacts, view: int, number: int, stated: list[float]) -> Verdict:
    """Whether nine rounded numbers are the box: two decimals of an angle move a corner by some millimetres."""
    center = facts.in_camera(view, facts.instance(number).box.center[None])[0]
    size = np.sort(facts.instance(number).box.size)
    off = max(
        float(np.abs(np.array(stated[:3]) - center).max()),
        float(np.abs(np.sort(stated[3:6]) - size).max()),
    )
    rough = stated_box_verdict(facts, view, number, stated)
    return verdict_of(off <= BOX_STEP, f"bbox_3d {stated} is {off:.3f} m off: {rough.detail}")


def _neighbour_verdict(facts: PixelFacts, view: int, number: int, caption: Caption) -> Verdict:
    if not caption.neighbour:
        return AGREE
    found = [other for other in facts.ids((view,)) if facts.label(other) == caption.neighbour]
    if len(found) != 1 or found[0] == number:
        return contradict(f"{caption.neighbour!r} means {found}")
    least, most = gap_bounds(facts, number, found[0])
    if not least - 0.01 <= caption.distance <= most + 0.01:
        return contradict(f"stated {caption.distance} m, bounds {least:.2f} and {most:.2f} m")
    if caption.side:
        pixels = [facts.uv(view, one)[:, 0] for one in (number, found[0])]
        if min(len(own) for own in pixels) == 0:
            return contradict(f"view {view} does not show both {number} and {found[0]}")
        left = [float(np.median(own)) for own in pixels]
        if (left[0] < left[1]) != (caption.side == "left"):
            return contradict(f"stated to the {caption.side}, columns are {left}")
    close = max(0.1 * caption.distance, 2.0 * facts.tolerance)
    return AGREE if most - caption.distance <= close else bounded(f"{least:.2f} to {most:.2f} m")


def refer_to_object(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated box surrounds what the words name, or the nearest or farthest one from it that the pixels allow."""
    (view,) = qa.views
    if fault := boxed_choice_fault(facts, qa, view, qa.objects):
        return contradict(fault)
    options = [f"the {m['color']} box" for m in qa.markers if m["kind"] == "box"][: len(qa.objects)]
    stated = qa.objects[options.index(qa.value)]
    if kind_of(qa) == "refer_to_object_name":
        others = tuple(number for number in qa.objects if number != stated)
        meant = [named["object"] for named in qa.evidence["references"]]
        if meant != [stated]:
            return contradict(f"stated {stated}, the words mean {meant}")
        if fault := naming_fault(facts, qa, qa.question, stated):
            return contradict(fault)
        gap = nearest_center(facts, stated, others)
        return margin_verdict(qa, gap, 1e-4, at_least=qa.evidence["min_gap_m"])
    anchor = qa.evidence["anchor"]
    if fault := naming_fault(facts, qa, qa.question, anchor):
        return contradict(fault)
    sign = -1.0 if kind_of(qa) == "refer_to_object_farthest" else 1.0
    measured = dict(zip(qa.objects, qa.evidence["distances_m"], strict=True))
    bounds = {number: gap_bounds(facts, anchor, number) for number in qa.objects}
    for number, distance in measured.items():
        low, high = bounds[number]
        if not low - 0.01 <= distance <= high + 0.01:
            return contradict(
                f"{number}: measured {distance:.2f} m, bounds {low:.2f} and {high:.2f} m"
            )
    first, second, *_ = sorted(sign * distance for distance in measured.values())
    best = min(measured, key=lambda number: sign * measured[number])
    return first_doubt(
        verdict_of(best == stated, f"stated {stated}, measured {measured}"),
        margin_verdict(qa, second - first, 1e-6, at_least=qa.evidence["min_gap_m"]),
        _decided(bounds, stated, sign),
    )


def _decided(bounds: dict[int, tuple[float, float]], stated: int, sign: float) -> Verdict:
    """Whether the pixels' bounds alone decide the choice."""
    low, high = bounds[stated]
    others = [bound for number, bound in bounds.items() if number != stated]
    if sign > 0:
        decided = high < min(lower for lower, _ in others)
    else:
        decided = low > max(upper for _, upper in others)
    return AGREE if decided else bounded("the bounds of the distances overlap")


def pointmap_list(facts: PixelFacts, qa: QA) -> Verdict:
    """Label and place of each pixel, unprojected through the stored depth into the first view's axes."""
    spots = list(zip(qa.evidence["views"], qa.evidence["pixels"], strict=True))
    if qa.markers:
        drawn = [(marker["view"], marker["pixel"], marker["text"]) for marker in qa.markers]
        if drawn != [(view, pixel, str(place)) for place, (view, pixel) in enumerate(spots, 1)]:
            return contradict(f"marked {drawn}, measured {spots}")
    else:
        named = [f"({u:.0f}, {v:.0f})" for _, (u, v) in spots]
        if not all(words in qa.question for words in named):
            return contradict(f"the question does not name {named}")
    fenced = FENCE.search(qa.answer)
    rows = json.loads(fenced[1]) if fenced else []
    if len(rows) != len(spots):
        return contradict(f"{len(rows)} rows for {len(spots)} pixels")
    for (view, (u, v)), row in zip(spots, rows, strict=True):
        if facts.depth_at(view, u, v) <= 0:
            return unverifiable("no depth at the pixel")
        label = facts.label(facts.id_at(view, u, v))
        derived = facts.in_camera(qa.views[0], facts.point_at(view, u, v))
        off = float(np.abs(np.array(row["point_3d"]) - derived).max())
        if row["label"] != label or off > POINT_STEP:
            return contradict(
                f"stated {row}, the pixel shows {label} at {derived.round(3).tolist()}"
            )
    return AGREE
