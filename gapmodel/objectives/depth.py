"""Metric depth of every picture."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.dense import (
    DenseDecoder,
    enlarge,
    masked_mean,
    sample_cells,
    take_pixels,
)
from gapmodel.objectives.objective import Loss, Objective

TYPICAL_DEPTH = 2.5  # metres, where an untrained head starts: the middle of a room
GRADIENT_SCALES = 4


class Depth(Objective):
    """L1 of log depth plus multi-scale gradients of its error, at one cell per `2 ** doublings`-th of a token.

    log depth = a map + one number a picture, its metric scale. Truth is the valid pixel nearest to each cell's centre.
    """

    needs = frozenset({"depth"})

    def __init__(self, hidden_size: int, levels: int, **decoder: int) -> None:
        super().__init__()
        self.decoder = DenseDecoder(hidden_size=hidden_size, levels=levels, outputs=1, **decoder)

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over all cells with a valid pixel."""
        assert batch.depth is not None
        log_depth = self._log_depth(features)
        known = (batch.depth > 0) & batch.depth.isfinite()
        pixels, valid = sample_cells(known, *log_depth.shape[1:])
        truth = torch.where(valid, take_pixels(batch.depth, pixels), 1.0).log()
        error = torch.where(valid, log_depth - truth, 0.0)
        value = masked_mean(error.abs(), valid) + gradient_loss(error, valid)
        return Loss(value=value, count=valid.sum(), metrics=_metrics(error.detach(), valid))

    def predict(self, features: Features, batch: Batch) -> Float32[Tensor, "I H W"]:
        """Depth in metres at the pictures' size."""
        height, width = batch.images.shape[1:3]
        return enlarge(self._log_depth(features)[..., None], height, width)[..., 0].exp()

    def _log_depth(self, features: Features) -> Float32[Tensor, "I p q"]:
        shape, scale = self.decoder(features)
        return shape[..., 0] + scale[:, None] + math.log(TYPICAL_DEPTH)


def gradient_loss(
    error: Float32[Tensor, "I p q"], valid: Bool[Tensor, "I p q"], scales: int = GRADIENT_SCALES
) -> Float32[Tensor, ""]:
    """Mean absolute difference of the error between neighbours, averaged over scales that each take every other cell.

    The scale-invariant gradient term of Ranftl et al., "Towards Robust Monocular Depth Estimation" (2020), on log depth:
    an offset of a whole picture costs nothing, a blurred or displaced edge does.
    """
    terms = []
    for scale in range(scales):
        part, there = error[:, :: 2**scale, :: 2**scale], valid[:, :: 2**scale, :: 2**scale]
        total = part.new_zeros(())
        pairs = there.new_zeros((), dtype=torch.long)
        for axis in (1, 2):
            size = part.shape[axis] - 1
            both = there.narrow(axis, 1, size) & there.narrow(axis, 0, size)
            step = (part.narrow(axis, 1, size) - part.narrow(axis, 0, size)).abs()
            total = total + torch.where(both, step, 0.0).sum()
            pairs = pairs + both.sum()
        terms.append(total / pairs.clamp(min=1))
    return torch.stack(terms).mean()


def _metrics(error: Float32[Tensor, "I p q"], valid: Bool[Tensor, "I p q"]) -> dict[str, Tensor]:
    """Absolute relative error, delta1 and what is left of the log error without each picture's scale."""
    ratio = error.exp()
    known = valid.sum(dim=(1, 2)).clamp(min=1)
    mean = error.sum(dim=(1, 2)) / known
    spread = (error.square().sum(dim=(1, 2)) / known - mean.square()).clamp(min=0).sqrt()
    seen = valid.any(dim=2).any(dim=1)
    return {
        "abs_rel": masked_mean((ratio - 1).abs(), valid),
        "delta1": masked_mean((error.abs() < math.log(1.25)).float(), valid),
        "si_log": masked_mean(spread, seen),
        "log_scale_error": masked_mean(mean.abs(), seen),
    }
