"""Two-way attention between visual and geometry tokens that knows where in space they are, then a gate for each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from gapmodel.geometry.inputs import GeometryInput, token_positions
from gapmodel.geometry.spatial_attention import (
    Space,
    SpatialAttention,
    picture_groups,
    spatial_rotation,
)
from gapmodel.settings import read_settings, require


@dataclass(frozen=True, kw_only=True, slots=True)
class FusionSettings:
    """Sizes of the fusion.

    across_pictures: attention over all pictures of a sample, in the frame of its first camera. A question
    on some of a sample's pictures then sees a trace of the others, and a picture's tokens depend on the company it is
    encoded in. Otherwise attention stays within each picture, in its own camera's frame. position: `points`
    turns queries and keys by the tokens' 3D positions where they are known, `none` never does.
    """

    width: int = 512
    heads: int = 8
    mlp_ratio: float = 2.0
    across_pictures: bool = False
    position: str = "points"

    def __post_init__(self) -> None:
        require(
            self.heads > 0 and self.width % (16 * self.heads) == 0,
            "fusion",
            f"width must be a multiple of 16 * heads, found {self.width} with {self.heads} heads",
        )
        require(
            self.position in ("points", "none"),
            "fusion",
            f"position is points or none, found {self.position!r}",
        )


def build_fusion(
    fusion: Mapping[str, Any],
    *,
    hidden_size: int,
    levels: int,
    geometry_width: int,
    patch_size: int,
) -> GeometryFusion:
    """The fusion that a model's `fusion` setting describes. Raises ConfigError for an unknown setting."""
    return GeometryFusion(
        read_settings(FusionSettings, fusion, "fusion"),
        hidden_size=hidden_size,
        levels=levels,
        geometry_width=geometry_width,
        patch_size=patch_size,
    )


class LevelFusion(nn.Module):
    """One level: visual tokens look at geometry tokens and the other way round, then what both found is added."""

    def __init__(self, settings: FusionSettings, hidden_size: int, geometry_width: int) -> None:
        super().__init__()
        width = settings.width
        self.visual_norm = nn.LayerNorm(hidden_size)
        self.visual_in = nn.Linear(hidden_size, width)
        self.geometry_norm = nn.LayerNorm(geometry_width)
        self.geometry_in = nn.Linear(geometry_width, width)
        self.to_geometry = SpatialAttention(width, settings.heads)
        self.to_visual = SpatialAttention(width, settings.heads)
        self.both_norm = nn.LayerNorm(2 * width)
        self.hidden = nn.Linear(2 * width, int(settings.mlp_ratio * width))
        self.gate = nn.Linear(2 * width, 1)
        self.out = nn.Linear(self.hidden.out_features, hidden_size)
        # Nothing is added at first, and every token's gate is half open.
        for layer in (self.out, self.gate):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        visual_IND: Float[Tensor, "I N D"],
        geometry_ING: Float[Tensor, "I N G"],
        space: Space,
    ) -> Float[Tensor, "I N D"]:
        """The visual tokens with the gated residual added."""
        dtype = self.visual_in.weight.dtype
        visual = self.visual_in(self.visual_norm(visual_IND.to(dtype)))
        geometry = self.geometry_in(self.geometry_norm(geometry_ING.to(dtype)))
        both = torch.cat(
            [
                visual + self.to_geometry(visual, geometry, space),
                geometry + self.to_visual(geometry, visual, space),
            ],
            dim=-1,
        )
        both = self.both_norm(both)
        gate = torch.sigmoid(self.gate(both))
        added = gate * self.out(functional.gelu(self.hidden(both)))
        return visual_IND + added.to(visual_IND.dtype)


class GeometryFusion(nn.Module):
    """Geometry brought into the main visual tokens and every DeepStack level.

    Each token gets visual + gate * out(what both sides found), with one gate for a token of a level and
    `out` starting at zero: before the first optimiser step the output equals the input exactly; then `out`
    learns first, and from the second step on everything behind it. Tokens attend within their picture or
    sample only. Positions are relative to a camera: moving the world changes nothing.
    """

    def __init__(
        self,
        settings: FusionSettings,
        *,
        hidden_size: int,
        levels: int,
        geometry_width: int,
        patch_size: int,
    ) -> None:
        super().__init__()
        self.settings, self.patch_size = settings, patch_size
        self.levels = nn.ModuleList(
            LevelFusion(settings, hidden_size, geometry_width) for _ in range(levels)
        )

    def forward(
        self,
        visual: Float[Tensor, "I h w D"],
        levels: tuple[Float[Tensor, "I h w D"], ...],
        geometry: tuple[Float[Tensor, "I h w G"], ...],
        pictures: GeometryInput,
    ) -> tuple[Float[Tensor, "I h w D"], tuple[Float[Tensor, "I h w D"], ...]]:
        """The fused main visual tokens and the fused DeepStack levels."""
        space = self._space(pictures)
        fused = tuple(
            fusion(tokens.flatten(1, 2), features.flatten(1, 2), space).view_as(tokens)
            for fusion, tokens, features in zip(
                self.levels, (*levels, visual), geometry, strict=True
            )
        )
        return fused[-1], fused[:-1]

    def _space(self, pictures: GeometryInput) -> Space:
        groups = picture_groups(
            pictures.image_sample, across_pictures=self.settings.across_pictures
        )
        tokens = (pictures.size[0] // self.patch_size) * (pictures.size[1] // self.patch_size)
        rotation = None
        if self.settings.position == "points":
            positions = token_positions(
                pictures, self.patch_size, in_first_camera=self.settings.across_pictures
            )
            cosine, sine = spatial_rotation(positions, self.settings.width // self.settings.heads)
            rotation = groups.gather(cosine)[:, None], groups.gather(sine)[:, None]
        return Space(groups=groups, mask=groups.mask(tokens), rotation=rotation)

    def forward_flops(self, pictures_per_sample: Sequence[int], size: tuple[int, int]) -> float:
        """Of a forward pass over these pictures, 2 for each multiply-add; padding of unequal samples not counted."""
        tokens = (size[0] // self.patch_size) * (size[1] // self.patch_size)
        total = tokens * sum(pictures_per_sample)
        seen = [tokens * (n if self.settings.across_pictures else 1) for n in pictures_per_sample]
        pairs = sum(
            tokens * count * keys for count, keys in zip(pictures_per_sample, seen, strict=True)
        )
        linear = sum(
            layer.weight.numel() for layer in self.levels.modules() if isinstance(layer, nn.Linear)
        )
        return 2.0 * (total * linear + pairs * 4 * self.settings.width * len(self.levels))
