"""What stands beside the road: buildings, gardens, trees, lamps, signs and other furniture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gapdata.synthetic.description import yaw_facing
from gapdata.synthetic.models import Model
from gapdata.synthetic.street import furniture, greenery
from gapdata.synthetic.street.buildings import building, city_style, house_style
from gapdata.synthetic.street.cycles import bicycle, motorcycle
from gapdata.synthetic.street.ground import END_HIGH
from gapdata.synthetic.street.plan import (
    AHEAD,
    BEHIND,
    CITY,
    CORNER,
    CROSSING,
    LEFT,
    NO_JUNCTION,
    RIGHT,
    SIDE_REACH,
)  # fmt: skip
from gapdata.synthetic.street.signs import sign, traffic_light
from gapdata.synthetic.street.site import Site

Make = Callable[[np.random.Generator], Model]

WEST, EAST = np.array([-1.0, 0.0]), np.array([1.0, 0.0])  # towards -x and +x
DEPTH = (9.0, 12.0)  # metres, of buildings
FRONT_GAP = 0.16  # metres from the pavement to a front, for steps and sills
TRIES = 10


def towards_road(side: int) -> float:
    """Yaw of what stands on a side of the main road and looks at it."""
    return yaw_facing(np.array([0.0, -float(side)]))


def build_up(site: Site) -> None:
    """Rows of buildings along the main road, the crossing road and the transverse roads, gardens before houses."""
    plan = site.plan
    for side in (RIGHT, LEFT):
        front = plan.half(side) + plan.walk + plan.setback + FRONT_GAP
        for start, end in plan.blocks(side):
            low, high = start + plan.walk + 0.3, end - plan.walk - 0.3
            _row(site, side, (low, high), front)
            if plan.district != CITY:
                _gardens(site, side, (low, high))
        if plan.opens(side):
            for end in (-1, 1):
                _side_row(site, side, end, front)
    for along in (-1, 1):
        _closing_row(site, along)


def _row(site: Site, side: int, span: tuple[float, float], front: float) -> None:
    """Buildings along the main road from one x to another, their fronts `front` metres from its axis."""
    at, rng, city, joined = span[0], site.rng, site.plan.district == CITY, False
    while span[1] - at > 6.5:
        wide = float(rng.uniform(9.0, 17.0) if city else rng.uniform(8.0, 12.0))
        if span[1] - at - wide < 6.5:
            wide = min(span[1] - at, 20.0 if city else 13.0)
        joins = city and bool(rng.random() < 0.8) and span[1] - at - wide > 6.5
        # Seen from the road, the building's own +x side is the one to the viewer's right.
        ends = (not joined, not joins) if side == RIGHT else (not joins, not joined)
        back = 0.0 if city else float(rng.uniform(0.0, 1.5))
        _build(site, (at + 0.5 * wide, side * (front + back)), wide, towards_road(side), ends)
        joined = joins
        at += wide + (
            0.0 if joins else float(rng.uniform(2.5, 5.0) if city else rng.uniform(3.5, 7.0))
        )


def _build(
    site: Site, spot: tuple[float, float], wide: float, yaw: float, ends: tuple[bool, bool], depth: float | None = None
) -> None:  # fmt: skip
    """A building of the district's kind whose front's middle is at a spot; counted when it does not fit."""
    rng, city = site.rng, site.plan.district == CITY
    style = city_style(rng) if city else house_style(rng)
    deep = float(rng.uniform(*DEPTH)) if depth is None else depth
    model = building(rng, style, (wide, deep), "building" if city else "house", open_sides=ends)
    if site.on_land(model, spot, yaw) is None:
        site.give_up(model.label)


def _side_row(site: Site, side: int, end: int, front: float) -> None:
    """Buildings along one side of the crossing road, behind the corner buildings."""
    plan, rng = site.plan, site.rng
    at = front + DEPTH[1] + 2.5
    while SIDE_REACH - at > 7.0:
        wide = min(float(rng.uniform(8.0, 14.0)), SIDE_REACH - at - 0.2)
        x = end * (plan.cross_half + plan.walk + plan.setback + FRONT_GAP)
        _build(
            site,
            (x, side * (at + 0.5 * wide)),
            wide,
            yaw_facing(np.array([-float(end), 0.0])),
            (True, True),
        )
        at += wide + 3.0


def _closing_row(site: Site, along: int) -> None:
    """Buildings beyond the transverse road at one end, so that the view ends at fronts."""
    plan, rng, city = site.plan, site.rng, site.plan.district == CITY
    edge = END_HIGH if along > 0 else BEHIND - (END_HIGH - AHEAD)
    x = edge + along * (plan.walk + FRONT_GAP + 0.3 * plan.setback)
    at, last = -min(26.0, plan.reach(RIGHT) - 0.3), min(26.0, plan.reach(LEFT) - 0.3)
    while last - at > 7.0:
        wide = min(float(rng.uniform(9.0, 16.0)), last - at)
        deep = 8.5 if city else 7.5
        yaw = yaw_facing(np.array([-float(along), 0.0]))
        _build(site, (x, at + 0.5 * wide), wide, yaw, (False, False), deep)
        at += wide + (0.0 if city else 4.0)


def _gardens(site: Site, side: int, span: tuple[float, float]) -> None:
    """Hedges and fences at the pavement's edge with gaps for paths, trees and bushes on the lawn."""
    plan, rng = site.plan, site.rng
    line = plan.half(side) + plan.walk + 0.65
    at = span[0] + 0.5
    while span[1] - at > 3.0:
        length = min(float(rng.uniform(3.0, 8.0)), span[1] - at - 0.2)
        kind = float(rng.random())
        if kind < 0.75:
            model = greenery.hedge(rng, length) if kind < 0.45 else greenery.fence(rng, length)
            if site.on_land(model, (at + 0.5 * length, side * line), towards_road(side)) is None:
                site.give_up(model.label)
        at += length + float(rng.uniform(0.9, 2.0))
    for _ in range(2 + round(5 * site.difficulty)):
        spot = (
            float(rng.uniform(*span)),
            side * (line + float(rng.uniform(0.9, max(1.0, plan.setback - 0.6)))),
        )
        _try(site, site.on_land, greenery.shrub(rng), spot, 0.0)
    for _ in range(5):
        spot = (
            float(rng.uniform(*span)),
            side * (line + plan.setback + float(rng.uniform(1.0, 18.0))),
        )
        radius = float(rng.uniform(1.3, 2.4))
        _try(
            site, site.on_land, greenery.tree(rng, radius, float(rng.uniform(1.6, 2.6))), spot, 0.0
        )


