"""Which upright convex prisms overlap: exact for boxes and upright cylinders, safe for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.models import Model

Array = np.ndarray

TOUCH = 1e-6  # metres two prisms may share and still count as touching only


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prism:
    """A convex outline (counter-clockwise, world x, y) from `low` to `high`."""

    outline: Float[Array, "K 2"]
    low: float
    high: float


def prisms_of(
    model: Model, position: Float[Array, "3"], rotation: Float[Array, "2 2"]
) -> list[Prism]:
    """The prisms that bound a model once it is placed."""
    x_y, z = position[:2], float(position[2])
    return [
        Prism(
            outline=solid.outline @ rotation.T + x_y,
            low=solid.low + z,
            high=solid.high + z,
        )
        for solid in model.solids
    ]


def outlines_overlap(a: Float[Array, "K 2"], b: Float[Array, "L 2"]) -> bool:
    """Whether two convex outlines share more than TOUCH, by the separating axis theorem."""
    for first, second in ((a, b), (b, a)):
        edge = np.roll(first, -1, axis=0) - first
        normal = edge[:, ::-1] * np.array([1.0, -1.0])
        normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
        reach = (first * normal).sum(axis=1)
        nearest = (second @ normal.T).min(axis=0)
        if (nearest - reach).max() >= -TOUCH:
            return False
    return True


def contains(outline: Float[Array, "K 2"], points: Float[Array, "n 2"]) -> bool:
    """Whether all points lie in a convex outline, TOUCH included."""
    edge = np.roll(outline, -1, axis=0) - outline
    normal = edge[:, ::-1] * np.array([1.0, -1.0])
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    reach = (outline * normal).sum(axis=1)
    return bool((points @ normal.T <= reach + TOUCH).all())


class Obstacles:
    """A growing set of prisms that answers whether others overlap any of them."""

    def __init__(self) -> None:
        self._prisms: list[Prism] = []
        self._bounds = np.zeros((64, 6))

    def add(self, prisms: Sequence[Prism]) -> None:
        """Adds prisms."""
        needed = len(self._prisms) + len(prisms)
        while needed > len(self._bounds):
            self._bounds = np.concatenate([self._bounds, np.zeros_like(self._bounds)])
        for prism in prisms:
            self._bounds[len(self._prisms)] = _bounds(prism)
            self._prisms.append(prism)

    def __len__(self) -> int:
        return len(self._prisms)

    def forget(self, count: int) -> None:
        """Takes the latest prisms away until `count` are left."""
        del self._prisms[count:]

    def hit(self, prisms: Sequence[Prism]) -> bool:
        """Whether any of the prisms overlaps one that was added."""
        if not self._prisms:
            return False
        low, high = self._bounds[: len(self._prisms), :3], self._bounds[: len(self._prisms), 3:]
        for prism in prisms:
            bounds = _bounds(prism)
            near = ((low < bounds[3:] - TOUCH) & (high > bounds[:3] + TOUCH)).all(axis=1)
            for index in np.flatnonzero(near):
                if outlines_overlap(prism.outline, self._prisms[index].outline):
                    return True
        return False


def _bounds(prism: Prism) -> Float[Array, "6"]:
    low, high = prism.outline.min(axis=0), prism.outline.max(axis=0)
    return np.array([low[0], low[1], prism.low, high[0], high[1], prism.high])
