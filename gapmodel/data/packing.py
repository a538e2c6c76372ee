"""Samples -> one row of tokens: prefixes shared by their questions, several samples side by side.

Legend: L tokens of the row, B picture blocks, I pictures, T phrases, h x w tokens a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int64

from gapdata.errors import ConfigError
from gapmodel.data.batch import Branch

Array = np.ndarray

IGNORED = -100  # label of what is not supervised


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BranchTokens:
    """A question with its answer; `ids` from `answer_start` on are supervised."""

    ids: Int64[Array, " n"]
    answer_start: int
    qa: str = ""
    task: str = ""
    format: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GroupTokens:
    """A prefix that shows some pictures of its sample, in the order of `pictures`, and the questions that share it."""

    pictures: tuple[int, ...]
    prefix: Int64[Array, " n"]
    branches: tuple[BranchTokens, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SampleTokens:
    """One sample as tokens. The first group is its scene group: all the pictures, in order."""

    key: str
    num_pictures: int
    groups: tuple[GroupTokens, ...]
    phrases: tuple[tuple[int, ...], ...] = ()

    @property
    def length(self) -> int:
        """Tokens that the sample takes in a row."""
        groups = sum(
            len(group.prefix) + sum(len(branch.ids) for branch in group.branches)
            for group in self.groups
        )
        return groups + sum(map(len, self.phrases))


def first_fit(lengths: Sequence[int], budget: int, keys: Sequence[str] = ()) -> list[list[int]]:
    """Rows of at most `budget` tokens: each sample, in order, goes into the first row that has room for it.

    Raises ConfigError for a sample that is longer than the budget.
    """
    rows: list[list[int]] = []
    room: Int64[Array, " rows"] = np.zeros(len(lengths), np.int64)
    for i, length in enumerate(lengths):
        require_fits(keys[i] if len(keys) else f"number {i}", length, budget)
        fits = np.flatnonzero(room[: len(rows)] >= length)
        row = int(fits[0]) if len(fits) else len(rows)
        if row == len(rows):
            rows.append([])
            room[row] = budget
        rows[row].append(i)
        room[row] -= length
    return rows


def require_fits(key: str, length: int, budget: int) -> None:
    """Raises ConfigError, which names the sample, when it is longer than the budget."""
    if length > budget:
        raise ConfigError(
            f"sample {key}: {length} tokens do not fit into a row of {budget}; "
            "raise the token budget, or use fewer questions, fewer views or smaller pictures"
        )


def phrase_rows(samples: Sequence[SampleTokens]) -> list[Int64[Array, " _"]]:
    """For each sample the row of Batch.phrase_token of each of its phrases. Equal phrases share a row."""
    rows: dict[tuple[int, ...], int] = {}
    return [
        np.array([rows.setdefault(phrase, len(rows)) for phrase in sample.phrases], np.int64)
        for sample in samples
    ]


def block_positions(start: int, grid: tuple[int, int]) -> Int64[Array, "3 n"]:
    """M-RoPE positions (time, height, width) of a picture's tokens when the text before it ends at `start`."""
    rows, columns = np.divmod(np.arange(grid[0] * grid[1], dtype=np.int64), grid[1])
    return start + np.stack([np.zeros_like(rows), rows, columns])


def prefix_positions(
    is_image: Bool[Array, " n"], grid: tuple[int, int]
) -> tuple[Int64[Array, "3 n"], int]:
    """M-RoPE positions of a prefix, and the position of the token after it."""
    size = grid[0] * grid[1]
    positions = np.empty((3, len(is_image)), np.int64)
    at, position = 0, 0
    while at < len(is_image):
        if is_image[at]:
            positions[:, at : at + size] = block_positions(position, grid)
            at, position = at + size, position + max(grid)
        else:
            positions[:, at] = position
            at, position = at + 1, position + 1
    return positions, position


