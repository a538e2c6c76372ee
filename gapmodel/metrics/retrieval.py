"""Retrieval: whether what belongs to a query is among its nearest items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

Array = np.ndarray


def recall_at(
    similarity: Float[Array, "Q N"],
    positive: Bool[Array, "Q N"],
    negative: Bool[Array, "Q N"] | None = None,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, float]:
    """`recall_k`: share of queries with a positive among the first k items; `median_rank` and mean number of `items`.

    negative: what a query may be mistaken for; all that is not positive when it is not given, other items do not count.
    Queries without a positive or without a negative are left out; empty when none is left.
    """
    negative = ~positive if negative is None else negative & ~positive
    asked = positive.any(axis=1) & negative.any(axis=1)
    if not asked.any():
        return {}
    places = ranks(similarity[asked], positive[asked], negative[asked])
    found = {f"recall_{k}": float((places <= k).mean()) for k in ks}
    items = (positive | negative)[asked].sum(axis=1)
    return {**found, "median_rank": float(np.median(places)), "items": float(items.mean())}


def ranks(
    similarity: Float[Array, "Q N"], positive: Bool[Array, "Q N"], negative: Bool[Array, "Q N"]
) -> Int[Array, " Q"]:
    """Rank (1 = first) of each query's best positive among its negatives.

    Ties are settled against the model: negatives that are as similar come first, so equal features earn nothing.
    """
    if not np.isfinite(similarity).all():
        raise ValueError("retrieval: expected finite similarities, found NaN or infinity")
    best = np.where(positive, similarity, -np.inf).max(axis=1, initial=-np.inf)
    return np.asarray((negative & (similarity >= best[:, None])).sum(axis=1) + 1)
