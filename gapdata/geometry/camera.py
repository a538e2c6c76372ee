"""The pinhole camera: projection, back-projection, and what resizing and cropping do to intrinsics."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.transforms import invert_rigid, transform_points

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with zero skew at a pose. `height` and `width` are the image size in pixels."""

    K: Float[Array, "3 3"]
    cam2world: Float[Array, "4 4"]
    height: int
    width: int

    @property
    def world2cam(self) -> Float[Array, "4 4"]:
        """Inverse of the pose."""
        return invert_rigid(self.cam2world)

    @property
    def center_world(self) -> Float[Array, "3"]:
        """Position of the optical centre in the world, metres."""
        return np.asarray(self.cam2world[:3, 3])

    def project(
        self, points_world: Float[Array, "*n 3"]
    ) -> tuple[Float[Array, "*n 2"], Float[Array, "*n"]]:
        """Pixels (u, v) and z-depths of world points; see `project`."""
        return project(self.K, transform_points(self.world2cam, points_world))

    def moved(self, cam2world: Float[Array, "4 4"]) -> Camera:
        """The same camera at another pose."""
        return replace(self, cam2world=cam2world)

    def resized(self, height: int, width: int) -> Camera:
        """The same camera with its image resized to (height, width)."""
        K = resize_intrinsics(self.K, width / self.width, height / self.height)
        return replace(self, K=K, height=height, width=width)

    def cropped(self, top: int, left: int, height: int, width: int) -> Camera:
        """The same camera keeping the image rectangle that starts at pixel (left, top)."""
        return replace(self, K=crop_intrinsics(self.K, top, left), height=height, width=width)


def intrinsics(fx: float, fy: float, cx: float, cy: float) -> Float[Array, "3 3"]:
    """K from focal lengths and principal point in pixels."""
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def intrinsics_from_fov(fov_x: float, height: int, width: int) -> Float[Array, "3 3"]:
    """K of square pixels with a horizontal field of view in radians, measured between outer pixel edges."""
    focal = 0.5 * width / np.tan(0.5 * fov_x)
    return intrinsics(focal, focal, 0.5 * (width - 1), 0.5 * (height - 1))


def field_of_view(K: Float[Array, "3 3"], height: int, width: int) -> tuple[float, float]:
    """(horizontal, vertical) field of view in radians between the outer edges of the border pixels."""

    def angle(focal: float, center: float, size: int) -> float:
        return float(np.arctan((size - 0.5 - center) / focal) + np.arctan((center + 0.5) / focal))

    return angle(K[0, 0], K[0, 2], width), angle(K[1, 1], K[1, 2], height)


def resize_intrinsics(
    K: Float[Array, "3 3"], scale_x: float, scale_y: float
) -> Float[Array, "3 3"]:
    """K after resizing the image; centres follow c' = (c + 0.5) s - 0.5."""
    return intrinsics(
        K[0, 0] * scale_x,
        K[1, 1] * scale_y,
        (K[0, 2] + 0.5) * scale_x - 0.5,
        (K[1, 2] + 0.5) * scale_y - 0.5,
    )


def crop_intrinsics(K: Float[Array, "3 3"], top: int, left: int) -> Float[Array, "3 3"]:
    """K of the crop whose first pixel is (left, top) of the full image."""
    return intrinsics(K[0, 0], K[1, 1], K[0, 2] - left, K[1, 2] - top)


def project(
    K: Float[Array, "3 3"], points_cam: Float[Array, "*n 3"]
) -> tuple[Float[Array, "*n 2"], Float[Array, "*n"]]:
    """Pixels (u, v) and z-depths of camera-frame points. Pixels of points with z <= 0 are NaN."""
    z = points_cam[..., 2]
    in_front = z > 0
    safe = np.where(in_front, z, 1.0)
    u = K[0, 0] * points_cam[..., 0] / safe + K[0, 2]
    v = K[1, 1] * points_cam[..., 1] / safe + K[1, 2]
    pixel = np.where(in_front[..., None], np.stack([u, v], axis=-1), np.nan)
    return pixel.astype(points_cam.dtype), z


def inside_image(pixel: Float[Array, "*n 2"], height: int, width: int) -> Bool[Array, "*n"]:
    """Whether pixels fall on the image: -0.5 <= u < width - 0.5, likewise v; NaN is outside."""
    u, v = pixel[..., 0], pixel[..., 1]
    return np.asarray((u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < height - 0.5))


def pixel_directions(
    K: Float[Array, "3 3"], height: int, width: int, dtype: type = np.float32
) -> Float[Array, "h w 3"]:
    """Camera-frame directions through pixel centres, scaled to z = 1, so that `depth * direction` is the point."""
    directions: Array = np.empty((height, width, 3), dtype)
    directions[..., 0] = ((np.arange(width) - K[0, 2]) / K[0, 0])[None, :]
    directions[..., 1] = ((np.arange(height) - K[1, 2]) / K[1, 1])[:, None]
    directions[..., 2] = 1.0
    return directions


def unproject_depth(depth: Float[Array, "h w"], K: Float[Array, "3 3"]) -> Float[Array, "h w 3"]:
    """pointmap_cam: camera-frame point of each pixel in metres; (0, 0, 0) where depth is 0."""
    height, width = depth.shape
    directions = pixel_directions(K, height, width, depth.dtype.type)
    return np.asarray(directions * depth[..., None])


def unproject_pixels(
    K: Float[Array, "3 3"], pixel: Float[Array, "*n 2"], depth: Float[Array, "*n"]
) -> Float[Array, "*n 3"]:
    """Camera-frame points of pixels (u, v) at the given z-depths."""
    x = (pixel[..., 0] - K[0, 2]) / K[0, 0] * depth
    y = (pixel[..., 1] - K[1, 2]) / K[1, 1] * depth
    return np.stack([x, y, depth], axis=-1)


def ray_distance_from_depth(
    depth: Float[Array, "h w"], K: Float[Array, "3 3"]
) -> Float[Array, "h w"]:
    """Euclidean length along each pixel's ray, metres, from z-depth."""
    return np.asarray(depth * np.linalg.norm(pixel_directions(K, *depth.shape), axis=-1))
