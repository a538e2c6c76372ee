"""Who sees whom in a packed row. Legend: L tokens.

A token sees earlier tokens of its group that are in the prefix or in its own branch. Padding sees only itself: a row
of attention without anything to attend to would be NaN.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Int32
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask

MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def sees(group_ids: Int32[Tensor, " L"], branch_ids: Int32[Tensor, " L"]) -> MaskMod:
    """The rule as a function (batch, head, query, key) -> bool of token places, as flex_attention wants it."""

    def rule(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        same_group = group_ids[query] == group_ids[key]
        readable = (branch_ids[key] == 0) | (branch_ids[key] == branch_ids[query])
        padding = group_ids[query] < 0
        return (query == key) | ((query > key) & same_group & readable & ~padding)

    return rule


def dense_mask(
    group_ids: Int32[Tensor, " L"], branch_ids: Int32[Tensor, " L"]
) -> Bool[Tensor, "1 1 L L"]:
    """The rule for all pairs, True where a token (row) sees another (column)."""
    places = torch.arange(len(group_ids), device=group_ids.device)
    return sees(group_ids, branch_ids)(places, places, places[:, None], places[None])[None, None]


def block_mask(group_ids: Int32[Tensor, " L"], branch_ids: Int32[Tensor, " L"]) -> BlockMask:
    """The rule as the blocks that flex_attention has to compute."""
    length = len(group_ids)
    return create_block_mask(
        sees(group_ids, branch_ids), None, None, length, length, device=group_ids.device
    )


def packed_mask(
    group_ids: Int32[Tensor, " L"], branch_ids: Int32[Tensor, " L"], implementation: str
) -> Bool[Tensor, "1 1 L L"] | BlockMask:
    """What a language model with that attention implementation takes as attention_mask."""
    if implementation == "flex_attention":
        return block_mask(group_ids, branch_ids)
    return dense_mask(group_ids, branch_ids)
