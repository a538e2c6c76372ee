"""The indoor world: one furnished room a scene."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.scene import Light
from gapdata.synthetic.description import Description, Placed
from gapdata.synthetic.furnishing import ROOMS
from gapdata.synthetic.furniture import decor
from gapdata.synthetic.layout import sample_plan
from gapdata.synthetic.materials import sample_palette
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.shell import build_shell
from gapdata.synthetic.trajectory import walk

Array = np.ndarray

LAMP_COLOR = np.array([4.2, 3.95, 3.6])  # irradiance about 1 at 2 m
DAYLIGHT_COLOR = np.array([1.15, 1.25, 1.4])
LIGHT_GAP = 0.04  # metres between a lamp and its light, so that the lamp does not shade the room
DAYLIGHT_DEPTH = 0.9  # metres inside the window
NOT_WATCHED = frozenset({"wall", "floor", "ceiling", "doorframe", "ceiling light"})


class RoomWorld:
    """Furnished rooms of five kinds with everyday objects."""

    def describe(self, rng: np.random.Generator) -> Description:
        """One room: what stands where, its lamps, and a walk through it."""
        kinds = sorted(ROOMS)
        kind = kinds[int(rng.integers(len(kinds)))]
        limits, furnish = ROOMS[kind]
        palette = sample_palette(rng, wet=kind == "kitchen")
        plan = sample_plan(rng, kind, limits, palette)
        placer = Placer(rng, plan, build_shell(rng, plan))
        lights = _ceiling_lights(placer)
        furnish(placer)
        lights += _daylight(placer)
        targets, radii = _things_to_see(placer.placed)
        frames = walk(rng, placer.free, targets, radii)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(placer.given_up.items()))
        return Description(
            placed=tuple(placer.placed), lights=tuple(lights), frames=frames,
            provenance={"world": "room", "room": kind, "not_placed": given_up},
        )  # fmt: skip


def _ceiling_lights(placer: Placer) -> list[Light]:
    """Lamps under the ceiling, one over each part of the room, the largest part's first: the key light."""
    plan, rng = placer.plan, placer.rng
    rectangles = sorted(plan.rectangles(0.0), key=lambda r: -float(np.prod(r[1] - r[0])))
    drop = float(rng.choice([0.09, 0.42]))
    lights = []
    for low, high in rectangles:
        lamp = decor.ceiling_light(rng, plan.palette, drop)
        index = placer.from_ceiling(lamp, 0.5 * (low + high))
        if index is not None:
            under = placer.placed[index].position - np.array([0.0, 0.0, LIGHT_GAP])
            lights.append(Light(position=under, color=LAMP_COLOR / len(rectangles) ** 0.5))
    return lights


def _daylight(placer: Placer) -> list[Light]:
    """A light in front of the first window with clear air, which stands for the sky outside."""
    plan = placer.plan
    for opening in plan.openings:
        if opening.kind == "window":
            middle = plan.point(opening.wall, 0.5 * (opening.start + opening.end))
            inside = middle + DAYLIGHT_DEPTH * plan.inward[opening.wall]
            position = np.append(inside, opening.top - 0.15)
            if placer.is_clear(position, 0.1):
                return [Light(position=position, color=DAYLIGHT_COLOR)]
    return []


def _things_to_see(placed: list[Placed]) -> tuple[Float[Array, "n 3"], Float[Array, "n"]]:
    """Centres and half-diagonals of everything worth looking at."""
    centers, radii = [], []
    for thing in placed:
        if thing.model.label in NOT_WATCHED:
            continue
        low, high = thing.model.low, thing.model.high
        centers.append(thing.rotation @ (0.5 * (low + high)) + thing.position)
        radii.append(0.5 * float(np.linalg.norm(high - low)))
    return np.array(centers), np.array(radii)
