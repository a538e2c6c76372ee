"""Confidence intervals by drawing scenes again: questions of one scene are not independent."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float

Array = np.ndarray


def scene_interval(
    scores: Float[Array, " n"],
    scenes: Sequence[Hashable],
    rng: np.random.Generator,
    *,
    level: float = 0.95,
    draws: int = 2000,
) -> tuple[float, float]:
    """Ends of the percentile interval of the mean score when whole scenes are drawn with replacement.

    Every question weighs the same, so a draw's mean is over the questions of its scenes. (NaN, NaN) with fewer than two
    scenes, of which nothing can be said.
    """
    number = {scene: place for place, scene in enumerate(dict.fromkeys(scenes))}
    if len(number) < 2:
        return float("nan"), float("nan")
    place = np.array([number[scene] for scene in scenes])
    totals = np.bincount(place, np.asarray(scores, np.float64), minlength=len(number))
    counts = np.bincount(place, minlength=len(number))
    times = rng.multinomial(len(number), np.full(len(number), 1 / len(number)), size=draws)
    means = (times @ totals) / (times @ counts)
    low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
