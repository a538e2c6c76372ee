"""Things that belong together, arranged before the place on the table is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.synthetic.collision import Prism, contains, prisms_of
from gapdata.synthetic.description import Placed
from gapdata.synthetic.models import Model
from gapdata.synthetic.placement import Placer
from gapdata.synthetic.shapes import Vector

Array = np.ndarray

ON_TABLE = -1  # carried by what carries the group
TRIES = 40


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Member:
    """A model in its group: where it stands, how it is turned, and which member carries it."""

    model: Model
    at: Float[Array, "3"]
    yaw: float = 0.0
    on: int = ON_TABLE

    @property
    def base(self) -> Float[Array, "K 2"]:
        """What it stands on, in the group's axes."""
        return self.model.base @ rotation_about_z(self.yaw)[:2, :2].T + self.at[:2]

    @property
    def prisms(self) -> list[Prism]:
        """The space that it takes, in the group's axes."""
        return prisms_of(self.model, self.at, rotation_about_z(self.yaw)[:2, :2])


Group = tuple[Member, ...]


def standing(model: Model, at: Vector = (0.0, 0.0), yaw: float = 0.0) -> Member:
    """A model by itself at a spot of the table."""
    return Member(model=model, at=np.array([float(at[0]), float(at[1]), 0.0]), yaw=yaw)


def room_taken(group: Group) -> float:
    """Square metres of the rectangle, along the group's axes, that it takes seen from above."""
    points = np.concatenate([prism.outline for member in group for prism in member.prisms])
    return float(np.prod(np.ptp(points, axis=0)))


class Bench(Placer):
    """A placer that also puts down whole groups."""

    def put_group(
        self, group: Group, host: int, *, spot: Float[Array, "2"], heading: float, surface: int = 0
    ) -> list[int] | None:
        """Puts a group down at a spot and heading in the host's axes: the indices of its members, in order.

        None when something is in the way or part of what touches would be off the surface. How its members
        stand to each other is the group's own affair.
        """
        thing = self.placed[host]
        area = thing.model.surfaces[surface]
        turn = rotation_about_z(heading)
        bases = [member.base @ turn[:2, :2].T + spot for member in group if member.on == ON_TABLE]
        if not contains(area.outline, np.concatenate(bases)):
            return None
        yaw = thing.yaw + heading
        origin = np.append(thing.to_world(spot), thing.position[2] + area.z)
        moved = [(origin + rotation_about_z(yaw) @ member.at, yaw + member.yaw) for member in group]
        prisms = [
            prism
            for member, (position, angle) in zip(group, moved, strict=True)
            for prism in prisms_of(member.model, position, rotation_about_z(angle)[:2, :2])
        ]
        if self._solid.hit(prisms):
            return None
        self._solid.add(prisms)
        self.free.block(prisms)
        first = len(self.placed)
        for member, (position, angle) in zip(group, moved, strict=True):
            support = host if member.on == ON_TABLE else first + member.on
            self.placed.append(
                Placed(
                    model=member.model, position=position, yaw=angle, support=support, room=self.plan.name
                )
            )  # fmt: skip
        return list(range(first, first + len(group)))

    def put_somewhere(
        self, group: Group, host: int, *, about: Float[Array, "2"], reach: float
    ) -> list[int] | None:
        """Puts a group down within `reach` metres of a spot; when there is no room for it, its first is counted."""
        for _ in range(TRIES):
            angle, away = self.rng.uniform(-np.pi, np.pi), reach * np.sqrt(self.rng.random())
            spot = about + away * np.array([np.cos(angle), np.sin(angle)])
            heading = float(self.rng.uniform(-np.pi, np.pi))
            placed = self.put_group(group, host, spot=spot, heading=heading)
            if placed is not None:
                return placed
        self.give_up(group[0].model)
        return None
