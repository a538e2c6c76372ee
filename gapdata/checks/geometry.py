"""Whether a sample's cameras, layers, points and boxes tell one story, judged from the sample alone.

Layers are compared where they must agree, and it is a fault when the share that does is too small: real
scans have holes, noise and drift; a wrong pose, K or unit does far more harm than these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gapdata.checks.pairs import pair_faults
from gapdata.checks.pixels import (
    Layers,
    grid,
    layers_of,
    points_world,
    smoothed_normals,
)
from gapdata.checks.points import point_faults
from gapdata.checks.thresholds import EXACT, MEASURED, Thresholds
from gapdata.geometry.camera import unproject_depth
from gapdata.geometry.transforms import is_rigid
from gapdata.labels import is_structure
from gapdata.sample import Sample
from gapdata.view import View

Array = np.ndarray
Faults = Iterator[tuple[str, str]]  # code, message


def geometry_faults(sample: Sample) -> Faults:
    """(code, message) of everything in cameras and layers that contradicts the rest of the sample.

    `EXACT` holds where all depth comes from a mesh, `MEASURED` elsewhere.
    """
    faults = list(camera_faults(sample.views))
    if faults:
        yield from faults
        return  # nothing can be projected
    is_exact = all(view.depth_source == "mesh" for view in sample.views)
    thresholds = EXACT if is_exact else MEASURED
    views = [layers_of(view) for view in sample.views]
    if not any((view.depth > 0).any() for view in views):
        yield "depth", "no view has a valid depth"
        return
    yield from pair_faults(views, thresholds)
    yield from _object_faults(sample, views, thresholds)
    yield from point_faults(sample, views, thresholds)
    for number, view in enumerate(views):
        for code, message in _normal_faults(view, thresholds):
            yield code, f"view {number}: {message}"


def camera_faults(views: Sequence[View]) -> Faults:
    """Poses that are not rigid and intrinsics that are no pinhole camera's."""
    for number, view in enumerate(views):
        K, size = view.camera.K, np.array([view.camera.width, view.camera.height])
        if not is_rigid(view.camera.cam2world):
            found = view.camera.cam2world.tolist()
            yield "camera", f"view {number}: expected a rigid cam2world, found {found}"
        pinhole = K[[0, 1, 2, 2, 2], [1, 0, 0, 1, 2]].tolist() == [0, 0, 0, 0, 1]
        positive = np.isfinite(K).all() and (np.diag(K) > 0).all()
        if not (pinhole and positive and ((K[:2, 2] >= 0) & (K[:2, 2] < size)).all()):
            yield (
                "camera",
                f"view {number}: expected K with positive focal lengths, no skew and a principal point "
                f"inside {size[0]}x{size[1]}, found {K.tolist()}",
            )


def _object_faults(sample: Sample, views: Sequence[Layers], thresholds: Thresholds) -> Faults:
    """What the views measure on an object must lie in its box."""
    objects = {i.id: i for i in sample.instances if not is_structure(i.label, i.nyu40)}
    inside, measured = dict.fromkeys(objects, 0), dict.fromkeys(objects, 0)
    for view in views:
        index = grid((view.depth > 0) & np.isin(view.instance, list(objects)))
        points, ids = points_world(view, index), view.instance[index]
        for number in np.unique(ids).tolist():
            mine = points[ids == number]
            inside[number] += int(objects[number].box.contains(mine, thresholds.box_margin).sum())
            measured[number] += len(mine)
    outside = sum(measured.values()) - sum(inside.values())
    share = 1 - thresholds.share(outside, sum(measured.values()))
    if share < thresholds.min_in_boxes:
        yield (
            "box",
            f"{share:.0%} of the measured pixels of objects lie in their boxes, "
            f"expected at least {thresholds.min_in_boxes:.0%}",
        )
    for number, instance in objects.items():
        share = 1 - thresholds.share(measured[number] - inside[number], measured[number])
        if share < thresholds.min_in_box:
            yield (
                "box",
                f"instance {number} {instance.label}: {share:.0%} of its measured pixels lie in its box, "
                f"expected at least {thresholds.min_in_box:.0%}",
            )


def _normal_faults(view: Layers, thresholds: Thresholds) -> Faults:
    """Normals must face the camera and follow the depth."""
    index = grid(np.abs(view.normal).max(axis=-1) > 0)
    if len(index[0]) < thresholds.min_compared:
        return
    rays = unproject_depth(np.ones_like(view.depth), view.camera.K)[index]
    cosine = (view.normal[index] * rays).sum(axis=-1) / np.linalg.norm(rays, axis=-1)
    facing = float((cosine <= 0.02).mean())  # edge-on normals may pass 0 by rounding
    if facing < thresholds.min_facing:
        yield (
            "normal",
            f"{facing:.0%} of the normals face the camera, expected at least {thresholds.min_facing:.0%}: "
            "flipped, or not in camera axes?",
        )
        return
    derived, stored = smoothed_normals(view)
    both = (np.abs(derived).max(axis=-1) > 0) & (np.abs(stored).max(axis=-1) > 0)
    agree = (derived * stored).sum(axis=-1)[both] >= math.cos(
        math.radians(thresholds.max_normal_angle)
    )
    if both.sum() >= thresholds.min_compared and agree.mean() < thresholds.min_normals:
        yield (
            "normal",
            f"{agree.mean():.0%} of the normals lie within {thresholds.max_normal_angle:.0f} degrees of those of "
            f"the depth, expected at least {thresholds.min_normals:.0%}",
        )
