"""Encoders of geometry: depth, normals and rays, or the features of a frozen 3D model, on the grid of the visual tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from gapdata.errors import ConfigError
from gapmodel.geometry.grids import to_patches
from gapmodel.geometry.inputs import GeometryInput, camera_directions
from gapmodel.geometry.vit import Block, axial_rotation, grid_positions
from gapmodel.settings import read_settings, require

CHANNELS = 9  # log depth, its validity, normal, its validity, ray


@dataclass(frozen=True, kw_only=True, slots=True)
class DepthNormalSettings:
    """Sizes of the depth_normal encoder. `taps`: the blocks after which features leave, one for each fused level; evenly spread when empty."""

    width: int = 384
    depth: int = 6
    heads: int = 6
    mlp_ratio: float = 4.0
    taps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        where = "geometry"
        require(
            self.heads > 0 and self.width % self.heads == 0,
            where,
            "width must be a multiple of heads",
        )
        require(self.width // self.heads % 4 == 0, where, "width / heads must be a multiple of 4")
        require(self.depth > 0, where, f"depth must be positive, found {self.depth}")


def build_geometry_encoder(
    geometry: Mapping[str, Any], *, levels: int, patch_size: int
) -> nn.Module | None:
    """The encoder that a model's `geometry` setting names, None for kind `none`.

    levels: how many levels are fused, the main visual tokens last. patch_size: pixels a side of a visual
    token. The module has `width` and maps a GeometryInput to `levels` tensors [I, h, w, width].
    Raises ConfigError for an unknown kind or setting.
    """
    values = dict(geometry)
    kind = values.pop("kind", None)
    if kind == "none":
        return None
    if kind == "depth_normal":
        settings = read_settings(DepthNormalSettings, values, "geometry")
        return DepthNormalEncoder(settings, levels=levels, patch_size=patch_size)
    if kind == "vggt":
        from gapmodel.geometry.vggt import VggtSettings
        from gapmodel.geometry.vggt_encoder import VggtEncoder

        vggt = read_settings(VggtSettings, values, "geometry")
        return VggtEncoder(vggt, levels=levels, patch_size=patch_size)
    raise ConfigError(f"geometry: kind is none, depth_normal or vggt, found {kind!r}")


def spread_taps(depth: int, levels: int) -> tuple[int, ...]:
    """`levels` block numbers, evenly spread, the last block last."""
    return tuple((level + 1) * depth // levels - 1 for level in range(levels))


class DepthNormalEncoder(nn.Module):
    """A ViT over log-depth, normals and rays in camera axes, a patch to a visual token.

    A pixel without depth or normal has zeros there and a zero in the validity channel. Metric scale enters
    through the logarithm of depth in metres; intrinsics enter through the unit rays. A picture that is not given, or
    whose depth and normals are all unknown, is the learned absent token everywhere: the two are the same.
    """

    def __init__(self, settings: DepthNormalSettings, *, levels: int, patch_size: int) -> None:
        super().__init__()
        self.settings, self.patch_size = settings, patch_size
        self.width = settings.width
        self.taps = settings.taps or spread_taps(settings.depth, levels)
        require(
            len(self.taps) == levels
            and list(self.taps) == sorted(set(self.taps))
            and self.taps[0] >= 0
            and self.taps[-1] == settings.depth - 1,
            "geometry",
            f"taps must be {levels} rising block numbers of {settings.depth} blocks, the last block last, found {list(self.taps)}",
        )
        self.embed = nn.Linear(patch_size**2 * CHANNELS, self.width)
        self.absent = nn.Parameter(0.02 * torch.randn(self.width))
        self.blocks = nn.ModuleList(
            Block(self.width, settings.heads, mlp_ratio=settings.mlp_ratio)
            for _ in range(settings.depth)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(self.width) for _ in range(levels))

    def forward(self, pictures: GeometryInput) -> tuple[Float[Tensor, "I h w C"], ...]:
        """The features of each level, the main visual tokens' last."""
        maps = to_patches(geometry_maps(pictures), self.patch_size).to(self.embed.weight.dtype)
        rows, columns = maps.shape[1:3]
        seen_IhwC = self.embed(maps)
        x_IhwC = torch.where(
            pictures.measured[:, None, None, None], seen_IhwC, self.absent.to(seen_IhwC.dtype)
        )
        x_INC = x_IhwC.flatten(1, 2)
        rotation = axial_rotation(
            grid_positions(rows, columns, maps.device), self.width // self.settings.heads
        )
        features: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            x_INC = block(x_INC, rotation)
            if number in self.taps:
                norm = self.norms[len(features)]
                features.append(norm(x_INC).unflatten(1, (rows, columns)))
        return tuple(features)

    def forward_flops(self, pictures_per_sample: Sequence[int], size: tuple[int, int]) -> float:
        """Of a forward pass over these pictures, 2 for each multiply-add."""
        count = sum(pictures_per_sample)
        tokens = (size[0] // self.patch_size) * (size[1] // self.patch_size)
        embed = 2.0 * count * tokens * self.embed.in_features * self.width
        blocks = sum(
            block.forward_flops(count, tokens) for block in self.blocks if isinstance(block, Block)
        )
        return embed + blocks


def geometry_maps(pictures: GeometryInput) -> Float[Tensor, "I H W 9"]:
    """Log depth, depth validity, normal, normal validity and unit ray of each pixel, in camera axes; zeros where unknown."""
    (height, width), device = pictures.size, pictures.depth.device
    depth_known, normal_known = pictures.depth_known, pictures.normal_known
    log_depth = torch.where(depth_known, pictures.depth, 1.0).log()
    normal = torch.where(normal_known[..., None], pictures.normal, 0.0)
    measured = pictures.measured[:, None, None]
    K = torch.where(measured, pictures.K, torch.eye(3, device=device))
    pixels = [torch.arange(n, device=device, dtype=torch.float32) for n in (height, width)]
    ray = functional.normalize(camera_directions(K, *pixels), dim=-1)
    ray = torch.where(measured[..., None], ray, 0.0)
    return torch.cat(
        [
            log_depth[..., None],
            depth_known[..., None].float(),
            normal,
            normal_known[..., None].float(),
            ray,
        ],
        dim=-1,
    )
