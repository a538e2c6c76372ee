"""Angles between predicted and true surface normals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray

# The usual shares of pixels below an angle, in degrees (Fouhey et al., ICCV 2013).
ANGLES_DEG = (11.25, 22.5, 30.0)
NORMAL_METRICS = ("mean_angle_deg", "median_angle_deg", *(f"within_{a:g}" for a in ANGLES_DEG))


def normal_metrics(
    predicted: Float[Array, "H W 3"], true: Float[Array, "H W 3"]
) -> dict[str, float]:
    """Mean and median angle in degrees and the shares below 11.25, 22.5 and 30, where the truth is known; else empty."""
    known = (true != 0).any(axis=-1)
    if not known.any():
        return {}
    angles = np.rad2deg(angles_between(predicted[known], true[known]))
    shares = {f"within_{limit:g}": float((angles < limit).mean()) for limit in ANGLES_DEG}
    return {
        "mean_angle_deg": float(angles.mean()),
        "median_angle_deg": float(np.median(angles)),
        **shares,
    }


def angles_between(a: Float[Array, "*n 3"], b: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """Angles in radians in [0, pi] between vectors of any length, accurate at both ends; pi for a zero or NaN vector."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore"):
        sine = np.linalg.norm(np.cross(a, b), axis=-1)
        cosine = (a * b).sum(axis=-1)
        directed = (np.abs(a).max(axis=-1) > 0) & (np.abs(b).max(axis=-1) > 0)
        known = np.isfinite(sine) & np.isfinite(cosine) & directed
        return np.asarray(np.where(known, np.arctan2(sine, cosine), np.pi))
