"""Grids over a picture: pixels, the patches of tokens, other networks' features, and their levels."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional


def patch_centres(length: int, patch_size: int, device: torch.device) -> Float32[Tensor, " n"]:
    """Pixel coordinates of the centres of patches along an axis; 0 is the centre of the first pixel."""
    count = length // patch_size
    return (torch.arange(count, device=device) + 0.5) * patch_size - 0.5


def to_patches(layer: Float[Tensor, "I H W C"], patch_size: int) -> Float[Tensor, "I h w D"]:
    """Each patch's pixels, row by row, as one vector of D = patch_size**2 * C."""
    count, height, width, channels = layer.shape
    rows, columns = height // patch_size, width // patch_size
    grid = layer.reshape(count, rows, patch_size, columns, patch_size, channels)
    return grid.transpose(2, 3).reshape(count, rows, columns, patch_size**2 * channels)


def resample(features: Float[Tensor, "I h w C"], grid: tuple[int, int]) -> Tensor:
    """Features on another grid over the same pictures: bilinear between centres, an average where the grid gets coarser."""
    if features.shape[1:3] == grid:
        return features
    planes = features.permute(0, 3, 1, 2).float()
    moved = functional.interpolate(planes, size=grid, mode="bilinear", antialias=True)
    return moved.permute(0, 2, 3, 1).to(features.dtype)


def matching_levels(levels: int, available: int) -> tuple[int, ...]:
    """Which of `available` feature levels goes with each of `levels`: in order, evenly spread, the last with the last."""
    if levels == 1:
        return (available - 1,)
    return tuple(round(level * (available - 1) / (levels - 1)) for level in range(levels))
