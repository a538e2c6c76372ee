"""What lights a room, and what in it is worth looking at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.scene import AreaLight, Light
from gapdata.synthetic.furniture import lamps
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.shell import pane_of

Array = np.ndarray

LAMP_COLOR = np.array([4.2, 3.95, 3.6])  # irradiance about 1 at 2 m
LAMP_HEIGHT = 2.4  # ... of a lamp that hangs so high
DAYLIGHT_COLOR = np.array([1.85, 2.0, 2.25])  # radiance of windows
LIGHT_GAP = 0.04  # metres between a lamp and its light, so that the lamp does not shade the room
WALL_STRETCH = 1.0  # metres of wall that count as one thing to look at
WALL_INTEREST = 0.02  # ... as interesting as an object of this half-size
NOT_WATCHED = frozenset({"wall", "floor", "ceiling", "doorframe", "ceiling light"})


def ceiling_lights(placer: Placer) -> list[Light]:
    """Lamps under the ceiling, one over each part of the room, the largest part's first: the key light."""
    plan, rng = placer.plan, placer.rng
    rectangles = sorted(plan.rectangles(0.0), key=lambda r: -float(np.prod(r[1] - r[0])))
    drop = 0.09 if rng.random() < 0.5 else float(rng.uniform(0.32, max(0.34, plan.height - 2.05)))
    glow = LAMP_COLOR * ((plan.height - drop) / LAMP_HEIGHT) ** 2
    lights = []
    for low, high in rectangles:
        lamp = lamps.ceiling_light(rng, plan.palette, drop)
        index = placer.from_ceiling(lamp, 0.5 * (low + high))
        if index is not None:
            under = placer.placed[index].position - np.array([0.0, 0.0, LIGHT_GAP])
            lights.append(Light(position=under, color=glow / len(rectangles) ** 0.5))
    return lights


def daylight(placer: Placer) -> list[AreaLight]:
    """A light behind the frame of each window, which stands for the sky outside."""
    plan, lights = placer.plan, []
    for opening in plan.openings:
        if opening.kind == "window":
            pane = pane_of(opening)
            middle = plan.point(opening.wall, 0.5 * (opening.start + opening.end))
            inward = plan.inward[opening.wall]
            along = np.array([-inward[1], inward[0], 0.0])
            lights.append(
                AreaLight(
                    position=np.append(middle - pane.behind * inward, pane.middle),
                    edges=np.stack([pane.width * along, [0.0, 0.0, pane.height]]),
                    color=DAYLIGHT_COLOR * pane.width * pane.height,
                )
            )
    return lights


def things_to_see(placer: Placer) -> tuple[Float[Array, "n 3"], Float[Array, " n"]]:
    """Centres and half-sizes of everything worth looking at: objects, and a little every stretch of wall."""
    centers, radii = [], []
    for thing in placer.placed:
        if thing.model.label in NOT_WATCHED:
            continue
        low, high = thing.model.low, thing.model.high
        centers.append(thing.rotation @ (0.5 * (low + high)) + thing.position)
        radii.append(0.5 * float(np.linalg.norm(high - low)))
    plan = placer.plan
    for wall, length in enumerate(plan.lengths.tolist()):
        stretches = max(1, round(length / WALL_STRETCH))
        for k in range(stretches):
            spot = plan.point(wall, length * (k + 0.5) / stretches)
            centers.append(np.append(spot, 0.5 * plan.height))
            radii.append(WALL_INTEREST)
    return np.array(centers), np.array(radii)
