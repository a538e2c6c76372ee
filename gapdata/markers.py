"""What a question points at in a picture: marker records, and drawing them when a sample is looked at or loaded.

Stored pictures never contain markers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Int, UInt8, UInt16

from gapdata.sample import QA, Sample

Array = np.ndarray

COLORS: Mapping[str, tuple[int, int, int]] = {
    "red": (230, 25, 25),
    "blue": (20, 80, 245),
    "green": (20, 190, 50),
    "yellow": (250, 215, 0),
    "magenta": (225, 20, 220),
    "cyan": (0, 200, 220),
}
KINDS = ("point", "cross", "box", "mask")
MASK_OPACITY = 0.45


def marker(
    kind: str,
    view: int,
    color: str,
    *,
    pixel: Sequence[float | int] = (),
    bbox: Sequence[int] = (),
    instance: int = 0,
    text: str = "",
) -> dict[str, Any]:
    """A marker record: plain JSON types, every key always there.

    view: position in the sample's views. pixel (u, v): for "point" and "cross". bbox (left, top, right, bottom) in
    inclusive pixels: for "box". instance: id whose visible pixels a "mask" covers. text: written beside it.
    """
    if kind not in KINDS or color not in COLORS:
        raise ValueError(
            f"marker: expected {KINDS} in {tuple(COLORS)}, found {kind!r} in {color!r}"
        )
    return {
        "kind": kind,
        "view": int(view),
        "color": color,
        "pixel": [float(value) for value in pixel],
        "bbox": [int(value) for value in bbox],
        "instance": int(instance),
        "text": text,
    }


def point_radius(height: int, width: int) -> int:
    """Radius in pixels of the coloured disc that marks a point."""
    return max(3, round(0.012 * min(height, width)))


def draw_markers(
    rgb: UInt8[Array, "H W 3"],
    markers: Sequence[Mapping[str, Any]],
    view: int,
    instance: UInt16[Array, "H W"] | None = None,
) -> UInt8[Array, "H W 3"]:
    """A copy of the picture with the markers of this view (position in the sample's views) drawn on it.

    Raises ValueError for a mask marker when no instance ids are given.
    """
    drawn = np.ascontiguousarray(rgb).copy()
    for record in markers:
        if record["view"] == view:
            _draw(drawn, record, instance)
    return drawn


def marked_views(sample: Sample, qa: QA) -> tuple[UInt8[Array, "_ _ 3"], ...]:
    """The pictures of the views a question is about, in its order, with its markers drawn: what the asked one sees.

    Needs the layer rgb, for mask markers also instance. Raises ValueError when they were not read.
    """
    pictures = []
    for view in qa.views:
        rgb = sample.views[view].rgb
        if rgb is None:
            raise ValueError("marked_views: expected views with rgb, found none; read that layer")
        pictures.append(draw_markers(rgb, qa.markers, view, sample.views[view].instance))
    return tuple(pictures)


def _draw(
    picture: UInt8[Array, "H W 3"],
    record: Mapping[str, Any],
    instance: UInt16[Array, "H W"] | None,
) -> None:
    color = COLORS[record["color"]]
    radius = point_radius(*picture.shape[:2])
    thickness = max(1, radius // 3)
    if record["kind"] == "mask":
        if instance is None:
            raise ValueError("draw_markers: a mask marker needs the view's instance ids")
        covered = instance == record["instance"]
        blend = (1 - MASK_OPACITY) * picture[covered] + MASK_OPACITY * np.array(color)
        picture[covered] = np.rint(blend).astype(np.uint8)
        # The edge in the full colour: a tint alone is lost on what has that colour already.
        inner = cv2.erode(
            covered.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=thickness, borderValue=0
        )
        picture[covered & (inner == 0)] = color
        rows, columns = np.nonzero(covered)
        anchor = _nearest_int([columns.mean(), rows.mean()]) if len(rows) else np.zeros(2, np.int64)
    elif record["kind"] == "box":
        left, top, right, bottom = record["bbox"]
        cv2.rectangle(picture, (left, top), (right, bottom), color, thickness)
        anchor = np.array([left, top])
    else:
        anchor = _nearest_int(record["pixel"])
        u, v = int(anchor[0]), int(anchor[1])
        if record["kind"] == "point":
            cv2.circle(picture, (u, v), radius + thickness, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(picture, (u, v), radius, color, -1, cv2.LINE_AA)
        else:
            for du, dv in ((2 * radius, 0), (0, 2 * radius)):
                cv2.line(picture, (u - du, v - dv), (u + du, v + dv), color, thickness)
    if record["text"]:
        at = (int(anchor[0]) + 2 * radius, int(anchor[1]) - radius)
        size = radius / 11
        cv2.putText(picture, record["text"], at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3)
        cv2.putText(picture, record["text"], at, cv2.FONT_HERSHEY_SIMPLEX, size, color, 1)


def _nearest_int(pixel: Sequence[float | int]) -> Int[Array, "2"]:
    return np.floor(np.asarray(pixel, np.float64) + 0.5).astype(np.int64)
