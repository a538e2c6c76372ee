"""Transformer blocks with axial rotary positions.

Parameter names, order of operations and the rotation follow the blocks of DINOv2 and VGGT (norm1, attn.qkv,
attn.q_norm, ls1.gamma, mlp.fc1, ...), so that weights in that layout load by name.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

Rotation = tuple[Tensor, Tensor]  # cosine and sine, [..., N, head_dim]


def grid_positions(rows: int, columns: int, device: torch.device) -> Int64[Tensor, "N 2"]:
    """Row and column of each patch of a grid, row by row."""
    return torch.cartesian_prod(
        torch.arange(rows, device=device), torch.arange(columns, device=device)
    )


def axial_rotation(positions: Int64[Tensor, "N 2"], head_dim: int, base: float = 100.0) -> Rotation:
    """Cosine and sine that turn the first half of a head's channels by the row, the second by the column.

    RoPE (Su et al., 2021) for each axis at angles position * base**(-2i / (head_dim / 2)); channel i is paired
    with channel i + head_dim / 4 of its half, as in CroCo v2, DUSt3R and VGGT (base 100).
    """
    half = head_dim // 2
    rate = base ** -(torch.arange(0, half, 2, device=positions.device).float() / half)
    angle = positions[..., None].float() * rate  # [N, 2, head_dim / 4]
    angle = torch.cat([angle, angle], dim=-1).flatten(-2)
    return angle.cos(), angle.sin()


def rotate_axially(x: Float[Tensor, "... N d"], rotation: Rotation) -> Float[Tensor, "... N d"]:
    """The heads' channels turned by `axial_rotation`."""
    cosine, sine = rotation
    a, b, c, d = x.chunk(4, dim=-1)
    turned = torch.cat([-b, a, -d, c], dim=-1)
    return x * cosine.to(x.dtype) + turned * sine.to(x.dtype)


class Attention(nn.Module):
    """Self-attention over all tokens of a row, with optional normalised queries and keys."""

    def __init__(self, width: int, heads: int, *, normalise: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(width // heads) if normalise else nn.Identity()
        self.k_norm = nn.LayerNorm(width // heads) if normalise else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(
        self, x_BNC: Float[Tensor, "B N C"], rotation: Rotation | None
    ) -> Float[Tensor, "B N C"]:
        """What each token gathers from its row."""
        qkv = self.qkv(x_BNC).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate_axially(q, rotation), rotate_axially(k, rotation)
        return self.proj(
            functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        )


class Mlp(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, each token by itself."""
        return self.fc2(functional.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learned factor for each channel of a residual branch."""

    def __init__(self, width: int, start: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), start))

    def forward(self, x: Tensor) -> Tensor:
        """The channels times their factors."""
        return x * self.gamma


class Block(nn.Module):
    """Pre-norm self-attention and MLP."""

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        mlp_ratio: float = 4.0,
        normalise: bool = True,
        layer_scale: float | None = None,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = Attention(width, heads, normalise=normalise)
        self.ls1 = nn.Identity() if layer_scale is None else LayerScale(width, layer_scale)
        self.norm2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = Mlp(width, int(width * mlp_ratio))
        self.ls2 = nn.Identity() if layer_scale is None else LayerScale(width, layer_scale)

    def forward(
        self, x_BNC: Float[Tensor, "B N C"], rotation: Rotation | None = None
    ) -> Float[Tensor, "B N C"]:
        """The tokens after both residual branches."""
        x_BNC = x_BNC + self.ls1(self.attn(self.norm1(x_BNC), rotation))
        return x_BNC + self.ls2(self.mlp(self.norm2(x_BNC)))

    def forward_flops(self, rows: int, tokens: int) -> float:
        """Of `rows` rows of `tokens` tokens, 2 for each multiply-add."""
        width, hidden = self.attn.proj.in_features, self.mlp.fc1.out_features
        linear = 4 * width**2 + 2 * width * hidden
        return 2.0 * rows * tokens * (linear + 2 * tokens * width)
