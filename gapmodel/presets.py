"""The sizes a model comes in, and building one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A size. `hub` names the checkpoint to start from; without one the model starts from random weights."""

    vision: Mapping[str, Any]
    text: Mapping[str, Any]
    hub: str = ""
    tie_word_embeddings: bool = True


def _rope(theta: float, sections: tuple[int, int, int]) -> dict[str, Any]:
    return {
        "rope_type": "default",
        "rope_theta": theta,
        "mrope_section": list(sections),
        "mrope_interleaved": True,
    }


QWEN_VISION = {
    "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16,
    "num_position_embeddings": 2304, "deepstack_visual_indexes": [5, 11, 17],
}  # fmt: skip
QWEN_TEXT = {
    "vocab_size": 151936, "num_key_value_heads": 8, "head_dim": 128,
    "max_position_embeddings": 262144, "rope_parameters": _rope(5e6, (24, 20, 20)),
}  # fmt: skip

PRESETS: Mapping[str, Preset] = {
    "tiny": Preset(
        vision={
            "depth": 3, "hidden_size": 64, "intermediate_size": 256, "num_heads": 4,
            "num_position_embeddings": 256, "deepstack_visual_indexes": [0, 1],
        },
        text={
            "vocab_size": 1536, "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
            "max_position_embeddings": 32768, "rope_parameters": _rope(1e5, (6, 5, 5)),
        },
    ),
    "small": Preset(
        vision={
            "depth": 12, "hidden_size": 384, "intermediate_size": 1536, "num_heads": 6,
            "num_position_embeddings": 2304, "deepstack_visual_indexes": [2, 5, 8],
        },
        text={
            "vocab_size": 8192, "hidden_size": 640, "intermediate_size": 1920, "num_hidden_layers": 12,
            "num_attention_heads": 10, "num_key_value_heads": 5, "head_dim": 64,
            "max_position_embeddings": 65536, "rope_parameters": _rope(1e6, (12, 10, 10)),
        },
    ),
    "qwen3-vl-2b": Preset(
        hub="Qwen/Qwen3-VL-2B-Instruct",
        vision=QWEN_VISION,
        text=QWEN_TEXT | {
            "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28,
            "num_attention_heads": 16,
        },
    ),
    "qwen3-vl-4b": Preset(
        hub="Qwen/Qwen3-VL-4B-Instruct",
        vision=QWEN_VISION,
        text=QWEN_TEXT | {
            "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
            "num_attention_heads": 32,
        },
    ),
}  # fmt: skip


def preset_config(
    name: str,
    *,
    geometry: Mapping[str, Any] | None = None,
    fusion: Mapping[str, Any] | None = None,
    heads: Mapping[str, Mapping[str, Any]] | None = None,
    **text: Any,
) -> GapConfig:
    """The configuration of a preset. `text` overrides settings of the language model (vocab_size, say)."""
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r}: expected one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    text_config = {**preset.text, **text}
    return GapConfig(
        vision_config={**preset.vision, "out_hidden_size": text_config["hidden_size"]},
        text_config=text_config | {"tie_word_embeddings": preset.tie_word_embeddings},
        tie_word_embeddings=preset.tie_word_embeddings,
        geometry=dict(geometry) if geometry else None,
        fusion=dict(fusion) if fusion else None,
        heads={head: dict(settings) for head, settings in (heads or {}).items()},
    )
