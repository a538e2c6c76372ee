"""Alignment of the visual tokens of every level with the features of a frozen 3D encoder."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.geometry.grids import matching_levels, resample
from gapmodel.objectives.objective import Loss, Objective, zero_loss

# Weights of the two terms, as in AM-RADIO (Ranzinger et al., CVPR 2024): mostly the direction.
COSINE, SMOOTH_L1 = 0.9, 0.1


class Distillation(Objective):
    """Cosine distance and smooth L1 between projected tokens and the teacher's, averaged over levels.

    Each DeepStack level and the main visual tokens have a projection of their own and one of the teacher's levels,
    in order. Targets are standardised token by token (as in data2vec, Baevski et al. 2022), so that the few
    channels of large activation that such encoders have do not decide the loss. The teacher is resampled
    to the grid of the tokens. A teacher's token of zeros is unknown and not supervised.

    Distilling a teacher that is also the geometry input teaches copying where that input is given.
    """

    needs = frozenset({"teacher"})

    def __init__(
        self,
        hidden_size: int,
        levels: int,
        teacher_levels: int = 4,
        teacher_width: int = 2048,
        hidden: int = 1024,
    ) -> None:
        super().__init__()
        self.teacher_levels, self.teacher_width = teacher_levels, teacher_width
        self.teacher_level = matching_levels(levels + 1, teacher_levels)
        self.projections = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden_size),
                nn.Linear(hidden_size, hidden),
                nn.GELU(),
                nn.Linear(hidden, teacher_width),
            )
            for _ in range(levels + 1)
        )

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss over all tokens with a teacher; metrics hold each level's mean cosine."""
        teacher = self._teacher(batch)
        if len(teacher) == 0:
            return zero_loss(self, features)
        students = (*features.levels, features.visual)
        total = torch.zeros((), device=teacher.device)
        counts, metrics = [], {}
        for number, (tokens, projection, level) in enumerate(
            zip(students, self.projections, self.teacher_level, strict=True)
        ):
            loss, cosine, count = align(projection(tokens).float(), teacher[:, level])
            total = total + loss
            counts.append(count)
            name = "visual" if number == len(students) - 1 else f"level{number}"
            metrics[f"cosine_{name}"] = cosine.detach()
        return Loss(value=total / len(students), count=torch.stack(counts).sum(), metrics=metrics)

    def _teacher(self, batch: Batch) -> Float32[Tensor, "I M h w C"]:
        teacher = batch.teacher
        if teacher is None:
            raise ConfigError(
                "objective distillation: the batch brings no teacher; give the loader a feature cache or leave it out"
            )
        expected, found = (
            (self.teacher_levels, self.teacher_width),
            (teacher.shape[1], teacher.shape[-1]),
        )
        if expected != found:
            raise ConfigError(
                f"objective distillation: expected a teacher of {expected} levels and channels, found {found}"
            )
        return teacher


def align(
    student: Float32[Tensor, "I h w C"], teacher: Float[Tensor, "I p q C"]
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, the mean cosine and the number of supervised tokens, on the student's grid."""
    grid = student.shape[1], student.shape[2]
    known = (teacher != 0).any(-1, keepdim=True)
    # A token that mixes known and unknown ones of the teacher is not supervised.
    supervised = resample(known.float(), grid)[..., 0] > 0.999
    target = functional.layer_norm(resample(teacher.float(), grid), (teacher.shape[-1],))
    cosine = functional.cosine_similarity(student, target, dim=-1)
    distance = functional.smooth_l1_loss(student, target, reduction="none").mean(-1)
    count = supervised.sum()
    loss = COSINE * (1 - cosine) + SMOOTH_L1 * distance
    mean_loss = torch.where(supervised, loss, 0.0).sum() / count.clamp(min=1)
    mean_cosine = torch.where(supervised, cosine, 0.0).sum() / count.clamp(min=1)
    return mean_loss, mean_cosine, count
