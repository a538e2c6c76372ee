"""The same shard in other people's loaders: the same arrays, member by member."""

from __future__ import annotations

import io
import json
import os
import warnings
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"

import cv2
import numpy as np
import pytest

from gapdata.shards.codec import decode_points, member_names
from gapdata.shards.huggingface import card_header
from gapdata.shards.reader import Dataset, open_dataset
from tests.fixtures.samples import room_questions, room_sample, sensed, write_dataset

COUNT = 8


def samples(has_questions: int):
    """Samples of which only the last few have questions, so that inference from the first ones is put to the test."""
    for i in range(COUNT):
        key = f"room-{i:04d}"
        sample = room_sample(
            key,
            seed=i,
            height=48,
            width=64,
            num_points=50,
            questions=room_questions(key)[1:] if i >= COUNT - has_questions else (),
        )
        yield sensed(sample, i) if i % 2 else sample


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = str(tmp_path_factory.mktemp("dataset"))
    write_dataset(out, samples(COUNT), per_shard=COUNT)
    return open_dataset(out)


def decoded(name: str, data: bytes) -> Any:
    """A member as its bytes say, by PIL's and numpy's own readers rather than ours."""
    from PIL import Image

    if name.endswith("json"):
        return json.loads(data)
    if name.endswith("npz"):
        points = decode_points(data)
        return {field: getattr(points, field) for field in points.__slots__}
    return np.asarray(Image.open(io.BytesIO(data)))


def as_plain(value: Any) -> Any:
    """What a loader made of a member, in the form of `decoded`."""
    if isinstance(value, bytes):
        return cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_UNCHANGED)
    if isinstance(value, dict):
        return {name: as_plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_plain(inner) for inner in value]
    if isinstance(value, str | int | float) or value is None:
        return value
    return np.asarray(value)


def assert_equal(found: Any, expected: Any, where: str) -> None:
    if isinstance(expected, np.ndarray):
        assert np.array_equal(
            np.asarray(found, expected.dtype), expected, equal_nan=expected.dtype.kind == "f"
        ), where
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name in expected:
            assert_equal(found[name], expected[name], f"{where}.{name}")
    else:
        assert found == expected, where
        assert type(found) is type(expected), where


def assert_same(rows: list[dict[str, Any]], dataset: Dataset) -> None:
    assert [row["__key__"] for row in rows] == dataset.keys.to_pylist()
    for i, row in enumerate(rows):
        members = dataset.read_members(i)
        assert {name for name in row if not name.startswith("__")} == members.keys()
        for name, data in members.items():
            assert_equal(as_plain(row[name]), decoded(name, data), f"{i} {name}")


def load_with_huggingface(source: str, cache: Path, *, streaming: bool, **files: Any):
    import datasets

    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        # Its archive reader leaves closing files to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        loaded = datasets.load_dataset(
            source, split="train", streaming=streaming, cache_dir=str(cache), **files
        )
        return list(loaded), loaded.features


def tars(dataset: Dataset) -> dict[str, list[str]]:
    return {"train": [f"{dataset.url}/{shard.name}" for shard in dataset.manifest.shards]}


def test_webdataset_hands_over_the_bytes_and_decodes_the_same(dataset: Dataset) -> None:
    import webdataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        raw = list(webdataset.WebDataset(tars(dataset)["train"], shardshuffle=False))
        rows = list(
            webdataset.WebDataset(tars(dataset)["train"], shardshuffle=False).decode("rgb8")
        )
    for i, row in enumerate(raw):
        members = dataset.read_members(i)
        assert {name: row[name] for name in members} == members
    for row in rows:
        row["points.npz"] = dict(row["points.npz"])
    for row in rows:
        for name in [name for name in row if name in ("__local_path__", "__url__")]:
            row.pop(name)
    assert_same(rows, dataset)


@pytest.mark.parametrize("streaming", [True, False])
def test_huggingface_infers_the_types_and_decodes_the_same(
    dataset: Dataset, tmp_path: Path, streaming: bool
) -> None:
    rows, _ = load_with_huggingface(
        "webdataset", tmp_path, streaming=streaming, data_files=tars(dataset)
    )
    assert_same(rows, dataset)


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("has_questions", [0, 4, 6])
def test_huggingface_copes_with_empty_lists_among_the_first_samples(
    tmp_path: Path, streaming: bool, has_questions: int
) -> None:
    write_dataset(str(tmp_path / "out"), samples(has_questions), per_shard=COUNT)
    dataset = open_dataset(str(tmp_path / "out"))
    rows, _ = load_with_huggingface(
        "webdataset", tmp_path / "cache", streaming=streaming, data_files=tars(dataset)
    )
    assert_same(rows, dataset)


@pytest.mark.parametrize("streaming", [True, False])
def test_the_card_spares_huggingface_the_guess_that_would_fail(
    tmp_path: Path, streaming: bool
) -> None:
    """No question in the first five samples: the guess is a list of nulls, and the sixth does not fit it."""
    from datasets.exceptions import DatasetGenerationError

    manifest = write_dataset(str(tmp_path / "out"), samples(2), per_shard=COUNT)
    dataset = open_dataset(str(tmp_path / "out"))
    if not streaming:
        with pytest.raises(DatasetGenerationError):
            load_with_huggingface(
                "webdataset", tmp_path / "a", streaming=False, data_files=tars(dataset)
            )
    (tmp_path / "out" / "README.md").write_text(
        card_header(manifest, member_names(3)) + "\n# A dataset\n"
    )
    rows, stated = load_with_huggingface(dataset.url, tmp_path / "b", streaming=streaming)
    assert_same(rows, dataset)
    write_dataset(str(tmp_path / "full"), samples(COUNT), per_shard=COUNT)
    full = tars(open_dataset(str(tmp_path / "full")))
    _, inferred = load_with_huggingface(
        "webdataset", tmp_path / "c", streaming=False, data_files=full
    )
    assert stated == inferred
