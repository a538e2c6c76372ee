"""Published weights of VGGT: reading them, and what features computed with them are filed under."""

from __future__ import annotations

from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gapdata.errors import ConfigError
from gapmodel.geometry.feature_cache import EncoderIdentity, weights_digest
from gapmodel.geometry.vggt import VggtAggregator


def vggt_identity(aggregator: VggtAggregator) -> EncoderIdentity:
    """What a cache of `vggt_features` is bound to: the weights, the tapped layers and how pictures are resized."""
    settings = aggregator.settings
    return EncoderIdentity(
        name="vggt",
        weights=weights_digest(aggregator),
        preprocessing={
            "resize": "bicubic, antialiased",
            "picture_width": settings.picture_width,
            "patch": settings.patch,
            "taps": list(settings.taps),
        },
    )


def load_vggt(aggregator: VggtAggregator, path: str) -> None:
    """Loads a checkpoint with VGGT's names, as .safetensors or a torch file; heads in it are left out.

    Raises ConfigError when a parameter is missing, unknown or of another shape.
    """
    found = _read_checkpoint(path)
    prefix = "aggregator."
    if any(name.startswith(prefix) for name in found):
        found = {
            name.removeprefix(prefix): tensor
            for name, tensor in found.items()
            if name.startswith(prefix)
        }
    expected = {name: tensor.shape for name, tensor in aggregator.state_dict().items()}
    for name, shape in expected.items():
        if name not in found:
            raise ConfigError(
                f"{path}: aggregator.{name} is missing; not a checkpoint of VGGT with these settings"
            )
        if found[name].shape != shape:
            raise ConfigError(
                f"{path}: aggregator.{name}: expected shape {tuple(shape)}, found {tuple(found[name].shape)}"
            )
    unknown = sorted(found.keys() - expected.keys())
    if unknown:
        raise ConfigError(
            f"{path}: aggregator.{unknown[0]}: no such parameter in a network with these settings"
        )
    aggregator.load_state_dict(found)


def _read_checkpoint(path: str) -> dict[str, Tensor]:
    try:
        if path.endswith(".safetensors"):
            return load_file(path)
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{path}: cannot be read as a checkpoint: {reason}") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: expected a dict of tensors, found {type(loaded).__name__}")
    return loaded.get("model", loaded)
