"""How well predicted points cover the true surface, and the other way round."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree

from gapmodel.metrics.numbers import accuracy_of_errors

Array = np.ndarray

WITHIN_M = 0.1
MAX_POINTS = 20_000  # of either cloud, evenly picked in order; more change the means by little
POINTMAP_METRICS = ("error_m", "relative_accuracy", "accuracy_m", "completion_m", "f1_10cm")


def pointmap_metrics(
    predicted: Float[Array, "*n 3"], true: Float[Array, "*n 3"], known: Bool[Array, "*n"]
) -> dict[str, float]:
    """Errors in metres of points in one frame, where known; empty when nothing is.

    error_m: mean distance between the two points of a pixel. accuracy_m: mean distance from a predicted point to the
    nearest true one; completion_m the other way. f1_10cm: harmonic mean of the shares of both that are below 10 cm.
    relative_accuracy: of error_m's distances against the true point's distance from the frame's origin, see `numbers`.
    """
    if not known.any():
        return {}
    p, t = predicted[known].astype(np.float64), true[known].astype(np.float64)
    if not np.isfinite(p).all():
        raise ValueError("pointmap: expected finite predicted points, found NaN or infinity")
    error = np.linalg.norm(p - t, axis=-1)
    accuracy, completion = cloud_distances(p, t)
    precision, recall = (accuracy < WITHIN_M).mean(), (completion < WITHIN_M).mean()
    return {
        "error_m": float(error.mean()),
        "relative_accuracy": float(accuracy_of_errors(error, np.linalg.norm(t, axis=-1)).mean()),
        "accuracy_m": float(accuracy.mean()),
        "completion_m": float(completion.mean()),
        "f1_10cm": float(2 * precision * recall / max(precision + recall, 1e-12)),
    }


def cloud_distances(
    predicted: Float[Array, "n 3"], true: Float[Array, "m 3"]
) -> tuple[Float[Array, " n2"], Float[Array, " m2"]]:
    """Distances predicted -> nearest true and true -> nearest predicted, of at most MAX_POINTS points each."""
    predicted, true = _evenly(predicted), _evenly(true)
    return cKDTree(true).query(predicted)[0], cKDTree(predicted).query(true)[0]


def _evenly(points: Float[Array, "n 3"]) -> Float[Array, "k 3"]:
    if len(points) <= MAX_POINTS:
        return points
    return points[np.linspace(0, len(points) - 1, MAX_POINTS).astype(np.int64)]
