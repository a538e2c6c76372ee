"""Errors of relative camera poses, over all pairs of views."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Float

from gapdata.geometry.transforms import invert_rigid, rotation_angle
from gapmodel.metrics.normal import angles_between

Array = np.ndarray

POSE_LIMITS_DEG = (5, 15, 30)
# Below this baseline in metres the direction of a translation is not defined: such pairs count for rotation only.
MIN_BASELINE_M = 1e-3
POSE_METRICS = tuple(
    f"{name}_{limit}" for name in ("rra", "rta", "auc") for limit in POSE_LIMITS_DEG
) + ("rotation_deg", "direction_deg", "translation_m")


def pose_errors(
    predicted: Float[Array, "V 4 4"], true: Float[Array, "V 4 4"]
) -> dict[str, Float[Array, " pairs"]]:
    """Per pair of views: rotation and direction error in degrees, translation error in metres.

    Poses are camera-to-common-frame; a pair's relative pose maps the second camera's points to the first's. The
    common frames of the two sets may differ. `direction_deg` is NaN where the true baseline is too short.
    """
    pairs = np.array(list(combinations(range(len(true)), 2)), np.int64).reshape(-1, 2)

    def relative(poses: Float[Array, "V 4 4"]) -> Float[Array, "pairs 4 4"]:
        poses = np.asarray(poses, np.float64)
        return np.asarray(invert_rigid(poses[pairs[:, 0]]) @ poses[pairs[:, 1]])

    p, t = relative(predicted), relative(true)
    turn = np.swapaxes(p[:, :3, :3], -1, -2) @ t[:, :3, :3]
    direction = np.rad2deg(angles_between(p[:, :3, 3], t[:, :3, 3]))
    baseline = np.linalg.norm(t[:, :3, 3], axis=-1)
    return {
        "rotation_deg": np.rad2deg(rotation_angle(turn)),
        "direction_deg": np.where(baseline >= MIN_BASELINE_M, direction, np.nan),
        "translation_m": np.linalg.norm(p[:, :3, 3] - t[:, :3, 3], axis=-1),
    }


def pose_metrics(predicted: Float[Array, "V 4 4"], true: Float[Array, "V 4 4"]) -> dict[str, float]:
    """RRA and RTA: shares of pairs whose rotation, translation direction errs by less than 5, 15, 30 degrees.

    `auc_N` is the exact area under the recall curve of the larger of the two errors from 0 to N degrees, over N.
    Directions keep their sign: a camera that went the other way errs by 180 degrees. Empty for a single view.
    """
    errors = pose_errors(predicted, true)
    rotation, direction = errors["rotation_deg"], errors["direction_deg"]
    if len(rotation) == 0:
        return {}
    moved = np.isfinite(direction)
    larger = np.where(moved, np.fmax(rotation, np.where(moved, direction, 0.0)), rotation)
    metrics = {
        "rotation_deg": float(rotation.mean()),
        "translation_m": float(errors["translation_m"].mean()),
    }
    if moved.any():
        metrics["direction_deg"] = float(direction[moved].mean())
    for limit in POSE_LIMITS_DEG:
        metrics[f"rra_{limit}"] = float((rotation < limit).mean())
        if moved.any():
            metrics[f"rta_{limit}"] = float((direction[moved] < limit).mean())
        metrics[f"auc_{limit}"] = float(np.clip(1.0 - larger / limit, 0.0, 1.0).mean())
    return metrics
