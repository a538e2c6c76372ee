"""What lies: the road, its markings, pavements with kerbs, and the land behind them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.materials import Finish, pick
from gapdata.synthetic.models import Model, Part, parts_of
from gapdata.synthetic.shapes import Solid, Vector, prism
from gapdata.synthetic.street.plan import (
    AHEAD,
    BEHIND,
    CITY,
    CORNER,
    CROSSING,
    END_ROAD,
    KERB,
    LEFT,
    NO_JUNCTION,
    RIGHT,
    SIDE_REACH,
    SKIN,
    StreetPlan,
)  # fmt: skip
from gapdata.synthetic.street.solids import boxes

Array = np.ndarray

KERB_WIDTH = 0.15
LINE = 0.12  # metres, width of painted lines
PAINT = Finish(rgb=(232, 232, 226), material="paint", texture="concrete")
KERBSTONE = Finish(rgb=(176, 174, 168), material="stone", texture="concrete")
END_LOW, END_HIGH = (
    BEHIND - END_ROAD,
    AHEAD + END_ROAD,
)  # x where land begins beyond the transverse roads
SLAB = 0.3  # metres, thickness of all ground
LAND = 14.0  # metres of land beyond these


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Terrain:
    """A thing to walk or build on: its model at the origin, and a rectangle (x, y low and high) that it covers."""

    model: Model
    low: Float[Array, "2"]
    high: Float[Array, "2"]


def road(rng: np.random.Generator, plan: StreetPlan) -> Model:
    """The asphalt of all roads between the kerbs; its top is z = 0."""
    finish = Finish(
        rgb=pick(rng, ((104, 104, 106), (88, 89, 92), (118, 116, 112)), 4),
        material="asphalt", texture="asphalt",
    )  # fmt: skip
    low, high = -plan.half(RIGHT), plan.half(LEFT)
    solids = [_slab((END_LOW, low), (END_HIGH, high))]
    for side in (RIGHT, LEFT):
        kerb, reach = side * plan.half(side), side * plan.reach(side)
        solids += [_slab((END_LOW, kerb), (BEHIND, reach)), _slab((AHEAD, kerb), (END_HIGH, reach))]
        if plan.opens(side):
            solids.append(_slab((-plan.cross_half, kerb), (plan.cross_half, reach)))
        for start, end in plan.blocks(side):
            for x, inward in ((start, 1.0), (end, -1.0)):
                corner = np.array([x, kerb])
                solids += _fan(corner, corner + _corner_arc(plan) * [inward, float(side)])
    return Model(label="road", parts=parts_of(finish, *solids), finish=finish)


def _corner_arc(plan: StreetPlan) -> Float[Array, "7 2"]:
    """The rounded kerb of a corner at the origin whose land is at x, y > 0: from the y axis to the x axis."""
    radius = min(CORNER, plan.walk - 0.2)
    turn = np.linspace(0.0, 0.5 * np.pi, 7)
    return radius * np.stack([1.0 - np.cos(turn), 1.0 - np.sin(turn)], axis=-1)


def _fan(corner: Float[Array, "2"], arc: Float[Array, "k 2"]) -> list[Solid]:
    """Road between a corner point and the arc that rounds it, as triangles."""
    solids = []
    for a, b in pairwise(arc):
        (ax, ay), (bx, by) = a - corner, b - corner
        outline = np.stack([corner, a, b] if ax * by - ay * bx > 0 else [corner, b, a])
        solids.append(prism(outline, -SLAB, 0.0))
    return solids


def pavements(rng: np.random.Generator, plan: StreetPlan) -> list[Terrain]:
    """The kerbed pavements around every block, and along the transverse roads."""
    finish = Finish(
        rgb=pick(rng, ((170, 168, 162), (186, 178, 164), (150, 148, 146)), 6),
        material="stone", texture="paving" if rng.random() < 0.75 else "concrete",
    )  # fmt: skip
    laid, walk = [], plan.walk
    for side in (RIGHT, LEFT):
        outer, reach = side * (plan.half(side) + walk), side * plan.reach(side)
        for start, end in plan.blocks(side):
            laid.append(_corner_band(plan, finish, side, (start, end)))
            laid.append(_band(finish, (start, outer), (start + walk, reach), open_x=start))
            laid.append(_band(finish, (end - walk, outer), (end, reach), open_x=end))
    low, high = -plan.reach(RIGHT), plan.reach(LEFT)
    laid.append(_band(finish, (END_HIGH, low), (END_HIGH + walk, high), open_x=END_HIGH))
    laid.append(_band(finish, (END_LOW - walk, low), (END_LOW, high), open_x=END_LOW))
    return laid


def _corner_band(plan: StreetPlan, finish: Finish, side: int, span: tuple[float, float]) -> Terrain:
    """The pavement along the main road, with rounded corners at both ends."""
    start, end = span
    kerb, outer = plan.half(side), plan.half(side) + plan.walk
    arc = _corner_arc(plan)
    radius = float(arc.max())
    parts: list[Part] = []
    for inset, low, high, paint in (
        (0.0, -SLAB, KERB, KERBSTONE),
        (KERB_WIDTH, KERB, KERB + SKIN, finish),
    ):
        shrunk = inset + arc * (radius - inset) / radius
        first, last = [start, kerb] + shrunk, [end, kerb] + shrunk[::-1] * [-1.0, 1.0]
        outline = np.concatenate([first, last, [[end - inset, outer], [start + inset, outer]]])
        outline = outline * [1.0, float(side)]
        parts += parts_of(paint, prism(outline if side > 0 else outline[::-1], low, high))
    ys = np.sort([side * kerb, side * outer])
    return Terrain(
        model=Model(label="sidewalk", parts=tuple(parts), finish=finish),
        low=np.array([start + CORNER, ys[0]]),
        high=np.array([end - CORNER, ys[1]]),
    )


def _band(
    finish: Finish, one: tuple[float, float], other: tuple[float, float], open_x: float
) -> Terrain:
    """A straight pavement along a transverse road, whose kerb is at `open_x`."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    inner_low, inner_high = low.copy(), high.copy()
    if open_x == low[0]:
        inner_low[0] += KERB_WIDTH
    else:
        inner_high[0] -= KERB_WIDTH
    parts = [
        *parts_of(KERBSTONE, _slab(low, high, -SLAB, KERB)),
        *parts_of(finish, _slab(inner_low, inner_high, KERB, KERB + SKIN)),
    ]
    return Terrain(
        model=Model(label="sidewalk", parts=tuple(parts), finish=finish), low=low, high=high
    )


