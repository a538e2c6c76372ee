"""Features of VGGT (Wang et al., CVPR 2025): a frozen transformer that alternates attention within and across pictures.

Own implementation of the published architecture and its numbers: DINOv2 ViT-L/14 with 4 registers as patch
embedding, 24 pairs of frame and global blocks of width 1024 with normalised queries and keys and axial rotary
positions (base 100), camera and register tokens that differ for the first picture. A level is the frame
block's output next to the global block's: 2048 channels. Parameter names are those of the published
checkpoint's `aggregator`, shapes and number of parameters (909,112,320) too; it was not run on the published weights.
No weights come with this package: facebook/VGGT-1B is CC-BY-NC 4.0, VGGT-1B-Commercial is gated under its own licence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.geometry.vit import Block, axial_rotation, grid_positions
from gapmodel.settings import require

# Of ImageNet's pictures in [0, 1], which the patch embedding was trained with.
COLOR_MEAN = (0.485, 0.456, 0.406)
COLOR_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class VggtSettings:
    """Where the features come from, and the sizes of the network (the defaults are VGGT-1B's).

    source: `online` runs the network, `cache` takes GeometryInput.features. weights: checkpoint that
    `load_weights` reads; empty leaves random weights, for tests. taps: layers whose features leave, zero-based.
    picture_width: pictures are resized to it, the height to the nearest multiple of `patch` that keeps the shape.
    """

    source: str = "online"
    weights: str = ""
    taps: tuple[int, ...] = (4, 11, 17, 23)
    width: int = 1024
    heads: int = 16
    depth: int = 24
    backbone_depth: int = 24
    registers: int = 4
    patch: int = 14
    trained_grid: int = 37
    picture_width: int = 518

    def __post_init__(self) -> None:
        where = "geometry"
        require(
            self.source in ("online", "cache"),
            where,
            f"source is online or cache, found {self.source!r}",
        )
        require(
            len(self.taps) > 0
            and list(self.taps) == sorted(set(self.taps))
            and self.taps[0] >= 0
            and self.taps[-1] < self.depth,
            where,
            f"taps must be rising layer numbers below {self.depth}, found {list(self.taps)}",
        )
        require(
            self.heads > 0 and self.width % (4 * self.heads) == 0,
            where,
            "width must be a multiple of 4 * heads",
        )
        require(
            self.picture_width % self.patch == 0,
            where,
            f"picture_width must be a multiple of the patch, {self.patch}",
        )


class Projection(nn.Module):
    """Patches to vectors."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=patch, stride=patch)

    def forward(self, images: Float[Tensor, "I 3 H W"]) -> Float[Tensor, "I N C"]:
        """One vector for each patch, row by row."""
        return self.proj(images).flatten(2).transpose(1, 2)


class Dinov2(nn.Module):
    """DINOv2's ViT with registers (Oquab et al., 2023; Darcet et al., 2023), in VGGT's variant: positions resampled antialiased."""

    def __init__(self, settings: VggtSettings) -> None:
        super().__init__()
        width = settings.width
        self.grid = settings.trained_grid
        self.patch_embed = Projection(width, settings.patch)
        self.cls_token = nn.Parameter(1e-6 * torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + self.grid**2, width))
        self.register_tokens = nn.Parameter(1e-6 * torch.randn(1, settings.registers, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of its pre-training, unused here
        self.blocks = nn.ModuleList(
            Block(width, settings.heads, normalise=False, layer_scale=1.0, epsilon=1e-6)
            for _ in range(settings.backbone_depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, images: Float[Tensor, "I 3 H W"]) -> Float[Tensor, "I N C"]:
        """The normalised patch tokens."""
        patch = self.patch_embed.proj.kernel_size[0]
        rows, columns = images.shape[2] // patch, images.shape[3] // patch
        tokens = self.patch_embed(images) + self._positions(rows, columns)
        count = len(tokens)
        first = (self.cls_token + self.pos_embed[:, :1]).expand(count, -1, -1)
        x = torch.cat([first, self.register_tokens.expand(count, -1, -1), tokens], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 1 + self.register_tokens.shape[1] :]

    def _positions(self, rows: int, columns: int) -> Float[Tensor, "1 N C"]:
        learned = self.pos_embed[:, 1:]
        if rows == columns == self.grid:
            return learned
        grid = learned.float().transpose(1, 2).unflatten(2, (self.grid, self.grid))
        resampled = functional.interpolate(
            grid, size=(rows, columns), mode="bicubic", antialias=True
        )
        return resampled.flatten(2).transpose(1, 2).to(learned.dtype)


class VggtAggregator(nn.Module):
    """The part of VGGT that its heads read: alternating attention over the pictures of a scene."""

    def __init__(self, settings: VggtSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.patch_embed = Dinov2(settings)
        # For the first picture, and for all others.
        self.camera_token = nn.Parameter(1e-6 * torch.randn(1, 2, 1, width))
        self.register_token = nn.Parameter(1e-6 * torch.randn(1, 2, settings.registers, width))
        self.frame_blocks = self._blocks()
        self.global_blocks = self._blocks()

    def _blocks(self) -> nn.ModuleList:
        width, heads = self.settings.width, self.settings.heads
        return nn.ModuleList(
            Block(width, heads, layer_scale=0.01) for _ in range(self.settings.depth)
        )

    def forward(self, images: Float[Tensor, "B S 3 H W"]) -> Float[Tensor, "B S M h w C"]:
        """Features of the tapped layers for B scenes of S pictures in [0, 1]; H and W are multiples of the patch."""
        scenes, count = images.shape[:2]
        patch = self.settings.patch
        rows, columns = images.shape[3] // patch, images.shape[4] // patch
        mean, std = (images.new_tensor(c).view(3, 1, 1) for c in (COLOR_MEAN, COLOR_STD))
        patches = self.patch_embed(((images - mean) / std).flatten(0, 1))
        special = torch.cat([self.camera_token, self.register_token], dim=2)
        others = special[:, 1:].expand(-1, count - 1, -1, -1)
        special = torch.cat([special[:, :1], others], dim=1).expand(scenes, -1, -1, -1)
        x = torch.cat([special.flatten(0, 1), patches], dim=1)  # [B * S, T, C]
        # Special tokens stand at (0, 0), patches start at (1, 1).
        positions = grid_positions(rows, columns, images.device) + 1
        positions = functional.pad(positions, (0, 0, special.shape[2], 0))
        cosine, sine = axial_rotation(positions, self.settings.width // self.settings.heads)
        across = cosine.repeat(count, 1), sine.repeat(count, 1)
        levels = []
        for number in range(self.settings.taps[-1] + 1):
            within = self.frame_blocks[number](x, (cosine, sine))
            x = self.global_blocks[number](
                within.unflatten(0, (scenes, count)).flatten(1, 2), across
            )
            x = x.unflatten(1, (count, -1)).flatten(0, 1)
            if number in self.settings.taps:
                both = torch.cat([within, x], dim=-1)[:, special.shape[2] :]
                levels.append(both.unflatten(1, (rows, columns)).unflatten(0, (scenes, count)))
        return torch.stack(levels, dim=2)

    def forward_flops(self, pictures_per_sample: Sequence[int], size: tuple[int, int]) -> float:
        """Of a forward pass over pictures of this size before resizing, 2 for each multiply-add."""
        settings = self.settings
        height, width = network_size(settings, size)
        patches = (height // settings.patch) * (width // settings.patch)
        tokens = patches + 1 + settings.registers
        total = sum(pictures_per_sample)
        block = self.frame_blocks[0]
        assert isinstance(block, Block)
        pairs = settings.taps[-1] + 1
        within = (settings.backbone_depth + pairs) * block.forward_flops(total, tokens)
        across = pairs * sum(block.forward_flops(1, n * tokens) for n in pictures_per_sample)
        return within + across + 2.0 * total * patches * 3 * settings.patch**2 * settings.width


def network_size(settings: VggtSettings, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that pictures of `size` are resized to: VGGT's width, nothing cropped."""
    height, width = size
    rows = max(1, round(height * settings.picture_width / width / settings.patch))
    return rows * settings.patch, settings.picture_width


@torch.no_grad()
def vggt_features(
    aggregator: VggtAggregator,
    images: UInt8[Tensor, "I H W 3"],
    image_sample: Tensor,
) -> Float[Tensor, "I M h w C"]:
    """Features of all tapped layers on the network's own patch grid; a sample's pictures see each other.

    Pictures are resized bicubically with antialiasing to `network_size`. The first picture of a sample is the
    reference of its features.
    """
    weight = aggregator.camera_token
    resized = functional.interpolate(
        images.permute(0, 3, 1, 2).float() / 255,
        size=network_size(aggregator.settings, (images.shape[1], images.shape[2])),
        mode="bicubic",
        antialias=True,
    ).clamp(0, 1)
    members: dict[int, list[int]] = {}
    for picture, sample in enumerate(image_sample.tolist()):
        members.setdefault(sample, []).append(picture)
    by_count: dict[int, list[list[int]]] = {}
    for group in members.values():
        by_count.setdefault(len(group), []).append(group)
    order: list[int] = []
    parts = []
    for groups in by_count.values():
        pictures = torch.tensor(groups, device=images.device)
        parts.append(aggregator(resized[pictures].to(weight.dtype)).flatten(0, 1))
        order.extend(picture for group in groups for picture in group)
    back = torch.argsort(torch.tensor(order, device=images.device))
    return torch.cat(parts)[back]
