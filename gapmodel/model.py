"""Qwen3-VL with geometry: a geometry encoder, its fusion into the visual tokens, and the heads of the objectives.

Legend: I pictures, h x w visual tokens a picture, D channels of the language model, L tokens of a row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, Cache, Qwen3VLForConditionalGeneration
from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.fast_base import picture_layout, use_known_layout
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.lora import add_lora
from gapmodel.objectives import objective_class
from gapmodel.patches import patch_grid, patchify, token_grid, unpatchify

Grid = Float[Tensor, "I h w D"]


class GapModel(Qwen3VLForConditionalGeneration):
    """Qwen3-VL whose visual tokens know geometry. Its base part has exactly the hub's state dict.

    What is added (`geometry_encoder`, `fusion`, `heads`) keeps the initialisation of its constructors, also when the
    weights come from a checkpoint that lacks it.
    """

    config_class = GapConfig
    _supports_flex_attn = True
    # A checkpoint of the base alone is a good start: no warning that these are new.
    _keys_to_ignore_on_load_missing = (r"^geometry_encoder\.", r"^fusion\.", r"^heads\.")

    def __init__(self, config: GapConfig) -> None:
        super().__init__(config)
        use_known_layout(self.model)
        for name, part in self._build_added(config).items():
            self.add_module(name, part)
        if config.lora:
            add_lora(self, config.lora)
        borrowed = getattr(self.geometry_encoder, "borrowed", ())
        self._keys_to_ignore_on_save |= {f"geometry_encoder.{name}" for name in borrowed}

    @staticmethod
    def _build_added(config: GapConfig) -> dict[str, nn.Module | None]:
        levels = len(config.vision_config.deepstack_visual_indexes)
        encoder: Any = None
        fusion: Any = None
        if config.geometry["kind"] != "none":
            from gapmodel.geometry.encoder import build_geometry_encoder
            from gapmodel.geometry.fusion import build_fusion

            encoder = build_geometry_encoder(
                config.geometry, levels=levels + 1, patch_size=config.token_size
            )
            fusion = build_fusion(
                config.fusion,
                hidden_size=config.text_config.hidden_size,
                levels=levels + 1,
                geometry_width=encoder.width,
                patch_size=config.token_size,
            )
        heads = {
            name: objective_class(name)(
                hidden_size=config.text_config.hidden_size, levels=levels, **settings
            )
            for name, settings in config.heads.items()
        }
        return {"geometry_encoder": encoder, "fusion": fusion, "heads": nn.ModuleDict(heads)}

    def initialize_weights(self) -> None:
        """Called by transformers when it has built the base, and when a checkpoint has left parts without weights."""
        super().initialize_weights()
        added = {
            name: getattr(self, name, None) for name in ("geometry_encoder", "fusion", "heads")
        }
        missing = {name: _missing(part) for name, part in added.items() if part is not None}
        if not any(missing.values()):
            return
        built = self._build_added(self.config)
        with torch.no_grad():
            for name, tensors in missing.items():
                part = built[name]
                assert part is not None
                fresh = dict(part.named_parameters()) | dict(part.named_buffers())
                for key, tensor in tensors:
                    tensor.copy_(fresh[key])

    def encode(
        self, images: UInt8[Tensor, "I H W 3"], geometry: GeometryInput | None = None
    ) -> tuple[Grid, tuple[Grid, ...]]:
        """The main visual tokens and the DeepStack levels, with geometry fused in.

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
        grid = patch_grid(count, height, width, vision.patch_size, images.device)
        if geometry is None:
            sample = torch.zeros(count, dtype=torch.int64, device=images.device)
            geometry = GeometryInput.rgb_only(sample, (height, width), images=images)
        return self._encode_patches(patches, grid, token_grid(self.config, height, width), geometry)

    def _encode_patches(
        self, patches: Tensor, grid: Tensor, tokens: tuple[int, int], geometry: GeometryInput
    ) -> tuple[Grid, tuple[Grid, ...]]:
        merge = self.config.vision_config.spatial_merge_size
        layout = picture_layout(
            self.model.visual, len(grid), tokens[0] * merge, tokens[1] * merge, patches.device
        )
        output = self.model.visual(
            patches.to(self.model.visual.dtype), grid_thw=grid, return_dict=True, **layout
        )
        shape = (len(grid), *tokens, -1)
        visual = output.pooler_output.view(shape)
        levels = tuple(level.view(shape) for level in output.deepstack_features)
        if self.geometry_encoder is None:
            return visual, levels
        return self.fusion(visual, levels, self.geometry_encoder(geometry), geometry)

    @staticmethod
    def encoder_outputs(
        visual: Grid, levels: tuple[Grid, ...]
    ) -> dict[str, BaseModelOutputWithDeepstackFeatures]:
        """What transformers takes as mm_encoder_outputs: the tokens of all picture blocks, one after the other."""
        return {
            "image": BaseModelOutputWithDeepstackFeatures(
                pooler_output=(visual.flatten(0, 2),),
                deepstack_features=[(level.flatten(0, 2),) for level in levels],
            )
        }

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        mm_token_type_ids: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        *,
        K: Tensor | None = None,
        cam2first: Tensor | None = None,
        input_depth: Tensor | None = None,
        input_normal: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Qwen3-VL's forward, which may be given the geometry of the pictures: K, cam2first, depth and normals as in Batch.

        Pictures of one row of the batch are one scene. With a geometry encoder all pictures have one size (ConfigError).
        """
        if pixel_values is not None and self.geometry_encoder is not None:
            assert input_ids is not None
            assert image_grid_thw is not None
            layers: dict[str, Any] = {
                "K": K,
                "cam2first": cam2first,
                "depth": input_depth,
                "normal": input_normal,
            }
            kwargs["mm_encoder_outputs"] = self.encoder_outputs(
                *self._encode_rows(input_ids, pixel_values, image_grid_thw, layers)
            )
            pixel_values = None
        return super().forward(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            labels=labels,
            pixel_values=pixel_values,
            image_grid_thw=image_grid_thw,
            mm_token_type_ids=mm_token_type_ids,
            logits_to_keep=logits_to_keep,
            **kwargs,
        )

    def _encode_rows(
        self,
        input_ids: Tensor,
        patches: Tensor,
        grid: Tensor,
        layers: dict[str, Any],
    ) -> tuple[Grid, tuple[Grid, ...]]:
        """The fused tokens of the pictures of a batch of prompts."""
        if len(torch.unique(grid, dim=0)) != 1 or grid[0, 0] != 1:
            raise ConfigError(f"expected pictures of one size, found patch grids {grid.tolist()}")
        vision = self.config.vision_config
        height, width = (int(side) * vision.patch_size for side in grid[0, 1:])
        tokens = token_grid(self.config, height, width)
        images = unpatchify(
            patches,
            (height, width),
            patch=vision.patch_size,
            merge=vision.spatial_merge_size,
            frames=vision.temporal_patch_size,
        )
        shown = (input_ids == self.config.image_token_id).sum(1) // (tokens[0] * tokens[1])
        sample = torch.repeat_interleave(torch.arange(len(shown), device=shown.device), shown)
        geometry = replace(
            GeometryInput.rgb_only(sample, (height, width), images=images),
            **{name: layer for name, layer in layers.items() if layer is not None},
        )
        return self._encode_patches(patches, grid, tokens, geometry)


def _missing(part: nn.Module) -> list[tuple[str, Tensor]]:
    """The parameters and buffers of a part that no checkpoint has filled."""
    stored = part.state_dict().keys()
    return [
        (key, tensor)
        for key, tensor in [*part.named_parameters(), *part.named_buffers()]
        if key not in stored or not getattr(tensor, "_is_hf_initialized", False)
    ]


AutoModelForImageTextToText.register(GapConfig, GapModel, exist_ok=True)
