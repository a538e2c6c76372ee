"""Puts models into a room one after the other; a place is taken only where it is free and supported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import Obstacles, Prism, contains, prisms_of
from gapdata.synthetic.description import Placed, yaw_facing
from gapdata.synthetic.freespace import CELL, FreeSpace
from gapdata.synthetic.layout import Plan
from gapdata.synthetic.models import Model, Surface
from gapdata.synthetic.shapes import Vector, rectangle

Array = np.ndarray

FLOOR, CEILING, FIRST_WALL = 0, 1, 2  # indices of the shell's first entries
WALL_GAP = 0.02  # furniture keeps this from a wall, which leaves room for the skirting board
DOOR_ZONE = 0.95  # metres in front of a door that stay free
MIN_WALK = 0.13  # fraction of the floor on which the walker's axis can move
MAX_CUT_OFF = 0.25  # square metres of clear floor that furniture may cut off from the rest
TRIES = 24


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Checkpoint:
    """What a placer remembers to undo later placements."""

    placed: int
    solid: int
    reserved: int
    blocked: Bool[Array, "h w"]
    tall: Bool[Array, "h w"]
    given_up: Counter[str]


class Placer:
    """The room while it fills up. Every method returns the index of what it placed, or None (counted)."""

    def __init__(self, rng: np.random.Generator, plan: Plan, shell: Sequence[Placed]) -> None:
        self.rng, self.plan = rng, plan
        self.placed: list[Placed] = list(shell)
        self.given_up: Counter[str] = Counter()  # label -> how many found no place
        self._solid, self._reserved = Obstacles(), Obstacles()
        self.free = FreeSpace(plan.corners.min(axis=0), plan.corners.max(axis=0))
        for thing in shell:
            prisms = prisms_of(thing.model, thing.position, thing.rotation[:2, :2])
            self._solid.add(prisms)
            self.free.block(prisms)
        self._block_outside()
        self._reserve_openings()
        self._min_walk = max(1.6, MIN_WALK * plan.area) / CELL**2

    def _block_outside(self) -> None:
        cells = np.moveaxis(np.indices(self.free.blocked.shape), 0, -1)
        centers = self.free.centers(cells)
        inside = np.zeros(self.free.blocked.shape, bool)
        for low, high in self.plan.rectangles(0.0):
            inside |= ((centers >= low) & (centers <= high)).all(axis=-1)
        self.free.blocked |= ~inside
        self.free.tall |= ~inside

    def _reserve_openings(self) -> None:
        for opening in self.plan.openings:
            if opening.kind == "door":
                self._reserve_strip(
                    opening.wall, (opening.start - 0.05, opening.end + 0.05), DOOR_ZONE, (0.03, 2.0)
                )
            else:
                self._reserve_strip(
                    opening.wall,
                    (opening.start - 0.02, opening.end + 0.02),
                    0.25,
                    (opening.sill + 0.05, opening.top),
                )

    def _reserve_strip(
        self, wall: int, span: tuple[float, float], depth: float, heights: tuple[float, float]
    ) -> None:
        a, b = self.plan.point(wall, span[0]), self.plan.point(wall, span[1])
        shift = self.plan.inward[wall] * depth
        outline = np.array([a, b, b + shift, a + shift])
        self._reserved.add([Prism(outline=outline, low=heights[0], high=heights[1])])

    # -- the one way in ------------------------------------------------------------------------------

    def try_put(
        self, model: Model, position: Float[Array, "3"], yaw: float, support: int, *, reserved: bool = True
    ) -> int | None:  # fmt: skip
        """Places a model if its space is free, the walker keeps room, and (when `reserved`) kept-free zones stay so."""
        rotation = rotation_about_z(yaw)[:2, :2]
        prisms = prisms_of(model, position, rotation)
        if self._solid.hit(prisms) or (reserved and self._reserved.hit(prisms)):
            return None
        zone = self._zone(model, position, rotation)
        if zone and self._solid.hit(zone):
            return None
        blocked, tall = self.free.blocked.copy(), self.free.tall.copy()
        self.free.block(prisms)
        if (self.free.blocked != blocked).any() and not self._walker_keeps_room():
            self.free.blocked, self.free.tall = blocked, tall
            return None
        self._solid.add(prisms)
        self._reserved.add(zone)
        self.placed.append(Placed(model=model, position=position, yaw=yaw, support=support))
        return len(self.placed) - 1

    def _walker_keeps_room(self) -> bool:
        walkable, cut_off = self.free.split()
        return bool(walkable.sum() >= self._min_walk and cut_off <= MAX_CUT_OFF)

    @staticmethod
    def _zone(model: Model, position: Float[Array, "3"], rotation: Array) -> list[Prism]:
        if model.clearance <= 0:
            return []
        low, high = model.low, model.high
        front = np.array([
            [low[0], low[1] - model.clearance], [high[0], low[1] - model.clearance], [high[0], low[1]], [low[0], low[1]],
        ])  # fmt: skip
        outline = front @ rotation.T + position[:2]
        return [
            Prism(outline=outline, low=position[2] + 0.03, high=position[2] + min(1.8, high[2]))
        ]

    def checkpoint(self) -> Checkpoint:
        """The state to which `restore` can go back."""
        return Checkpoint(
            placed=len(self.placed), solid=len(self._solid), reserved=len(self._reserved),
            blocked=self.free.blocked.copy(), tall=self.free.tall.copy(), given_up=self.given_up.copy(),
        )  # fmt: skip

    def restore(self, state: Checkpoint) -> None:
        """Takes away everything placed or counted since a checkpoint."""
        del self.placed[state.placed :]
        self._solid.forget(state.solid)
        self._reserved.forget(state.reserved)
        self.free.blocked, self.free.tall = state.blocked.copy(), state.tall.copy()
        self.given_up = state.given_up.copy()

    def is_clear(self, point: Float[Array, "3"], radius: float) -> bool:
        """Whether nothing solid lies within a box of half-size `radius` about a point."""
        outline = point[:2] + rectangle(2 * radius, 2 * radius)
        return not self._solid.hit(
            [Prism(outline=outline, low=point[2] - radius, high=point[2] + radius)]
        )

    def give_up(self, model: Model) -> None:
        """Counts a model that found no place."""
        self.given_up[model.label] += 1

    # -- places ----------------------------------------------------------------------------------------

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
                if spot is None or not self._rests(area, model, spot, heading):
                    continue
                position = np.append(thing.to_world(spot), thing.position[2] + area.z)
                placed = self.try_put(model, position, thing.yaw + heading, host, reserved=False)
                if placed is not None:
                    return placed
        self.give_up(model)
        return None

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

    def wall_of(self, index: int) -> tuple[int, float]:
        """(wall, distance along it) that a placed thing has its back to."""
        thing = self.placed[index]
        relative = thing.position[:2] - self.plan.corners
        in_front = (relative * self.plan.inward).sum(axis=1)
        along = (relative * self.plan.directions).sum(axis=1)
        aligned = self.plan.inward @ thing.facing > 0.99
        over = (along >= 0) & (along <= self.plan.lengths) & (in_front >= 0)
        wall = int(np.argmin(np.where(aligned & over, in_front, np.inf)))
        return wall, float(along[wall])
