"""Scene points against cameras, depth, instance images and boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gapdata.checks.pixels import Layers, has_near, nearest
from gapdata.checks.thresholds import Thresholds
from gapdata.geometry.depth import SEEN, DepthTolerance
from gapdata.sample import Sample, ScenePoints

Faults = Iterator[tuple[str, str]]  # code, message


@dataclass(slots=True)
class _PointTally:
    seen: int = 0
    floating: int = 0
    seen_against_depth: int = 0
    own: int = 0
    own_off: int = 0
    labelled: int = 0
    other_instance: int = 0


def point_faults(sample: Sample, views: Sequence[Layers], thresholds: Thresholds) -> Faults:
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
    tally = _PointTally()
    for number, view in enumerate(views):
        for message in _point_view_faults(number, view, points, thresholds, tally):
            yield "points", f"view {number}: {message}"
    yield from _tally_faults(tally, thresholds)
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
    number: int, view: Layers, points: ScenePoints, thresholds: Thresholds, tally: _PointTally
) -> Iterator[str]:
    pixel, z = view.camera.project(points.xyz_world.astype(np.float64))
    stored = points.pixel[number]
    # float32 keeps about seven digits, which matters for pixels far outside the image.
    differs = np.abs(stored - pixel) > thresholds.pixel + 1e-5 * np.abs(pixel)
    differs |= np.isnan(stored) != np.isnan(pixel)
    if differs.any():
        yield f"{differs.any(axis=-1).sum()} of {len(pixel)} pixels are not where the camera puts the points"
        return
    at, kept = nearest(pixel, view.camera)
    if (np.delete(points.visible[number], kept) == SEEN).any():
        yield "a point outside the image is marked as seen"
    seen, depth, expected = points.visible[number][kept] == SEEN, view.depth[at], z[kept]
    allowed = thresholds.depth.at(expected)
    floating = view.near[at] > expected + allowed
    # The state was found with the depth before rounding and a tolerance of its own.
    against = (depth <= 0) | (np.abs(depth - expected) > allowed + DepthTolerance().at(expected))
    ids = points.instance[kept]
    both = seen & (ids > 0) & (view.instance[at] > 0)
    # A point that faces the camera and falls on its own instance is hardly ever hidden.
    to_camera = view.camera.center_world - points.xyz_world[kept]
    facing = (points.normal_world[kept] * to_camera).sum(axis=-1) > 0.2 * expected
    own = facing & (ids > 0) & (view.instance[at] == ids) & (depth > 0)
    off = floating | (view.far[at] < expected - allowed)
    tally.own += int(own.sum())
    tally.own_off += int((own & off).sum())
    tally.seen += int(seen.sum())
    tally.floating += int((floating & ~seen).sum())
    tally.seen_against_depth += int((seen & against).sum())
    tally.labelled += int(both.sum())
    tally.other_instance += int((both & ~has_near(ids, view.instance, at)).sum())


def _tally_faults(tally: _PointTally, thresholds: Thresholds) -> Faults:
    share = thresholds.share(tally.floating, tally.floating + tally.seen)
    if share > thresholds.max_floating_points:
        yield (
            "points",
            f"{share:.0%} of the scene points that are not hidden lie in front of the measured surface, "
            f"expected at most {thresholds.max_floating_points:.0%}",
        )
    share = thresholds.share(tally.own_off, tally.own)
    if share > thresholds.max_off_surface:
        yield (
            "points",
            f"{share:.0%} of the scene points on their own instance are not at its measured depth, "
            f"expected at most {thresholds.max_off_surface:.0%}: wrong pose, K or depth unit?",
        )
    share = thresholds.share(tally.seen_against_depth, tally.seen)
    if share > thresholds.max_wrong_states:
        yield (
            "points",
            f"{share:.0%} of the points marked as seen disagree with the depth, "
            f"expected at most {thresholds.max_wrong_states:.0%}",
        )
    share = 1 - thresholds.share(tally.other_instance, tally.labelled)
    if share < thresholds.min_same_point_instance:
        yield (
            "points",
            f"{share:.0%} of the seen points have the instance id of their pixel, "
            f"expected at least {thresholds.min_same_point_instance:.0%}",
        )
