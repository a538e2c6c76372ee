"""The pixel of an object that is farthest from its edge: where to point at it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from gapdata.tasks.facts import Facts


def deepest_pixel(facts: Facts, view: int, column: int) -> tuple[int, int, float]:
    """The pixel (u, v) deepest inside what a view shows of an instance, and its pixels to the edge; the view shows some."""
    return facts.once(_deepest, view, column)


def _deepest(facts: Facts, view: int, column: int) -> tuple[int, int, float]:
    left, top, right, bottom = facts.bounds[view, column].astype(int).tolist()
    crop = facts.columns(view)[top : bottom + 1, left : right + 1] == column
    inside = cv2.distanceTransform(
        np.pad(crop.astype(np.uint8), 1), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    # Squares are whole numbers: rounded to them, ties do not hang on the last bit, which differs from run to run.
    square = np.rint(inside * inside)
    v, u = np.unravel_index(int(square.argmax()), square.shape)
    return int(u) - 1 + left, int(v) - 1 + top, math.sqrt(float(square[v, u]))
