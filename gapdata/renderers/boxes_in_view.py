"""Where upright boxes stand before a camera: the pixels they may cover, and where rays enter and leave them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Int64

from gapdata.geometry.boxes import CORNER_EDGES, CORNER_SIGNS, Box
from gapdata.geometry.camera import Camera
from gapdata.renderers.rays import pixel_rays, ray_slopes

Array = np.ndarray

# Boxes are grown a little, so that rounding never excludes a pixel that a ray would hit.
BOX_SLACK_M = 1e-3
NEAR_M = 1e-2  # what of a box is nearer to the camera plane counts as behind it
_EDGES = np.array(CORNER_EDGES)


class BoxesInView:
    """Where boxes stand before a camera, each grown by BOX_SLACK_M on every side."""

    def __init__(self, boxes: Sequence[Box], camera: Camera) -> None:
        self.camera = camera
        pose = camera.cam2world
        center = np.array([box.center for box in boxes]).reshape(-1, 3) - pose[:3, 3]
        self._from_center = -center.astype(np.float32)
        rotation = np.array([box.rotation for box in boxes]).reshape(-1, 3, 3)
        half = np.array([0.5 * box.size for box in boxes]).reshape(-1, 3) + BOX_SLACK_M
        axes = rotation.transpose(0, 2, 1) @ pose[:3, :3]  # of each box, a row each, in the camera
        middle = np.einsum("bkw,bw->bk", rotation.transpose(0, 2, 1), center)
        self._axes, self._planes = axes, np.stack([middle - half, middle + half])
        corners = (center @ pose[:3, :3])[:, None] + np.einsum(
            "ck,bk,bkx->bcx", CORNER_SIGNS, half, axes
        )
        self._low, self._high = _bounds(corners, camera.K)

    def rectangle(self, index: int, *, margin: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the pixels that may show a box, `margin` images beyond the border too."""
        size = np.array([self.camera.width, self.camera.height])
        low = np.maximum(self._low[index], -margin * size)
        high = np.minimum(self._high[index], size + margin * size)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def passes(
        self, index: int, columns: Int64[Array, "*c"], rows: Int64[Array, "*r"]
    ) -> tuple[Float32[Array, "*n"], Float32[Array, "*n"]]:
        """z-depths at which the ray through each pixel enters and leaves a box; it leaves at 0 what it does not meet.

        The slab test (Kay and Kajiya, SIGGRAPH 1986).
        """
        x, y = ray_slopes(self.camera, columns, rows)
        enters: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
        leaves: Array = np.full(enters.shape, np.inf, np.float32)
        planes = self._planes[:, index].T.astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            for axis, (low, high) in zip(self._axes[index].astype(np.float32), planes, strict=True):
                inverse = 1 / (x * axis[0] + (y * axis[1] + axis[2]))
                one, other = low * inverse, high * inverse
                np.fmax(enters, np.fmin(one, other), out=enters)
                np.fmin(leaves, np.fmax(one, other), out=leaves)
        leaves[enters > leaves] = 0
        return enters, leaves

    def rays(
        self, index: int, columns: Int64[Array, " n"], rows: Int64[Array, " n"],
        enters: Float32[Array, " n"], leaves: Float32[Array, " n"],
    ) -> Float32[Array, "n 6"]:  # fmt: skip
        """Rays of length 1 from where each enters a box to where it leaves it, in world axes about its centre."""
        rays = pixel_rays(self.camera, columns, rows)
        rays[:, :3] = self._from_center[index] + enters[:, None] * rays[:, 3:]
        rays[:, 3:] *= (leaves - enters)[:, None]
        return rays


def _bounds(
    corners: Float[Array, "b 8 3"], K: Float[Array, "3 3"]
) -> tuple[Float[Array, "b 2"], Float[Array, "b 2"]]:
    """Least and, exclusive, largest (x, y) of the pixels that boxes cover; 0 and 0 of those behind the camera."""
    start, end = (corners[:, _EDGES[:, side]] for side in range(2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (NEAR_M - start[..., 2:]) / (end[..., 2:] - start[..., 2:])
        points = np.concatenate([corners, start + share * (end - start)], axis=1)
        known = np.concatenate(
            [corners[..., 2] > NEAR_M, (share[..., 0] > 0) & (share[..., 0] < 1)], axis=1
        )
        pixel = points[..., :2] / points[..., 2:] * K[[0, 1], [0, 1]] + K[:2, 2]
    low = np.where(known[..., None], pixel, np.inf).min(axis=1)
    high = np.where(known[..., None], pixel, -np.inf).max(axis=1)
    far = known.any(axis=1, keepdims=True)
    return np.where(far, np.floor(low), 0), np.where(far, np.ceil(high) + 1, 0)
