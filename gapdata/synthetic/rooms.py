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
        lights = _light(placer)
        furnish(placer)
        targets, radii = _things_to_see(placer.placed)
        frames = walk(rng, placer.free, targets, radii)
        given_up = ", ".join(f"{label} {n}" for label, n in sorted(placer.given_up.items()))
        return Description(
            placed=tuple(placer.placed), lights=tuple(lights), frames=frames,
            provenance={"world": "room", "room": kind, "not_placed": given_up},
        )  # fmt: skip


def _light(placer: Placer) -> list[Light]:
    """Ceiling lamps over the room's parts (the first is the key light), then daylight inside one window."""
    plan, rng = placer.plan, placer.rng
    lights = []
    rectangles = sorted(plan.rectangles(0.0), key=lambda r: -float(np.prod(r[1] - r[0])))
    drop = float(rng.choice([0.09, 0.42]))
    for low, high in rectangles:
        spot = 0.5 * (low + high)
        lamp = decor.ceiling_light(rng, plan.palette, drop)
        index = placer.from_ceiling(lamp, spot)
        if index is not None:
            under = placer.placed[index].position - np.array([0.0, 0.0, 0.04])
            lights.append(Light(position=under, color=LAMP_COLOR / len(rectangles) ** 0.5))
    for opening in plan.openings:
        if opening.kind == "window":
            middle = plan.point(opening.wall, 0.5 * (opening.start + opening.end))
            inside = middle + 0.3 * plan.inward[opening.wall]
            height = 0.5 * (opening.sill + opening.top) + 0.2
            lights.append(Light(position=np.append(inside, height), color=DAYLIGHT_COLOR))
            break
    return lights


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

