"""What the dense heads of a model say of some pictures, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.pretraining import PretrainingModel

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Predicted:
    """Predictions for I pictures at the size that the model sees; None where it has no head for them.

    depth: z-depth in metres. normal: unit vectors in camera axes. pointmap: metres in the first picture's camera frame.
    cam2first: poses, the identity for the first picture. fov: horizontal and vertical, in radians.
    """

    depth: Float32[Array, "I H W"] | None = None
    normal: Float32[Array, "I H W 3"] | None = None
    pointmap: Float32[Array, "I H W 3"] | None = None
    cam2first: Float32[Array, "I 4 4"] | None = None
    fov: Float32[Array, "I 2"] | None = None


@torch.no_grad()
def predict_heads(root: PretrainingModel, features: Features, batch: Batch) -> Predicted:
    """What each dense head that the model has predicts."""
    heads = root.model.heads
    found: dict[str, Array] = {
        name: _array(heads[name].predict(features, batch))
        for name in ("depth", "normal", "pointmap")
        if name in heads
    }
    if "pose" in heads:
        pose, fov = heads["pose"].predict(features, batch)
        found |= {"cam2first": _array(pose), "fov": _array(fov)}
    return Predicted(**found)


def _array(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()
