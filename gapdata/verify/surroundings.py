"""What stands around: visible points of everything but some, and what is over a box."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from gapdata.geometry.boxes import Box
from gapdata.verify.pixels import PixelFacts

Array = np.ndarray


def over_box(box: Box, points: Float[Array, "n d"], margin: float = 0.0) -> Bool[Array, " n"]:
    """Whether points lie straight above or below an upright box grown by `margin` metres, or in it."""
    local = (points[:, :2] - box.center[:2]) @ box.rotation[:2, :2]
    return np.asarray((np.abs(local) <= 0.5 * box.size[:2] + margin).all(axis=1))


def all_points(facts: PixelFacts, but: set[int]) -> Float[Array, "n 3"]:
    """What all views show of all instances but some."""
    views = range(len(facts.views))
    parts = [facts.cloud(number) for number in facts.ids(views) if number not in but]
    return np.concatenate([np.zeros((0, 3)), *parts])
