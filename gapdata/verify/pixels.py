"""What the stored pixels show: every fact here comes from depth, instance ids and cameras alone.

The formulas are written a second time on purpose; nothing is shared with the code that made the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt16
from scipy.spatial import cKDTree

from gapdata.errors import DatasetError
from gapdata.geometry.boxes import Box
from gapdata.sample import Sample
from gapdata.scene import Instance
from gapdata.verify.boxes import upright_distance
from gapdata.view import View

Array = np.ndarray

MAX_POINTS = 1024  # of an instance in a view, unless more are asked for
FIT_POINTS = 8192  # likewise, where extremes matter
COARSE_STEP = 16  # points that bound a distance before the rest is searched
AXES = {"right": 0, "down": 1, "forward": 2}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BoxFit:
    """How a box fits what is seen of its instance; NaN when nothing is.

    beyond: metres by which points stick out of it. filled: part of its size that the points span along each of
    its own axes. whole: some view shows the instance uncut. step: metres between neighbouring points, in the view
    that shows it from nearest.
    """

    beyond: float
    filled: Float[Array, "3"]
    whole: bool
    step: float


class PixelFacts:
    """Facts of one decoded sample, computed when asked for and kept.

    Views are positions in the sample, objects are instance ids, points are float64 world metres.
    """

    UP = np.array([0.0, 0.0, 1.0])  # in every world frame

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.views: tuple[View, ...] = sample.views
        self.exact = all(view.depth_source == "mesh" for view in sample.views)
        self.tolerance = 0.02 if self.exact else 0.12  # metres two derivations may differ by
        self._instances = {instance.id: instance for instance in sample.instances}
        self._sorted: dict[int, tuple[Int[Array, " n"], Int[Array, " m"]]] = {}
        self._shown_ids: dict[int, list[int]] = {}
        self._points: dict[tuple[int, int, int], Float[Array, "n 3"]] = {}
        self._clouds: dict[tuple[int, tuple[int, ...]], Float[Array, "n 3"]] = {}
        self._trees: dict[tuple[int, tuple[int, ...]], cKDTree] = {}
        self._distances: dict[tuple[int, int, tuple[int, ...]], float] = {}
        self._fits: dict[int, BoxFit] = {}
        self._whole: dict[tuple[int, int], bool] = {}

    def instance(self, number: int) -> Instance:
        """The table's row of an instance. Raises KeyError for an id that is not there."""
        return self._instances[number]

    def label(self, number: int) -> str:
        """The instance's label."""
        return self._instances[number].label

    def ids(self, views: Iterable[int]) -> list[int]:
        """Instances with at least one pixel in any of the views, ascending; 0 is none."""
        found = {number for view in views for number in self._shown(view)}
        return sorted(found - {0})

    def pixels(self, view: int, number: int) -> int:
        """How many pixels of the view show the instance."""
        return len(self._index(view, number))

    def uv(self, view: int, number: int) -> Int[Array, "n 2"]:
        """(u, v) of every pixel that shows the instance, row by row."""
        v, u = np.divmod(self._index(view, number), self.views[view].camera.width)
        return np.stack([u, v], axis=-1)

    def extent(
        self, view: int, number: int, percent: float = 0.0
    ) -> tuple[float, float, float, float] | None:
        """(left, top, right, bottom) in pixels without `percent` of the pixels at each end; None when not shown."""
        index, width = self._index(view, number), self.views[view].camera.width
        if len(index) == 0:
            return None
        ends = [percent, 100.0 - percent]
        left, right = np.percentile(index % width, ends) if percent else _ends(index % width)
        top, bottom = np.percentile(index // width, ends) if percent else index[[0, -1]] // width
        return float(left), float(top), float(right), float(bottom)

    def depth_at(self, view: int, u: float | int, v: float | int) -> float:
        """z-depth of the pixel in metres, 0 = invalid."""
        return float(self._depth(view)[round(v), round(u)])

    def id_at(self, view: int, u: float | int, v: float | int) -> int:
        """Instance that the pixel shows, 0 = none."""
        return int(self._ids_image(view)[round(v), round(u)])

    def point_at(self, view: int, u: float | int, v: float | int) -> Float[Array, "3"]:
        """World point that the pixel shows; NaN where the depth is invalid."""
        z = self.depth_at(view, u, v)
        return self._unproject(
            view, np.array([[u, v]], np.float64), np.array([z if z > 0 else np.nan])
        )[0]

    def points(self, view: int, number: int, limit: int = MAX_POINTS) -> Float[Array, "n 3"]:
        """World points of the instance's pixels that have depth, evenly strided to at most `limit`."""
        key = (view, number, limit)
        if key not in self._points:
            index = self._index(view, number)
            depth = self._depth(view).ravel()
            index = index[depth[index] > 0]
            index = index[:: max(1, -(-len(index) // limit))]
            v, u = np.divmod(index, self.views[view].camera.width)
            uv = np.stack([u, v], axis=-1).astype(np.float64)
            self._points[key] = self._unproject(view, uv, depth[index].astype(np.float64))
        return self._points[key]

    def cloud(self, number: int, views: Iterable[int] | None = None) -> Float[Array, "n 3"]:
        """Points of the instance in several views, by default in all.

        Where depth is measured, a mask may lie beside its object: what is out of the instance's box is not it.
        """
        key = (number, self._all(views))
        if key not in self._clouds:
            parts = [self.points(view, number) for view in key[1]]
            cloud = np.concatenate([np.zeros((0, 3)), *parts])
            if not self.exact:
                box = self.instance(number).box
                cloud = cloud[self.outside_box(box, cloud) <= self.tolerance]
            self._clouds[key] = cloud
        return self._clouds[key]

    def median(self, number: int, views: Iterable[int] | None = None) -> Float[Array, "3"]:
        """Median of the instance's points, each coordinate by itself; NaN when none is seen."""
        cloud = self.cloud(number, views)
        return np.median(cloud, axis=0) if len(cloud) else np.full(3, np.nan)

    def middle(self, number: int, views: Iterable[int] | None = None) -> Float[Array, "3"]:
        """Middle between the least and the greatest coordinates of the instance's points; NaN when none is seen.

        Where depth is measured, the outermost hundredth of the points at each end is left out.
        """
        cloud = self.cloud(number, views)
        if len(cloud) == 0:
            return np.full(3, np.nan)
        percent = [0.0, 100.0] if self.exact else [1.0, 99.0]
        return np.asarray(np.percentile(cloud, percent, axis=0).mean(axis=0))

    def surface_distance(self, a: int, b: int, views: Iterable[int] | None = None) -> float:
        """Smallest distance in metres between what is seen of two instances; inf when one is not seen.

        What is not seen may be nearer: this bounds the true distance from above, up to the pixels' spacing.
        """
        key = (min(a, b), max(a, b), self._all(views))
        if key not in self._distances:
            self._distances[key] = self._measure(*key)
        return self._distances[key]

    def box_distance(self, a: int, b: int) -> float:
        """Distance in metres between the upright boxes of two instances: a lower bound of the true one."""
        return upright_distance(self.instance(a).box, self.instance(b).box)

    def is_whole(self, view: int, number: int) -> bool:
        """Whether the view shows the instance uncut: away from the image border, and beside it neither holes nor
        anything nearer than itself.
        """
        key = (view, number)
        if key not in self._whole:
            self._whole[key] = self._outline_is_free(view, number)
        return self._whole[key]

    def in_camera(self, view: int, points: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
        """World points in a view's camera axes: x right, y down, z forward."""
        axes = np.stack([self.axis(view, name) for name in AXES], axis=-1)
        return np.asarray((points - self.center(view)) @ axes)

    def project(
        self, view: int, points: Float[Array, "n 3"]
    ) -> tuple[Float[Array, "n 2"], Float[Array, " n"]]:
        """Pixels (u, v) and z-depths of world points; pixels of points behind the camera are NaN."""
        local = self.in_camera(view, points)
        z = np.where(local[:, 2] > 0, local[:, 2], np.nan)
        homogeneous = (local / z[:, None]) @ self.views[view].camera.K.T
        return homogeneous[:, :2], local[:, 2]

    def center(self, view: int) -> Float[Array, "3"]:
        """Position of the view's camera."""
        return np.asarray(self.views[view].camera.cam2world[:3, 3])

    def axis(self, view: int, name: str) -> Float[Array, "3"]:
        """World direction of the camera's "right", "down" or "forward"."""
        return np.asarray(self.views[view].camera.cam2world[:3, AXES[name]])

    def outside_box(self, box: Box, points: Float[Array, "n 3"]) -> Float[Array, " n"]:
        """By how many metres each point sticks out of a box, 0 inside."""
        beyond = np.abs((points - box.center) @ box.rotation) - 0.5 * box.size
        return np.asarray(np.linalg.norm(np.maximum(beyond, 0.0), axis=-1))

    def box_fit(self, number: int) -> BoxFit:
        """How the instance's box in the table fits what all views show of it."""
        if number not in self._fits:
            self._fits[number] = self._fit(number)
        return self._fits[number]

    def _fit(self, number: int) -> BoxFit:
        box = self.instance(number).box
        views = range(len(self.views))
        points = np.concatenate([self.points(view, number, FIT_POINTS) for view in views])
        whole = any(self.is_whole(view, number) for view in views)
        if len(points) == 0:
            return BoxFit(beyond=np.nan, filled=np.full(3, np.nan), whole=False, step=np.nan)
        # One row an axis: numpy takes extremes along contiguous rows several times faster.
        local = np.ascontiguousarray(((points - box.center) @ box.rotation).T)
        over = np.maximum(np.abs(local) - 0.5 * box.size[:, None], 0.0)
        away = np.sqrt((over**2).sum(axis=0))
        # Recorded depth flies off at edges: what a tenth of the points does is not the object.
        beyond = away.max() if self.exact else np.percentile(away, 90.0)
        filled = np.ptp(local, axis=1) / np.maximum(box.size, 1e-6)
        steps = [
            self._step(view, points) for view in views if len(self.points(view, number, FIT_POINTS))
        ]
        return BoxFit(beyond=float(beyond), filled=filled, whole=whole, step=min(steps))

    def _step(self, view: int, points: Float[Array, "n 3"]) -> float:
        """Metres that neighbouring pixels of a view are apart at the depth of some points."""
        z = float(np.median((points - self.center(view)) @ self.axis(view, "forward")))
        return abs(z) / float(self.views[view].camera.K[0, 0])

    def _all(self, views: Iterable[int] | None) -> tuple[int, ...]:
        return tuple(range(len(self.views)) if views is None else sorted(set(views)))

    def _depth(self, view: int) -> Float[Array, "h w"]:
        depth = self.views[view].depth
        if depth is None:
            raise DatasetError(f"{self.sample.key}: view {view}: depth was not read")
        return depth

    def _ids_image(self, view: int) -> UInt16[Array, "h w"]:
        image = self.views[view].instance
        if image is None:
            raise DatasetError(f"{self.sample.key}: view {view}: instance ids were not read")
        return image

    def _by_id(self, view: int) -> tuple[Int[Array, " n"], Int[Array, " m"]]:
        """Flat pixel indices sorted by instance id, and where each id starts."""
        if view not in self._sorted:
            flat = self._ids_image(view).ravel()
            order = np.argsort(flat, kind="stable")
            count = np.bincount(flat, minlength=self._table_size)
            self._sorted[view] = order, np.concatenate([[0], np.cumsum(count)])
        return self._sorted[view]

    def _shown(self, view: int) -> list[int]:
        if view not in self._shown_ids:
            self._shown_ids[view] = np.flatnonzero(np.diff(self._by_id(view)[1])).tolist()
        return self._shown_ids[view]

    @cached_property
    def _table_size(self) -> int:
        return max([0, *self._instances]) + 1

    def _index(self, view: int, number: int) -> Int[Array, " n"]:
        order, starts = self._by_id(view)
        if number + 1 >= len(starts):
            return order[:0]
        return order[starts[number] : starts[number + 1]]

    def _unproject(
        self, view: int, uv: Float[Array, "n 2"], z: Float[Array, " n"]
    ) -> Float[Array, "n 3"]:
        """World points: the camera's centre plus z along the pixel's ray, the ray by solving K r = (u, v, 1)."""
        pixel = np.ones((3, len(uv)))
        pixel[:2] = uv.T
        rays = np.linalg.solve(self.views[view].camera.K, pixel)
        axes = np.stack([self.axis(view, name) for name in AXES], axis=-1)
        return np.ascontiguousarray((axes @ (z * rays)).T + self.center(view))

    def _measure(self, a: int, b: int, views: tuple[int, ...]) -> float:
        points, others = self.cloud(a, views), self.cloud(b, views)
        if len(points) == 0 or len(others) == 0:
            return float("inf")
        if (b, views) not in self._trees:
            self._trees[b, views] = cKDTree(others)
        tree = self._trees[b, views]
        bound = float(tree.query(points[::COARSE_STEP])[0].min())
        gap = np.maximum(np.maximum(tree.mins - points, points - tree.maxes), 0.0)
        near = points[np.einsum("ij,ij->i", gap, gap) <= (bound + 1e-9) ** 2]
        return float(tree.query(near, distance_upper_bound=bound + 1e-9)[0].min())

    def _outline_is_free(self, view: int, number: int) -> bool:
        extent = self.extent(view, number)
        camera = self.views[view].camera
        if extent is None:
            return False
        left, top, right, bottom = (round(edge) for edge in extent)
        if left < 1 or top < 1 or right > camera.width - 2 or bottom > camera.height - 2:
            return False
        window = np.s_[top - 1 : bottom + 2, left - 1 : right + 2]
        own = self._ids_image(view)[window] == number
        depth = self._depth(view)[window]
        # The greatest depth of the instance within a pixel: what stands in front of that hides something.
        behind = cv2.dilate(np.where(own, depth, 0).astype(np.float32), np.ones((3, 3), np.uint8))
        ring = ~own & (cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
        # The floor an object stands on comes nearer by z^2 / (f h) a pixel, seen from h metres above it.
        slack = self.tolerance + 2.0 * behind[ring] ** 2 / camera.K[1, 1]
        cut = (depth[ring] <= 0) | (depth[ring] < behind[ring] - slack)
        return bool(cut.mean() <= (0.01 if self.exact else 0.05))


def _ends(values: Int[Array, " n"]) -> tuple[int, int]:
    return int(values.min()), int(values.max())
