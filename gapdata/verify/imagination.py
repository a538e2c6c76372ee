"""Questions about what is seen from elsewhere: bearings and offsets of boxes, and whether the boxes fit the pixels."""

from __future__ import annotations

import json
import re

import numpy as np
from jaxtyping import Float

from gapdata.answers import FENCE
from gapdata.sample import QA
from gapdata.verify.names import naming_fault
from gapdata.verify.pixels import PixelFacts
from gapdata.verify.size import box_verdict
from gapdata.verify.verdict import (
    AGREE,
    Verdict,
    bounded,
    contradict,
    first_doubt,
    kind_of,
    margin_verdict,
    number_verdict,
    verdict_of,
)

Array = np.ndarray

# Kind of comparison and its sign, by the words of claims and options.
RELATIONS = {
    "to the left": ("side", 1), "to the right": ("side", -1), "nearer": ("depth", 1), "farther": ("depth", -1),
}  # fmt: skip
SIDES = {
    "in front of you": (0, 1), "behind you": (0, -1), "to your left": (1, 1), "to your right": (1, -1),
}  # fmt: skip


def from_place(centers: Float[Array, "n 3"]) -> Float[Array, "m 2"]:
    """Metres ahead and to the left, in complex numbers: what follows the second, divided by the way to it."""
    plan = centers[:, 0] + 1j * centers[:, 1]
    way = plan[1] - plan[0]
    turned = (plan[2:] - plan[0]) * abs(way) / way
    return np.stack([turned.real, turned.imag], axis=-1)


def spatial_imagination(facts: PixelFacts, qa: QA) -> Verdict:
    """The stated relation or offset from the boxes' middles, and from the middles of what is seen."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    boxes = np.stack([facts.instance(number).box.center for number in qa.objects])
    doubt = first_doubt(*(box_verdict(facts, number) for number in qa.objects))
    seen = from_place(boxes)
    if kind_of(qa) == "spatial_imagination_offset":
        sides = [side for side in SIDES if side in qa.question]
        if len(sides) != 1:
            return contradict(f"expected one side in {qa.question!r}, found {sides}")
        axis, sign = SIDES[sides[0]]
        return first_doubt(number_verdict(qa, float(sign * seen[0, axis]), 1e-3), doubt)
    text = qa.question if qa.format == "yesno" else qa.value
    claims = [claim for claim in RELATIONS if re.search(rf"\b{re.escape(claim)}(?!\w)", text)]
    if len(claims) != 1:
        return contradict(f"expected one relation in {text!r}, found {claims}")
    kind, sign = RELATIONS[claims[0]]
    more = _more(seen, kind)
    stated = qa.value if qa.format == "yesno" else True
    unit = "angle_deg" if kind == "side" else "gap_m"
    verdict = first_doubt(
        verdict_of((sign * more > 0) == stated, f"stated {qa.answer}, boxes differ by {more:.2f}"),
        margin_verdict(
            qa, abs(more), 0.1 if kind == "side" else 1e-3, at_least=qa.evidence[f"min_{unit}"]
        ),
    )
    middles = np.stack([facts.middle(number) for number in qa.objects])
    if np.isnan(middles).any():
        return first_doubt(verdict, bounded("an object without depth"))
    shown = _more(from_place(middles), kind)
    agrees = AGREE if shown * more > 0 else bounded(f"visible middles differ by {shown:.2f}")
    return first_doubt(verdict, agrees, doubt)


def _more(seen: Float[Array, "2 2"], kind: str) -> float:
    """How much more the first is to the left (degrees) or nearer (metres) than the second."""
    if kind == "side":
        cross = seen[1, 0] * seen[0, 1] - seen[1, 1] * seen[0, 0]
        return float(np.degrees(np.arctan2(cross, seen[0] @ seen[1])))
    return float(np.hypot(*seen[1]) - np.hypot(*seen[0]))


def scene_map(facts: PixelFacts, qa: QA) -> Verdict:
    """The cell of each box's middle, by the distances to the left and upper edges of the map."""
    if fault := naming_fault(facts, qa, qa.question, *qa.objects):
        return contradict(fault)
    fenced = FENCE.search(qa.answer)
    stated = json.loads(fenced[1]) if fenced else []
    cell, cells = qa.evidence["cell_m"], qa.evidence["cells"]
    if f"{cell:.1f} m" not in qa.question:
        return contradict(f"the question does not say {cell:.1f} m a cell")
    first = qa.views[0]
    forward = facts.axis(first, "forward")[:2]
    ahead = forward / np.linalg.norm(forward)
    right = np.array([ahead[1], -ahead[0]])
    half = 0.5 * cells * cell
    rows, edge = [], np.inf
    for number in qa.objects:
        away = (facts.instance(number).box.center - facts.center(first))[:2]
        from_corner = np.array([half + away @ right, half - away @ ahead])
        place = from_corner // cell
        rest = from_corner - place * cell
        edge = min(edge, float(rest.min()), float((cell - rest).min()))
        rows.append(place.astype(int).tolist())
    found = [row["cell"] for row in stated]
    if len(stated) != len(rows):
        return contradict(f"{len(stated)} rows for {len(rows)} objects")
    for number, row in zip(qa.objects, stated, strict=True):
        if fault := naming_fault(facts, qa, row["label"], number):
            return contradict(fault)
    return first_doubt(
        verdict_of(found == rows, f"stated cells {found}, boxes are in {rows}"),
        margin_verdict(qa, edge, 1e-3, at_least=qa.evidence["min_margin_m"]),
        *(box_verdict(facts, number) for number in qa.objects),
    )
