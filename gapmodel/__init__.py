"""Pre-training of geometry-aligned multimodal models on gapdata shards."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Importing torch and transformers takes seconds: only when one of these is asked for.
_WHERE = {
    "GapConfig": "gapmodel.config",
    "GapModel": "gapmodel.model",
    "GapProcessor": "gapmodel.processor",
    "build_model": "gapmodel.presets",
}

__all__ = ["GapConfig", "GapModel", "GapProcessor", "build_model"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
