"""The boxes of all instances at once: which of them points or walks run into."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from gapdata.scene import Instance

Array = np.ndarray

STEP = 0.05  # metres between the points of a line that are looked at


class Boxes:
    """Boxes of a scene's instances as arrays; rows are columns of SceneFacts."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        boxes = [instance.box for instance in instances]
        self.center: Float[Array, "N 3"] = np.array([b.center for b in boxes]).reshape(-1, 3)
        self._half = 0.5 * np.array([b.size for b in boxes]).reshape(-1, 3)
        self._rotation = np.array([b.rotation for b in boxes]).reshape(-1, 3, 3)

    @property
    def bottom(self) -> Float[Array, " N"]:
        """Lowest height of each box."""
        return np.asarray(self.center[:, 2] - self._reach)

    @property
    def top(self) -> Float[Array, " N"]:
        """Highest height of each box."""
        return np.asarray(self.center[:, 2] + self._reach)

    @property
    def _reach(self) -> Float[Array, " N"]:
        return np.asarray((np.abs(self._rotation[:, 2]) * self._half).sum(axis=1))

    def contain(
        self, points: Float[Array, "n 3"], columns: Int[Array, " k"], margin: float = 0.0
    ) -> Bool[Array, "k n"]:
        """Whether each of the boxes, grown by `margin` metres on every side, contains each point."""
        offset = points[None] - self.center[columns][:, None]
        local = np.einsum("kni,kij->knj", offset, self._rotation[columns])
        return np.asarray((np.abs(local) <= self._half[columns][:, None] + margin).all(axis=-1))

    def over(
        self, spots: Float[Array, "n 2"], columns: Int[Array, " k"], margin: float = 0.0
    ) -> Bool[Array, "k n"]:
        """The same for spots on the floor and what the boxes cover of it, whatever their heights."""
        offset = spots[None] - self.center[columns][:, None, :2]
        local = np.einsum("kni,kij->knj", offset, self._rotation[columns][:, :2, :2])
        return np.asarray((np.abs(local) <= self._half[columns][:, None, :2] + margin).all(axis=-1))

    @cached_property
    def shares_floor(self) -> Bool[Array, "N N"]:
        """Whether the middle of one box lies over what the other covers of the floor, or the other way round."""
        over = self.over(self.center[:, :2], np.arange(len(self.center)))
        return np.asarray(over | over.T)


def steps_between(start: Float[Array, " d"], end: Float[Array, " d"]) -> Float[Array, "n d"]:
    """Points from start to end, both included, at most STEP metres apart."""
    count = int(np.ceil(np.linalg.norm(end - start) / STEP)) + 1
    return start + np.linspace(0.0, 1.0, max(count, 2))[:, None] * (end - start)
