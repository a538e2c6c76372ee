"""Which views of a sample a visit shows, and which questions it asks: every question's turn comes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64

Array = np.ndarray

GOLDEN = 0.5 * (5**0.5 - 1)  # turns by this fraction of a circle fill it evenly, however many


def capped(weights: Float[Array, " n"], count: int) -> Float[Array, " n"]:
    """Arcs in proportion to the weights that add up to 1, none above 1 / count. Needs at least `count` weights above 0."""
    arcs = weights / weights.sum()
    full = np.zeros(len(arcs), bool)
    while (over := ~full & (arcs > 1 / count)).any():
        full |= over
        free = weights[~full].sum()
        rest = 1 - full.sum() / count
        arcs = np.where(full, 1 / count, weights * (rest / free if free > 0 else 0))
    return arcs


def take_turns(
    weights: Float[Array, " n"], count: int, number: int, offset: float
) -> Int64[Array, " k"]:
    """Positions of at most `count` things for visit `number`, ascending; how often each comes is in proportion to its weight.

    Things lie on a circle, each on an arc of its weight's length, and are met by `count` evenly spaced spokes that turn
    by the golden ratio from visit to visit: systematic sampling, so everything with a weight above 0 is met again
    and again. offset: where the first visit's spokes are.
    """
    positive = np.flatnonzero(weights > 0)
    if len(positive) <= count:
        return positive
    ends = np.cumsum(capped(weights[positive], count))
    spokes = (np.arange(count) + (offset + number * GOLDEN) % 1.0) / count
    met = np.minimum(np.searchsorted(ends, spokes, side="right"), len(positive) - 1)
    return positive[np.unique(met)]


def choose_views(
    shows: Bool[Array, "n V"],
    weights: Float[Array, " n"],
    most: int,
    number: int,
    offset: float,
    rng: np.random.Generator,
) -> Int64[Array, " v"]:
    """At most `most` of V views, ascending, so that questions can be asked: one whose turn it is, and others with it.

    shows: the views that each question is about. Questions are taken in random order as long as their views fit,
    what is left is filled at random.
    """
    count = shows.shape[1]
    if count <= most:
        return np.arange(count)
    chosen = np.zeros(count, bool)
    fits = np.where(shows.sum(axis=1) <= most, weights, 0.0)
    if fits.any():
        chosen |= shows[take_turns(fits, 1, number, offset)[0]]
        # Exponential keys over weights: a weighted random order (Efraimidis and Spirakis 2006).
        order = np.flatnonzero(fits > 0)
        order = order[np.argsort(rng.exponential(size=len(order)) / fits[order])]
        for question in order:
            together = chosen | shows[question]
            if together.sum() <= most:
                chosen = together
                if chosen.sum() == most:
                    break
    rest = rng.permutation(np.flatnonzero(~chosen))[: most - int(chosen.sum())]
    chosen[rest] = True
    return np.flatnonzero(chosen)
