"""Errors of depth maps against the truth, over valid pixels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

Array = np.ndarray

DEPTH_METRICS = ("abs_rel", "rmse", "delta1", "si_log", "abs_rel_aligned", "delta1_aligned")
_MIN_DEPTH = 1e-3  # metres: what a prediction is raised to before its logarithm is taken


def depth_metrics(predicted: Float[Array, "H W"], true: Float[Array, "H W"]) -> dict[str, float]:
    """Errors of one depth map in metres over the pixels whose truth is known (> 0); empty when there are none.

    abs_rel: mean |p - t| / t. rmse: metres. delta1: share with max(p / t, t / p) < 1.25. si_log: standard deviation of
    log(p / t), free of scale (Eigen et al., arXiv 1406.2283, with lambda = 1). `_aligned`: after the prediction is
    scaled by the median of t / p. A prediction that is not finite or not positive counts as 1 mm.
    """
    known = valid_depth(true)
    if not known.any():
        return {}
    t = true[known].astype(np.float64)
    p = predicted[known].astype(np.float64)
    p = np.where(np.isfinite(p) & (p > _MIN_DEPTH), p, _MIN_DEPTH)
    aligned = p * np.median(t / p)
    logs = np.log(p / t)
    return {
        "abs_rel": _abs_rel(p, t),
        "rmse": float(np.sqrt(((p - t) ** 2).mean())),
        "delta1": _delta1(p, t),
        "si_log": float(logs.std()),
        "abs_rel_aligned": _abs_rel(aligned, t),
        "delta1_aligned": _delta1(aligned, t),
    }


def valid_depth(true: Float[Array, "*n"]) -> Bool[Array, "*n"]:
    """Where the depth is known: finite and positive."""
    return np.asarray(np.isfinite(true) & (true > 0))


def _abs_rel(p: Float[Array, " n"], t: Float[Array, " n"]) -> float:
    return float((np.abs(p - t) / t).mean())


def _delta1(p: Float[Array, " n"], t: Float[Array, " n"]) -> float:
    return float((np.maximum(p / t, t / p) < 1.25).mean())
