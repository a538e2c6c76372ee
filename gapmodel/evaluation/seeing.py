"""What the heads of a model see in one sample, against the truth that the shards hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from gapdata.geometry.camera import unproject_depth
from gapdata.geometry.transforms import transform_points
from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.loading import Trained
from gapmodel.metrics.depth import depth_metrics, valid_depth
from gapmodel.metrics.normal import normal_metrics
from gapmodel.metrics.pointmap import pointmap_metrics
from gapmodel.metrics.pose import pose_metrics
from gapmodel.metrics.retrieval import recall_at
from gapmodel.predicted import Predicted, predict_heads
from gapmodel.pretraining import PretrainingModel

Array = np.ndarray
Figures = dict[str, dict[str, float]]

# Heads that compare pairs of one sample -> the names of what is found among what, from either side.
COMPARING: Mapping[str, tuple[str, str]] = {
    "point_image": ("pixel to point", "point to pixel"),
    "geometry_language": ("object to phrase", "phrase to object"),
    "relations": ("pair to relation", "relation to pair"),
}


@torch.no_grad()
def head_figures(trained: Trained, batch: Batch) -> tuple[Figures, Predicted]:
    """Figures by head on a batch of one sample, and what the dense heads predicted. Heads without truth are left out."""
    root = trained.root
    features = root.features(batch)
    predicted = predict_heads(root, features, batch)
    figures: Figures = {}
    if predicted.depth is not None and batch.depth is not None:
        figures["depth"] = _mean(
            [depth_metrics(p, t) for p, t in zip(predicted.depth, _numpy(batch.depth), strict=True)]
        )
    if predicted.normal is not None and batch.normal is not None:
        figures["normal"] = _mean(
            [
                normal_metrics(p, t)
                for p, t in zip(predicted.normal, _numpy(batch.normal), strict=True)
            ]
        )
    if predicted.cam2first is not None:
        figures["pose"] = pose_metrics(predicted.cam2first, _numpy(batch.cam2first))
    if predicted.pointmap is not None and batch.depth is not None:
        true, known = true_pointmap(batch)
        figures["pointmap"] = pointmap_metrics(predicted.pointmap, true, known)
    figures |= _own_figures(root, features, batch)
    return {head: found for head, found in figures.items() if found}, predicted


def true_pointmap(batch: Batch) -> tuple[Array, Array]:
    """Points [I, H, W, 3] in the first picture's frame, metres, and where they are known."""
    assert batch.depth is not None
    depth, K, pose = _numpy(batch.depth), _numpy(batch.K), _numpy(batch.cam2first)
    return pointmap_of_depth(depth, K, pose), valid_depth(depth)


def pointmap_of_depth(depth: Array, K: Array, cam2first: Array) -> Array:
    """Points [I, H, W, 3] of depth maps [I, H, W] in the frame that the poses lead to."""
    points = [
        transform_points(
            pose.astype(np.float64), unproject_depth(one.astype(np.float64), k.astype(np.float64))
        )
        for one, k, pose in zip(depth, K, cam2first, strict=True)
    ]
    return np.stack(points)


def _own_figures(root: PretrainingModel, features: Features, batch: Batch) -> Figures:
    """Of heads that compare, how often the partner is found, from each side; of reconstruction its own figures."""
    heads = root.model.heads
    found: Figures = {}
    for name, sides in COMPARING.items():
        if name not in heads:
            continue
        pairs = heads[name].compare(features, batch)
        keep = pairs.valid.cpu().numpy()
        logits = _numpy(pairs.logits)[keep][:, keep]
        same = np.eye(len(logits), dtype=bool)
        forward = pairs.forward_negative.cpu().numpy()[keep][:, keep]
        backward = pairs.backward_negative.cpu().numpy()[keep][:, keep]
        both = (recall_at(logits, same, forward), recall_at(logits.T, same, backward.T))
        found |= {side: figures for side, figures in zip(sides, both, strict=True) if figures}
    if "reconstruction" in heads:
        loss = heads["reconstruction"](features, batch)
        if int(loss.count):
            found["reconstruction"] = {name: float(value) for name, value in loss.metrics.items()}
    return found


def _mean(metrics: list[Mapping[str, Any]]) -> dict[str, float]:
    """The mean over the pictures that have a truth; empty when none has."""
    there = [one for one in metrics if one]
    return (
        {name: float(np.mean([one[name] for one in there])) for name in there[0]} if there else {}
    )


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.float().cpu().numpy()
