"""Soft shadows for the price of hard ones: one ray a pixel, aimed at one of sixteen places of the light.

Neighbouring pixels aim at different places (interleaved sampling, Keller and Heidrich 2001): every 4 x 4
pixels hold each place once, so the mean over a window of that size has no noise. The mean is taken over
pixels of one instance, so that shadows keep their edges at outlines.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt16

from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.scene import Light, Sun

Array = np.ndarray

TILE = 4  # pixels a side of the pattern
GOLDEN_ANGLE = np.pi * (3.0 - 5.0**0.5)


def _disc(count: int) -> Float[Array, "n 2"]:
    """Evenly spread points of the unit disc (Vogel's spiral)."""
    number = np.arange(count)
    radius = np.sqrt((number + 0.5) / count)
    angle = GOLDEN_ANGLE * number
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


# Which of the 16 places each pixel of a tile aims at: neighbours aim far apart (Bayer's ordered dither).
_ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
PLACES = _disc(TILE * TILE)[_ORDER.reshape(-1)]


def shadowed_share(
    caster: MeshCaster,
    light: Light | Sun,
    lit: Int[Array, " n"],
    place: Float32[Array, "3 H W"],
    instance: UInt16[Array, "H W"],
) -> Float32[Array, " n"]:
    """How much of a light the mesh hides from each of the pixels `lit` (indices into H x W), 0 to 1.

    Lamps of radius 0 and the sun, whose disc is half a degree wide, cast hard shadows.
    """
    points = np.empty((len(lit), 3), np.float32)
    for axis, values in enumerate(place):
        np.take(values.reshape(-1), lit, out=points[:, axis])
    if isinstance(light, Sun):
        return caster.is_shadowed_towards(points, light.direction).astype(np.float32)
    if light.radius == 0:
        return caster.is_shadowed(points, light.position).astype(np.float32)
    height, width = instance.shape
    row, column = np.divmod(lit, width)
    aims = np.tile(light.position, (TILE * TILE, 1)).astype(np.float32)
    aims[:, :2] += (light.radius * PLACES).astype(np.float32)
    aim = np.take(aims, row % TILE * TILE + column % TILE, axis=0)
    dark: Bool[Array, " n"] = caster.is_shadowed(points, aim)
    if not dark.any():
        return dark.astype(np.float32)
    members = np.full((height, width), -1, np.int32)
    members.reshape(-1)[lit] = instance.reshape(-1)[lit]
    hidden = np.zeros((height, width), np.float32)
    hidden.reshape(-1)[lit] = dark
    share = _window_means(hidden, members)
    return np.take(share.reshape(-1), lit)


def _window_means(
    values: Float32[Array, "h w"], members: Int[Array, "h w"]
) -> Float32[Array, "h w"]:
    """Mean of the values in the TILE x TILE window about each pixel, over pixels with its member number."""
    total, count = values, np.ones(values.shape, np.float32)
    for axis in (1, 0):
        total, count = _summed(total, members, axis), _summed(count, members, axis)
    return total / count


def _summed(
    values: Float32[Array, "h w"], members: Int[Array, "h w"], axis: int
) -> Float32[Array, "h w"]:
    """Sum over the window along one axis: the pixel, one before it and two behind it."""
    result = values.copy()
    size = values.shape[axis]
    for step in range(1, TILE // 2 + 1):
        low = tuple(slice(0, size - step) if a == axis else slice(None) for a in range(2))
        high = tuple(slice(step, size) if a == axis else slice(None) for a in range(2))
        same = members[low] == members[high]
        result[low] += values[high] * same
        if step < TILE // 2:
            result[high] += values[low] * same
    return result
