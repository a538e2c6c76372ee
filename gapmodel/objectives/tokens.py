"""What heads read: the tokens of the pictures as one grid, and small transformers over them.

Legend: I pictures, h x w tokens each, D channels of the model, C of a head, N rows, Q queries, K keys.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.features import Features
from gapmodel.geometry.vit import Block
from gapmodel.settings import require


class TokenGrid(nn.Module):
    """Tokens before and after the language model and of every level, normalised each and projected together.

    The pictures' tokens after the language model know the other views and the scale of the room, those before
    it and the levels keep detail inside the token.
    """

    def __init__(self, hidden_size: int, levels: int, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_size) for _ in range(2 + levels))
        self.project = nn.Linear((2 + levels) * hidden_size, width)

    def forward(self, features: Features) -> Float[Tensor, "I h w C"]:
        """The grid, in the floating point type of the head's parameters."""
        grids = (features.views, features.visual, *features.levels)
        dtype = self.project.weight.dtype
        normed = [norm(grid.to(dtype)) for norm, grid in zip(self.norms, grids, strict=True)]
        return self.project(torch.cat(normed, dim=-1))


def split_tokens(grid_IhwC: Float[Tensor, "I h w C"]) -> Float[Tensor, "I c H W"]:
    """Each token as 2 x 2 cells of a quarter of its channels, channels first: the vision tower's own patches."""
    return shuffle(grid_IhwC.permute(0, 3, 1, 2))


def shuffle(cells: Float[Tensor, "I C h w"]) -> Float[Tensor, "I c H W"]:
    """Four channels of a cell as one channel of 2 x 2 cells: torch's pixel_shuffle, which has no gradient for I = 0."""
    parts = cells.unflatten(1, (cells.shape[1] // 4, 2, 2))
    return parts.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)


def position_codes(
    height: int, width: int, channels: int, device: torch.device
) -> Float32[Tensor, "n C"]:
    """Sines and cosines of where each cell's centre lies in its picture, 0 to 1 along each axis, row by row."""
    octaves = channels // 4
    y = (torch.arange(height, device=device) + 0.5) / height
    x = (torch.arange(width, device=device) + 0.5) / width
    place = torch.cartesian_prod(y, x).view(-1, 2)
    frequency = torch.logspace(0, 5, octaves, base=2, device=device)  # half a wave to 16 a picture
    waves = place[:, :, None] * torch.pi * frequency
    table = torch.cat([waves.sin(), waves.cos()], dim=-1).flatten(1)
    return functional.pad(table, (0, channels - table.shape[1]))


def check_heads(width: int, heads: int) -> None:
    """Nothing; raises ConfigError for a width that attention heads do not divide."""
    message = f"expected a width that {heads} attention heads divide, found {width}"
    require(heads > 0 and width % heads == 0, "config.heads", message)


class CrossAttention(nn.Module):
    """Multi-head attention of queries to a memory."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        queries: Float[Tensor, "N Q C"],
        memory: Float[Tensor, "N K C"],
        allowed: Bool[Tensor, "N K"] | None = None,
    ) -> Float[Tensor, "N Q C"]:
        """The queries' answers. `allowed` tells which keys a row may read; one without any reads all."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(queries), *self.key_value(memory).chunk(2, dim=-1))
        )
        mask = None
        if allowed is not None:
            mask = (allowed | ~allowed.any(dim=1, keepdim=True))[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(mixed.transpose(1, 2).flatten(2))


class CrossBlock(nn.Module):
    """A pre-norm transformer block of queries that read a memory and then each other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.read = CrossAttention(width, heads)
        self.mix = Block(width, heads, normalise=False)

    def forward(
        self,
        queries: Float[Tensor, "N Q C"],
        memory: Float[Tensor, "N K C"],
        allowed: Bool[Tensor, "N K"] | None = None,
    ) -> Float[Tensor, "N Q C"]:
        """The queries after reading and mixing."""
        queries = queries + self.read(self.norms[0](queries), self.norms[1](memory), allowed)
        return self.mix(queries)


class QueryDecoder(nn.Module):
    """Learned queries that read a memory in several blocks."""

    def __init__(self, queries: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width) * 0.02)
        self.blocks = nn.ModuleList(CrossBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, memory: Float[Tensor, "N K C"], allowed: Bool[Tensor, "N K"] | None = None
    ) -> Float[Tensor, "N Q C"]:
        """What the queries found for each row."""
        queries = self.queries.expand(len(memory), -1, -1)
        for block in self.blocks:
            queries = block(queries, memory, allowed)
        return self.norm(queries)


def in_float32(layer: nn.Linear | nn.Conv2d, inputs: Tensor) -> Float32[Tensor, "..."]:
    """What a head's last layer gives, in float32 also where the head computes in bfloat16: 8 bits are 1 cm at 2 m."""
    weight, bias = layer.weight.float(), None if layer.bias is None else layer.bias.float()
    with torch.autocast(device_type=inputs.device.type, enabled=False):
        if isinstance(layer, nn.Conv2d):
            return functional.conv2d(inputs.float(), weight, bias, padding=layer.padding)
        return functional.linear(inputs.float(), weight, bias)


def start_near_zero(layer: nn.Linear | nn.Conv2d) -> None:
    """A head's last layer starts from the head's prior, not from noise. Not quite 0, so that what is below it learns."""
    nn.init.normal_(layer.weight, std=1e-3)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def mlp(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two linear layers."""
    return nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, outputs))
