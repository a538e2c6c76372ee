"""Examples -> one packed micro-batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gapdata.errors import ConfigError
from gapmodel.data.batch import Batch
from gapmodel.data.example import Example
from gapmodel.data.packing import pack, phrase_rows
from gapmodel.data.prompt import Prompt

Array = np.ndarray

# Fields whose rows are joined as they are, and fields whose values count rows of another: the field they count.
JOINED = (
    "images", "K", "cam2first", "input_depth", "input_normal", "geometry_given", "depth", "normal", "instance",
    "teacher", "point_first", "point_instance", "seen_pixel", "object_instance", "object_box_first",
)  # fmt: skip
COUNTING = {
    "seen_point": "point_first",
    "seen_image": "images",
    "relation_objects": "object_instance",
}
PHRASES = ("object_phrase", "relation_phrase", "relation_inverse")
OWNED = {"point_sample": "point_first", "object_sample": "object_instance"}


def collate(
    examples: Sequence[Example], prompt: Prompt, *, budget: int | None = None, pad_to: int = 1
) -> Batch:
    """A row of these examples with their layers, on the host.

    budget and pad_to as in `pack`. Raises ConfigError when they do not fit, or when pictures differ in size.
    """
    sizes = {example.images.shape[1:3] for example in examples}
    if len(sizes) != 1:
        first, other = (
            next(e for e in examples if e.images.shape[1:3] == size) for size in sorted(sizes)[:2]
        )
        raise ConfigError(
            f"samples {first.key} and {other.key}: expected pictures of one size, "
            f"found {first.images.shape[1:3]} and {other.images.shape[1:3]}"
        )
    samples = [prompt.encode(example) for example in examples]
    fields: dict[str, Any] = pack(
        samples,
        grid=prompt.grid,
        image_token_id=prompt.image_token_id,
        pad_token_id=prompt.pad_token_id,
        budget=budget,
        pad_to=pad_to,
    )
    for name in JOINED:
        fields[name] = _joined([getattr(example, name) for example in examples], name)
    for name, counted in COUNTING.items():
        values = [getattr(example, name) for example in examples]
        fields[name] = _joined(_shifted(values, _counts(examples, counted)), name)
    rows = phrase_rows(samples)
    for name in PHRASES:
        values = [getattr(example, name) for example in examples]
        fields[name] = _joined(
            [
                None if value is None else np.where(value >= 0, np.append(row, -1)[value], -1)
                for value, row in zip(values, rows, strict=True)
            ],
            name,
        )
    for name, owned in OWNED.items():
        counts = _counts(examples, owned)
        there = getattr(examples[0], owned) is not None
        fields[name] = (
            torch.from_numpy(np.repeat(np.arange(len(examples)), counts)) if there else None
        )
    return Batch(**fields)


def _counts(examples: Sequence[Example], name: str) -> list[int]:
    values = [getattr(example, name) for example in examples]
    return [0 if value is None else len(value) for value in values]


def _shifted(values: Sequence[Array | None], counts: Sequence[int]) -> list[Array | None]:
    offsets = np.cumsum([0, *counts[:-1]])
    return [
        None if value is None else value + offset
        for value, offset in zip(values, offsets, strict=True)
    ]


def _joined(values: Sequence[Array | None], name: str) -> Tensor | None:
    there = [value for value in values if value is not None]
    if not there:
        return None
    if len(there) != len(values):
        raise ValueError(f"{name}: {len(there)} of {len(values)} examples have it")
    return torch.from_numpy(np.concatenate(there))
