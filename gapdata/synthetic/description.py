"""A world before it is drawn: what stands where, which lamps burn, where the camera goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import rotation_about_z
from gapdata.scene import AnyLight, Frame
from gapdata.synthetic.models import Model

Array = np.ndarray

NOT_SUPPORTED = -1  # structure carries itself


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Placed:
    """A model at a place: its origin at `position`, turned by `yaw` radians about z.

    `support` is the index of the placed thing that carries it (below it, or the wall or ceiling it hangs on),
    `room` the name of the room it is in.
    """

    model: Model
    position: Float[Array, "3"]
    yaw: float
    support: int = NOT_SUPPORTED
    room: str = ""

    @property
    def rotation(self) -> Float[Array, "3 3"]:
        """Model axes to world axes."""
        return rotation_about_z(self.yaw)

    @property
    def facing(self) -> Float[Array, "2"]:
        """Horizontal unit vector in the world towards which the front (-y of the model) looks."""
        return np.array([np.sin(self.yaw), -np.cos(self.yaw)])

    def to_world(self, points: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
        """World x, y of points given in the model's x, y."""
        return np.asarray(points @ self.rotation[:2, :2].T + self.position[:2])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Description:
    """Everything a world's generator decides. Instance i + 1 of the drawn scene is `placed[i]`."""

    placed: tuple[Placed, ...]
    lights: tuple[AnyLight, ...]
    frames: tuple[Frame, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)


def yaw_facing(direction: Float[Array, "2"]) -> float:
    """The yaw that turns a model's front (-y) towards a horizontal world direction."""
    return float(np.arctan2(direction[0], -direction[1]))
