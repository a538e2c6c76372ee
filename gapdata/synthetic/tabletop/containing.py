"""Things inside vessels: standing on the bottom, heaped in a bowl, leaning in a mug."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import Obstacles
from gapdata.synthetic.materials import Palette, accent
from gapdata.synthetic.models import Model, parts_of
from gapdata.synthetic.shapes import cylinder
from gapdata.synthetic.tabletop.groups import Group, Member, standing
from gapdata.synthetic.tabletop.things import SMALL, fruit
from gapdata.synthetic.tabletop.vessels import ROOMY, Vessel, bowl, mug

Array = np.ndarray

TRIES = 30
CONTACT = 2e-4  # metres left between what touches side by side
LEVEL = 1e-6  # metres by which something may stand off the bottom


def _corners(model: Model) -> Float[Array, "n 3"]:
    return np.concatenate([part.solid.vertices for part in model.parts])


def filled_vessel(rng: np.random.Generator, palette: Palette, most: int) -> Group:
    """A bin, basket, box or tray with up to `most` things standing on its bottom."""
    vessel = ROOMY[int(rng.integers(len(ROOMY)))](rng, palette)
    group, taken = [standing(vessel.model)], Obstacles()
    for _ in range(int(rng.integers(1, most + 1))):
        model = SMALL[int(rng.integers(len(SMALL)))](rng, palette)
        for _ in range(TRIES):
            member = _dropped(rng, vessel, model)
            if member is not None and not taken.hit(member.prisms):
                taken.add(member.prisms)
                group.append(member)
                break
    return tuple(group)


def _dropped(rng: np.random.Generator, vessel: Vessel, model: Model) -> Member | None:
    """A model lowered at random into a vessel, where it comes to stand on the level bottom; else None."""
    yaw = float(rng.uniform(-np.pi, np.pi))
    spot = np.append(rng.uniform(vessel.floor.min(axis=0), vessel.floor.max(axis=0)), 0.0)
    height = vessel.rest_height(_corners(model) @ rotation_about_z(yaw).T + spot)
    if height is None or height > vessel.floor_z + LEVEL:
        return None
    return Member(model=model, at=spot + [0.0, 0.0, vessel.floor_z], yaw=yaw, on=0)


def fruit_bowl(rng: np.random.Generator, palette: Palette) -> Group:
    """A bowl with one fruit in its middle, or a ring of equal ones that hold each other, and one on top."""
    vessel = bowl(rng, palette)
    radius = float(rng.uniform(0.032, 0.042))
    rim = float(vessel.model.high[0])
    fitting = [n for n in (1, 2, 3, 4, 5) if _ring(n, radius) + 0.8 * radius < rim]
    group = [standing(vessel.model)]
    for count in rng.permutation(fitting).tolist():
        away, fruits = _ring(count, radius), _laid_in_a_ring(rng, palette, vessel, count, radius)
        if fruits:
            group += fruits
            break
    if count in (3, 4) and rng.random() < 0.5:
        lift = max(member.at[2] for member in group[1:]) + np.sqrt(4.0 * radius**2 - away**2)
        group.append(
            Member(model=fruit(rng, palette, radius), at=np.array([0.0, 0.0, lift + CONTACT]), on=1)
        )
    return tuple(group)


def _laid_in_a_ring(
    rng: np.random.Generator, palette: Palette, vessel: Vessel, count: int, radius: float
) -> list[Member]:
    """Fruits side by side around a vessel's middle; none where one would not rest on its inside."""
    members = []
    for angle in 2.0 * np.pi * np.arange(count) / count:
        spot = _ring(count, radius) * np.array([np.cos(angle), np.sin(angle), 0.0])
        model = fruit(rng, palette, radius)
        height = vessel.rest_height(_corners(model) + spot)
        if height is None:
            return []
        members.append(Member(model=model, at=spot + [0.0, 0.0, height], on=0))
    return members


def _ring(count: int, radius: float) -> float:
    """Distance from the middle at which that many balls lie around it side by side."""
    return 0.0 if count == 1 else (radius + 0.5 * CONTACT) / np.sin(np.pi / count)


def pencil_mug(rng: np.random.Generator, palette: Palette) -> Group:
    """A mug with a pencil in it: its end on the bottom, its shaft on the rim."""
    vessel, segments = mug(rng, palette), 12
    length, radius = float(rng.uniform(0.15, 0.19)), float(rng.uniform(0.0035, 0.0045))
    paint = accent(rng, "wood")
    # Flats face flats: what touches is half a flat away from the axis.
    half = radius * np.cos(np.pi / segments)
    low, high = (float(np.abs(ring[:, 0]).max()) * 1.0 for ring in (vessel.floor, _rim(vessel)))
    tilt = _leaning_angle(low, high, vessel.rim_z - vessel.floor_z, half)
    solid = cylinder(radius, length, segments=segments).tilted(1, tilt)
    foot = np.array([-(low - CONTACT) + half * np.cos(tilt), 0.0, half * np.sin(tilt)])
    model = Model(label="pencil", parts=parts_of(paint, solid), finish=paint)
    # Models stand about their own middle; what is left over goes into the member's place.
    middle = 0.5 * (model.low + model.high) * [1.0, 1.0, 0.0] + [0.0, 0.0, model.low[2]]
    model = replace(model, parts=parts_of(paint, solid.moved(-middle)))
    at = foot + middle + [0.0, 0.0, vessel.floor_z]
    # The handle is at +x: the pencil leans to a side free of it.
    turn = float(rng.uniform(0.5, 1.5)) * np.pi
    turn = np.round(turn / (2.0 * np.pi / 32)) * 2.0 * np.pi / 32
    return standing(vessel.model), Member(
        model=model, at=rotation_about_z(turn) @ at, yaw=float(turn), on=0
    )


def _rim(vessel: Vessel) -> Float[Array, "K 2"]:
    """Where the hollow's walls are at the height of the rim."""
    walls = vessel.planes[:-1]
    reach = (walls[:, 3] - walls[:, 2] * vessel.rim_z) / np.linalg.norm(walls[:, :2], axis=1)
    return np.asarray(
        walls[:, :2] / np.linalg.norm(walls[:, :2], axis=1, keepdims=True) * reach[:, None]
    )


def _leaning_angle(low: float, high: float, depth: float, half: float) -> float:
    """Angle from the vertical at which a rod in a round vessel touches the bottom's far side and the rim.

    `low` and `high` are the inner radii at the bottom and the rim, `depth` the height between them, `half`
    the rod's radius. Found by bisection: the more it leans, the farther out it is at the rim.
    """

    def beyond(tilt: float) -> float:
        foot_x, foot_z = -(low - CONTACT) + half * np.cos(tilt), half * np.sin(tilt)
        return float(
            foot_x + (depth - foot_z) * np.tan(tilt) + half / np.cos(tilt) - (high - CONTACT)
        )

    least, most = 0.0, 1.2
    for _ in range(60):
        middle = 0.5 * (least + most)
        least, most = (middle, most) if beyond(middle) < 0.0 else (least, middle)
    return least