def _slab(one: Vector, other: Vector, bottom: float = -SLAB, top: float = 0.0) -> Solid:
    """A level box between two opposite corners (x, y)."""
    corners = np.array([one, other], np.float64)
    size, middle = np.ptp(corners, axis=0), corners.mean(axis=0)
    return boxes(np.array([[*size, top - bottom]]), np.array([[*middle, bottom]]))


def lands(rng: np.random.Generator, plan: StreetPlan) -> list[Terrain]:
    """The land inside every block: paved yards in the city, lawns elsewhere."""
    if plan.district == CITY:
        finish = Finish(
            rgb=pick(rng, ((132, 130, 124), (150, 146, 136)), 5),
            material="concrete",
            texture="concrete",
        )
    else:
        finish = Finish(
            rgb=pick(rng, ((96, 124, 62), (112, 130, 70), (82, 112, 58)), 6),
            material="grass",
            texture="grass",
        )
    corners = []
    for side in (RIGHT, LEFT):
        outer, reach = side * (plan.half(side) + plan.walk), side * plan.reach(side)
        for start, end in plan.blocks(side):
            corners.append(((start + plan.walk, outer), (end - plan.walk, reach)))
    right, left = -plan.reach(RIGHT), plan.reach(LEFT)
    corners.append(((END_HIGH + plan.walk, right), (END_HIGH + LAND, left)))
    corners.append(((END_LOW - LAND, right), (END_LOW - plan.walk, left)))
    laid = []
    for one, other in corners:
        low, high = np.minimum(one, other), np.maximum(one, other)
        model = Model(
            label="ground", parts=parts_of(finish, _slab(low, high, -SLAB, KERB)), finish=finish
        )
        laid.append(Terrain(model=model, low=low, high=high))
    return laid


