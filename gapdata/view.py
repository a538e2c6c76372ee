"""What one camera sees of a scene: aligned H x W layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8, UInt16

from gapdata.geometry.camera import Camera

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AmodalMask:
    """The pixels an instance would cover if nothing stood in front of it.

    `mask` is the part inside the image, cropped to the rectangle that starts at pixel (left, top);
    `outside` counts its amodal pixels beyond the image border, on the same pixel grid.
    """

    instance: int
    top: int
    left: int
    mask: Bool[Array, "h w"]
    outside: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class View:
    """The layers of one frame, all H x W on `camera`'s pixel grid.

    depth: z-depth in metres, 0 = invalid. normal: camera axes, facing the camera, (0, 0, 0) = invalid.
    instance: ids, 0 = none. A reader asked for fewer layers leaves the others None.
    """

    frame_id: str
    timestamp_s: float
    camera: Camera
    rgb: UInt8[Array, "H W 3"] | None
    depth: Float32[Array, "H W"] | None
    normal: Float32[Array, "H W 3"] | None
    instance: UInt16[Array, "H W"] | None
    depth_source: str  # "mesh", "sensor" or "points"
    normal_source: str  # "mesh", "depth" or "points"
    jpeg: bytes | None = None  # recorded JPEG of exactly this grid, copied untouched into the shard
    amodal: tuple[AmodalMask, ...] = ()  # known while building, not stored
