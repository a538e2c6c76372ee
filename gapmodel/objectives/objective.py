"""What every objective is: a module that turns features and a batch into one loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from gapmodel.data.batch import Batch
from gapmodel.features import Features


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Loss:
    """The loss of one objective on one micro-batch.

    value: scalar with gradient, the mean over the supervised items; with none it is 0 times the parameters, so that
    every rank takes part in the backward pass. count: number of supervised items, an integer tensor without a
    sync to the host. metrics: detached scalars for the log.
    """

    value: Tensor
    count: Tensor
    metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(nn.Module):
    """An objective with its head. Built as `Class(hidden_size=D, levels=n, **settings)`, kept in `model.heads`.

    needs: what the loader has to provide: some of depth, normal, instance, points, objects, relations, teacher.
    Dense objectives also have `predict(features, batch)`, in metres or unit vectors at the pictures' size.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss of this objective on a micro-batch."""
        raise NotImplementedError


def zero_loss(module: nn.Module, features: Features) -> Loss:
    """A loss of 0 without supervised items that still reaches every parameter of the module and the features."""
    value = 0.0 * (features.views.sum() + features.visual.sum())
    for parameter in module.parameters():
        value = value + 0.0 * parameter.sum()
    return Loss(value=value, count=torch.zeros((), dtype=torch.int64, device=value.device))
