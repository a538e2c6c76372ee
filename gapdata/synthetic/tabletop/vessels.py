"""Open vessels, and the space inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gapdata.synthetic.materials import Finish, Palette, accent
from gapdata.synthetic.models import Model, parts_of
from gapdata.synthetic.shapes import circle, loft, rectangle, tube

Array = np.ndarray

ROUND = 32  # segments of a round vessel
STRAY = 1e-9  # metres


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Vessel:
    """A model with a convex hollow: the points with `planes[:, :3] @ point <= planes[:, 3]`, floor included.

    The planes go on above the rim, where the vessel is not.
    """

    model: Model
    planes: Float[Array, "F 4"]
    floor: Float[Array, "K 2"]  # outline of the level bottom inside
    floor_z: float
    rim_z: float

    def rest_height(self, points: Float[Array, "n 3"]) -> float | None:
        """How high a convex body with these corners stands when it is lowered into the hollow.

        None where it does not fit, or would touch above the rim, where nothing is.
        """
        normal, limit = self.planes[:, :3], self.planes[:, 3]
        away = points @ normal.T
        reach = away.max(axis=0) - limit
        steep = normal[:, 2] > -STRAY
        if (reach[steep] > STRAY).any():
            return None
        lift = np.where(steep, -np.inf, reach / np.where(steep, 1.0, -normal[:, 2]))
        first = int(lift.argmax())
        height = float(lift[first])
        touches = float(points[away[:, first].argmax(), 2]) + height
        return height if touches <= self.rim_z + STRAY else None


def _vessel(
    label: str, finish: Finish, unit: Float[Array, "K 2"], outer: Sequence[tuple[float, float]],
    inner: Sequence[tuple[float, float]], shape: str,
) -> Vessel:  # fmt: skip
    """A vessel of scaled outlines: (scale, z) pairs, outside from the bottom up, inside from the bottom up."""
    profile = [*outer, *reversed(inner)]
    rings = np.zeros((len(profile), len(unit), 3))
    for ring, (scale, z) in zip(rings, profile, strict=True):
        ring[:, :2], ring[:, 2] = unit * scale, z
    model = Model(label=label, parts=parts_of(finish, loft(rings)), finish=finish, shape=shape)
    return _hollowed(model, rings[len(outer) :][::-1])


def _hollowed(model: Model, rings: Float[Array, "R K 3"]) -> Vessel:
    """A vessel from its model and the rings of its inside, from the bottom up."""
    ahead = np.roll(rings[:-1], -1, axis=1)
    along, up = ahead - rings[:-1], rings[1:] - rings[:-1]
    normal = np.cross(along, up).reshape(-1, 3)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    limit = (normal * rings[:-1].reshape(-1, 3)).sum(axis=1)
    bottom = np.array([[0.0, 0.0, -1.0, -rings[0, 0, 2]]])
    return Vessel(
        model=model, planes=np.concatenate([np.column_stack([normal, limit]), bottom]),
        floor=rings[0, :, :2], floor_z=float(rings[0, 0, 2]), rim_z=float(rings[-1, 0, 2]),
    )  # fmt: skip


def _crate(
    label: str, finish: Finish, size: tuple[float, float, float], flare: float, wall: float, shape: str = "box"
) -> Vessel:  # fmt: skip
    """A rectangular vessel with level bottom whose walls lean outwards by `flare`."""
    width, depth, height = size
    wide = np.array([width, depth])
    extents = (wide / flare, wide, wide / flare - 2 * wall, wide - 2 * wall)
    rings = np.zeros((4, 4, 3))
    for ring, extent, z in zip(rings, extents, (0.0, height, wall, height), strict=True):
        ring[:, :2], ring[:, 2] = rectangle(*extent), z
    solid = loft(rings[[0, 1, 3, 2]])
    model = Model(label=label, parts=parts_of(finish, solid), finish=finish, shape=shape)
    return _hollowed(model, rings[[2, 3]])


def bowl(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A bowl, 14 to 28 cm wide."""
    r, h = rng.uniform(0.07, 0.14), rng.uniform(0.055, 0.1)
    outer = [(0.5 * r, 0.0), (0.8 * r, 0.32 * h), (0.95 * r, 0.7 * h), (r, h)]
    inner = [
        (0.46 * r, 0.006),
        (0.8 * r - 0.006, 0.32 * h + 0.003),
        (0.95 * r - 0.005, 0.7 * h),
        (r - 0.004, h),
    ]
    return _vessel("bowl", accent(rng), circle(1.0, ROUND), outer, inner, "round")


def tray(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A serving tray with a low rim."""
    size = (rng.uniform(0.3, 0.46), rng.uniform(0.22, 0.32), rng.uniform(0.025, 0.045))
    finish = palette.wood_second if rng.random() < 0.5 else accent(rng, "plastic")
    return _crate("tray", finish, size, 1.06, 0.008, "rectangular")


def bin_(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A plastic storage bin for small things."""
    size = (rng.uniform(0.22, 0.36), rng.uniform(0.16, 0.26), rng.uniform(0.09, 0.15))
    return _crate("storage bin", accent(rng, "plastic"), size, 1.1, 0.006)


def basket(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A wicker basket, rectangular or round."""
    wicker = Finish(rgb=(186, 146, 98), material="wicker", texture="fabric")
    height = rng.uniform(0.08, 0.14)
    if rng.random() < 0.5:
        return _crate(
            "basket",
            wicker,
            (rng.uniform(0.24, 0.34), rng.uniform(0.18, 0.26), height),
            1.15,
            0.012,
        )
    r = rng.uniform(0.11, 0.16)
    outer, inner = [(0.84 * r, 0.0), (r, height)], [(0.84 * r - 0.012, 0.012), (r - 0.012, height)]
    return _vessel("basket", wicker, circle(1.0, ROUND), outer, inner, "cylinder")


def open_box(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A cardboard box without a lid."""
    card = Finish(rgb=(178, 138, 96), material="cardboard")
    size = (rng.uniform(0.2, 0.34), rng.uniform(0.15, 0.24), rng.uniform(0.08, 0.16))
    return _crate("box", card, size, 1.0, 0.004)


def mug(rng: np.random.Generator, palette: Palette) -> Vessel:
    """A mug with a handle, 8 to 11 cm high."""
    r, h = rng.uniform(0.036, 0.045), rng.uniform(0.08, 0.108)
    clay = accent(rng)
    outer, inner = [(0.94 * r, 0.0), (r, 0.008), (r, h)], [(r - 0.006, 0.006), (r - 0.004, h)]
    vessel = _vessel("cup", clay, circle(1.0, ROUND), outer, inner, "cylinder")
    arc = np.array([[-0.001, 0.8], [0.024, 0.78], [0.03, 0.52], [0.023, 0.27], [-0.001, 0.24]])
    path = np.column_stack([r + arc[:, 0], np.zeros(5), h * arc[:, 1]])
    body = vessel.model
    model = Model(
        label=body.label, parts=body.parts + parts_of(clay, tube(path, 0.0055, 8)), finish=clay, shape=body.shape
    )  # fmt: skip
    return Vessel(
        model=model, planes=vessel.planes, floor=vessel.floor, floor_z=vessel.floor_z, rim_z=vessel.rim_z
    )  # fmt: skip


ROOMY = (bin_, basket, open_box, tray)
