"""What a sample's pictures show in 3D, in the frame of the first of them: cameras, points, objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from gapdata.errors import DatasetError
from gapdata.geometry.boxes import Box
from gapdata.geometry.camera import inside_image
from gapdata.geometry.transforms import invert_rigid, is_rigid, transform_points
from gapdata.labels import is_structure
from gapdata.sample import ScenePoints
from gapmodel.data.images import Window

Array = np.ndarray

SEEN = 1  # in ScenePoints.visible


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRule:
    """When an object is shown well enough to be taught: in one chosen view at least this much of it."""

    min_visible: float = 0.25  # of its amodal pixels
    min_area: float = 0.001  # of the stored picture


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SeenObject:
    """An object that the chosen views show; boxes are in the world."""

    id: int
    label: str
    attributes: Mapping[str, str]
    box: Box


def cameras(
    meta: Mapping[str, Any], views: Sequence[int]
) -> tuple[Float[Array, "V 3 3"], Float[Array, "V 4 4"]]:
    """K and cam2world of some views. Raises DatasetError for one that is no camera."""
    K = np.array([meta["views"][view]["K"] for view in views], np.float64)
    cam2world = np.array([meta["views"][view]["cam2world"] for view in views], np.float64)
    focal_ok = np.isfinite(K).all() and (K[:, [0, 1], [0, 1]] > 0).all()
    if not focal_ok or not is_rigid(cam2world).all():
        raise DatasetError("meta.json: expected finite K and rigid cam2world in every view")
    return K, cam2world


def to_first(cam2world: Float[Array, "V 4 4"]) -> Float[Array, "V 4 4"]:
    """cam2first: from each camera's frame to the first one's; the first matrix is the identity exactly."""
    moved = invert_rigid(cam2world[0]) @ cam2world
    moved[0] = np.eye(4)
    return np.asarray(moved)


def sample_points(
    points: ScenePoints,
    views: Sequence[int],
    windows: Sequence[Window],
    world2first: Float[Array, "4 4"],
    budget: int,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """The fields `point_first` to `seen_pixel` of an Example: at most `budget` points that some picture shows.

    Points that several pictures show come first, as only they tell one view from another. Raises DatasetError
    for points that are not finite where they are seen.
    """
    if points.visible.shape != (len(points.pixel), len(points.xyz_world)):
        raise DatasetError("points.npz: arrays of different lengths")
    if len(points.pixel) <= max(views):
        raise DatasetError(f"points.npz: expected view {max(views)}, found {len(points.pixel)}")
    pixel = np.stack(
        [window.pixels(points.pixel[view]) for view, window in zip(views, windows, strict=True)]
    )
    inside = np.stack(
        [inside_image(p, *window.shown) for p, window in zip(pixel, windows, strict=True)]
    )
    seen: Bool[Array, "V N"] = (points.visible[list(views)] == SEEN) & inside
    times = seen.sum(axis=0)
    candidates = np.flatnonzero(times)
    # A random order whose first part is what is seen at least twice.
    order = candidates[np.argsort(rng.random(len(candidates)) + (times[candidates] < 2))]
    chosen: Int64[Array, " P"] = np.sort(order[:budget])
    first = transform_points(world2first, points.xyz_world[chosen].astype(np.float64))
    if not np.isfinite(first).all():
        raise DatasetError("points.npz: expected finite xyz_world, found NaN or infinity")
    row, image = np.nonzero(seen[:, chosen].T)
    return {
        "point_first": first.astype(np.float32),
        "point_instance": points.instance[chosen].astype(np.int32),
        "seen_point": row.astype(np.int64),
        "seen_image": image.astype(np.int64),
        "seen_pixel": pixel[image, chosen[row]].astype(np.float32),
    }


def seen_objects(
    instances: Sequence[Mapping[str, Any]],
    views: Sequence[int],
    shares: Float[Array, "V N"],
    area: int,
    rule: ObjectRule,
    budget: int,
    rng: np.random.Generator,
) -> list[SeenObject]:
    """At most `budget` objects that the views show well, in order of their ids; floor, walls and ceiling are none.

    instances: records of meta.json. shares: part of each one's visible pixels in each stored view that the shown
    window keeps. area: pixels of a stored view.
    """
    chosen = list(views)
    good = []
    for column, record in enumerate(instances):
        if is_structure(record["label"], record["nyu40"]):
            continue
        visible = np.array(record["visible"])[chosen] * shares[:, column]
        pixels = np.array(record["pixels"])[chosen] * shares[:, column]
        if ((visible >= rule.min_visible) & (pixels >= rule.min_area * area)).any():
            good.append(record)
    if len(good) > budget:
        kept = np.sort(rng.permutation(len(good))[:budget])
        good = [good[i] for i in kept]
    return [
        SeenObject(
            id=record["id"],
            label=record["label"],
            attributes=record["attributes"],
            box=_box(record["box"]),
        )
        for record in sorted(good, key=lambda record: record["id"])
    ]


def boxes_in_first(
    objects: Sequence[SeenObject], world2first: Float[Array, "4 4"]
) -> Float32[Array, "O 15"]:
    """center, size and rotation, row by row, of each object's box in the first picture's frame."""
    rows = np.empty((len(objects), 15), np.float32)
    for row, item in zip(rows, objects, strict=True):
        box = item.box.transformed(world2first)
        row[:3], row[3:6], row[6:] = box.center, box.size, box.rotation.ravel()
    return rows


def _box(record: Mapping[str, Any]) -> Box:
    box = Box(
        center=np.array(record["center"], np.float64),
        size=np.array(record["size"], np.float64),
        rotation=np.array(record["rotation"], np.float64),
    )
    if not (np.isfinite(box.corners).all() and (box.size >= 0).all()):
        raise DatasetError("meta.json: expected finite boxes with sizes of 0 or more")
    return box
