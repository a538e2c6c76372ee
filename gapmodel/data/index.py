"""The questions of a dataset as columns: task, views and tokens of each, so that plans need not read samples."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64, UInt8

from gapdata.errors import DatasetError
from gapdata.shards.codec import layer_member
from gapdata.shards.index import QA_NAME, read_questions, read_samples
from gapdata.shards.reader import Dataset
from gapdata.shards.records import META, QUESTIONS, load_json
from gapdata.shards.storage import open_storage, write_file
from gapmodel.data.images import decode_layer, stored_size
from gapmodel.data.prompt import Prompt, answer_text, prefix_text, question_text
from gapmodel.data.questions import (
    WORDING,
    Span,
    check_row,
    marked_masks,
    mask_span,
    read_rows,
    stated,
)
from gapmodel.data.reading import as_dataset_error

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class QuestionIndex:
    """Columns over the Q questions of a dataset's S samples, in their order.

    Questions of sample i are rows start[i] to start[i + 1]; views of question q are
    views[view_start[q]:view_start[q + 1]]. task: row of task_names. tokens: of question and answer, see
    `Prompt.lengths`; 0 where the sample cannot be read, which is found when it is visited.
    """

    task_names: tuple[str, ...]
    num_views: Int32[Array, " S"]
    start: Int64[Array, " S1"]
    task: Int32[Array, " Q"]
    view_start: Int64[Array, " Q1"]
    views: UInt8[Array, " E"]
    tokens: Int32[Array, " Q"]


def read_index(
    dataset: Dataset, prompt: Prompt, *, cache: str = "", threads: int = 4
) -> QuestionIndex:
    """The index of a dataset for a tokenizer. Raises DatasetError when the index files contradict each other.

    Counting tokens reads all questions once; with `cache`, a folder or URL, the counts are kept there.
    """
    table = read_samples(dataset.url, ["split", "num_views", "num_qa"])
    counts = table["num_qa"].to_numpy().astype(np.int64)
    rows = read_questions(dataset.url, ["index", "task", "views"])
    begins = np.concatenate([[0], np.cumsum(counts)])
    position = np.arange(rows.num_rows) - np.repeat(begins[:-1], counts)[: rows.num_rows]
    if begins[-1] != rows.num_rows or (rows["index"].to_numpy() != position).any():
        raise DatasetError(
            f"{dataset.url}: {QA_NAME}: expected {begins[-1]} questions in the order of the samples; build again"
        )
    keep = np.ones(len(counts), bool)
    if dataset.split is not None:
        keep = pc.equal(table["split"], dataset.split).to_numpy()
        rows = rows.filter(pa.array(np.repeat(keep, counts)))
    names = tuple(sorted(pc.unique(rows["task"]).to_pylist()))
    task = pc.index_in(rows["task"], pa.array(names, pa.string())).to_numpy().astype(np.int32)
    lengths = pc.list_value_length(rows["views"]).to_numpy()
    start = np.concatenate([[0], np.cumsum(counts[keep])])
    return QuestionIndex(
        task_names=names,
        num_views=table["num_views"].to_numpy()[keep].astype(np.int32),
        start=start,
        task=task,
        view_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        views=pc.list_flatten(rows["views"]).to_numpy().astype(np.uint8),
        tokens=_token_counts(dataset, prompt, start, cache, threads),
    )


def _token_counts(
    dataset: Dataset, prompt: Prompt, start: Int64[Array, " S1"], cache: str, threads: int
) -> Int32[Array, " Q"]:
    """Tokens of each question, from the cache where they are there for this dataset and tokenizer."""
    name = f"tokens-{_fingerprint(dataset, prompt)}.npy"
    if cache:
        storage = open_storage(cache)
        if storage.exists(name):
            return np.load(io.BytesIO(storage.read(name)), allow_pickle=False)
    samples = range(len(dataset))
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda i: count_tokens(dataset, i, prompt), samples, chunksize=16))
    expected = np.diff(start)
    counted = [
        part if len(part) == count else np.zeros(count, np.int32)
        for part, count in zip(parts, expected, strict=True)
    ]
    tokens: Int32[Array, " Q"] = np.concatenate([np.zeros(0, np.int32), *counted])
    if cache:
        buffer = io.BytesIO()
        np.save(buffer, tokens)
        write_file(cache, name, buffer.getvalue())
    return tokens


def count_tokens(dataset: Dataset, sample: int, prompt: Prompt) -> Int32[Array, " q"]:
    """Tokens of each question of a sample with its answer; empty when its records are damaged.

    They are checked as a visit checks them, so that what is not counted here is found there.
    """
    try:
        members = dataset.read_members(sample, [META, QUESTIONS])
        if members.keys() != {META, QUESTIONS}:
            return np.zeros(0, np.int32)
        meta, rows = load_json(members[META], META), read_rows(members[QUESTIONS])
        for row in rows:
            check_row(row, QUESTIONS)
        with as_dataset_error(META):
            size = stored_size(meta, range(len(meta["views"])))
        spans = _spans(
            dataset, sample, size, [place for row in rows for place in marked_masks(row)]
        )
        texts = [stated(row, size, spans) for row in rows]
    except DatasetError:
        return np.zeros(0, np.int32)
    return prompt.lengths(texts, [row["answer"] for row in rows]).astype(np.int32)


def _spans(
    dataset: Dataset, sample: int, size: tuple[int, int], places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], Span]:
    """What each marked mask spans."""
    views = sorted({view for view, _ in places})
    names = [layer_member(view, "instance") for view in views]
    members = dataset.read_members(sample, names) if names else {}
    layers = {view: decode_layer(members, view, "instance", size) for view in views}
    return {(view, number): mask_span(layers[view], number) for view, number in set(places)}


def _fingerprint(dataset: Dataset, prompt: Prompt) -> str:
    """Changes when the dataset, the tokenizer or the words around questions do."""
    words = [prefix_text(2), question_text(""), answer_text(""), str(WORDING)]
    parts = [
        dataset.manifest.to_json(),
        str(dataset.split),
        prompt.tokenizer.backend_tokenizer.to_str(),
        *words,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
