"""Pictures -> what Qwen's vision tower takes: flat patches in its order. Legend: I pictures, N patches, C colours.

The hub's image processor scales colours to [0, 1], subtracts 0.5 and divides by 0.5; puts the patches of one merged
token next to each other, tokens row by row; and repeats a still picture for each frame of a temporal patch.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from gapmodel.config import GapConfig


def patchify(
    images: UInt8[Tensor, "I H W 3"], *, patch: int, merge: int, frames: int
) -> Float32[Tensor, "N F"]:
    """The patches of pictures whose sides are multiples of patch * merge; F = 3 * frames * patch * patch."""
    count, height, width, _ = images.shape
    rows, columns = height // (patch * merge), width // (patch * merge)
    scaled = (images.permute(0, 3, 1, 2).float() * (1 / 255) - 0.5) / 0.5
    grid = scaled.view(count, 3, rows, merge, patch, columns, merge, patch)
    ordered = grid.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)
    repeated = ordered.expand(-1, -1, -1, -1, -1, -1, frames, -1, -1)
    return repeated.reshape(count * rows * columns * merge**2, 3 * frames * patch**2)


def unpatchify(
    patches: Float[Tensor, "N F"], size: tuple[int, int], *, patch: int, merge: int, frames: int
) -> UInt8[Tensor, "I H W 3"]:
    """The pictures of a size (height, width) that `patchify` made these patches of."""
    rows, columns = size[0] // (patch * merge), size[1] // (patch * merge)
    grid = patches.view(-1, rows, columns, merge, merge, 3, frames, patch, patch)[
        :, :, :, :, :, :, 0
    ]
    scaled = grid.permute(0, 1, 3, 6, 2, 4, 7, 5).reshape(-1, *size, 3)
    return ((scaled.float() * 0.5 + 0.5) * 255).round().clamp(0, 255).to(torch.uint8)


def patch_grid(
    count: int, height: int, width: int, patch: int, device: torch.device
) -> Int64[Tensor, "I 3"]:
    """The hub's `image_grid_thw`: frames, rows and columns of patches of each picture."""
    return torch.tensor([[1, height // patch, width // patch]], device=device).expand(count, 3)


def token_grid(config: GapConfig, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of visual tokens of a picture."""
    return height // config.token_size, width // config.token_size
