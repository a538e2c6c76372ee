"""The world of houses: several furnished rooms on one floor, a walk through their doors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gapdata.scene import AreaLight, Light
from gapdata.synthetic.assets.library import Library
from gapdata.synthetic.collision import prisms_of
from gapdata.synthetic.description import NOT_SUPPORTED, Description, Placed, yaw_facing
from gapdata.synthetic.doors import door_frame, door_leaf, hinge_offset
from gapdata.synthetic.floor_path import PathConfig
from gapdata.synthetic.freespace import FreeSpace
from gapdata.synthetic.furnishing import FURNISH
from gapdata.synthetic.house_plan import OUTSIDE, PARTITION, Doorway, HousePlan, sample_house
from gapdata.synthetic.lighting import lit, sample_lighting, shining
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.room_views import ceiling_lights, daylight, things_to_see
from gapdata.synthetic.shell import build_shell, closed_door
from gapdata.synthetic.trajectory import TRAJECTORIES, Sights, WalkConfig

Array = np.ndarray

CLEARANCE = 0.22  # metres from the walker's axis to anything: doors are narrow
MIN_WALK = 0.5  # square metres on which its axis can move, in every room
FRAMES_A_ROOM = 12
STOPS_A_ROOM = 2
STEP = 0.4  # metres between frames


class HouseWorld:
    """Houses of three to eight rooms with doors, windows and a corridor."""

    library: Library | None = None
    trajectories = tuple(TRAJECTORIES)
    trajectory = "walk"

    def describe(self, rng: np.random.Generator, difficulty: float) -> Description:
        """One house: its furnished rooms, their lamps, and frames of all that can be reached."""
        house = sample_house(rng)
        doors = [_door(rng, house, doorway) for doorway in house.doorways]
        placers = []
        for number, plan in enumerate(house.rooms):
            own = [d for d, way in zip(doors, house.doorways, strict=True) if way.owner == number]
            next_door = [
                d for d, way in zip(doors, house.doorways, strict=True) if way.other == number
            ]
            shell = build_shell(rng, plan, doors=False)
            shell += [replace(part, room=plan.name) for parts in own for part in parts]
            placer = Placer(
                rng, plan, shell, difficulty=difficulty, clearance=CLEARANCE,
                min_walk=MIN_WALK, library=self.library,
                neighbours=[part for parts in next_door for part in parts],
            )  # fmt: skip
            placers.append(placer)
        lamps: list[Light] = []
        windows: list[AreaLight] = []
        for placer, kind in zip(placers, house.kinds, strict=True):
            lamps += ceiling_lights(placer)
            FURNISH[kind](placer)
            windows += daylight(placer)
        placed = _together(placers)
        free, walls = _floors(house, placers)
        targets, radii = zip(*(things_to_see(placer) for placer in placers), strict=True)
        count = len(placers)
        path = PathConfig(
            max_frames=FRAMES_A_ROOM * count,
            min_frames=6 * count,
            waypoints=STOPS_A_ROOM * count,
            step=STEP,
        )
        sights = Sights(
            targets=np.concatenate(targets), radii=np.concatenate(radii), walls=walls,
            rooms=[plan.rectangles(0.0)[0] for plan in house.rooms],
        )  # fmt: skip
        frames = TRAJECTORIES[self.trajectory](rng.spawn(1)[0], free, sights, WalkConfig(path=path))
        lighting = sample_lighting(rng, difficulty)
        given_up = sum((placer.given_up for placer in placers), Counter[str]())
        return Description(
            placed=shining(lighting, placed), lights=lit(lighting, lamps, windows), frames=frames,
            provenance={
                "rooms": json.dumps([
                    {"name": plan.name, "kind": kind, "corners": plan.corners.round(3).tolist()}
                    for plan, kind in zip(house.rooms, house.kinds, strict=True)
                ]),
                "not_placed": ", ".join(f"{label} {n}" for label, n in sorted(given_up.items())),
            },
        )  # fmt: skip


def _door(rng: np.random.Generator, house: HousePlan, way: Doorway) -> list[Placed]:
    """Frame and leaf of a doorway, or the frame alone."""
    plan = house.rooms[way.owner]
    if way.other == OUTSIDE:
        return closed_door(
            rng, plan, next(o for o in plan.openings if o.wall == way.wall and o.start == way.start)
        )
    width, yaw = way.end - way.start, yaw_facing(plan.inward[way.wall])
    spot = np.append(plan.point(way.wall, 0.5 * (way.start + way.end)), 0.0)
    frame = door_frame(plan.palette.trim, width, way.top, PARTITION, both_sides=True)
    placed = [Placed(model=frame, position=spot, yaw=yaw, support=0)]
    if way.has_leaf:
        leaf = door_leaf(rng, plan.palette, width, way.top, way.hinge)
        hinge = spot + hinge_offset(yaw, width, way.hinge)
        placed.append(
            Placed(model=leaf, position=hinge, yaw=yaw + way.hinge * way.angle, support=0)
        )
    return placed


def _together(placers: Sequence[Placer]) -> list[Placed]:
    """Everything in all rooms, supports renumbered."""
    placed: list[Placed] = []
    for placer in placers:
        first = len(placed)
        placed += [
            thing
            if thing.support == NOT_SUPPORTED
            else replace(thing, support=thing.support + first)
            for thing in placer.placed
        ]
    return placed


def _floors(house: HousePlan, placers: Sequence[Placer]) -> tuple[FreeSpace, FreeSpace]:
    """Where one can walk in the whole house, and its walls and doors alone."""
    spans = [plan.rectangles(plan.thicknesses)[0] for plan in house.rooms]
    low, high = np.min([a for a, _ in spans], axis=0), np.max([b for _, b in spans], axis=0)
    free, walls = FreeSpace(low, high, CLEARANCE), FreeSpace(low, high, CLEARANCE)
    for placer in placers:
        for thing in placer.placed:
            prisms = prisms_of(thing.model, thing.position, thing.rotation[:2, :2])
            free.block(prisms)
            if thing.model.label in ("wall", "door"):
                walls.block(prisms)
    free.block_outside(spans)
    return free, walls
