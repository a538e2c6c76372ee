"""Next-token cross-entropy on the answers."""

from __future__ import annotations

import torch
from jaxtyping import Float32
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
        """The loss; also logs the share of supervised tokens that would be chosen, and each task's own loss."""
        hidden_ND = features.answers
        labels_N = batch.labels[batch.labels >= 0]
        if not len(labels_N):
            # Nothing is summed, but the way back to every parameter is there.
            unused = features.logits(hidden_ND.new_zeros(1, hidden_ND.shape[1]))
            value = hidden_ND.float().sum() + 0.0 * unused.float().sum()
            return Loss(value=value, count=labels_N.new_zeros(()))

        def losses(hidden_nD: Tensor, labels_n: Tensor) -> tuple[Tensor, Tensor]:
            logits_nV = features.logits(hidden_nD).float()
            right_n = logits_nV.detach().argmax(-1) == labels_n
            return functional.cross_entropy(logits_nV, labels_n, reduction="none"), right_n

        parts = [
            checkpoint(losses, hidden_nD, labels_n, use_reentrant=False)
            if len(labels_N) > CHUNK
            else losses(hidden_nD, labels_n)
            for hidden_nD, labels_n in zip(
                hidden_ND.split(CHUNK), labels_N.split(CHUNK), strict=True
            )
        ]
        loss_N = torch.cat([loss_n for loss_n, _ in parts])
        right_N = torch.cat([right_n for _, right_n in parts])
        metrics = {"token_accuracy": right_N.float().mean(), **_by_task(loss_N.detach(), batch)}
        return Loss(
            value=loss_N.mean(), count=labels_N.new_full((), len(labels_N)), metrics=metrics
        )


def _by_task(loss_N: Float32[Tensor, " N"], batch: Batch) -> dict[str, Tensor]:
    """`loss/TASK`: the mean over the supervised tokens of each task's answers."""
    if not batch.branches:
        return {}
    tasks = sorted({branch.task for branch in batch.branches})
    starts = [branch.start for branch in batch.branches]
    # Branches are in the order of the row, and only they are supervised.
    branch_N = torch.bucketize(
        torch.nonzero(batch.labels >= 0)[:, 0], loss_N.new_tensor(starts).long(), right=True
    )
    numbers = [tasks.index(branch.task) for branch in batch.branches]
    task_N = loss_N.new_tensor(numbers).long()[branch_N - 1]
    sums = loss_N.new_zeros(len(tasks)).index_add(0, task_N, loss_N)
    counts = loss_N.new_zeros(len(tasks)).index_add(0, task_N, torch.ones_like(loss_N))
    return {f"loss/{task}": mean for task, mean in zip(tasks, sums / counts, strict=True)}
