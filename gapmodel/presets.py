"""The sizes a model comes in, and building one."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedTokenizerBase

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.data.prompt import IMAGE, VISION_END, VISION_START
from gapmodel.lora import add_lora
from gapmodel.model import GapModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A size: settings of Qwen3-VL's two parts, and of what is added when it is asked for.

    hub: the checkpoint to start from; without one the model starts from random weights and a tokenizer of its own.
    geometry: of the `depth_normal` encoder. heads: objective -> settings of its head, its own defaults where not named.
    """

    vision: Mapping[str, Any]
    text: Mapping[str, Any]
    geometry: Mapping[str, Any]
    fusion: Mapping[str, Any]
    heads: Mapping[str, Mapping[str, Any]]
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

SMALL_HEADS = {name: {"width": 64} for name in ("depth", "normal", "pointmap")} | {
    name: {"width": 128} for name in ("point_image", "geometry_language", "relations")
}

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
        geometry={"width": 32, "depth": 3, "heads": 2},
        fusion={"width": 64, "heads": 2},
        heads={
            "depth": {"width": 16, "heads": 4}, "normal": {"width": 16, "heads": 4},
            "pointmap": {"width": 16, "heads": 4},
            "pose": {"width": 32, "heads": 2, "depth": 1},
            "reconstruction": {"width": 32, "heads": 2, "depth": 1},
            "point_image": {"width": 16, "most_rows": 256}, "geometry_language": {"width": 16},
            "relations": {"width": 16}, "distillation": {"hidden": 32},
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
        geometry={"width": 192, "depth": 4, "heads": 3},
        fusion={"width": 256, "heads": 4},
        heads=SMALL_HEADS,
    ),
    "qwen3-vl-2b": Preset(
        hub="Qwen/Qwen3-VL-2B-Instruct",
        vision=QWEN_VISION,
        text=QWEN_TEXT | {
            "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28,
            "num_attention_heads": 16,
        },
        geometry={},
        fusion={},
        heads={},
    ),
    "qwen3-vl-4b": Preset(
        hub="Qwen/Qwen3-VL-4B-Instruct",
        vision=QWEN_VISION,
        text=QWEN_TEXT | {
            "hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36,
            "num_attention_heads": 32,
        },
        geometry={},
        fusion={},
        heads={},
    ),
}  # fmt: skip


def preset_config(
    name: str,
    *,
    tokenizer: PreTrainedTokenizerBase | None = None,
    geometry: Mapping[str, Any] | None = None,
    fusion: Mapping[str, Any] | None = None,
    heads: Collection[str] | Mapping[str, Mapping[str, Any]] = (),
    lora: int = 0,
) -> GapConfig:
    """The configuration of a preset. Raises ConfigError for a name that is none.

    tokenizer: whose special tokens and size the model gets, needed for presets without a hub checkpoint. geometry:
    {"kind": ...} and settings of that encoder; without it the model has none. heads: objectives by name, with
    settings where they shall not be the preset's. lora: rank of adapters in the decoder.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r}: expected one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    own = preset.geometry if geometry and geometry["kind"] == "depth_normal" else {}
    settings = heads if isinstance(heads, Mapping) else {head: {} for head in heads}
    config = GapConfig(
        vision_config={**preset.vision, "out_hidden_size": preset.text["hidden_size"]},
        text_config={**preset.text, "tie_word_embeddings": preset.tie_word_embeddings},
        tie_word_embeddings=preset.tie_word_embeddings,
        geometry={**own, **(geometry or {"kind": "none"})},
        fusion={**preset.fusion, **(fusion or {})},
        heads={
            head: {**preset.heads.get(head, {}), **changed}
            for head, changed in settings.items()
            if head != "answers"
        },
        lora=lora,
    )
    if tokenizer is not None:
        use_tokenizer(config, tokenizer)
    return config


def use_tokenizer(config: GapConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    """Give a configuration the special tokens of a tokenizer, and rows for all its tokens."""
    if len(tokenizer) > config.text_config.vocab_size:
        raise ConfigError(
            f"tokenizer of {len(tokenizer)} tokens: the model has {config.text_config.vocab_size}"
        )
    config.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE)
    config.video_token_id = tokenizer.convert_tokens_to_ids("<|video_pad|>")
    config.vision_start_token_id = tokenizer.convert_tokens_to_ids(VISION_START)
    config.vision_end_token_id = tokenizer.convert_tokens_to_ids(VISION_END)
    config.text_config.pad_token_id = tokenizer.pad_token_id
    config.text_config.eos_token_id = tokenizer.eos_token_id


def build_model(
    config: GapConfig,
    *,
    source: str = "",
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> GapModel:
    """A model of a configuration: weights of a folder or hub id `source`, random ones without.

    Added parts that the source lacks start from random weights. device "meta" gives shapes only. Raises ConfigError
    for a source that cannot be read or whose base has other sizes.
    """
    if source:
        return _load_model(config, source, dtype).to(device)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return GapModel(config)
    finally:
        torch.set_default_dtype(before)


def _load_model(config: GapConfig, source: str, dtype: torch.dtype) -> GapModel:
    plain = copy.deepcopy(config)
    plain.lora = 0  # the source's layers are not wrapped yet
    try:
        model, report = GapModel.from_pretrained(
            source,
            config=plain,
            dtype=dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"{source}: no weights to start from: {reason}") from error
    found = {
        "of another shape": [key for key, *_ in report["mismatched_keys"]],
        "missing": [key for key in report["missing_keys"] if key.startswith(("model.", "lm_head"))],
        "too many": [key for key in report["unexpected_keys"] if key.startswith("model.")],
    }
    if faults := [f"{len(keys)} {fault} ({min(keys)})" for fault, keys in found.items() if keys]:
        raise ConfigError(
            f"{source}: weights of another model: {', '.join(faults)}; choose the preset or the "
            "settings that it was trained with"
        )
    if config.lora:
        add_lora(model, config.lora)
    return model
