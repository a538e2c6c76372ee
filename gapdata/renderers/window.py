"""Means over a window that stay within one surface, and coarse values put back on all pixels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int

Array = np.ndarray

STRANGER = np.float32(
    1e-3
)  # weight of a neighbour on another surface, where there is none on one's own


def window_means(
    values: Float32[Array, "c h w"], members: Int[Array, "h w"], tile: int
) -> Float32[Array, "c h w"]:
    """Means over the (tile + 1)-wide window about each pixel, over pixels with its member number.

    The outermost rows and columns count half, so that a pattern that repeats every `tile` pixels has no ripple.
    """
    total = np.concatenate([values, np.ones((1, *members.shape), np.float32)])
    for axis in (1, 0):
        total = _summed(total, members, axis, tile // 2)
    return total[:-1] / total[-1]


def _summed(
    values: Float32[Array, "c h w"], members: Int[Array, "h w"], axis: int, reach: int
) -> Float32[Array, "c h w"]:
    """Sum over the window along one axis of the picture."""
    result = values.copy()
    size = members.shape[axis]
    for step in range(1, min(reach, size - 1) + 1):
        low, high = (
            tuple(part if a == axis else slice(None) for a in range(2))
            for part in (slice(0, size - step), slice(step, size))
        )
        same = (members[low] == members[high]).astype(np.float32)
        if step == reach:
            same *= np.float32(0.5)
        result[:, *low] += values[:, *high] * same
        result[:, *high] += values[:, *low] * same
    return result


def spread(coarse: Float32[Array, "c h w"], members: Int[Array, "H W"]) -> Float32[Array, "c H W"]:
    """Values of every second pixel of both axes, put on all: from the neighbours on a pixel's own surface.

    After Kopf et al., Joint bilateral upsampling (SIGGRAPH 2007), with surfaces as members instead of colours.
    """
    height, width = members.shape
    padded = np.pad(coarse, ((0, 0), (0, 1), (0, 1)), mode="edge")
    known = np.pad(members[::2, ::2], ((0, 1), (0, 1)), mode="edge")
    full = np.empty((len(coarse), height, width), np.float32)
    full[:, ::2, ::2] = coarse
    for row, column in ((0, 1), (1, 0), (1, 1)):
        own = members[row::2, column::2]
        total = np.zeros((len(coarse), *own.shape), np.float32)
        weights = np.zeros(own.shape, np.float32)
        for down in range(row + 1):
            for across in range(column + 1):
                part = np.s_[down : down + own.shape[0], across : across + own.shape[1]]
                weight = (known[part] == own) + STRANGER
                total += padded[:, *part] * weight
                weights += weight
        full[:, row::2, column::2] = total / weights
    return full
