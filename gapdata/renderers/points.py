"""Rendering of a point cloud: every point is a small disc, the nearest disc wins a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt64

from gapdata.errors import ConfigError
from gapdata.geometry.camera import Camera, project
from gapdata.geometry.depth import normals_from_depth
from gapdata.geometry.transforms import transform_directions, transform_points
from gapdata.renderers.image_size import ImageSize
from gapdata.renderers.shading import BACKGROUND
from gapdata.scene import Frame, PointCloud, Scene
from gapdata.view import View

Array = np.ndarray

# A disc reaches to the SPACING_NEIGHBOURS-th nearest point. On a square grid that is the grid's spacing, and
# a random cloud of n points per m2 then leaves exp(-4) = 2 % of a surface open (Poisson).
SPACING_NEIGHBOURS = 4
MAX_RADIUS_M = 0.2  # of a disc: points this lonely are not a surface
MAX_RADIUS_PX = 24  # of a disc's footprint: bounds the work when the camera is close to the points
NEAR_M = 0.05  # points nearer to the camera plane are not drawn
COARSE_POINTS = 50_000
MAX_FRAGMENTS = 1_000_000  # tested at a time, bounds the memory
EMPTY = np.iinfo(np.uint64).max  # a pixel that no disc has reached


class PointsRenderer:
    """Draws a scene's point cloud as discs with a z-buffer.

    A point of unknown normal is a disc that faces the camera. Normals come from the cloud, or from the
    drawn depth when the cloud has none. There are no amodal masks.
    """

    def __init__(self, scene: Scene, height: int | None = None, width: int | None = None) -> None:
        if scene.points is None or len(scene.points.xyz) == 0:
            raise ConfigError(
                f"{scene.source}: {scene.id}: renderer points needs a point cloud, found none; "
                "use renderer raycast or captured"
            )
        self._size = ImageSize(height, width)
        self._cloud = scene.points
        self._radius = point_spacing(scene.points.xyz)
        # Coarse depth needs no more than some points a coarse pixel; discs of fewer points are larger.
        step = -(-len(self._radius) // COARSE_POINTS)
        self._coarse = _thinned(scene.points, step), self._radius[::step] * np.float32(step**0.5)
        self._has_normals = bool(scene.points.normal.any())

    def render(self, frame: Frame) -> View:
        """All layers of a frame, without amodal masks."""
        camera = self._size.of(frame.camera)
        depth, winner = splat(self._cloud, self._radius, camera)
        empty = winner < 0
        rgb, instance = self._cloud.color[winner], self._cloud.instance[winner]
        rgb[empty], instance[empty] = BACKGROUND, 0
        return View(
            frame_id=frame.id,
            timestamp_s=frame.timestamp_s,
            camera=camera,
            rgb=rgb,
            depth=depth,
            normal=self._normals(camera, depth, winner),
            instance=instance,
            depth_source="points",
            normal_source="points" if self._has_normals else "depth",
        )

    def coarse_depth(self, frame: Frame) -> tuple[Float32[Array, "h w"], Camera]:
        """A small depth map of the frame and its camera."""
        camera = ImageSize.coarse(frame.camera)
        return splat(*self._coarse, camera)[0], camera

    def _normals(
        self, camera: Camera, depth: Float32[Array, "H W"], winner: Int64[Array, "H W"]
    ) -> Float32[Array, "H W 3"]:
        """Camera-frame normals facing the camera; (0, 0, 0) where unknown."""
        if not self._has_normals:
            return normals_from_depth(depth, camera.K)
        normal = transform_directions(camera.world2cam, self._cloud.normal[winner])
        ray = transform_points(camera.world2cam, self._cloud.xyz[winner])
        away = np.einsum("ijk,ijk->ij", normal, ray) > 0
        normal[away] *= -1
        normal[winner < 0] = 0
        return normal


def _thinned(cloud: PointCloud, step: int) -> PointCloud:
    """Every `step`-th point."""
    return PointCloud(
        xyz=cloud.xyz[::step],
        color=cloud.color[::step],
        normal=cloud.normal[::step],
        instance=cloud.instance[::step],
    )


def point_spacing(xyz: Float32[Array, "n 3"]) -> Float32[Array, " n"]:
    """Distance of each point to its SPACING_NEIGHBOURS-th nearest other point, at most MAX_RADIUS_M."""
    from scipy.spatial import cKDTree

    count = min(SPACING_NEIGHBOURS + 1, len(xyz))
    distance, _ = cKDTree(xyz).query(xyz, k=[count], distance_upper_bound=MAX_RADIUS_M)
    return np.minimum(distance[:, 0], MAX_RADIUS_M).astype(np.float32)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Discs:
    """Discs in the camera's frame that may touch the image. `reach` bounds the footprint, in whole pixels."""

    index: Int64[Array, " m"]
    center: Float64[Array, "m 3"]
    normal: Float64[Array, "m 3"]
    radius: Float64[Array, " m"]
    pixel: Int64[Array, "m 2"]
    reach: Int64[Array, " m"]

    def batches(self) -> Iterator[_Discs]:
        """Groups of equal footprint, none with more than MAX_FRAGMENTS pixels in all."""
        for reach in np.unique(self.reach):
            group = np.flatnonzero(self.reach == reach)
            step = max(1, MAX_FRAGMENTS // int(2 * reach + 1) ** 2)
            for start in range(0, len(group), step):
                yield self.take(group[start : start + step])

    def take(self, chosen: Int64[Array, " c"]) -> _Discs:
        """Some of the discs."""
        return _Discs(**{item.name: getattr(self, item.name)[chosen] for item in fields(self)})


def splat(
    cloud: PointCloud, radius: Float32[Array, " n"], camera: Camera
) -> tuple[Float32[Array, "H W"], Int64[Array, "H W"]]:
    """Depth of the nearest disc in each pixel, 0 = none, and the index of its point, -1 = none.

    A pixel belongs to a disc when its ray meets the disc's plane within the radius of the point. The
    pixel at a point's own projection always belongs to it, at the point's depth where the ray misses
    the disc: far points are smaller than a pixel. Of equal depths the lower index wins.
    """
    nearest = np.full(camera.height * camera.width, EMPTY, np.uint64)
    for discs in _discs(cloud, radius, camera).batches():
        _draw(nearest, discs, camera)
    empty = nearest == EMPTY
    depth = (nearest >> np.uint64(32)).astype(np.uint32).view(np.float32)
    winner = (nearest & np.uint64(0xFFFFFFFF)).astype(np.int64)
    depth[empty], winner[empty] = 0, -1
    return depth.reshape(camera.height, -1), winner.reshape(camera.height, -1)


def _discs(cloud: PointCloud, radius: Float32[Array, " n"], camera: Camera) -> _Discs:
    """The discs in front of the camera that may touch the image.

    With t = max(|x|, |y|) / z, no point of a disc projects farther from its centre than
    f * radius * sqrt(1 + t**2) / (z - radius) (Cauchy-Schwarz).
    """
    center = transform_points(camera.world2cam, cloud.xyz.astype(np.float64))
    pixel, z = project(camera.K, center)
    index = np.flatnonzero(z > NEAR_M)
    center, pixel, z = center[index], pixel[index], z[index]
    size = radius[index].astype(np.float64)
    slant = np.hypot(1.0, np.abs(center[:, :2]).max(axis=1) / z)
    focal = max(camera.K[0, 0], camera.K[1, 1])
    reach = np.floor(focal * size * slant / np.maximum(z - size, NEAR_M) + 0.5)
    reach = np.minimum(reach, MAX_RADIUS_PX)[:, None]
    own = np.floor(pixel + 0.5)
    touches = ((own + reach >= 0) & (own - reach < [camera.width, camera.height])).all(axis=1)
    normal = transform_directions(camera.world2cam, cloud.normal[index].astype(np.float64))
    unknown = ~normal.any(axis=1)
    normal[unknown] = center[unknown]
    discs = _Discs(
        index=index,
        center=center,
        normal=normal,
        radius=size,
        pixel=own.astype(np.int64),
        reach=reach[:, 0].astype(np.int64),
    )
    return discs.take(np.flatnonzero(touches))


def _draw(nearest: UInt64[Array, " p"], discs: _Discs, camera: Camera) -> None:
    """Keeps the nearest of what each pixel holds and the discs (of one footprint), in place.

    A pixel holds the bits of its float32 depth above the index of its point, so that order is by depth.
    """
    steps = np.arange(-discs.reach[0], discs.reach[0] + 1)
    columns = discs.pixel[:, 0, None, None] + steps[None, None, :]
    rows = discs.pixel[:, 1, None, None] + steps[None, :, None]
    inside_x, inside_y = (
        (columns >= 0) & (columns < camera.width),
        (rows >= 0) & (rows < camera.height),
    )
    disc, row, column = np.nonzero(inside_x & inside_y)
    columns, rows = columns[disc, 0, column], rows[disc, row, 0]
    ray = np.ones((len(disc), 3))
    ray[:, 0] = (columns - camera.K[0, 2]) / camera.K[0, 0]
    ray[:, 1] = (rows - camera.K[1, 2]) / camera.K[1, 1]
    center, normal = discs.center[disc], discs.normal[disc]
    toward = np.einsum("ij,ij->i", normal, ray)
    plane = np.einsum("ij,ij->i", normal, center)
    depth = np.divide(plane, toward, out=np.zeros_like(plane), where=np.abs(toward) > 1e-9)
    away = np.linalg.norm(ray * depth[:, None] - center, axis=1)
    met = (away <= discs.radius[disc]) & (depth > 0)
    own = (row == discs.reach[0]) & (column == discs.reach[0])
    depth = np.where(met, depth, center[:, 2]).astype(np.float32)
    kept = met | own
    key = depth[kept].view(np.uint32).astype(np.uint64) << np.uint64(32)
    key |= discs.index[disc[kept]].astype(np.uint64)
    np.minimum.at(nearest, (rows * camera.width + columns)[kept], key)
