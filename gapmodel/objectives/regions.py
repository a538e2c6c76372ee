"""What the pictures show of each object: its share of every cell, and the tokens pooled or gathered under its mask.

Legend: I pictures of p x q cells, O objects, C channels, K cells of an object.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Float32, Int, Int64
from torch import Tensor

from gapmodel.data.batch import Batch
from gapmodel.objectives.dense import cell_size


def coverage(batch: Batch, rows: int, columns: int) -> Float32[Tensor, "O I p q"]:
    """How many pixels of each cell show each object, in the pictures of the object's sample."""
    assert batch.instance is not None
    assert batch.object_sample is not None
    assert batch.object_instance is not None
    images, height, width = batch.instance.shape
    side = cell_size(height, width, rows, columns)
    objects = len(batch.object_sample)
    of_pixel = object_of(batch, batch.image_sample[:, None, None], batch.instance)
    y = torch.arange(height, device=of_pixel.device) // side
    x = torch.arange(width, device=of_pixel.device) // side
    cell = (
        y[:, None] * columns
        + x
        + torch.arange(images, device=y.device)[:, None, None] * (rows * columns)
    )
    cells = images * rows * columns
    # One place more for the pixels of no object.
    place = torch.where(of_pixel >= 0, of_pixel * cells + cell, objects * cells)
    counts = batch.K.new_zeros(objects * cells + 1)
    counts = counts.index_add(0, place.flatten(), counts.new_ones(place.numel()))
    return counts[:-1].view(objects, images, rows, columns)


def object_of(
    batch: Batch, sample: Int64[Tensor, "*#n"], instance: Int[Tensor, "*#n"]
) -> Int64[Tensor, "*n"]:
    """The object that an instance of a sample is, -1 where it is none."""
    assert batch.object_sample is not None
    assert batch.object_instance is not None
    if not len(batch.object_sample):
        return torch.full_like(instance, -1, dtype=torch.long)
    wide = 1 << 32
    keys, order = torch.sort(batch.object_sample * wide + batch.object_instance.long())
    asked = sample * wide + instance.long()
    at = torch.searchsorted(keys, asked.flatten()).clamp(max=len(keys) - 1).view(asked.shape)
    return torch.where(keys[at] == asked, order[at], -1)


def pool_regions(
    cells: Float[Tensor, "I C p q"], covered: Float32[Tensor, "O I p q"]
) -> tuple[Float32[Tensor, "O C"], Bool[Tensor, " O"]]:
    """The mean over each object's pixels of the cell that they lie in, over all pictures, and whether it has any."""
    pixels = covered.flatten(1).sum(dim=1)
    share = covered.flatten(1) / pixels.clamp(min=1)[:, None]
    with torch.autocast(device_type=cells.device.type, enabled=False):
        pooled = share @ cells.float().permute(0, 2, 3, 1).flatten(0, 2)
    return pooled, pixels > 0


def gather_regions(
    cells: Float[Tensor, "I C p q"], covered: Float32[Tensor, "O I p q"], most: int
) -> tuple[Float[Tensor, "O K C"], Bool[Tensor, "O K"]]:
    """The cells that show most of each object, at most `most` of them, and which of the K places are taken."""
    flat = cells.permute(0, 2, 3, 1).flatten(0, 2)
    pixels, places = covered.flatten(1).sort(dim=1, descending=True, stable=True)
    return flat[places[:, :most]], pixels[:, :most] > 0
