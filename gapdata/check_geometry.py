"""Whether a sample's cameras, layers, points and boxes tell one story, judged from the sample alone.

Layers are compared where they must agree, and it is a fault when the share that does is too small: real
scans have holes, noise and drift; a wrong pose, K or unit does far more harm than these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from gapdata.check_pixels import (
    Index,
    Layers,
    grid,
    has_near,
    layers_of,
    nearest,
    points_world,
    smoothed_normals,
)
from gapdata.geometry.camera import unproject_depth
from gapdata.geometry.depth import SEEN, DepthTolerance
from gapdata.geometry.transforms import is_rigid
from gapdata.labels import is_structure
from gapdata.sample import Sample, ScenePoints
from gapdata.view import View

Array = np.ndarray
Faults = Iterator[tuple[str, str]]  # code, message


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """How far a sample's layers may disagree. Shares are of what could be compared."""

    depth: DepthTolerance  # reprojected against measured z-depth
    max_floating: float  # pixels in front of the surface that another view measured there
    max_floating_points: float  # scene points likewise
    min_same_instance: float  # pixels and points whose instance id a view confirms
    box_margin: float  # metres around a box that still belong to it
    min_in_boxes: float  # measured pixels of all objects that lie in their boxes
    min_in_box: float  # the same of each object alone
    max_normal_angle: float  # degrees between a normal and the one the depth gives
    min_normals: float  # normals within that angle
    min_facing: float = 0.98  # normals that face the camera
    min_points_in_box: float = 0.9  # an instance's seen scene points that lie in its box
    max_wrong_states: float = 0.02  # scene points marked as seen against the depth
    max_color_ratio: float = 0.9  # colour difference of matched pixels over that of shuffled ones
    pixel: float = 0.1  # pixels between a scene point's stored and computed position
    min_compared: int = 200  # fewer pixels or points than this decide nothing


# Ray-cast layers agree to rounding and to what one pixel covers.
EXACT = Thresholds(
    depth=DepthTolerance(a=0.01, b=0.001),
    max_floating=0.02,
    max_floating_points=0.02,
    min_same_instance=0.97,
    box_margin=0.02,
    min_in_boxes=0.98,
    min_in_box=0.95,
    max_normal_angle=30.0,  # a scan's mesh is bumpy at the scale of pixels
    min_normals=0.75,
)
# Recorded depth has noise, holes and a tracker that drifts by some centimetres.
MEASURED = Thresholds(
    depth=DepthTolerance(a=0.06, b=0.02),
    max_floating=0.1,
    max_floating_points=0.2,
    min_same_instance=0.7,
    box_margin=0.12,
    min_in_boxes=0.7,
    min_in_box=0.0,  # glass, mirrors and screens measure wrong as a whole
    max_normal_angle=35.0,
    min_normals=0.6,
)


@dataclass(slots=True)
class _Tally:
    compared: int = 0
    floating: int = 0
    labelled: int = 0
    same_instance: int = 0
    colors: list[Array] = field(default_factory=list)
    other_colors: list[Array] = field(default_factory=list)


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
    yield from _pair_faults(views, thresholds)
    yield from _object_faults(sample, views, thresholds)
    yield from _point_faults(sample, views, thresholds)
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


def _pair_faults(views: Sequence[Layers], thresholds: Thresholds) -> Faults:
    """Each view's pixels put into the other views: free space, instance ids and colours must agree."""
    tally = _Tally()
    for a, view in enumerate(views):
        index = grid(view.depth > 0)
        points = points_world(view, index)
        for b, other in enumerate(views):
            if b != a:
                _compare(view, index, points, other, thresholds, tally)
    share = _share(tally.floating, tally.compared, thresholds)
    if share > thresholds.max_floating:
        yield (
            "reprojection",
            f"{share:.0%} of {tally.compared} pixels lie in front of the surface that another view measures "
            f"there, expected at most {thresholds.max_floating:.0%}: wrong pose, K or depth unit?",
        )
    share = _share(tally.labelled - tally.same_instance, tally.labelled, thresholds)
    if 1 - share < thresholds.min_same_instance:
        yield (
            "instance-match",
            f"{1 - share:.0%} of {tally.labelled} matched pixels have one instance id in both views, "
            f"expected at least {thresholds.min_same_instance:.0%}",
        )
    if tally.colors:
        colors, others = np.concatenate(tally.colors), np.concatenate(tally.other_colors)
        yield from _color_faults(colors, others, thresholds)


def _share(part: int, whole: int, thresholds: Thresholds) -> float:
    return part / whole if whole >= thresholds.min_compared else 0.0


def _compare(
    view: Layers,
    index: Index,
    points: Float[Array, "n 3"],
    other: Layers,
    thresholds: Thresholds,
    tally: _Tally,
) -> None:
    pixel, z = other.camera.project(points)
    at, kept = nearest(pixel, other.camera)
    expected = z[kept]
    allowed = thresholds.depth.at(expected)
    floating = other.near[at] > expected + allowed
    agree = ~floating & (other.depth[at] > 0) & (other.far[at] >= expected - allowed)
    tally.compared += int((floating | agree).sum())
    tally.floating += int(floating.sum())
    matched = (at[0][agree], at[1][agree])
    ids = view.instance[index][kept][agree]
    both = (ids > 0) & (other.instance[matched] > 0)
    tally.labelled += int(both.sum())
    tally.same_instance += int(has_near(ids, other.instance, matched)[both].sum())
    if agree.any():
        # Means apart, as exposure differs between pictures.
        colors, others = view.rgb[index][kept][agree], other.rgb[matched]
        tally.colors.append(colors - colors.mean(axis=0))
        tally.other_colors.append(others - others.mean(axis=0))


