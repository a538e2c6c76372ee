"""Whether something of a size would stand free at a pixel of the floor, as far as the views show."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from gapdata.geometry.camera import unproject_depth
from gapdata.geometry.transforms import transform_points
from gapdata.labels import NYU40_ID
from gapdata.sample import Sample

Array = np.ndarray

# Heights above the floor, in metres, at which things are in the way.
BODY = (0.1, 1.8)
TOLERANCE_M = 0.05
STRAY_POINTS = 4


def stands_free(sample: Sample, view: int, pixel: tuple[int, int], radius: float) -> bool:
    """Whether the pixel (u, v) shows floor and nothing that any view shows comes nearer to it than `radius` metres.

    Things are surfaces other than floor and ceiling, measured along the ground. Needs the layers depth and instance;
    raises ValueError without them.
    """
    floor = _shell(sample, "floor")
    flat = floor | _shell(sample, "ceiling")
    u, v = pixel
    shown = sample.views[view]
    if shown.depth is None or shown.instance is None:
        raise ValueError(
            "stands_free: expected views with depth and instance ids; read those layers"
        )
    if not (0 <= u < shown.camera.width and 0 <= v < shown.camera.height):
        return False
    if int(shown.instance[v, u]) not in floor or not shown.depth[v, u] > 0:
        return False
    spot = _points(sample, view)[v, u]
    found = 0
    for number, other in enumerate(sample.views):
        assert other.depth is not None
        assert other.instance is not None
        points = _points(sample, number)[(other.depth > 0) & ~np.isin(other.instance, list(flat))]
        height = points[:, 2] - spot[2]
        away = np.linalg.norm(points[:, :2] - spot[:2], axis=1)
        in_the_way = (height > BODY[0]) & (height < BODY[1]) & (away < radius - TOLERANCE_M)
        found += int(in_the_way.sum())
    # Recorded depth flies off at edges: a few points in the air are nothing.
    return found <= (0 if shown.depth_source == "mesh" else STRAY_POINTS)


def _shell(sample: Sample, name: str) -> set[int]:
    """Instances of a part of the room's shell."""
    return {
        instance.id
        for instance in sample.instances
        if instance.label == name or instance.nyu40 == NYU40_ID[name]
    }


def _points(sample: Sample, view: int) -> Float[Array, "H W 3"]:
    """World points of a view's pixels."""
    shown = sample.views[view]
    assert shown.depth is not None
    points = unproject_depth(shown.depth.astype(np.float64), shown.camera.K)
    return transform_points(shown.camera.cam2world, points)
