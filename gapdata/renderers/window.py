"""Means over a window that stay within one surface, and coarse values put back on all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32, Int, Shaped

Array = np.ndarray

STRANGER = np.float32(
    1e-3
)  # weight of a neighbour on another surface, where there is none on one's own


class Window:
    """The (tile + 1)-wide window about each pixel of a picture, of the pixels in it with the same member number.

    The outermost rows and columns count half, so that a pattern that repeats every `tile` pixels has no ripple.
    """

    def __init__(
        self, members: Int[Array, "h w"], tile: int, dtype: type[np.float32 | np.uint8] = np.float32
    ) -> None:
        """`dtype` is that of the values; sums of uint8 stay below 256 where values are 0 or 1 and `tile` is 4."""
        self._passes: list[list[tuple[Any, Any, Array]]] = []
        for axis in (1, 0):
            steps = []
            for step in range(1, min(tile // 2, members.shape[axis] - 1) + 1):
                low, high = (
                    tuple(part if a == axis else slice(None) for a in range(2))
                    for part in (slice(0, -step), slice(step, None))
                )
                weight = (members[low] == members[high]).astype(dtype)
                if 2 * step != tile:
                    weight += weight
                steps.append((low, high, weight))
            self._passes.append(steps)
        self._weight = self._sums(np.ones((1, *members.shape), dtype)).astype(np.float32)

    def means(self, values: Shaped[Array, "c h w"]) -> Float32[Array, "c h w"]:
        """Means about each pixel."""
        return self._sums(values) / self._weight

    def _sums(self, values: Shaped[Array, "c h w"]) -> Shaped[Array, "c h w"]:
        """Weighted sums about each pixel, times 4."""
        for steps in self._passes:
            sums = values + values
            for low, high, weight in steps:
                sums[:, *low] += values[:, *high] * weight
                sums[:, *high] += values[:, *low] * weight
            values = sums
        return values


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
