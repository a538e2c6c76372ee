"""A trained model ready to answer, from wherever a run left it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer

from gapdata.errors import ConfigError
from gapmodel.config import GapConfig
from gapmodel.data.prompt import Prompt
from gapmodel.model import GapModel
from gapmodel.patches import token_grid
from gapmodel.pretraining import PretrainingModel
from gapmodel.processor import GapProcessor
from gapmodel.training.checkpoint import latest_checkpoint, load_checkpoint

_STATE = "state.json"
_PROBE = 1 << 20  # bytes of a weight file that are hashed at each place


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trained:
    """A model with its heads, in eval mode, and how pictures and words are brought to it."""

    folder: Path
    root: PretrainingModel
    processor: GapProcessor
    weights: str  # tells these weights from others, wherever they lie

    @property
    def model(self) -> GapModel:
        """The model without what belongs to training alone."""
        return self.root.model

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.model.parameters()).device

    def prompt(self, size: tuple[int, int]) -> Prompt:
        """Words and pictures of a shown size (height, width) as tokens."""
        return Prompt(self.processor.tokenizer, token_grid(self.model.config, *size))


def load_trained(
    folder: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Trained:
    """The model of a run's folder, its `model` folder, one of its checkpoints, or a folder in the hub's layout.

    Of a run the finished model is taken, otherwise its newest checkpoint. Raises ConfigError when none of these is there.
    """
    place = _place(folder)
    try:
        config = GapConfig.from_pretrained(place)
        tokenizer = AutoTokenizer.from_pretrained(place)
        processor = _processor(place, config, tokenizer)
        if (place / _STATE).is_file():
            root = PretrainingModel(GapModel(config))
            load_checkpoint(place, root)
        else:
            root = PretrainingModel(GapModel.from_pretrained(place, config=config, dtype=dtype))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"{place}: not a model that can be loaded: {reason}") from error
    root.to(device=device, dtype=dtype).eval()
    return Trained(folder=place, root=root, processor=processor, weights=_fingerprint(place))


def _place(folder: Path) -> Path:
    for place in (folder, folder / "model"):
        if (place / "config.json").is_file() and (
            any(place.glob("*.safetensors")) or (place / _STATE).is_file()
        ):
            return place
    newest = latest_checkpoint(folder)
    if newest is None:
        raise ConfigError(
            f"{folder}: no model there: expected the folder of a run, its `model`, or one of its checkpoints"
        )
    return newest


def _fingerprint(place: Path) -> str:
    """A hash of the sizes of the weight files and of some bytes at their start, middle and end."""
    found = hashlib.sha256()
    for path in sorted([*place.glob("*.safetensors"), *place.glob("*.distcp")]):
        size = path.stat().st_size
        found.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            for start in (0, size // 2, max(size - _PROBE, 0)):
                file.seek(start)
                found.update(file.read(_PROBE))
    return found.hexdigest()[:16]


def _processor(place: Path, config: GapConfig, tokenizer: object) -> GapProcessor:
    try:
        return GapProcessor.from_pretrained(place)
    except (OSError, ValueError):
        pass
    vision = config.vision_config
    return GapProcessor(
        tokenizer,
        patch_size=vision.patch_size,
        merge_size=vision.spatial_merge_size,
        temporal_patch_size=vision.temporal_patch_size,
    )