class _Row:
    """The parts of a row while it is put together."""

    def __init__(self, grid: tuple[int, int], image_token_id: int) -> None:
        self.grid, self.image_token_id = grid, image_token_id
        self.ids: list[Array] = []
        self.labels: list[Array] = []
        self.positions: list[Array] = []
        self.group_ids: list[Array] = []
        self.branch_ids: list[Array] = []
        self.block_image: list[int] = []
        self.block_start: list[int] = []
        self.branches: list[Branch] = []
        self.length, self.groups = 0, 0

    def add(self, ids: Array, positions: Array, branch: int, supervised_from: int) -> None:
        labels = np.full(len(ids), IGNORED, np.int64)
        labels[supervised_from:] = ids[supervised_from:]
        self.ids.append(ids)
        self.labels.append(labels)
        self.positions.append(positions)
        self.group_ids.append(np.full(len(ids), self.groups, np.int32))
        self.branch_ids.append(np.full(len(ids), branch, np.int32))
        self.length += len(ids)

    def add_group(self, key: str, group: GroupTokens, first_picture: int) -> None:
        is_image = group.prefix == self.image_token_id
        starts = np.flatnonzero(is_image)[:: self.grid[0] * self.grid[1]]
        if len(starts) != len(group.pictures):
            raise ValueError(f"{key}: {len(starts)} blocks for pictures {group.pictures}")
        positions, after = prefix_positions(is_image, self.grid)
        self.block_image += [first_picture + picture for picture in group.pictures]
        self.block_start += (self.length + starts).tolist()
        self.add(group.prefix, positions, 0, len(group.prefix))
        for number, branch in enumerate(group.branches, start=1):
            start, count = self.length, len(branch.ids)
            positions = np.broadcast_to(after + np.arange(count), (3, count))
            self.add(branch.ids, positions, number, branch.answer_start)
            self.branches.append(
                Branch(
                    key=key,
                    qa=branch.qa,
                    task=branch.task,
                    format=branch.format,
                    start=start,
                    end=self.length,
                )
            )
        self.groups += 1

    def add_phrase(self, ids: tuple[int, ...]) -> None:
        positions = np.broadcast_to(np.arange(len(ids)), (3, len(ids)))
        self.add(np.array(ids, np.int64), positions, 0, len(ids))
        self.groups += 1


def pack(
    samples: Sequence[SampleTokens],
    *,
    grid: tuple[int, int],
    image_token_id: int,
    pad_token_id: int,
    budget: int | None = None,
    pad_to: int = 1,
) -> dict[str, Any]:
    """The fields of a Batch from `input_ids` to `branches`, with sample_keys, image_sample and phrase_token.

    grid: (h, w) tokens of a picture. pad_to: rows are padded to a multiple of it, so that few lengths occur.
    Raises ConfigError when the samples are longer than the budget, naming the longest.
    """
    row = _Row(grid, image_token_id)
    image_sample: list[int] = []
    for number, sample in enumerate(samples):
        for group in sample.groups:
            row.add_group(sample.key, group, len(image_sample))
        image_sample += [number] * sample.num_pictures
    phrases = list(dict.fromkeys(phrase for sample in samples for phrase in sample.phrases))
    phrase_token = []
    for phrase in phrases:
        row.add_phrase(phrase)
        phrase_token.append(row.length - 1)
    if budget is not None:
        longest = max(samples, key=lambda sample: sample.length)
        require_fits(longest.key, row.length, budget)
    padding = -row.length % pad_to
    blocks = np.array(row.block_image, np.int64)
    pictures, scene_block = np.unique(blocks, return_index=True)
    if len(pictures) != len(image_sample):
        raise ValueError(f"{len(image_sample)} pictures, {len(pictures)} of them shown in a group")

    def tokens(parts: list[Array], fill: int) -> torch.Tensor:
        rest = np.full((*parts[0].shape[:-1], padding), fill, parts[0].dtype)
        return torch.from_numpy(np.concatenate([*parts, rest], axis=-1))

    return {
        "input_ids": tokens(row.ids, pad_token_id),
        "labels": tokens(row.labels, IGNORED),
        "position_ids": tokens(row.positions, 0),
        "group_ids": tokens(row.group_ids, -1),
        "branch_ids": tokens(row.branch_ids, 0),
        "block_image": torch.from_numpy(blocks),
        "block_start": torch.tensor(row.block_start, dtype=torch.int64),
        "scene_block": torch.from_numpy(scene_block),
        "branches": tuple(row.branches),
        "sample_keys": tuple(sample.key for sample in samples),
        "image_sample": torch.tensor(image_sample, dtype=torch.int64),
        "phrase_token": torch.tensor(phrase_token, dtype=torch.int64) if phrase_token else None,
    }
