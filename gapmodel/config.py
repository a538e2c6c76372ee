"""The configuration of a model: Qwen3-VL's own, and what is added to it."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import Qwen3VLConfig


@strict
class GapConfig(Qwen3VLConfig):
    """Qwen3-VL's configuration with a geometry encoder, its fusion and the heads of the objectives.

    geometry: {"kind": "none" | "depth_normal" | "vggt", ...sizes of that encoder}. fusion: sizes of the fusion.
    heads: objective name -> its settings; the heads that the model has.
    """

    model_type = "gapmodel"

    geometry: dict[str, Any] | None = None
    fusion: dict[str, Any] | None = None
    heads: dict[str, dict[str, Any]] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self.geometry = self.geometry or {"kind": "none"}
        self.fusion = self.fusion or {}
        self.heads = self.heads or {}
        super().__post_init__(**kwargs)

    @property
    def token_size(self) -> int:
        """Pixels that one visual token spans in each direction."""
        return int(self.vision_config.patch_size * self.vision_config.spatial_merge_size)
