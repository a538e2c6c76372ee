"""Vehicles and people: parked at kerbs, driving in lanes, waiting at lights, walking on pavements, crossing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gapdata.synthetic.description import yaw_facing
from gapdata.synthetic.models import Model
from gapdata.synthetic.street.buses import bus
from gapdata.synthetic.street.cars import car, truck, van
from gapdata.synthetic.street.cycles import cyclist, motorcycle
from gapdata.synthetic.street.people import pedestrian
from gapdata.synthetic.street.plan import CITY, CORNER, CROSSING, LEFT, PARKING, RIGHT, SIDE_REACH
from gapdata.synthetic.street.roadside import EAST, WEST
from gapdata.synthetic.street.site import Site

FIRST, LAST = -46.0, 72.0  # x between which there is traffic
TRIES = 8
DRIVING: tuple[tuple[Callable[[np.random.Generator], Model], float], ...] = (
    (car, 0.55), (van, 0.13), (bus, 0.1), (truck, 0.1), (cyclist, 0.12),
)  # fmt: skip


def park(site: Site) -> None:
    """Parked cars and vans along the kerbs that have a parking lane, facing the way of their side."""
    plan, rng = site.plan, site.rng
    for side, has_lane in ((RIGHT, plan.parking[0]), (LEFT, plan.parking[1])):
        at = FIRST + float(rng.uniform(0.0, 6.0))
        while has_lane and at < LAST:
            kind = float(rng.random())
            model = car(rng) if kind < 0.82 else van(rng) if kind < 0.95 else motorcycle(rng)
            length = float(model.size[1])
            if rng.random() < 0.35 + 0.55 * site.difficulty:
                middle = at + 0.5 * length
                clear = all(
                    abs(middle - x) > 0.5 * (length + CROSSING) + 1.5 for x in plan.crossings
                )
                if clear and not plan.is_roadway(middle, CORNER + 0.5 * length + 2.0):
                    away = plan.half(side) - 0.5 * PARKING + float(rng.uniform(-0.06, 0.06))
                    yaw = yaw_facing(_way(side)) + float(rng.normal(0.0, 0.015))
                    if site.on_road(model, (middle, side * away), yaw) is None:
                        site.give_up(model.label)
            at += length + float(rng.uniform(0.7, 2.2))


def _way(side: int) -> np.ndarray:
    """The direction of travel on a side of the main road: traffic keeps to the right."""
    return EAST if side == RIGHT else WEST


def drive_along(site: Site, ego_lane: int) -> None:
    """Moving vehicles in the lanes of the main road, at distances that drivers keep."""
    plan, rng = site.plan, site.rng
    for side in (RIGHT, LEFT):
        for lane in range(plan.lanes):
            at = FIRST + float(rng.uniform(0.0, 20.0))
            while at < LAST:
                model = _some_vehicle(rng)
                length = float(model.size[1])
                y = plan.lane_y(side, lane) + float(rng.normal(0.0, 0.08))
                if model.label == "cyclist":
                    y = side * (plan.lanes * plan.lane - 0.75)
                middle = at + 0.5 * length
                if not _is_kept_free(site, middle, length):
                    yaw = yaw_facing(_way(side)) + float(rng.normal(0.0, 0.008))
                    if site.on_road(model, (middle, y), yaw) is None and not (
                        side == RIGHT and lane == ego_lane
                    ):
                        site.give_up(model.label)
                at += length + float(rng.uniform(6.0, 16.0 + 40.0 * (1.0 - site.difficulty)))


def _some_vehicle(rng: np.random.Generator) -> Model:
    share = np.array([weight for _, weight in DRIVING])
    make, _ = DRIVING[int(rng.choice(len(DRIVING), p=share / share.sum()))]
    return make(rng)


def _is_kept_free(site: Site, middle: float, length: float) -> bool:
    """Crossings are kept free, and the junction when its lights are red for the main road."""
    plan = site.plan
    on_zebra = any(abs(middle - x) < 0.5 * (length + CROSSING) + 0.6 for x in plan.crossings)
    return on_zebra or (plan.signals == "red" and plan.is_roadway(middle, CORNER + 0.5 * length))


def cross_traffic(site: Site) -> None:
    """Vehicles on the crossing road: waiting at its mouths, or driving when the lights let them."""
    plan, rng = site.plan, site.rng
    for side in (RIGHT, LEFT):
        if not plan.opens(side):
            continue
        mouth = plan.half(side) + CORNER + 1.0
        if rng.random() < 0.4 + 0.5 * site.difficulty:
            model = _some_vehicle(rng)
            y = side * (mouth + 0.5 * float(model.size[1]) + float(rng.uniform(0.1, 0.8)))
            _put(site, model, (-side * 0.5 * plan.cross_half, y), np.array([0.0, -float(side)]))
        if rng.random() < 0.6:
            y = side * float(rng.uniform(mouth + 6.0, SIDE_REACH - 10.0))
            _put(
                site,
                _some_vehicle(rng),
                (side * 0.5 * plan.cross_half, y),
                np.array([0.0, float(side)]),
            )


def _put(site: Site, model: Model, spot: tuple[float, float], way: np.ndarray) -> None:
    if site.on_road(model, spot, yaw_facing(way)) is None:
        site.give_up(model.label)


def walkers(site: Site) -> None:
    """People on the pavements, alone and in pairs, some standing; others on crossings."""
    plan, rng = site.plan, site.rng
    count = round((5 + 16 * site.difficulty) * (1.0 if plan.district == CITY else 0.6))
    for _ in range(count):
        side = RIGHT if rng.random() < 0.5 else LEFT
        walking = bool(rng.random() < 0.8)
        way = (EAST if rng.random() < 0.5 else WEST) if walking else _any_way(rng)
        for _ in range(TRIES):
            x = float(rng.uniform(-34.0, 58.0))
            away = plan.half(side) + float(rng.uniform(0.9, plan.walk - 0.5))
            if _walk_at(site, (x, side * away), way, walking=walking) is not None:
                if rng.random() < 0.3:
                    _walk_at(site, (x + 0.1, side * (away + 0.75)), way, walking=walking)
                break
        else:
            site.give_up("pedestrian")
    for x in plan.crossings:
        may_walk = plan.signals != "green"
        for _ in range(int(rng.integers(0, 2 + round(2 * site.difficulty))) if may_walk else 0):
            y = float(rng.uniform(-plan.half(RIGHT) + 0.5, plan.half(LEFT) - 0.5))
            way = np.array([0.0, 1.0 if rng.random() < 0.5 else -1.0])
            model = pedestrian(rng, walking=True)
            if site.on_road(model, (x + float(rng.uniform(-1.1, 1.1)), y), yaw_facing(way)) is None:
                site.give_up("pedestrian")


def _walk_at(
    site: Site, spot: tuple[float, float], way: np.ndarray, *, walking: bool
) -> int | None:
    model = pedestrian(site.rng, walking=walking)
    return site.on_walk(model, spot, yaw_facing(way) + float(site.rng.normal(0.0, 0.15)))


def _any_way(rng: np.random.Generator) -> np.ndarray:
    angle = float(rng.uniform(-np.pi, np.pi))
    return np.array([np.cos(angle), np.sin(angle)])
