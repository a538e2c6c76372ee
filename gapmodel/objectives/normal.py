"""Surface normals of every picture."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

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

FACING = (0.0, 0.0, -1.0)  # where an untrained head starts: a wall seen head-on, in camera axes


class Normal(Objective):
    """Mean angle in radians between predicted and true normals, in the axes of each picture's camera."""

    needs = frozenset({"normal"})

    def __init__(self, hidden_size: int, levels: int, **decoder: int) -> None:
        super().__init__()
        self.decoder = DenseDecoder(hidden_size=hidden_size, levels=levels, outputs=3, **decoder)

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over all cells with a valid pixel."""
        assert batch.normal is not None
        predicted = self._normals(features)
        length = torch.linalg.vector_norm(batch.normal, dim=-1)
        pixels, valid = sample_cells((length > 0.5) & length.isfinite(), *predicted.shape[1:3])
        truth = torch.where(valid[..., None], take_pixels(batch.normal, pixels), 1.0)
        angle = angle_between(predicted, functional.normalize(truth, dim=-1))
        degrees = angle.detach().rad2deg()
        return Loss(
            value=masked_mean(angle, valid),
            count=valid.sum(),
            metrics={
                "mean_angle_deg": masked_mean(degrees, valid),
                "within_11deg": masked_mean((degrees < 11.25).float(), valid),
                "within_30deg": masked_mean((degrees < 30.0).float(), valid),
            },
        )

    def predict(self, features: Features, batch: Batch) -> Float32[Tensor, "I H W 3"]:
        """Unit normals in camera axes at the pictures' size."""
        height, width = batch.images.shape[1:3]
        return functional.normalize(enlarge(self._normals(features), height, width), dim=-1)

    def _normals(self, features: Features) -> Float32[Tensor, "I p q 3"]:
        shape, common = self.decoder(features)
        raw = shape + common[:, None, None] + shape.new_tensor(FACING)
        return functional.normalize(raw, dim=-1)


def angle_between(a: Float[Tensor, "*n 3"], b: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n"]:
    """Angle between unit vectors in radians, by Kahan's formula: exact and with a bounded gradient near 0 and pi."""
    apart = torch.linalg.vector_norm(a - b, dim=-1)
    along = torch.linalg.vector_norm(a + b, dim=-1)
    return 2.0 * torch.atan2(apart, along)
