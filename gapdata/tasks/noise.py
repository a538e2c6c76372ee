"""The sample's world disturbed many times by the noise an answer has to stand: objects and cameras a little elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from gapdata.tasks.facts import Facts

Array = np.ndarray

SHIFT = 0.02  # metres, of every object and camera, in a random direction
TURN = float(np.radians(1.0))  # of every object and camera, about a random axis
WORLDS = 64


class Noise:
    """`WORLDS` disturbed copies of a sample's world: every object and camera moved by SHIFT and turned by TURN.

    The directions are drawn in the level frame of the first camera and every world comes with its mirror image,
    so that neither the choice of world axes, nor ids, nor mirroring changes which answers stand.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        boxes = [instance.box for instance in facts.scene.instances]
        self._center: Float[Array, "N 3"] = np.array([box.center for box in boxes]).reshape(-1, 3)
        self._size: Float[Array, "N 3"] = np.array([box.size for box in boxes]).reshape(-1, 3)
        first = facts.views[0].camera.cam2world if facts.views else np.eye(4)
        level = _level(first)
        away = np.linalg.norm(self._center - first[:3, 3], axis=-1)
        rank = np.argsort(np.argsort(away.round(4), kind="stable"), kind="stable")
        rng = np.random.default_rng(0)
        shift, turn = _directions(rng, len(boxes)), _directions(rng, len(boxes), axial=True)
        self._shift = SHIFT * shift[:, rank] @ level.T
        # arm @ skew is the cross product of turn and arm.
        self._skew = -_skew(TURN * turn[:, rank] @ level.T)
        self._camera_shift = SHIFT * _directions(rng, len(facts.views))
        self._camera_turn = TURN * _directions(rng, len(facts.views), axial=True)
        signs = np.sign(rng.standard_normal((WORLDS // 2, len(boxes), 3)))
        self._growth = SHIFT * np.concatenate([signs, signs])[:, rank]

    def centers(self, columns: Sequence[int]) -> Float[Array, "K n 3"]:
        """Centres of the objects' boxes in each world."""
        rows = list(columns)
        return self._center[rows] + self._shift[:, rows]

    def sizes(self, columns: Sequence[int]) -> Float[Array, "K n 3"]:
        """Extents of the objects' boxes, each SHIFT more or less."""
        rows = list(columns)
        return np.asarray(np.maximum(self._size[rows] + self._growth[:, rows], 0.0))

    def points(self, column: int, points: Float[Array, "n 3"]) -> Float[Array, "K n 3"]:
        """Points in the world that belong to an object, moved with it."""
        arm = points - self._center[column]
        # A turn this small moves a point along the cross product, to within 1 % of how far it moves.
        return np.asarray(points + self._shift[:, None, column] + arm @ self._skew[:, column])

    def distance(self, a: int, b: int) -> Float[Array, " K"]:
        """Distance of the surfaces of two objects, which their nearest points tell."""
        nearest = self._facts.scene.surfaces.nearest(a, b)
        if not np.isfinite(nearest[1]).all() or not np.isfinite(nearest[0]).all():
            return np.full(WORLDS, np.inf)
        first, second = (
            self.points(c, p[None])[:, 0] for c, p in zip((a, b), nearest, strict=True)
        )
        apart = nearest[1] - nearest[0]
        length = float(np.sqrt((apart**2).sum()))
        # Sliding along each other does not part two surfaces: only what moves along the gap counts.
        change = (second - first - apart) @ (apart / max(length, 1e-9))
        return np.asarray(np.maximum(length + change, 0.0))

    def cam2world(self, view: int) -> Float[Array, "K 4 4"]:
        """Poses of a view's camera."""
        moved = np.broadcast_to(np.eye(4), (WORLDS, 4, 4)).copy()
        moved[:, :3, :3] = _rotations(self._camera_turn[:, view])
        moved[:, :3, 3] = self._camera_shift[:, view]
        return np.asarray(self._facts.views[view].camera.cam2world @ moved)

    def world2cam(self, view: int) -> Float[Array, "K 4 4"]:
        """Inverses of the poses of a view's camera."""
        return np.asarray(np.linalg.inv(self.cam2world(view)))


def keeps_option(
    value: str, choices: Sequence[str], moved: Float[Array, " K"]
) -> Bool[Array, " K"]:
    """Whether the option nearest to the quantity in each world is `value`; options are numbers with a unit."""
    numbers = np.array([float(choice.split()[0]) for choice in choices])
    return np.asarray(np.abs(moved[:, None] - numbers).argmin(axis=1) == choices.index(value))


def _level(cam2world: Float[Array, "4 4"]) -> Float[Array, "3 3"]:
    """Columns: the camera's right and forward made horizontal, and up."""
    right = np.array([cam2world[0, 0], cam2world[1, 0], 0.0])
    length = float(np.linalg.norm(right))
    right = right / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return np.stack([right, np.cross(up, right), up], axis=1)


def _directions(
    rng: np.random.Generator, count: int, axial: bool = False
) -> Float[Array, "K count 3"]:
    """Unit vectors for each world; the second half of the worlds mirrors the first at x = 0.

    A mirror turns axes of rotation the other way: `axial` vectors keep x and lose the sign of y and z.
    """
    drawn = rng.standard_normal((WORLDS // 2, count, 3))
    drawn /= np.linalg.norm(drawn, axis=-1, keepdims=True)
    flip = np.array([1.0, -1.0, -1.0] if axial else [-1.0, 1.0, 1.0])
    return np.concatenate([drawn, drawn * flip])


def _rotations(vectors: Float[Array, "K 3"]) -> Float[Array, "K 3 3"]:
    """Rotation matrices of rotation vectors in radians (Rodrigues)."""
    skew = _skew(vectors)
    angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
    return np.asarray(
        np.eye(3)
        + np.sinc(angle / np.pi) * skew
        + 0.5 * np.sinc(0.5 * angle / np.pi) ** 2 * skew @ skew
    )


def _skew(vectors: Float[Array, "*n 3"]) -> Float[Array, "*n 3 3"]:
    """The matrices whose product with a column vector is the cross product of `vectors` and it."""
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    zero = np.zeros_like(x)
    rows = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1)
    return rows.reshape(*vectors.shape[:-1], 3, 3)
