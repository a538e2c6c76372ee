"""Retrieval: whether what belongs to a query is among its nearest items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

Array = np.ndarray


def ranks(similarity: Float[Array, "Q N"], positive: Bool[Array, "Q N"]) -> Int[Array, " Q"]:
    """Rank (1 = first) of each query's best positive; N + 1 for a query without one.

    Ties are settled against the model: negatives that are as similar come first, so equal features earn nothing.
    """
    if not np.isfinite(similarity).all():
        raise ValueError("retrieval: expected finite similarities, found NaN or infinity")
    best = np.where(positive, similarity, -np.inf).max(axis=1, initial=-np.inf)
    ahead = (~positive & (similarity >= best[:, None])).sum(axis=1)
    return np.where(positive.any(axis=1), ahead + 1, similarity.shape[1] + 1)


def recall_at(
    similarity: Float[Array, "Q N"], positive: Bool[Array, "Q N"], ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """`recall_k`: share of queries with a positive among the first k items; `median_rank`. Empty without queries.

    Queries that have no positive at all are left out.
    """
    asked = positive.any(axis=1)
    if not asked.any():
        return {}
    places = ranks(similarity[asked], positive[asked])
    found = {f"recall_{k}": float((places <= k).mean()) for k in ks}
    return {**found, "median_rank": float(np.median(places))}