def _try(
    site: Site, put: Callable[..., int | None], model: Model, spot: tuple[float, float], yaw: float
) -> int | None:
    placed = put(model, spot, yaw)
    if placed is None:
        site.give_up(model.label)
    return placed


def control(site: Site) -> None:
    """Traffic lights or priority signs at the junction, signs at crossings and along the road."""
    plan, rng = site.plan, site.rng
    if plan.junction != NO_JUNCTION:
        if plan.signals:
            _lights(site)
        else:
            for side in (RIGHT, LEFT):
                if plan.opens(side):
                    _side_sign(site, side, "stop" if rng.random() < 0.5 else "yield")
    elif plan.mid_crossing is not None:
        for side in (RIGHT, LEFT):
            _kerbside_sign(site, side, "crosswalk", plan.mid_crossing + side * 2.4)
    kinds = ("speed limit", "parking", "no entry", "one way", "speed limit", "parking")
    for kind in rng.permutation(np.array(kinds))[: 2 + round(2 * site.difficulty)].tolist():
        side = RIGHT if rng.random() < 0.6 else LEFT
        _kerbside_sign(site, side, kind, float(rng.uniform(-22.0, 45.0)))


def _kerbside_sign(site: Site, side: int, kind: str, x: float) -> None:
    """A sign beside the road that faces the traffic of its side, near x."""
    model = sign(site.rng, kind)
    y = site.plan.half(side) + 0.45 + float(model.high[0])
    for _ in range(TRIES):
        if not site.plan.is_roadway(x, CORNER + 1.0) and (
            site.on_walk(model, (x, side * y), yaw_facing(WEST if side == RIGHT else EAST))
            is not None
        ):
            return
        x += float(site.rng.uniform(-2.5, 2.5))
    site.give_up(model.label)


def _side_sign(site: Site, side: int, kind: str) -> None:
    """A priority sign for the traffic that arrives from the crossing road on a side."""
    plan = site.plan
    x = -side * (plan.cross_half + 0.5 + 0.4)
    spot = (x, side * (plan.half(side) + plan.walk + 0.8))
    _try(site, site.on_walk, sign(site.rng, kind), spot, yaw_facing(np.array([0.0, float(side)])))


def _lights(site: Site) -> None:
    """Lights for each road at the stop lines, on the right-hand side of those they face."""
    plan, rng = site.plan, site.rng
    other = "green" if plan.signals == "red" else "red"
    for side, facing in ((RIGHT, WEST), (LEFT, EAST)):
        x = facing[0] * (abs(plan.crossings[0]) + 0.5 * CROSSING + 0.5)
        reach = 0.5 * plan.lane + 1.6 if rng.random() < 0.4 else 0.0
        _try(
            site,
            site.on_walk,
            traffic_light(rng, plan.signals, reach),
            (x, side * (plan.half(side) + 0.55)),
            yaw_facing(facing),
        )
    for side in (RIGHT, LEFT):
        if plan.opens(side):
            spot = (-side * (plan.cross_half + 0.5), side * (plan.half(side) + plan.walk + 0.5))
            _try(
                site,
                site.on_walk,
                traffic_light(rng, other),
                spot,
                yaw_facing(np.array([0.0, float(side)])),
            )


