"""What the model computes of a micro-batch and the objectives read. Legend: I pictures, h x w tokens each, D channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Features:
    """Token grids of the pictures before and after the language model, and what the answers need.

    views: last hidden state at each picture's tokens in its sample's scene group. visual: fused main visual
    tokens, before the language model. levels: fused DeepStack levels. phrases: last hidden state at
    `phrase_token`. answers: last hidden state one token before each supervised one, in order of the row.
    logits: the model's output layer.
    """

    views: Float[Tensor, "I h w D"]
    visual: Float[Tensor, "I h w D"]
    levels: tuple[Float[Tensor, "I h w D"], ...]
    phrases: Float[Tensor, "T D"] | None
    answers: Float[Tensor, "N D"]
    logits: Callable[[Tensor], Tensor]
