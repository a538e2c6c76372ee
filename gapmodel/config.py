"""The configuration of a model: Qwen3-VL's own, and what is added to it."""

from dataclasses import field
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, Qwen3VLConfig


@strict
class GapConfig(Qwen3VLConfig):
    """Qwen3-VL's configuration with a geometry encoder, its fusion and the heads of the objectives.

    geometry: {"kind": "none" | "depth_normal" | "vggt", ...sizes of that encoder}. fusion: sizes of the fusion.
    heads: objective name -> its settings; the heads that the model has. lora: rank of the adapters that the decoder
    has and its state dict contains, 0 for none.
    """

    model_type = "gapmodel"

    geometry: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    fusion: dict[str, Any] = field(default_factory=dict)
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    lora: int = 0

    @classmethod
    def get_config_dict(cls, name_or_path: Any, **kwargs: Any) -> tuple[dict[str, Any], Any]:
        """A stored configuration; Qwen3-VL's is one of a model to which nothing is added yet."""
        values, unused = super().get_config_dict(name_or_path, **kwargs)
        if values.get("model_type") == Qwen3VLConfig.model_type:
            values["model_type"] = cls.model_type
        return values, unused

    @property
    def token_size(self) -> int:
        """Pixels that one visual token spans in each direction."""
        return int(self.vision_config.patch_size * self.vision_config.spatial_merge_size)


AutoConfig.register(GapConfig.model_type, GapConfig, exist_ok=True)
