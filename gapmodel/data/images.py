"""One view's layers from stored bytes to the size the model sees, with the camera that belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from gapdata.errors import DatasetError
from gapdata.geometry.camera import crop_intrinsics, resize_intrinsics
from gapdata.shards.codec import decode_stored, layer_member, normal_from_uint8
from gapdata.shards.records import META

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The rectangle of a stored picture that is shown, and the size (height, width) it is shown at."""

    top: int
    left: int
    height: int
    width: int
    shown: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Shown pixels a stored one, across and down."""
        return self.shown[1] / self.width, self.shown[0] / self.height

    def intrinsics(self, K: Float[Array, "3 3"]) -> Float[Array, "3 3"]:
        """K of the picture as shown; centres follow c' = (c - corner + 0.5) s - 0.5."""
        return resize_intrinsics(crop_intrinsics(K, self.top, self.left), *self.scale)

    def pixels(self, pixel: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
        """Pixels (u, v) of the stored picture as pixels of the shown one, inside it or not."""
        corner = np.array([self.left, self.top], pixel.dtype)
        return (pixel - corner + 0.5) * np.array(self.scale, pixel.dtype) - 0.5

    def rgb(self, stored: UInt8[Array, "h w 3"]) -> UInt8[Array, "H W 3"]:
        """Colour as shown: averaged when made smaller, linear between pixels when made larger."""
        smaller = self.shown[0] < self.height or self.shown[1] < self.width
        return self._resize(stored, cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)

    def nearest(self, stored: Array) -> Array:
        """A layer whose values must not be blended: each shown pixel takes the stored one its centre falls on."""
        return self._resize(stored, cv2.INTER_NEAREST_EXACT)

    def _resize(self, stored: Array, interpolation: int) -> Array:
        part = stored[self.top : self.top + self.height, self.left : self.left + self.width]
        if part.shape[:2] == self.shown:
            return part
        return cv2.resize(part, self.shown[::-1], interpolation=interpolation)


def whole(size: tuple[int, int], shown: tuple[int, int]) -> Window:
    """The window that shows a whole picture of a size (height, width)."""
    return Window(top=0, left=0, height=size[0], width=size[1], shown=shown)


def stored_size(meta: Mapping[str, Any], views: Collection[int]) -> tuple[int, int]:
    """(height, width) of a sample's pictures. Raises DatasetError when some of `views` differ."""
    sizes = {(meta["views"][view]["height"], meta["views"][view]["width"]) for view in views}
    if len(sizes) != 1:
        found = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise DatasetError(f"{META}: expected views of one size, found {found}")
    return sizes.pop()


def decode_layer(
    members: Mapping[str, bytes], view: int, layer: str, size: tuple[int, int]
) -> Array:
    """A view's layer as stored, see `decode_stored`. Raises DatasetError when it is missing, damaged or of another size."""
    name = layer_member(view, layer)
    if name not in members:
        raise DatasetError(f"member {name} is missing")
    try:
        stored = decode_stored(layer, members[name])
    except DatasetError as error:
        raise DatasetError(f"{name}: {error}") from error
    if stored.shape[:2] != size:
        raise DatasetError(
            f"{name}: expected height, width {size} as in {META}, found {stored.shape[:2]}"
        )
    return stored


def show_layer(
    stored: Array, layer: str, window: Window, out: Array, depth_scale: float = 1000.0
) -> None:
    """Nothing; `out` holds the layer as shown: uint8 RGB, metres, unit normals or ids.

    Raises DatasetError for a depth scale that makes depth infinite or NaN.
    """
    if layer == "rgb":
        out[:] = window.rgb(stored)
        return
    shown = window.nearest(stored)
    if layer == "depth":
        if not (np.isfinite(depth_scale) and depth_scale > 0):
            raise DatasetError(
                f"{META}: expected a depth_scale above 0, found {depth_scale}: depth is NaN"
            )
        np.divide(shown, np.float32(depth_scale), out=out, dtype=np.float32)
    elif layer == "normal":
        normal_from_uint8(shown, out)
    else:
        out[:] = shown
