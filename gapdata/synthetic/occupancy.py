"""A room while it fills up: what is solid, what must stay free, and whether a walker still gets about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.assets.library import Library
from gapdata.synthetic.collision import Obstacles, Prism, prisms_of
from gapdata.synthetic.description import Placed
from gapdata.synthetic.freespace import CELL, CLEARANCE, FreeSpace
from gapdata.synthetic.layout import Plan
from gapdata.synthetic.models import Model
from gapdata.synthetic.shapes import rectangle

Array = np.ndarray

FLOOR, CEILING, FIRST_WALL = 0, 1, 2  # indices of the shell's first entries
DOOR_STEP = 0.55  # metres in front of a door to the spot that a walker must be able to reach
LEAST_WALK = 1.6  # square metres on which the walker's axis can move, in a single room
MIN_WALK = 0.13  # fraction of the floor on which the walker's axis can move
MAX_CUT_OFF = 0.25  # square metres of clear floor that furniture may cut off from the rest


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Checkpoint:
    """What a placer remembers to undo later placements."""

    placed: int
    solid: int
    reserved: int
    blocked: Bool[Array, "h w"]
    tall: Bool[Array, "h w"]
    given_up: Counter[str]


class Occupancy:
    """What stands in a room, and what may still be put there."""

    def __init__(
        self, rng: np.random.Generator, plan: Plan, shell: Sequence[Placed], *, difficulty: float,
        neighbours: Sequence[Placed] = (), clearance: float = CLEARANCE, min_walk: float = LEAST_WALK,
        library: Library | None = None,
    ) -> None:  # fmt: skip
        """A room with its shell. `neighbours` belong to other rooms but stand in the way here as well.

        `library` has models to draw instead of the parametric ones.
        """
        self.rng, self.plan, self.difficulty, self.library = rng, plan, difficulty, library
        self.placed: list[Placed] = list(shell)
        self.given_up: Counter[str] = Counter()  # label -> how many found no place
        self._solid, self._reserved = Obstacles(), Obstacles()
        self.free = FreeSpace(plan.corners.min(axis=0), plan.corners.max(axis=0), clearance)
        for thing in (*shell, *neighbours):
            prisms = prisms_of(thing.model, thing.position, thing.rotation[:2, :2])
            self._solid.add(prisms)
            self.free.block(prisms)
        self.free.block_outside(plan.rectangles(0.0))
        self._reserve_openings()
        self._min_walk = max(min_walk, MIN_WALK * plan.area) / CELL**2
        self._door_steps = self._clear_door_steps()

    def _clear_door_steps(self) -> Int[Array, "n 2"]:
        """Cells in front of the doors on which a walker can stand."""
        spots = [
            self.plan.point(o.wall, 0.5 * (o.start + o.end)) + self.plan.inward[o.wall] * DOOR_STEP
            for o in self.plan.openings
            if o.kind == "door"
        ]
        cells = self.free.cell_of(np.array(spots).reshape(-1, 2))
        return cells[self.free.walkable()[cells[:, 0], cells[:, 1]]]

    def _reserve_openings(self) -> None:
        for opening in self.plan.openings:
            if opening.kind == "door":
                self._reserve_strip(
                    opening.wall,
                    (opening.start - 0.05, opening.end + 0.05),
                    opening.clear,
                    (0.03, 2.0),
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
        self.placed.append(
            Placed(model=model, position=position, yaw=yaw, support=support, room=self.plan.name)
        )
        return len(self.placed) - 1

    def _walker_keeps_room(self) -> bool:
        walkable, cut_off = self.free.split()
        reached = walkable[self._door_steps[:, 0], self._door_steps[:, 1]].all()
        return bool(reached and walkable.sum() >= self._min_walk and cut_off <= MAX_CUT_OFF)

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
