"""Pose of every picture in the frame of its sample's first, and the field of view of its camera."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.dense import masked_mean
from gapmodel.objectives.normal import angle_between
from gapmodel.objectives.objective import Loss, Objective
from gapmodel.objectives.tokens import (
    QueryDecoder,
    TokenGrid,
    in_float32,
    position_codes,
    start_near_zero,
)

LEAST_MOTION = 0.05  # metres; below it the direction of motion is noise and not supervised
LEAST_DISTANCE = (
    0.01  # metres; shorter motions count as this long, which keeps their logarithm finite
)
THRESHOLDS = (5, 15, 30)  # degrees of RRA and RTA
# Where an untrained head starts.
IDENTITY_6D = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FORWARD = (0.0, 0.0, 1.0)
TYPICAL_FOV = math.radians(60.0)


class Pose(Objective):
    """Rotation angle + angle of the translation's direction + error of its log length + error of the field of view.

    Angles in radians, lengths in metres. The first picture of a sample is the reference and supervises its field of
    view only. A few learned queries read the tokens of the picture and of its sample's first one.
    """

    needs = frozenset()

    def __init__(
        self,
        hidden_size: int,
        levels: int,
        width: int = 256,
        heads: int = 8,
        queries: int = 4,
        depth: int = 2,
    ) -> None:
        super().__init__()
        self.tokens = TokenGrid(hidden_size, levels, width)
        self.which = nn.Parameter(torch.randn(2, width) * 0.02)  # first picture, own picture
        self.decoder = QueryDecoder(queries, width, heads, depth)
        self.out = nn.Linear(queries * width, 12)
        start_near_zero(self.out)

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over all pictures."""
        rotation, direction, log_length, fov = self._read(features, batch)
        true_rotation, true_motion = batch.cam2first[:, :3, :3], batch.cam2first[:, :3, 3]
        moved = _moved(batch)
        length = torch.linalg.vector_norm(true_motion, dim=-1)
        directed = moved & (length >= LEAST_MOTION)
        true_direction = torch.where(directed[:, None], true_motion, direction.detach())

        rotation_error = geodesic(rotation, true_rotation)
        direction_error = angle_between(direction, functional.normalize(true_direction, dim=-1))
        length_error = (log_length - length.clamp(min=LEAST_DISTANCE).log()).abs()
        fov_error = (fov - true_fov(batch)).abs().mean(dim=-1)
        value = (
            masked_mean(rotation_error, moved)
            + masked_mean(direction_error, directed)
            + masked_mean(length_error, moved)
            + masked_mean(fov_error, torch.ones_like(moved))
        )
        motion = direction * log_length.exp()[:, None]
        metrics = {
            "rotation_deg": masked_mean(rotation_error.detach().rad2deg(), moved),
            "translation_deg": masked_mean(direction_error.detach().rad2deg(), directed),
            "translation_m": masked_mean(
                torch.linalg.vector_norm(motion.detach() - true_motion, dim=-1), moved
            ),
            "fov_deg": masked_mean(fov_error.detach().rad2deg(), torch.ones_like(moved)),
        }
        for limit in THRESHOLDS:
            for name, error, counted in (
                ("rra", rotation_error, moved),
                ("rta", direction_error, directed),
            ):
                within = (error.detach().rad2deg() < limit).float()
                metrics[f"{name}_{limit}"] = masked_mean(within, counted)
        count = torch.full_like(moved, True).sum()
        return Loss(value=value, count=count, metrics=metrics)

    def predict(
        self, features: Features, batch: Batch
    ) -> tuple[Float32[Tensor, "I 4 4"], Float32[Tensor, "I 2"]]:
        """cam2first in metres, exactly the identity for first pictures, and the fields of view (x, y) in radians."""
        rotation, direction, log_length, fov = self._read(features, batch)
        identity = torch.eye(4, device=fov.device).expand(len(fov), 4, 4)
        motion = direction * log_length.exp()[:, None]
        pose = torch.cat([torch.cat([rotation, motion[..., None]], dim=2), identity[:, 3:]], dim=1)
        return torch.where(_moved(batch)[:, None, None], pose, identity), fov

    def _read(self, features: Features, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rotation, unit direction, log length in metres and field of view of every picture, in float32."""
        grid = self.tokens(features)
        _, rows, columns, channels = grid.shape
        positions = position_codes(rows, columns, channels, grid.device).to(grid.dtype)
        own = grid.flatten(1, 2) + positions
        first = own[first_pictures(batch)]
        memory = torch.cat([first + self.which[0], own + self.which[1]], dim=1)
        raw = in_float32(self.out, self.decoder(memory).flatten(1))
        rotation = rotation_6d(raw[:, :6] + raw.new_tensor(IDENTITY_6D))
        direction = functional.normalize(raw[:, 6:9] + raw.new_tensor(FORWARD), dim=-1)
        middle = math.log(TYPICAL_FOV / (math.pi - TYPICAL_FOV))
        return rotation, direction, raw[:, 9], math.pi * torch.sigmoid(raw[:, 10:] + middle)


def first_pictures(batch: Batch) -> Int64[Tensor, " I"]:
    """For every picture the first one of its sample."""
    order = torch.arange(len(batch.image_sample), device=batch.image_sample.device)
    first = order.new_full((len(batch.sample_keys),), len(order))
    first = first.scatter_reduce(0, batch.image_sample, order, "amin")
    return first[batch.image_sample]


def _moved(batch: Batch) -> Bool[Tensor, " I"]:
    """Whether a picture is another one than its sample's first."""
    first = first_pictures(batch)
    return first != torch.arange(len(first), device=first.device)


def true_fov(batch: Batch) -> Float32[Tensor, "I 2"]:
    """2 atan(size / 2f) in radians along x and y: what the focal length says, wherever the principal point is."""
    height, width = batch.images.shape[1:3]
    focal = torch.stack([batch.K[:, 0, 0], batch.K[:, 1, 1]], dim=-1)
    return 2.0 * torch.atan(focal.new_tensor((width, height)) / (2.0 * focal))


def rotation_6d(raw: Float32[Tensor, "I 6"]) -> Float32[Tensor, "I 3 3"]:
    """The rotation whose first two columns come from 6 numbers by Gram-Schmidt.

    Zhou et al., "On the Continuity of Rotation Representations in Neural Networks" (2019): continuous, unlike
    quaternions and angles.
    """
    x = functional.normalize(raw[:, :3], dim=-1)
    y = functional.normalize(raw[:, 3:] - (x * raw[:, 3:]).sum(dim=-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def geodesic(a: Float32[Tensor, "I 3 3"], b: Float32[Tensor, "I 3 3"]) -> Float32[Tensor, " I"]:
    """Angle in radians of the rotation between two, from |A - B| = sqrt(8) sin(angle / 2) (Frobenius).

    Unlike the arc cosine of the trace it keeps its digits near 0. Capped 0.003 short of pi, where the slope is endless.
    """
    chord = torch.linalg.vector_norm((a - b).flatten(1), dim=-1) / math.sqrt(8.0)
    return 2.0 * torch.asin(chord.clamp(max=1.0 - 1e-6))
