"""VGGT's features as a geometry input: from the frozen network or a cache, on the grid of the visual tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gapdata.errors import ConfigError
from gapmodel.geometry.grids import matching_levels, resample
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.geometry.vggt import VggtAggregator, VggtSettings, vggt_features
from gapmodel.geometry.vggt_weights import load_vggt


class VggtEncoder(nn.Module):
    """VGGT's features on the grid of the visual tokens, from the frozen network or from a cache.

    Tapped layers go to the fused levels in order, evenly spread where there are fewer or more. A picture whose
    geometry is not given, or for which no cached features came, has the learned absent token of its level. Only those tokens are trained here: the fusion
    normalises and projects each level to its width.
    """

    def __init__(self, settings: VggtSettings, *, levels: int, patch_size: int) -> None:
        super().__init__()
        self.settings, self.patch_size = settings, patch_size
        self.width = 2 * settings.width
        self.taps = matching_levels(levels, len(settings.taps))
        self.absent = nn.Parameter(0.02 * torch.randn(levels, self.width))
        if settings.source == "online":
            self.aggregator = VggtAggregator(settings).requires_grad_(False)
        self.has_weights = not settings.weights

    def load_weights(self) -> None:
        """Reads the checkpoint that the settings name into the frozen network."""
        if self.settings.source == "online" and self.settings.weights:
            load_vggt(self.aggregator, self.settings.weights)
            self.has_weights = True

    @property
    def borrowed(self) -> tuple[str, ...]:
        """Names of parameters that come from the settings' checkpoint, whose licence is not ours: never saved with a model."""
        if not self.settings.weights or self.settings.source != "online":
            return ()
        return tuple(f"aggregator.{name}" for name in self.aggregator.state_dict())

    def forward(self, pictures: GeometryInput) -> tuple[Float[Tensor, "I h w C"], ...]:
        """The features of each level, the main visual tokens' last."""
        rows, columns = (side // self.patch_size for side in pictures.size)
        features = self._features(pictures)
        if features is None:
            return tuple(
                absent.expand(len(pictures.given), rows, columns, -1) for absent in self.absent
            )
        given = pictures.given[:, None, None, None]
        return tuple(
            torch.where(given, resample(features[:, tap], (rows, columns)).to(absent.dtype), absent)
            for tap, absent in zip(self.taps, self.absent, strict=True)
        )

    def _features(self, pictures: GeometryInput) -> Float[Tensor, "I M h w C"] | None:
        if self.settings.source == "cache":
            features, expected = pictures.features, (len(self.settings.taps), self.width)
            if features is not None and (features.shape[1], features.shape[-1]) != expected:
                found = (features.shape[1], features.shape[-1])
                raise ConfigError(
                    f"geometry: expected cached features of {expected} levels and channels, found {found}"
                )
            return features
        if pictures.images is None:
            raise ConfigError("geometry: source online needs the pictures, found none")
        if not self.has_weights:
            raise ConfigError(
                f"geometry: weights {self.settings.weights} were not loaded; call load_weights()"
            )
        return vggt_features(self.aggregator, pictures.images, pictures.image_sample)

    def forward_flops(self, pictures_per_sample: Sequence[int], size: tuple[int, int]) -> float:
        """Of a forward pass over these pictures, 2 for each multiply-add; 0 with cached features."""
        if self.settings.source == "cache":
            return 0.0
        return self.aggregator.forward_flops(pictures_per_sample, size)
