"""Contrast of matched features: InfoNCE with a learned temperature.

Legend: N matched pairs, C channels of a head, T phrases of D channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.objectives.dense import masked_mean

COLDEST, WARMEST = 0.01, 1.0  # bounds of the temperature; the lower one is CLIP's
STARTING = 0.07
ABSENT = -1e9  # logit of what is no negative: finite, so that a row of nothing else has a gradient of 0, not NaN


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contrast:
    """What InfoNCE found, all scalars: its loss, how many pairs had a negative, how often a match beats them all.

    forward: each row among its columns; backward: each column among its rows.
    """

    loss: Tensor
    count: Tensor
    forward_accuracy: Tensor
    backward_accuracy: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pairs:
    """N pairs that belong together, and how like every row's side is to every column's; matches are on the diagonal.

    logits: similarities. forward_negative, backward_negative: what a row may not choose, what a column may not. valid: pairs
    that count. temperature: what similarities were divided by.
    """

    logits: Float32[Tensor, "N N"]
    forward_negative: Bool[Tensor, "N N"]
    backward_negative: Bool[Tensor, "N N"]
    valid: Bool[Tensor, " N"]
    temperature: Float32[Tensor, ""]

    def contrast(self) -> Contrast:
        """What InfoNCE finds."""
        return info_nce(self.logits, self.forward_negative, self.backward_negative, self.valid)


class Temperature(nn.Module):
    """A learned scale of similarities, 1 / temperature, bounded smoothly so that it can leave a bound again."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.span = -math.log(WARMEST), math.log(WARMEST / COLDEST)
        part = (-math.log(STARTING) - self.low) / self.span
        self.raw = nn.Parameter(torch.tensor([math.log(part / (1.0 - part))]))

    def forward(self) -> Float32[Tensor, " 1"]:
        """1 / temperature."""
        return (self.low + self.span * torch.sigmoid(self.raw.float())).exp()


def similarities(
    a: Float[Tensor, "N C"], b: Float[Tensor, "M C"], scale: Float32[Tensor, " 1"]
) -> Float32[Tensor, "N M"]:
    """Cosine times scale, in float32 whatever the type of the features."""
    with torch.autocast(device_type=a.device.type, enabled=False):
        return scale * (
            functional.normalize(a.float(), dim=-1) @ functional.normalize(b.float(), dim=-1).T
        )


def info_nce(
    logits: Float32[Tensor, "N N"],
    forward_negative: Bool[Tensor, "N N"],
    backward_negative: Bool[Tensor, "N N"],
    valid: Bool[Tensor, " N"],
) -> Contrast:
    """Symmetric InfoNCE: cross-entropy of each match (diagonal) among its row's negatives and among its column's.

    van den Oord et al., "Representation Learning with Contrastive Predictive Coding" (2018), the mean of both sides as
    in CLIP. Entries that are neither match nor negative do not count, pairs that are not valid are neither. Pairs
    without any negative teach nothing and are not counted.
    """
    if not len(logits):
        nothing = logits.sum()
        zero = nothing.detach()
        return Contrast(
            loss=nothing, count=valid.sum(), forward_accuracy=zero, backward_accuracy=zero
        )
    both_valid = valid[:, None] & valid[None, :]
    both_valid = both_valid & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    forward, forward_best, forward_any = _against(logits, forward_negative & both_valid)
    backward, backward_best, backward_any = _against(logits.T, (backward_negative & both_valid).T)
    counted = forward_any | backward_any
    return Contrast(
        loss=masked_mean(0.5 * (forward + backward), counted),
        count=counted.sum(),
        forward_accuracy=masked_mean(forward_best, forward_any),
        backward_accuracy=masked_mean(backward_best, backward_any),
    )


def first_of_kind(kind: Int64[Tensor, " N"], valid: Bool[Tensor, " N"]) -> Bool[Tensor, " N"]:
    """Whether an item is the first valid one of its kind: what stands there several times is one negative, not several."""
    if not len(kind):
        return valid
    same = (kind[:, None] == kind[None, :]) & valid[None, :]
    return valid & (same.byte().argmax(dim=1) == torch.arange(len(kind), device=kind.device))


def _against(
    logits: Float32[Tensor, "N N"], negative: Bool[Tensor, "N N"]
) -> tuple[Float32[Tensor, " N"], Float32[Tensor, " N"], Bool[Tensor, " N"]]:
    """-log(e^match / (e^match + sum of e^negatives)); 1 where the match is above them all; whether there are any."""
    match = logits.diagonal()
    kept = torch.where(negative, logits, ABSENT).diagonal_scatter(match)
    best = torch.where(negative, logits.detach(), ABSENT).amax(dim=1)
    return kept.logsumexp(dim=1) - match, (match.detach() > best).float(), negative.any(dim=1)


def phrase_features(
    phrases: Float[Tensor, "T D"] | None, rows: Int64[Tensor, " N"], like: Tensor
) -> Float[Tensor, "N D"]:
    """Features of phrases by row, in the type of `like` (... D); zeros at row -1 and where there are no phrases."""
    nothing = like.new_zeros(1, like.shape[-1])
    table = nothing if phrases is None else torch.cat([phrases.to(nothing.dtype), nothing])
    return table[rows]
