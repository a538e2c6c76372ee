"""Direct light: how strongly each kind of light reaches a plane, where on it rays aim, and what it adds up to."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.scene import AreaLight, Light, Sun

Array = np.ndarray
DirectLight = Light | AreaLight | Sun

GOLDEN = 0.5 * (1.0 + 5.0**0.5)


def disc(count: int) -> Float[Array, "n 2"]:
    """Evenly spread points of the unit disc (Vogel's spiral)."""
    number = np.arange(count)
    radius = np.sqrt((number + 0.5) / count)
    angle = 2.0 * np.pi * (1.0 - 1.0 / GOLDEN) * number
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def dither(side: int) -> Int[Array, "side side"]:
    """Bayer's ordered dither of a power of two: each number once, and neighbours far apart."""
    order = np.zeros((1, 1), np.int64)
    while len(order) < side:
        order = np.block([[4 * order, 4 * order + 2], [4 * order + 3, 4 * order + 1]])
    return order


def height_above(
    light: DirectLight, normal: Float32[Array, "n 3"], offset: Float32[Array, " n"]
) -> Float32[Array, " n"]:
    """Metres from planes n . x = offset to a light, on the normal's side; of a sun, the sine of its elevation."""
    if isinstance(light, Sun):
        return normal @ light.direction.astype(np.float32)
    return np.asarray(normal @ light.position.astype(np.float32) - offset)


def strength(
    light: DirectLight, height: Float32[Array, "..."], points: Float32[Array, "3 ..."]
) -> Float32[Array, "..."]:
    """Irradiance over `light.color` at points of planes that the light stands `height` above; 0 where below.

    Nothing is in the way. That of a rectangle is a round one's of the same area, exact on its axis.
    """
    lit = np.maximum(height, np.float32(0))
    if isinstance(light, Sun):
        return lit
    away = [axis - at for axis, at in zip(points, light.position.astype(np.float32), strict=True)]
    square = away[0] * away[0]
    square += away[1] * away[1]
    square += away[2] * away[2]
    np.maximum(square, np.float32(1e-6), out=square)
    if isinstance(light, Light):
        lit /= square * np.sqrt(square)
        return lit
    ahead = np.cross(*light.edges)
    area = float(np.linalg.norm(ahead))
    x, y, z = (ahead / area).astype(np.float32)
    lit *= np.maximum(away[0] * x + away[1] * y + away[2] * z, np.float32(0))
    lit /= square * (square + np.float32(area / np.pi))
    return lit


def power(light: DirectLight) -> Float[Array, "3"]:
    """Radiant flux of a lamp in all directions; a sun's is none of a place's own."""
    if isinstance(light, Sun):
        return np.zeros(3)
    return np.asarray((4.0 if isinstance(light, Light) else 1.0) * np.pi * light.color)


def aims(light: Light | AreaLight, count: int) -> Float32[Array, "count 3"]:
    """Points of a lamp, evenly spread."""
    if isinstance(light, Light):
        offset = light.radius * np.column_stack([disc(count), np.zeros(count)])
    else:
        number = np.arange(count)
        lattice = np.stack([number + 0.5, (number / GOLDEN + 0.5) % 1.0 * count], axis=-1) / count
        offset = (lattice - 0.5) @ light.edges
    return (light.position + offset).astype(np.float32)


def hidden(
    caster: MeshCaster, light: DirectLight, points: Float32[Array, "n 3"], place: Int[Array, " n"], count: int
) -> Bool[Array, " n"]:  # fmt: skip
    """Whether the mesh stands between each point and place number `place` (modulo `count`) of the light."""
    if isinstance(light, Sun):
        return caster.is_shadowed_towards(points, light.direction)
    return caster.is_shadowed(points, np.take(aims(light, count), place % count, axis=0))
