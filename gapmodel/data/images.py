"""One view's layers from stored bytes to the size the model sees, with the camera that belongs to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int32, UInt8

from gapdata.errors import DatasetError
from gapdata.geometry.camera import crop_intrinsics, resize_intrinsics
from gapdata.shards.codec import (
    decode_depth,
    decode_instance,
    decode_normal,
    decode_rgb,
    layer_member,
)

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ViewLayers:
    """The layers of one view as shown; those not asked for are None."""

    rgb: UInt8[Array, "H W 3"] | None = None
    depth: Float32[Array, "H W"] | None = None
    normal: Float32[Array, "H W 3"] | None = None
    instance: Int32[Array, "H W"] | None = None


def whole(size: tuple[int, int], shown: tuple[int, int]) -> Window:
    """The window that shows a whole picture of a size (height, width)."""
    return Window(top=0, left=0, height=size[0], width=size[1], shown=shown)


def stored_size(meta: Mapping[str, Any], views: Collection[int]) -> tuple[int, int]:
    """(height, width) of a sample's pictures. Raises DatasetError when some of `views` differ."""
    sizes = {(meta["views"][view]["height"], meta["views"][view]["width"]) for view in views}
    if len(sizes) != 1:
        found = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise DatasetError(f"meta.json: expected views of one size, found {found}")
    return sizes.pop()


def decode_layer(
    members: Mapping[str, bytes], view: int, layer: str, record: Mapping[str, Any]
) -> Array:
    """A stored layer of a view, decoded. Raises DatasetError when it is missing, damaged or not what `record` says."""
    name = layer_member(view, layer)
    if name not in members:
        raise DatasetError(f"member {name} is missing")
    try:
        if layer == "depth":
            decoded: Array = decode_depth(members[name], _depth_scale(record))
        else:
            decode = {"rgb": decode_rgb, "normal": decode_normal, "instance": decode_instance}
            decoded = decode[layer](members[name])
    except DatasetError as error:
        raise DatasetError(f"{name}: {error}") from error
    expected = (record["height"], record["width"])
    if decoded.shape[:2] != expected:
        raise DatasetError(
            f"{name}: expected height, width {expected} as in meta.json, found {decoded.shape[:2]}"
        )
    # One sum finds NaN and infinity in a fraction of the time of looking at every pixel.
    if decoded.dtype == np.float32 and not np.isfinite(decoded.sum()):
        raise DatasetError(f"{name}: expected finite values, found NaN or infinity")
    return decoded


def show_layers(
    members: Mapping[str, bytes],
    view: int,
    layers: Collection[str],
    record: Mapping[str, Any],
    window: Window,
) -> ViewLayers:
    """A view's layers as shown in a window. Raises DatasetError, see `decode_layer`."""
    shown: dict[str, Array] = {}
    for layer in layers:
        decoded = decode_layer(members, view, layer, record)
        if layer == "rgb":
            shown[layer] = window.rgb(decoded)
        else:
            shown[layer] = window.nearest(decoded)
        if layer == "instance":
            shown[layer] = shown[layer].astype(np.int32)
    return ViewLayers(**shown)


def _depth_scale(record: Mapping[str, Any]) -> float:
    scale = float(record["depth_scale"])
    if not (np.isfinite(scale) and scale > 0):
        raise DatasetError(f"meta.json: expected a depth_scale above 0, found {scale}")
    return scale
