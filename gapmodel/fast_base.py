"""Two parts of Qwen3-VL that need not look at the data on the host when its layout is known. Same weights, same numbers.

transformers' vision attention runs picture by picture and reads each layer's picture lengths from the GPU; its DeepStack
looks up on the GPU where the visual tokens are, at every level. Both wait for the GPU again and again. Here pictures of
one size are one batch, and the places of visual tokens are given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from transformers.models.qwen3_vl.modeling_qwen3_vl import (
    Qwen3VLModel,
    Qwen3VLTextModel,
    Qwen3VLVisionAttention,
    Qwen3VLVisionModel,
    apply_rotary_pos_emb_vision,
)
from transformers.vision_utils import (
    get_vision_interpolation_indices_and_weights,
    get_vision_position_ids,
)


class PictureAttention(Qwen3VLVisionAttention):
    """Attention within pictures. Told the patches of a picture (`max_seqlen`), it takes all pictures at once."""

    def forward(
        self,
        hidden_states: Float[Tensor, "N C"],
        cu_seqlens: Tensor,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        max_seqlen: int | None = None,
        **kwargs: Any,
    ) -> Float[Tensor, "N C"]:
        """What each patch gathers from its picture; without `max_seqlen` as transformers does it."""
        if max_seqlen is None:
            return super().forward(hidden_states, cu_seqlens, position_embeddings, **kwargs)
        assert position_embeddings is not None
        qkv = self.qkv(hidden_states).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = qkv.unbind(1)
        q, k = apply_rotary_pos_emb_vision(q, k, *position_embeddings)
        q, k, v = (x.unflatten(0, (-1, max_seqlen)).transpose(1, 2) for x in (q, k, v))
        mixed = functional.scaled_dot_product_attention(q, k, v, scale=self.scaling)
        return self.proj(mixed.transpose(1, 2).flatten(2).flatten(0, 1))


class PlacedTextModel(Qwen3VLTextModel):
    """The language model; visual features are added at places (integers) as well as under a mask."""

    def _deepstack_process(
        self, hidden_states: Tensor, visual_pos_masks: Tensor, visual_embeds: Tensor
    ) -> Tensor:
        if visual_pos_masks.dtype == torch.bool:
            return super()._deepstack_process(hidden_states, visual_pos_masks, visual_embeds)
        return hidden_states.index_add(1, visual_pos_masks, visual_embeds[None].to(hidden_states))


def use_known_layout(base: Qwen3VLModel) -> None:
    """Let the base take pictures of one size at once, and visual features at given places."""
    for block in base.visual.blocks:
        block.attn.__class__ = PictureAttention
    base.language_model.__class__ = PlacedTextModel


def picture_layout(
    visual: Qwen3VLVisionModel, count: int, rows: int, columns: int, device: torch.device
) -> dict[str, Any]:
    """What the vision tower would work out from the sizes of `count` pictures of rows x columns patches."""
    indices, weights, places = _one_picture(
        rows, columns, visual.num_grid_per_side, visual.spatial_merge_size, device
    )
    return {
        "interp_indices": indices.repeat(count, 1),
        "interp_weights": weights.repeat(count, 1),
        "position_ids": places.repeat(count, 1),
        "cu_seqlens": torch.arange(count + 1, dtype=torch.int32, device=device) * rows * columns,
        "max_seqlen": rows * columns,
    }


@lru_cache(maxsize=16)
def _one_picture(
    rows: int, columns: int, side: int, merge: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    grid = torch.tensor([[1, rows, columns]])
    indices, weights = get_vision_interpolation_indices_and_weights(
        grid, num_grid_per_side=side, mode="bilinear", align_corners=True, spatial_merge_size=merge
    )
    places = get_vision_position_ids(grid, merge)
    return indices.to(device), weights.to(device), places.to(device)
