"""Finds places for models: at walls, on floors, on other things, on walls and ceilings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import contains
from gapdata.synthetic.description import yaw_facing
from gapdata.synthetic.models import Model, Surface
from gapdata.synthetic.occupancy import CEILING, FIRST_WALL, FLOOR, Occupancy
from gapdata.synthetic.shapes import Vector

Array = np.ndarray

WALL_GAP = 0.02  # furniture keeps this from a wall, which leaves room for the skirting board
TRIES = 24


class Placer(Occupancy):
    """Places models one after the other, each only where it is free and supported.

    Every method returns the index of what it placed, or None; `given_up` counts the models that found no place.
    """

    def per_area(self, square_metres: float) -> int:
        """How many times that area fits into the room's."""
        return int(self.plan.area / square_metres)

    def against_wall(
        self, model: Model, *, walls: Sequence[int] | None = None, tries: int = TRIES, centred: bool = False
    ) -> int | None:  # fmt: skip
        """Stands a model with its back to a wall, at a random distance along it, or near its middle."""
        lengths = self.plan.lengths
        usable = [
            w
            for w in (walls if walls is not None else range(len(lengths)))
            if lengths[w] > model.size[0] + 0.1
        ]
        if usable:
            weight = lengths[usable] / lengths[usable].sum()
            for attempt in range(tries):
                wall = int(self.rng.choice(usable, p=weight))
                slack = 0.5 * float(lengths[wall] - model.size[0]) - WALL_GAP
                reach = slack * (min(1.0, 0.15 + attempt / tries) if centred else 1.0)
                along = 0.5 * float(lengths[wall]) + float(self.rng.uniform(-reach, reach))
                # Objects near a corner slide into it, as people place them.
                if not centred and self.rng.random() < 0.35:
                    along = 0.5 * float(lengths[wall]) + slack * (
                        1 if self.rng.random() < 0.5 else -1
                    )
                placed = self.at_wall(model, wall, along)
                if placed is not None:
                    return placed
        self.give_up(model)
        return None

    def at_wall(self, model: Model, wall: int, along: float) -> int | None:
        """Stands a model with its back to a wall at one exact distance along it (not counted when blocked)."""
        inward = self.plan.inward[wall]
        spot = self.plan.point(wall, along) + inward * (WALL_GAP + float(model.high[1]))
        return self.try_put(model, np.append(spot, 0.0), yaw_facing(inward), FLOOR)

    def near(
        self, model: Model, host: int, offset: Vector, *, turn: float = 0.0, on_rug: bool = True
    ) -> int | None:  # fmt: skip
        """Stands a model on the floor (or the rug there) at an offset in the host's axes, turned against it."""
        thing = self.placed[host]
        spot = thing.to_world(np.asarray(offset, np.float64))
        return self.on_floor(model, spot, thing.yaw + turn, on_rug=on_rug)

    def on_floor(
        self, model: Model, spot: Float[Array, "2"], yaw: float, *, on_rug: bool = True
    ) -> int | None:
        """Stands a model at a spot: on a rug that holds all of its footprint, else on the floor."""
        if not self.plan.inside(spot):
            return None
        footprint = model.outline @ rotation_about_z(yaw)[:2, :2].T + spot
        if on_rug:
            for index, thing in enumerate(self.placed):
                if thing.model.label == "rug":
                    surface = thing.model.surfaces[0]
                    if contains(thing.to_world(surface.outline), footprint):
                        return self.try_put(model, np.append(spot, surface.z), yaw, index)
        return self.try_put(model, np.append(spot, 0.0), yaw, FLOOR)

    def anywhere(self, model: Model, *, tries: int = TRIES) -> int | None:
        """Stands a model somewhere on the free floor at a random heading."""
        low, high = self.plan.corners.min(axis=0), self.plan.corners.max(axis=0)
        for _ in range(tries):
            placed = self.on_floor(
                model, self.rng.uniform(low, high), float(self.rng.uniform(-np.pi, np.pi))
            )
            if placed is not None:
                return placed
        self.give_up(model)
        return None

    def on(
        self, model: Model, host: int, *, surface: int = 0, at: Vector | None = None,
        turn: float | None = None, tries: int = TRIES,
    ) -> int | None:  # fmt: skip
        """Puts a model on a surface of a host, at a place in the host's axes or a random one.

        `turn` is the heading against the host; None draws any. All of what touches lies on the surface.
        """
        thing = self.placed[host]
        if surface < len(thing.model.surfaces):
            area = thing.model.surfaces[surface]
            for _ in range(1 if at is not None and turn is not None else tries):
                heading = float(self.rng.uniform(-np.pi, np.pi)) if turn is None else turn
                spot = (
                    self._spot_on(area, model, heading)
                    if at is None
                    else np.asarray(at, np.float64)
                )
                if spot is None:
                    continue
                placed = self.try_on(model, host, spot, heading, surface)
                if placed is not None:
                    return placed
        self.give_up(model)
        return None

    def try_on(
        self, model: Model, host: int, spot: Float[Array, "2"], turn: float, surface: int = 0
    ) -> int | None:
        """Puts a model at one exact place of a host's surface, in the host's axes (not counted when blocked)."""
        thing = self.placed[host]
        if surface >= len(thing.model.surfaces):
            return None
        area = thing.model.surfaces[surface]
        if not self._rests(area, model, spot, turn):
            return None
        position = np.append(thing.to_world(spot), thing.position[2] + area.z)
        return self.try_put(model, position, thing.yaw + turn, host, reserved=False)

    def _spot_on(self, area: Surface, model: Model, heading: float) -> Float[Array, "2"] | None:
        footprint = model.base @ rotation_about_z(heading)[:2, :2].T
        low = area.outline.min(axis=0) - footprint.min(axis=0)
        high = area.outline.max(axis=0) - footprint.max(axis=0)
        return self.rng.uniform(low, high) if (low < high).all() else None

    @staticmethod
    def _rests(area: Surface, model: Model, spot: Float[Array, "2"], heading: float) -> bool:
        footprint = model.base @ rotation_about_z(heading)[:2, :2].T + spot
        return bool(model.high[2] <= area.headroom) and contains(area.outline, footprint)

    def hang(
        self, model: Model, z: float, *, wall: int | None = None, along: float | None = None, tries: int = TRIES
    ) -> int | None:  # fmt: skip
        """Hangs a model (back at y = 0) on a wall, its lowest point at height z."""
        lengths = self.plan.lengths
        usable = [
            w
            for w in range(len(lengths))
            if (wall is None or w == wall) and lengths[w] > model.size[0] + 0.1
        ]
        for _ in range(tries if usable else 0):
            w = int(self.rng.choice(usable))
            slack = 0.5 * float(lengths[w] - model.size[0]) - 0.04
            s = (
                along
                if along is not None
                else 0.5 * float(lengths[w]) + float(self.rng.uniform(-slack, slack))
            )
            spot = np.append(self.plan.point(w, s), z)
            if z + model.size[2] > self.plan.height - 0.02:
                break
            placed = None
            if self._on_solid_wall(w, s, model, z):
                placed = self.try_put(model, spot, yaw_facing(self.plan.inward[w]), FIRST_WALL + w)
            if placed is not None:
                return placed
            if along is not None:
                break
        self.give_up(model)
        return None

    def _on_solid_wall(self, wall: int, along: float, model: Model, z: float) -> bool:
        half = 0.5 * float(model.size[0])
        low, high = along - half, along + half
        if low < 0.02 or high > self.plan.lengths[wall] - 0.02:
            return False
        return not any(
            o.wall == wall
            and low < o.end + 0.08
            and high > o.start - 0.08
            and z < o.top + 0.08
            and z + model.size[2] > o.sill
            for o in self.plan.openings
        )

    def from_ceiling(self, model: Model, spot: Float[Array, "2"]) -> int | None:
        """Hangs a model from the ceiling, its highest point touching it."""
        position = np.append(spot, self.plan.height - float(model.high[2]))
        placed = self.try_put(model, position, 0.0, CEILING)
        if placed is None:
            self.give_up(model)
        return placed
