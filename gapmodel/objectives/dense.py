"""Maps from tokens: the decoder that heads share, and truth sampled to its grid without mixing pixels.

Legend: I pictures of H x W pixels, h x w tokens, p x q cells of the decoded map, each s x s pixels.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.features import Features
from gapmodel.geometry.vit import Block
from gapmodel.objectives.tokens import (
    TokenGrid,
    check_heads,
    in_float32,
    position_codes,
    shuffle,
    split_tokens,
    start_near_zero,
)


class DenseDecoder(nn.Module):
    """Tokens of each picture to a map of `2 ** doublings` cells a token, and to one vector a picture.

    A transformer block lets the tokens of a picture see each other (the language model reads them in one direction);
    each token is then split into cells again and again, halving the channels, with convolutions between.
    """

    def __init__(
        self,
        *,
        hidden_size: int,
        levels: int,
        outputs: int,
        width: int = 128,
        heads: int = 8,
        doublings: int = 3,
    ) -> None:
        super().__init__()
        self.tokens = TokenGrid(hidden_size, levels, 4 * width)
        check_heads(4 * width, heads)
        self.mix = Block(4 * width, heads, normalise=False)
        self.pool_norm = nn.LayerNorm(4 * width)
        self.pool = nn.Linear(4 * width, outputs)
        widths = [max(width >> step, 8) for step in range(doublings)]
        self.refine = nn.ModuleList(ConvBlock(channels) for channels in widths)
        self.split = nn.ModuleList(
            nn.Conv2d(coarse, 4 * fine, 1) for coarse, fine in pairwise(widths)
        )
        self.out = nn.Conv2d(widths[-1], outputs, 3, padding=1)
        start_near_zero(self.out)
        start_near_zero(self.pool)

    def forward(
        self, features: Features
    ) -> tuple[Float32[Tensor, "I p q O"], Float32[Tensor, "I O"]]:
        """The map, and one vector a picture for what all its cells share."""
        grid = self.tokens(features)
        images, height, width, channels = grid.shape
        positions = position_codes(height, width, channels, grid.device).to(grid.dtype)
        flat = self.mix(grid.flatten(1, 2) + positions)
        pooled = in_float32(self.pool, self.pool_norm(flat.mean(dim=1)))
        cells = self.refine[0](split_tokens(flat.view(images, height, width, channels)))
        for split, refine in zip(self.split, self.refine[1:], strict=True):
            cells = refine(shuffle(split(cells)))
        return in_float32(self.out, cells).permute(0, 2, 3, 1), pooled


class ConvBlock(nn.Module):
    """A residual pair of 3 x 3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, cells: Float[Tensor, "I c p q"]) -> Float[Tensor, "I c p q"]:
        """The same shape."""
        return cells + self.second(functional.gelu(self.first(functional.gelu(cells))))


def cell_size(height: int, width: int, rows: int, columns: int) -> int:
    """Pixels along one side of a map's cell. Raises ConfigError where the map does not divide the picture."""
    side = height // max(rows, 1)
    if side < 1 or (rows * side, columns * side) != (height, width):
        raise ConfigError(
            f"heads: a map of {rows} x {columns} cells does not divide pictures of {height} x {width} pixels;"
            " choose `doublings` so that a token has at least as many pixels as cells"
        )
    return side


def sample_cells(
    valid: Bool[Tensor, "I H W"], rows: int, columns: int
) -> tuple[Int64[Tensor, "I p q 2"], Bool[Tensor, "I p q"]]:
    """The pixel (row, column) that stands for each cell: the valid one nearest to its centre, and whether there is one."""
    images, height, width = valid.shape
    side = cell_size(height, width, rows, columns)
    offsets = torch.cartesian_prod(torch.arange(side), torch.arange(side)).view(-1, 2)
    distance = (offsets - (side - 1) / 2).square().sum(dim=1)
    offsets = offsets[distance.argsort(stable=True)].to(valid.device)  # nearest first
    blocks = valid.view(images, rows, side, columns, side).transpose(2, 3)
    candidates = blocks[..., offsets[:, 0], offsets[:, 1]]
    chosen = offsets[candidates.byte().argmax(dim=-1)]
    corner = torch.stack(
        torch.meshgrid(
            torch.arange(rows, device=valid.device) * side,
            torch.arange(columns, device=valid.device) * side,
            indexing="ij",
        ),
        dim=-1,
    )
    return corner + chosen, candidates.any(dim=-1)


def take_pixels(
    layer: Float[Tensor, "I H W *c"], pixels: Int64[Tensor, "I p q 2"]
) -> Float[Tensor, "I p q *c"]:
    """A layer's values at chosen pixels, unchanged."""
    image = torch.arange(len(layer), device=layer.device)[:, None, None]
    return layer[image, pixels[..., 0], pixels[..., 1]]


def masked_mean(values: Float[Tensor, "*n"], mask: Bool[Tensor, "*n"]) -> Float[Tensor, ""]:
    """The mean where `mask` holds; 0 with zero gradient where it never does."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def enlarge(
    map_IpqO: Float32[Tensor, "I p q O"], height: int, width: int
) -> Float32[Tensor, "I H W O"]:
    """A map at the size of the pictures, bilinear between the cells' centres."""
    if not len(map_IpqO):
        return map_IpqO.new_zeros(0, height, width, map_IpqO.shape[-1])
    large = functional.interpolate(
        map_IpqO.permute(0, 3, 1, 2), size=(height, width), mode="bilinear", align_corners=False
    )
    return large.permute(0, 2, 3, 1)
