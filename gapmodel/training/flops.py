"""Floating point operations of a step, counted from shapes: what model FLOPs utilisation (MFU) is measured against.

A multiply-add counts 2. Matrix products and attention over visible pairs count, recomputed activations do not, nor
do the heads. Backward costs a linear layer its forward once for the gradient of its input and once for that of its
weight, as far as they are needed, and attention its forward twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Int32
from torch import Tensor
from transformers import PretrainedConfig

from gapmodel.data.batch import Batch
from gapmodel.model import GapModel

# Dense bfloat16 rate by maker's data sheet, FLOP/s, by a part of torch's device name.
_PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12}


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """Forward FLOPs of a stack of layers: in products with weights, and in attention between tokens."""

    linear: float
    attention: float = 0.0

    def step(self, *, learns: bool, passes: bool) -> float:
        """FLOPs forward and backward. learns: weights have gradients; passes: so have the inputs."""
        linear = self.linear * (1 + learns + passes)
        return linear + self.attention * (3 if learns or passes else 1)


def vision_work(config: PretrainedConfig, images: int, height: int, width: int) -> Work:
    """Of the vision tower on pictures of one size. config: the vision tower's."""
    patch, merge, size = config.patch_size, config.spatial_merge_size, config.hidden_size
    patches = (height // patch) * (width // patch)
    embed = 3 * config.temporal_patch_size * patch**2 * size
    block = 4 * size**2 + 2 * size * config.intermediate_size
    merged = size * merge**2
    merger = merged**2 + merged * config.out_hidden_size
    mergers = 1 + len(config.deepstack_visual_indexes)
    linear = patches * (embed + config.depth * block) + patches / merge**2 * mergers * merger
    attention = config.depth * 2 * patches**2 * size
    return Work(linear=2.0 * images * linear, attention=2.0 * images * attention)


def language_work(config: PretrainedConfig, tokens: int, pairs: int, answers: int) -> Work:
    """Of the language model on a row. pairs: visible (query, key) pairs; answers: tokens with logits."""
    size, heads = config.hidden_size, config.num_attention_heads * config.head_dim
    shared = config.num_key_value_heads * config.head_dim
    layer = size * (2 * heads + 2 * shared) + 3 * size * config.intermediate_size
    linear = tokens * config.num_hidden_layers * layer + answers * size * config.vocab_size
    return Work(linear=2.0 * linear, attention=2.0 * config.num_hidden_layers * 2 * pairs * heads)


def visible_pairs(group_ids: Int32[Tensor, " L"], branch_ids: Int32[Tensor, " L"]) -> int:
    """Number of (query, key) pairs that a packed row attends over, without its padding."""
    real = group_ids >= 0
    runs, lengths = torch.unique_consecutive(
        torch.stack([group_ids[real], branch_ids[real]]), dim=1, return_counts=True
    )
    groups, branches = runs
    prefix = torch.zeros(int(groups.max()) + 1 if len(groups) else 0, dtype=torch.int64)
    prefix.index_add_(0, groups[branches == 0].long(), lengths[branches == 0])
    behind = torch.where(branches == 0, 0, prefix[groups.long()])
    return int((lengths * (lengths + 1) // 2 + lengths * behind).sum())


def batch_flops(model: GapModel, batch: Batch, learning: Collection[str]) -> float:
    """FLOPs of one micro-batch (on the host), forward and backward, when these parts of the model learn."""
    images, height, width, _ = batch.images.shape
    vision = vision_work(model.config.vision_config, images, height, width)
    language = language_work(
        model.config.text_config,
        int((batch.group_ids >= 0).sum()),
        visible_pairs(batch.group_ids, batch.branch_ids),
        int((batch.labels >= 0).sum()),
    )
    sees_gradient = not {"vision", "geometry", "fusion"}.isdisjoint(learning)
    return (
        vision.step(learns="vision" in learning, passes="vision" in learning)
        + language.step(learns="language" in learning, passes=sees_gradient)
        + _geometry_flops(model, batch, learning)
    )


def peak_flops(device: torch.device) -> float | None:
    """FLOP/s that the device's data sheet promises in bfloat16, None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PEAK.items() if part in name), None)


def _geometry_flops(model: GapModel, batch: Batch, learning: Collection[str]) -> float:
    if model.geometry_encoder is None or not len(batch.images):
        return 0.0
    pictures = torch.bincount(batch.image_sample).tolist()
    size = (batch.images.shape[1], batch.images.shape[2])
    encoder = model.geometry_encoder.forward_flops(pictures, size)
    fusion = model.fusion.forward_flops(pictures, size)
    return encoder * (3 if "geometry" in learning else 1) + fusion * (
        3 if "fusion" in learning else 1
    )
