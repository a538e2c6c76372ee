"""What comparing views needs: decoded layers with the depth's local range, pixel grids, smoothed normals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8, UInt16

from gapdata.errors import DatasetError
from gapdata.geometry.camera import Camera, inside_image, unproject_pixels
from gapdata.geometry.depth import normals_from_depth
from gapdata.geometry.transforms import transform_points
from gapdata.view import View

Array = np.ndarray
Index = tuple[Array, Array]  # rows, columns

_GRID_PIXELS = (
    6000  # of a view that are compared: enough for shares, little enough for a thousand pairs
)
_NORMAL_WIDTH = 160  # depth is averaged to about this width before its normals are taken


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layers:
    """A view with all its layers. `near` and `far`: least and greatest depth of a pixel and its neighbours."""

    camera: Camera
    rgb: UInt8[Array, "H W 3"]
    depth: Float32[Array, "H W"]
    normal: Float32[Array, "H W 3"]
    instance: UInt16[Array, "H W"]
    near: Float32[Array, "H W"]
    far: Float32[Array, "H W"]


def layers_of(view: View) -> Layers:
    """The view's layers. `near` and `far` are what a rounded pixel position may mean, 0 where depth is 0.

    Raises DatasetError when a layer was not read.
    """
    if view.rgb is None or view.depth is None or view.normal is None or view.instance is None:
        raise DatasetError(f"frame {view.frame_id}: expected all layers, some were not read")
    valid, square = view.depth > 0, np.ones((3, 3), np.uint8)
    near = cv2.erode(np.where(valid, view.depth, np.float32(np.inf)), square)
    far = cv2.dilate(view.depth, square)
    return Layers(
        camera=view.camera,
        rgb=view.rgb,
        depth=view.depth,
        normal=view.normal,
        instance=view.instance,
        near=np.where(valid, near, np.float32(0)),
        far=np.where(valid, far, np.float32(0)),
    )


def grid(mask: Bool[Array, "h w"]) -> Index:
    """(rows, columns) of the mask's pixels on a regular grid of some thousand pixels."""
    stride = max(1, math.ceil(math.sqrt(mask.size / _GRID_PIXELS)))
    rows, columns = np.nonzero(mask[::stride, ::stride])
    return rows * stride, columns * stride


def points_world(view: Layers, index: Index) -> Float[Array, "n 3"]:
    """World points of the pixels at (rows, columns), float64."""
    pixel = np.stack([index[1], index[0]], axis=-1).astype(np.float64)
    points = unproject_pixels(view.camera.K, pixel, view.depth[index].astype(np.float64))
    return transform_points(view.camera.cam2world, points)


def nearest(pixel: Float[Array, "n 2"], camera: Camera) -> tuple[Index, Int[Array, " m"]]:
    """(rows, columns) of the positions that fall on the image, and which of the n they are."""
    kept = np.flatnonzero(inside_image(pixel, camera.height, camera.width))
    columns, rows = np.floor(pixel[kept].T + 0.5).astype(np.int64)
    return (rows, columns), kept


def has_near(ids: UInt16[Array, " n"], image: UInt16[Array, "h w"], at: Index) -> Bool[Array, " n"]:
    """Whether each id is found at its (row, column) of the image or at one of the eight neighbours."""
    padded = np.pad(image, 1)
    found = np.zeros(len(ids), bool)
    for row, column in np.ndindex(3, 3):
        found |= padded[at[0] + row, at[1] + column] == ids
    return found


def smoothed_normals(view: Layers) -> tuple[Float32[Array, "h w 3"], Float32[Array, "h w 3"]]:
    """(normals of the depth, stored normals), both on a coarse grid; the depth is averaged over its noise first."""
    stride = max(1, view.camera.width // _NORMAL_WIDTH)
    window = (2 * stride - 1, 2 * stride - 1)
    valid = (view.depth > 0).astype(np.float32)
    mean = cv2.blur(view.depth, window) / np.maximum(cv2.blur(valid, window), 1e-6)
    smooth = np.where(view.depth > 0, mean, 0).astype(np.float32)[::stride, ::stride]
    K = np.diag([1 / stride, 1 / stride, 1.0]) @ view.camera.K
    return normals_from_depth(np.ascontiguousarray(smooth), K), view.normal[::stride, ::stride]
