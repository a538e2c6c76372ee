"""The scene as a map of points: every picture's surface in the frame of the sample's first."""

from __future__ import annotations

import torch
from jaxtyping import Float32, Int64
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

TYPICAL_POINT = (0.0, 0.0, 2.5)  # metres, where an untrained head starts
LEAST_DEPTH = 0.1  # metres; nearer points weigh as much as these


class Pointmap(Objective):
    """L1 distance to the true point, divided by its depth in its own camera: relative, like the error of depth.

    In metres in the first picture's camera frame; |x| + |y| + |z|. A decoded number r stands for the coordinate
    sign(r) (exp|r| - 1), the inverse-log activation of Wang et al., "VGGT" (2025): fine near 0, metres far away.
    """

    needs = frozenset({"depth"})

    def __init__(self, hidden_size: int, levels: int, **decoder: int) -> None:
        super().__init__()
        self.decoder = DenseDecoder(hidden_size=hidden_size, levels=levels, outputs=3, **decoder)

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over all cells with a valid pixel."""
        assert batch.depth is not None
        predicted = self._points(features)
        known = (batch.depth > 0) & batch.depth.isfinite()
        pixels, valid = sample_cells(known, *predicted.shape[1:3])
        depth = torch.where(valid, take_pixels(batch.depth, pixels), 1.0)
        truth = points_first(batch, pixels, depth)
        away = (predicted - truth).abs().sum(dim=-1)
        metres = torch.linalg.vector_norm(predicted.detach() - truth, dim=-1)
        return Loss(
            value=masked_mean(away / depth.clamp(min=LEAST_DEPTH), valid),
            count=valid.sum(),
            metrics={
                "error_m": masked_mean(metres, valid),
                "within_10cm": masked_mean((metres < 0.1).float(), valid),
                "within_25cm": masked_mean((metres < 0.25).float(), valid),
            },
        )

    def predict(self, features: Features, batch: Batch) -> Float32[Tensor, "I H W 3"]:
        """Points in metres in the first picture's camera frame, at the pictures' size."""
        height, width = batch.images.shape[1:3]
        return enlarge(self._points(features), height, width)

    def _points(self, features: Features) -> Float32[Tensor, "I p q 3"]:
        shape, common = self.decoder(features)
        raw = shape + common[:, None, None] + torch.log1p(shape.new_tensor(TYPICAL_POINT))
        return raw.sign() * torch.expm1(raw.abs())


def points_first(
    batch: Batch, pixels: Int64[Tensor, "I p q 2"], depth: Float32[Tensor, "I p q"]
) -> Float32[Tensor, "I p q 3"]:
    """What pixels (row, column) at these depths show, in metres in the frame of the sample's first picture."""
    K = batch.K[:, None, None]
    x = (pixels[..., 1] - K[..., 0, 2]) / K[..., 0, 0] * depth
    y = (pixels[..., 0] - K[..., 1, 2]) / K[..., 1, 1] * depth
    own = torch.stack([x, y, depth], dim=-1)
    rotation = batch.cam2first[:, None, None, :3, :3]
    return (rotation * own[..., None, :]).sum(dim=-1) + batch.cam2first[:, None, None, :3, 3]
