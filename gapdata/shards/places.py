"""Where the members of every sample lie, in a few bytes each: an index of a million samples stays in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Int64, UInt16, UInt32

from gapdata.errors import DatasetError
from gapdata.shards.index import SAMPLES_NAME, SAMPLES_SCHEMA, open_table

Array = np.ndarray

_MOST = np.iinfo(np.uint32).max
_NAMES = "members.list.element.name"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Places:
    """Places of the members of S samples.

    Those of sample i are rows start[i] to start[i + 1] of `offsets`, counted from first[i], and of `sizes`, in the
    order of layouts[layout[i]].
    """

    layouts: tuple[tuple[str, ...], ...]
    layout: UInt16[Array, " S"]
    first: Int64[Array, " S"]
    start: Int64[Array, " S1"]
    offsets: UInt32[Array, " M"]
    sizes: UInt32[Array, " M"]

    def of(self, row: int) -> dict[str, tuple[int, int]]:
        """Suffix -> (offset, size) of the content of each member of a sample, in the order of the tar."""
        rows, first = slice(self.start[row], self.start[row + 1]), int(self.first[row])
        names = self.layouts[self.layout[row]]
        offsets, sizes = self.offsets[rows].tolist(), self.sizes[rows].tolist()
        return {
            name: (first + offset, size)
            for name, offset, size in zip(names, offsets, sizes, strict=True)
        }


def read_places(url: str) -> Places:
    """The places of all samples, in the order of samples.parquet. Raises DatasetError for an index that cannot be."""
    table = open_table(url, SAMPLES_NAME, SAMPLES_SCHEMA, dictionary=(_NAMES,))
    known: dict[tuple[str, ...], int] = {}
    groups: list[tuple[Array, Array, Array]] = []
    leaf = table.schema.names.index("size")
    counted = [
        table.metadata.row_group(i).column(leaf).num_values for i in range(table.num_row_groups)
    ]
    offsets, sizes = np.empty((2, sum(counted)), np.uint32)
    end = 0
    try:
        for group in range(table.num_row_groups):
            column = table.read_row_group(group, columns=["members"]).column(0)
            for chunk in column.chunks:
                begin, end = end, end + len(chunk.flatten())
                groups.append(_pack(chunk, known, offsets[begin:end], sizes[begin:end]))
    except (pa.ArrowInvalid, OSError, OverflowError) as error:
        raise DatasetError(
            f"{url}: {SAMPLES_NAME}: cannot be read: {error}; build again"
        ) from error
    pa.default_memory_pool().release_unused()
    empty = (np.zeros(0, np.uint16), np.zeros(0, np.int64), np.zeros(0, np.int64))
    layout, first, counts = (np.concatenate(parts) for parts in zip(empty, *groups, strict=True))
    return Places(
        layouts=tuple(known),
        layout=layout,
        first=first,
        start=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        offsets=offsets[:end],
        sizes=sizes[:end],
    )


def _pack(
    column: pa.ListArray, known: dict[tuple[str, ...], int], offsets: Array, sizes: Array
) -> tuple[Array, Array, Array]:
    """Layout, first offset and number of members of each sample; fills `offsets` and `sizes`, adds to `known`.

    Raises OverflowError for members that are not in order and within 4 GiB, as those of a tar are.
    """
    members = column.flatten()
    counts = np.diff(column.offsets.to_numpy()).astype(np.int64)
    if not counts.all():
        raise OverflowError("a sample without members")
    begins = np.cumsum(counts) - counts
    found = members.field("offset").to_numpy()
    first = found[begins]
    for values, packed in (
        (found - np.repeat(first, counts), offsets),
        (members.field("size").to_numpy(), sizes),
    ):
        if len(values) and not 0 <= values.min() <= values.max() <= _MOST:
            raise OverflowError(f"members of a sample are not in order within {_MOST} bytes")
        packed[:] = values
    return _layouts(members.field("name").dictionary_encode(), begins, counts, known), first, counts


def _layouts(
    names: pa.DictionaryArray, begins: Array, counts: Array, known: dict[tuple[str, ...], int]
) -> UInt16[Array, " S"]:
    codes, words = names.indices.to_numpy(), names.dictionary.to_pylist()
    layout = np.zeros(len(counts), np.uint16)
    if len(counts) and (counts == counts[0]).all():
        table = codes.reshape(len(counts), -1)
        if (table == table[0]).all():  # as it is in a dataset that was built here
            layout[:] = known.setdefault(tuple(words[code] for code in table[0]), len(known))
            return layout
    left: Bool[Array, " S"] = np.ones(len(counts), bool)
    while left.any():
        pattern = int(left.argmax())
        count, begin = int(counts[pattern]), int(begins[pattern])
        rows = np.flatnonzero(left & (counts == count))
        same = np.ones(len(rows), bool)
        for place in range(count):
            same &= codes[begins[rows] + place] == codes[begin + place]
        found = tuple(words[code] for code in codes[begin : begin + count])
        layout[rows[same]] = known.setdefault(found, len(known))
        left[rows[same]] = False
    return layout
