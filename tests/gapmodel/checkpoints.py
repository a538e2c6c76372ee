"""A tiny model with random weights on disk, as training leaves one."""

from __future__ import annotations

from pathlib import Path

import torch

from gapdata.shards.reader import open_dataset
from gapmodel.presets import build_model, preset_config
from gapmodel.pretraining import PretrainingModel
from gapmodel.processor import GapProcessor
from gapmodel.tokenizer import train_tokenizer

HEADS = (
    *("depth", "normal", "pose", "pointmap", "reconstruction"),
    *("point_image", "geometry_language", "relations"),
)
SIZE = (96, 128)


def write_checkpoint(
    url: str, folder: Path, *, heads: tuple[str, ...] = HEADS, seed: int = 0
) -> Path:
    """A folder with a tiny model whose every part has an effect, its tokenizer and processor."""
    texts = [
        text
        for sample in open_dataset(url, layers=())
        for qa in sample.qa
        for text in (qa.question, *qa.choices, qa.answer)
    ]
    tokenizer = train_tokenizer(texts, 1024)
    torch.manual_seed(seed)
    config = preset_config(
        "tiny", tokenizer=tokenizer, geometry={"kind": "depth_normal"}, heads=heads
    )
    model = build_model(config)
    with torch.no_grad():
        # Gates start closed and words alike: here geometry matters and replies vary.
        for name, parameter in model.named_parameters():
            if name.startswith(("fusion", "heads")):
                parameter.add_(0.05 * torch.randn_like(parameter))
            elif "layers" in name and parameter.ndim == 2:
                parameter.mul_(6.0)
    root = PretrainingModel(model)
    root.model.save_pretrained(folder)
    GapProcessor(tokenizer, image_size=SIZE).save_pretrained(folder)
    return folder
