"""Mean relative accuracy: how many of ten tolerances an error stays within."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray

# 1 - t for t = 0.50, 0.55 ... 0.95: relative errors that are allowed (VSI-Bench, arXiv 2412.14171, section 4.1).
TOLERANCES = np.arange(10, 0, -1) / 20.0
# An error of exactly a tolerance counts as within it, whatever the last bits of the division are.
_SLACK = 1e-9


def relative_accuracy(
    predicted: Float[Array, " n"], true: Float[Array, " n"]
) -> Float[Array, " n"]:
    """Share of the tolerances that each relative error |predicted - true| / |true| is within. A truth of 0 is met by 0 only."""
    return accuracy_of_errors(np.abs(predicted - true), np.abs(true))


def accuracy_of_errors(
    error: Float[Array, " n"], magnitude: Float[Array, " n"]
) -> Float[Array, " n"]:
    """The same of errors (>= 0) against the magnitude of the truth in the same unit, for vectors say. NaN errors earn 0."""
    error, magnitude = np.asarray(error, np.float64), np.asarray(magnitude, np.float64)
    allowed = magnitude[..., None] * (TOLERANCES + _SLACK)
    return np.asarray((error[..., None] <= allowed).mean(axis=-1))
