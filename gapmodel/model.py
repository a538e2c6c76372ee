"""Qwen3-VL with geometry: a geometry encoder, its fusion into the visual tokens, and the heads of the objectives.

Legend: I pictures, h x w visual tokens a picture, D channels of the language model, L tokens of a row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from transformers import Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.geometry_input import GeometryInput
from gapmodel.objectives import objective_class
from gapmodel.patches import patch_grid, patchify

VisualLevels = tuple[Float[Tensor, "I h w D"], ...]


class GapModel(Qwen3VLForConditionalGeneration):
    """Qwen3-VL whose visual tokens know geometry. Its base part has exactly the hub's state dict.

    What is added (`geometry_encoder`, `fusion`, `heads`) keeps the initialisation of its constructors, also when the
    weights come from a checkpoint that lacks it.
    """

    config_class = GapConfig
    _supports_flex_attn = True

    def __init__(self, config: GapConfig) -> None:
        super().__init__(config)
        for name, part in self._build_added(config).items():
            self.add_module(name, part)
        self.post_init()

    @staticmethod
    def _build_added(config: GapConfig) -> dict[str, nn.Module | None]:
        levels = len(config.vision_config.deepstack_visual_indexes)
        encoder, fusion = None, None
        if config.geometry["kind"] != "none":
            from gapmodel.fusion import build_fusion
            from gapmodel.geometry_encoder import build_geometry_encoder

            encoder = build_geometry_encoder(
                config.geometry, levels=levels + 1, patch_size=config.token_size
            )
            fusion = build_fusion(config)
        heads = {
            name: objective_class(name)(
                hidden_size=config.text_config.hidden_size, levels=levels, **settings
            )
            for name, settings in config.heads.items()
        }
        return {"geometry_encoder": encoder, "fusion": fusion, "heads": nn.ModuleDict(heads)}

    def _init_weights(self, module: nn.Module) -> None:
        if module is self.lm_head:
            super()._init_weights(module)
        elif module is self and hasattr(self, "heads"):
            self._restore_own_initialisation()

    def _restore_own_initialisation(self) -> None:
        """Give added parts that a checkpoint lacks the values that their constructors choose."""
        for name, fresh in self._build_added(self.config).items():
            part = getattr(self, name)
            if fresh is None:
                continue
            persistent = part.state_dict()
            for pairs in (
                zip(part.named_parameters(), fresh.parameters(), strict=True),
                zip(part.named_buffers(), fresh.buffers(), strict=True),
            ):
                for (key, tensor), value in pairs:
                    loaded = key in persistent and getattr(tensor, "_is_hf_initialized", False)
                    if not loaded:
                        tensor.data.copy_(value)

    def encode(
        self, images: UInt8[Tensor, "I H W 3"], geometry: GeometryInput | None = None
    ) -> VisualLevels:
        """The visual tokens with geometry fused in: the DeepStack levels, then the main one.

        Without `geometry` the pictures are taken as RGB alone. Raises ConfigError for sides that are no whole
        number of tokens.
        """
        vision = self.config.vision_config
        count, height, width, _ = images.shape
        if height % self.config.token_size or width % self.config.token_size:
            raise ConfigError(
                f"pictures of {width}x{height}: expected multiples of {self.config.token_size}"
            )
        patches = patchify(
            images,
            patch=vision.patch_size,
            merge=vision.spatial_merge_size,
            frames=vision.temporal_patch_size,
        )
        levels = self._visual_levels(
            patches, patch_grid(count, height, width, vision.patch_size, images.device)
        )
        if self.geometry_encoder is None:
            return levels
        if geometry is None:
            sample = torch.zeros(count, dtype=torch.int64, device=images.device)
            geometry = GeometryInput.rgb_only(sample, (height, width), images=images)
        return self.fusion(levels, self.geometry_encoder(geometry), geometry)

    def _visual_levels(self, patches: Tensor, grid: Tensor) -> VisualLevels:
        output = self.model.visual(
            patches.to(self.model.visual.dtype), grid_thw=grid, return_dict=True
        )
        merge = self.config.vision_config.spatial_merge_size
        shape = (len(grid), int(grid[0, 1]) // merge, int(grid[0, 2]) // merge, -1)
        return tuple(
            level.view(shape) for level in (*output.deepstack_features, output.pooler_output)
        )

    @staticmethod
    def encoder_outputs(
        levels: VisualLevels, block_image: Tensor | None = None
    ) -> dict[str, BaseModelOutputWithDeepstackFeatures]:
        """What transformers takes as mm_encoder_outputs: the tokens of each picture block of the row, in order."""
        if block_image is not None:
            levels = tuple(level[block_image] for level in levels)
        flat = [level.flatten(0, 2) for level in levels]
        return {
            "image": BaseModelOutputWithDeepstackFeatures(
                pooler_output=(flat[-1],), deepstack_features=[(level,) for level in flat[:-1]]
            )
        }

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        images: Tensor | None = None,
        K: Tensor | None = None,
        cam2first: Tensor | None = None,
        input_depth: Tensor | None = None,
        input_normal: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Qwen3-VL's forward; `images` (uint8 [I, H, W, 3], one size) stand in for pixel_values and may bring geometry.

        K, cam2first, input_depth and input_normal are as in Batch; geometry counts as given when depth or normals are
        there. All pictures belong to one scene.
        """
        past = kwargs.get("past_key_values")
        if images is not None:
            pixel_values = None
            if past is None or past.get_seq_length() == 0:
                geometry = GeometryInput.rgb_only(
                    torch.zeros(len(images), dtype=torch.int64, device=images.device),
                    (images.shape[1], images.shape[2]),
                    images=images,
                )
                named = {
                    "K": K,
                    "cam2first": cam2first,
                    "depth": input_depth,
                    "normal": input_normal,
                }
                geometry = replace(
                    geometry, **{name: layer for name, layer in named.items() if layer is not None}
                )
                kwargs["mm_encoder_outputs"] = self.encoder_outputs(self.encode(images, geometry))
        return super().forward(
            input_ids=input_ids,
            pixel_values=pixel_values,
            image_grid_thw=image_grid_thw,
            **kwargs,
        )