def _color_faults(
    colors: Float[Array, "n 3"], others: Float[Array, "n 3"], thresholds: Thresholds
) -> Faults:
    """Matched pixels must look more alike than the same pixels matched at random."""
    count = len(colors)
    if count < thresholds.min_compared:
        return
    # A step coprime to the count visits every pixel once; near the golden section it sends neighbours far apart.
    step = next(s for s in range(int(0.382 * count), count) if math.gcd(s, count) == 1)
    shuffled = others[(np.arange(count) * step + step) % count]
    matched, random = (float(np.abs(colors - other).mean()) for other in (others, shuffled))
    if random > 8 and matched > thresholds.max_color_ratio * random:
        yield (
            "color",
            f"matched pixels differ by {matched:.1f} of 255, random ones by {random:.1f}: "
            "the pictures do not belong to this depth and these poses",
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
    share = 1 - _share(outside, sum(measured.values()), thresholds)
    if share < thresholds.min_in_boxes:
        yield (
            "box",
            f"{share:.0%} of the measured pixels of objects lie in their boxes, "
            f"expected at least {thresholds.min_in_boxes:.0%}",
        )
    for number, instance in objects.items():
        share = 1 - _share(measured[number] - inside[number], measured[number], thresholds)
        if share < thresholds.min_in_box:
            yield (
                "box",
                f"instance {number} {instance.label}: {share:.0%} of its measured pixels lie in its box, "
                f"expected at least {thresholds.min_in_box:.0%}",
            )


def _point_faults(sample: Sample, views: Sequence[Layers], thresholds: Thresholds) -> Faults:
    """Scene points against cameras, depth, instance images and boxes."""
    points = sample.points
    shape = (len(views), len(points.xyz_world))
    if points.pixel.shape != (*shape, 2) or points.visible.shape != shape:
        yield "points", f"expected {shape} views and points, found {points.pixel.shape[:2]} pixels"
        return
    if not np.isfinite(points.xyz_world).all() or points.visible.max(initial=0) > 2:
        yield "points", "expected finite positions and states 0, 1 or 2"
        return
    strangers = np.setdiff1d(points.instance[points.instance > 0], sample.visibility.ids)
    if len(strangers):
        yield "points", f"instance ids {strangers.tolist()} are not in the table"
    for number, view in enumerate(views):
        for code, message in _point_view_faults(number, view, points, thresholds):
            yield code, f"view {number}: {message}"
    seen = (points.visible == SEEN).any(axis=0)
    for instance in sample.instances:
        mine = points.xyz_world[seen & (points.instance == instance.id)].astype(np.float64)
        for name, box in (("box", instance.box), ("aabb", instance.aabb)):
            inside = box.contains(mine, thresholds.box_margin)
            if len(mine) >= 5 and inside.mean() < thresholds.min_points_in_box:
                yield (
                    "box",
                    f"instance {instance.id} {instance.label}: {inside.mean():.0%} of its {len(mine)} seen "
                    f"points lie in its {name}, expected at least {thresholds.min_points_in_box:.0%}",
                )


def _point_view_faults(
    number: int, view: Layers, points: ScenePoints, thresholds: Thresholds
) -> Faults:
    pixel, z = view.camera.project(points.xyz_world.astype(np.float64))
    stored = points.pixel[number]
    # float32 keeps about seven digits, which matters for pixels far outside the image.
    far_off = np.abs(stored - pixel) > thresholds.pixel + 1e-5 * np.abs(pixel)
    if (np.isnan(stored) != np.isnan(pixel)).any() or far_off.any():
        count = (far_off.any(-1) | (np.isnan(stored) != np.isnan(pixel)).any(-1)).sum()
        yield "points", f"{count} of {len(pixel)} pixels are not where the camera puts the points"
        return
    at, kept = nearest(pixel, view.camera)
    if (np.delete(points.visible[number], kept) == SEEN).any():
        yield "points", "a point outside the image is marked as seen"
    seen, depth, expected = points.visible[number][kept] == SEEN, view.depth[at], z[kept]
    allowed = thresholds.depth.at(expected)
    floating = view.near[at] > expected + allowed
    share = _share(int(floating.sum()), int((floating | seen).sum()), thresholds)
    if share > thresholds.max_floating_points:
        yield (
            "points",
            f"{share:.0%} of the scene points not hidden lie in front of the measured surface, "
            f"expected at most {thresholds.max_floating_points:.0%}",
        )
    wrong = seen & (
        (depth <= 0) | (np.abs(depth - expected) > allowed + DepthTolerance().at(expected))
    )
    if wrong.sum() > thresholds.max_wrong_states * len(kept):
        yield "points", f"{wrong.sum()} of {len(kept)} points are marked as seen against the depth"
    ids = points.instance[kept]
    both = seen & (ids > 0) & (view.instance[at] > 0)
    other = both & ~has_near(ids, view.instance, at)
    share = _share(int(other.sum()), int(both.sum()), thresholds)
    if 1 - share < thresholds.min_same_instance:
        yield (
            "points",
            f"{1 - share:.0%} of the seen points have the instance id of their pixel, "
            f"expected at least {thresholds.min_same_instance:.0%}",
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
