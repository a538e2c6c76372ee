"""Soft shadows for the price of hard ones: one ray a pixel, aimed at one of many places of the light.

Neighbouring pixels aim at different places (interleaved sampling, Keller and Heidrich 2001): every TILE x TILE
pixels hold each place once, so the mean over a window of that size has no noise. The mean is taken over
pixels of one surface, so that shadows keep their edges at outlines.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

from gapdata.renderers.light import dither, hidden
from gapdata.renderers.mesh_caster import MeshCaster
from gapdata.renderers.window import window_means
from gapdata.scene import Light, Sun

Array = np.ndarray

TILE = 4  # pixels a side of the pattern
_ORDER = dither(TILE)


def shadowed_share(
    caster: MeshCaster,
    light: Light | Sun,
    lit: Int[Array, " n"],
    place: Float32[Array, "3 H W"],
    members: Int[Array, "H W"],
) -> Float32[Array, " n"]:
    """How much of a light the mesh hides from each of the pixels `lit` (indices into H x W), 0 to 1.

    `members` numbers the surface of each pixel. Lamps of radius 0 and the sun, whose disc is half a degree wide,
    cast hard shadows.
    """
    points = np.stack([np.take(axis.reshape(-1), lit) for axis in place], axis=-1)
    row, column = np.divmod(lit, members.shape[1])
    dark = hidden(caster, light, points, _ORDER[row % TILE, column % TILE], TILE * TILE)
    if isinstance(light, Sun) or light.radius == 0 or not dark.any():
        return dark.astype(np.float32)
    own = np.full(members.shape, -2, np.int32)
    own.reshape(-1)[lit] = members.reshape(-1)[lit]
    share = np.zeros((1, *members.shape), np.float32)
    share.reshape(-1)[lit] = dark
    return np.take(window_means(share, own, TILE).reshape(-1), lit)
