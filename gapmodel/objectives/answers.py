"""Next-token cross-entropy on the answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from gapmodel.data.batch import Batch
from gapmodel.features import Features
from gapmodel.objectives.objective import Loss, Objective

# Supervised tokens whose logits exist at the same time: 2048 x 151,936 in float32 are 1.2 GB.
CHUNK = 2048


class Answers(Objective):
    """Mean cross-entropy over the supervised tokens. Has no parameters of its own: logits are the model's."""

    def forward(self, features: Features, batch: Batch) -> Loss:
        """The loss; also logs the share of supervised tokens that would be chosen."""
        hidden_ND = features.answers
        labels_N = batch.labels[batch.labels >= 0]
        if not len(labels_N):
            # Nothing is summed, but the way back to every parameter is there.
            unused = features.logits(hidden_ND.new_zeros(1, hidden_ND.shape[1]))
            value = hidden_ND.float().sum() + 0.0 * unused.float().sum()
            return Loss(value=value, count=labels_N.new_zeros(()))

        def sums(hidden_nD: Tensor, labels_n: Tensor) -> tuple[Tensor, Tensor]:
            logits_nV = features.logits(hidden_nD).float()
            right_n = logits_nV.detach().argmax(-1) == labels_n
            return functional.cross_entropy(logits_nV, labels_n, reduction="sum"), right_n.sum()

        parts = [
            checkpoint(sums, hidden_nD, labels_n, use_reentrant=False)
            if len(labels_N) > CHUNK
            else sums(hidden_nD, labels_n)
            for hidden_nD, labels_n in zip(
                hidden_ND.split(CHUNK), labels_N.split(CHUNK), strict=True
            )
        ]
        total = torch.stack([loss for loss, _ in parts]).sum()
        right = torch.stack([count for _, count in parts]).sum()
        count = labels_N.new_full((), len(labels_N))
        return Loss(
            value=total / len(labels_N), count=count, metrics={"token_accuracy": right / count}
        )
