"""Rays through pixels, and the trees that they are cast into."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32

from gapdata.errors import MissingDependencyError
from gapdata.geometry.camera import Camera

Array = np.ndarray


def raycasting_scene(vertices: Float32[Array, "v 3"], faces: Array) -> Any:
    """An Open3D RaycastingScene of triangles that works on one thread."""
    try:
        import open3d
    except ImportError as error:
        raise MissingDependencyError(
            f"open3d cannot be loaded ({error}): run `pip install open3d` and, for its system library, "
            "`apt-get install -y libusb-1.0-0`"
        ) from error
    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        open3d.core.Tensor.from_numpy(np.ascontiguousarray(vertices)),
        open3d.core.Tensor.from_numpy(np.ascontiguousarray(faces, np.uint32)),
    )
    return scene


def pixel_rays(camera: Camera, columns: Array, rows: Array) -> Float32[Array, "*n 6"]:
    """Rays through pixels (columns and rows broadcast against each other): origin, direction of z = 1."""
    pose = camera.cam2world.astype(np.float32)
    x, y = ray_slopes(camera, columns, rows)
    rays = np.empty((*np.broadcast_shapes(x.shape, y.shape), 6), np.float32)
    rays[..., :3] = pose[:3, 3]
    for axis in range(3):
        rays[..., 3 + axis] = x * pose[axis, 0] + (y * pose[axis, 1] + pose[axis, 2])
    return rays


def ray_slopes(camera: Camera, columns: Array, rows: Array) -> tuple[Array, Array]:
    """(x, y) at z = 1 of the rays through pixels, float32."""
    K = camera.K
    x, y = (columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1]
    return x.astype(np.float32), y.astype(np.float32)


def blocks(grid: Array, size: int, height: int, width: int) -> Array:
    """The grid with every value repeated in a size x size block, cut to (height, width)."""
    if size == 1:
        return grid
    return np.repeat(np.repeat(grid, size, axis=0), size, axis=1)[:height, :width].copy()