def crosswalk(plan: StreetPlan, x: float) -> Model:
    """A zebra crossing over the main road at x, bars along the road."""
    low, high = -plan.half(RIGHT) + 0.25, plan.half(LEFT) - 0.25
    count = int((high - low) / 1.0)
    ys = np.linspace(low + 0.25, high - 0.25, count)
    bars = boxes(
        np.tile([CROSSING, 0.5, SKIN], (count, 1)),
        np.stack([np.full(count, x), ys, np.zeros(count)], axis=-1),
    )
    return Model(label="crosswalk", parts=parts_of(PAINT, bars), finish=PAINT)


def markings(plan: StreetPlan) -> Model:
    """All painted lines: dashed between directions and lanes, along parking lanes, stop lines."""
    spans = _line_spans(plan)
    sizes: list[tuple[float, float, float]] = []
    places: list[tuple[float, float, float]] = []

    def line(x0: float, x1: float, y: float, wide: float = LINE) -> None:
        sizes.append((x1 - x0, wide, SKIN))
        places.append((0.5 * (x0 + x1), y, 0.0))

    for start, end in spans:
        for x in np.arange(start + 1.0, end - 3.0, 6.0).tolist():
            line(x, x + 3.0, 0.0)
            for number in range(1, plan.lanes):
                line(x, x + 3.0, number * plan.lane)
                line(x, x + 3.0, -number * plan.lane)
        for side in (RIGHT, LEFT):
            line(
                start,
                end,
                side
                * (
                    plan.lanes * plan.lane
                    + (0.0 if plan.parking[0 if side == RIGHT else 1] else 0.12)
                ),
            )
    for x in plan.crossings:
        if plan.junction != NO_JUNCTION or plan.mid_crossing is not None:
            for side, toward in ((RIGHT, -1), (LEFT, 1)):
                if plan.junction != NO_JUNCTION and np.sign(x) != toward:
                    continue
                sizes.append((0.4, plan.lanes * plan.lane - 0.5, SKIN))
                places.append(
                    (x + toward * (0.5 * CROSSING + 0.9), side * 0.5 * plan.lanes * plan.lane, 0.0)
                )
    for side in (RIGHT, LEFT):
        if plan.opens(side):
            _side_road(plan, side, sizes, places)
    return Model(
        label="lane marking",
        parts=parts_of(PAINT, boxes(np.array(sizes), np.array(places))),
        finish=PAINT,
    )


def _line_spans(plan: StreetPlan) -> list[tuple[float, float]]:
    """X ranges of the main road with lines: not over crossings and junctions."""
    breaks = [(x - 0.5 * CROSSING - 0.6, x + 0.5 * CROSSING + 0.6) for x in plan.crossings]
    if plan.junction != NO_JUNCTION:
        breaks.append((-plan.cross_half - CORNER, plan.cross_half + CORNER))
    spans, at = [], BEHIND + 3.0
    for start, end in [*sorted(breaks), (AHEAD - 3.0, AHEAD)]:
        if start - at > 4.0:
            spans.append((at, start))
        at = max(at, end)
    return spans


def _side_road(
    plan: StreetPlan,
    side: int,
    sizes: list[tuple[float, float, float]],
    places: list[tuple[float, float, float]],
) -> None:
    """Centre dashes and a stop line of the crossing road on one side."""
    mouth = plan.half(side) + CORNER
    for y in np.arange(mouth + 2.5, SIDE_REACH - 4.0, 6.0).tolist():
        sizes.append((LINE, 3.0, SKIN))
        places.append((0.0, side * (y + 1.5), 0.0))
    # Traffic that arrives drives on its right: on the left side (y > 0) that is the half x < 0.
    sizes.append((plan.cross_half - 0.5, 0.4, SKIN))
    places.append((-side * 0.5 * plan.cross_half, side * (mouth + 0.6), 0.0))