def line_kerbs(site: Site) -> None:
    """Street lamps and trees at even distances behind the kerbs."""
    plan, rng = site.plan, site.rng
    make = (
        furniture.street_lamp if plan.district != CITY or rng.random() < 0.7 else furniture.old_lamp
    )
    model, lamp_gap = make(rng), float(rng.uniform(18.0, 26.0))
    has_trees, tree_gap = (
        rng.random() < (0.6 if plan.district == CITY else 0.4),
        float(rng.uniform(7.0, 12.0)),
    )
    for side in (RIGHT, LEFT):
        y = side * (plan.half(side) + 0.55)
        for x in np.arange(BEHIND + 6.0 + 4.0 * (side > 0), AHEAD - 5.0, lamp_gap).tolist():
            if not plan.is_roadway(x, CORNER + 1.5):
                _try(site, site.on_walk, model, (x, y), towards_road(side))
        for x in (
            np.arange(BEHIND + 9.0, AHEAD - 6.0, tree_gap).tolist()
            if has_trees and plan.walk > 2.4
            else []
        ):
            if not plan.is_roadway(x, CORNER + 3.5):
                radius = min(float(rng.uniform(1.2, 1.9)), 0.8 * plan.walk)
                _try(
                    site,
                    site.on_walk,
                    greenery.tree(rng, radius, float(rng.uniform(2.6, 3.4))),
                    (x, side * (plan.half(side) + 0.62)),
                    0.0,
                )


KERBSIDE: tuple[Make, ...] = (
    furniture.advertising_column,  # on wide pavements only
    furniture.trash_can, furniture.bollard, furniture.hydrant, furniture.mailbox, furniture.utility_box,
    furniture.parking_meter, bicycle, motorcycle, furniture.bollard,
)  # fmt: skip
FRONTAGE: tuple[Make, ...] = (
    furniture.bench, greenery.planter, furniture.trash_can, furniture.wheelie_bin, furniture.utility_box, bicycle,
    furniture.dumpster, furniture.wheelie_bin, greenery.planter,
)  # fmt: skip


ONE_A_SIDE: tuple[Make, ...] = (
    furniture.advertising_column, furniture.mailbox, furniture.hydrant,
)  # fmt: skip
BOLLARDS, BOLLARD_GAP = (2, 6), 1.5  # alike in a row, and metres between them


def furnish(site: Site) -> None:
    """Small things along kerbs and along house fronts, the more the higher the difficulty."""
    plan, rng = site.plan, site.rng
    kerbside = KERBSIDE if plan.walk > 3.0 else KERBSIDE[1:]
    for side in (RIGHT, LEFT):
        if plan.walk > 3.2 and rng.random() < 0.5:
            _stand(site, furniture.bus_stop(rng), side, plan.half(side) + 1.2)
        seldom = set(ONE_A_SIDE)
        for _ in range(4 + round(9 * site.difficulty)):
            make = kerbside[int(rng.integers(len(kerbside)))]
            if make in ONE_A_SIDE:
                if make not in seldom:
                    continue
                seldom.remove(make)
            model = make(rng)
            away = plan.half(side) + 0.25 + 0.5 * float(model.size[1])
            if make in (bicycle, motorcycle):
                _stand(site, model, side, plan.half(side) + 0.75, turn=0.5 * np.pi)
            elif make is furniture.bollard:
                _several(site, model, side, away)
            else:
                _stand(site, model, side, away)
        for _ in range(3 + round(7 * site.difficulty)):
            make = FRONTAGE[int(rng.integers(len(FRONTAGE)))]
            model = make(rng)
            deep = 0.5 * float(model.size[0 if make is bicycle else 1])
            away = plan.half(side) + plan.walk - deep - 0.35
            _stand(site, model, side, away, turn=0.5 * np.pi if make is bicycle else 0.0)


def _stand(site: Site, model: Model, side: int, away: float, turn: float = 0.0) -> int | None:
    """Stands a thing on a side's pavement, `away` metres from the road's axis, at a random x; turned from facing the road."""
    for _ in range(TRIES):
        x = float(site.rng.uniform(-32.0, 52.0))
        index = site.on_walk(model, (x, side * away), towards_road(side) + turn)
        if index is not None:
            return index
    site.give_up(model.label)
    return None


def _several(site: Site, model: Model, side: int, away: float) -> None:
    """A few of the same in a row along a kerb."""
    first = _stand(site, model, side, away)
    if first is not None:
        x = float(site.placed[first].position[0])
        for k in range(1, int(site.rng.integers(*BOLLARDS))):
            _try(site, site.on_walk, model, (x + BOLLARD_GAP * k, side * away), towards_road(side))


def roadworks(site: Site) -> None:
    """Cones around a stretch of the parking lane or the roadside, now and then."""
    plan, rng = site.plan, site.rng
    if rng.random() > 0.1 + 0.3 * site.difficulty:
        return
    side = RIGHT if rng.random() < 0.5 else LEFT
    start, y = float(rng.uniform(2.0, 30.0)), plan.half(side) - 0.35
    for k in range(int(rng.integers(4, 8))):
        _try(site, site.on_road, furniture.traffic_cone(rng), (start + 1.3 * k, side * y), 0.0)
