"""samples.parquet and qa.parquet: where every sample lies, and every question for SQL."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gapdata.balance import IMAGES, chance, possible_answers
from gapdata.errors import DatasetError
from gapdata.sample import QA, Sample
from gapdata.shards.records import rows_from_questions
from gapdata.shards.storage import open_storage, write_file

SAMPLES_NAME = "samples.parquet"
QA_NAME = "qa.parquet"

SAMPLES_SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "shard": pa.string(),  # path under the dataset's URL
        "scene_id": pa.string(),
        "source": pa.string(),
        "split": pa.string(),
        "num_views": pa.int32(),
        "num_qa": pa.int32(),
        # In the order of the tar; name is the suffix after "<key>.", offset is that of the content.
        "members": pa.list_(
            pa.struct({"name": pa.string(), "offset": pa.int64(), "size": pa.int64()})
        ),
    }
)
QA_SCHEMA = pa.schema(
    {
        "key": pa.string(),  # of the sample
        "index": pa.int32(),  # position in the sample's qa.json
        "task": pa.string(),
        "format": pa.string(),
        "views": pa.list_(pa.int32()),
        "objects": pa.list_(pa.int32()),
        "value": pa.string(),  # JSON
        "unit": pa.string(),
        "answer": pa.string(),
        "num_choices": pa.int32(),
        "right_choice": pa.int32(),  # position of the answer among the choices; -1 where it is none of them
        "margin": pa.float64(),
        "template": pa.string(),
        "chars": pa.int32(),  # length of question and answer together
    }
)
_ROW_GROUP = 1 << 16


def sample_row(sample: Sample, shard: str) -> dict[str, Any]:
    """A sample's row of samples.parquet, but for `members`, its places in the shard."""
    return {
        "key": sample.key,
        "shard": shard,
        "scene_id": sample.scene_id,
        "source": sample.source,
        "split": sample.split,
        "num_views": len(sample.views),
        "num_qa": len(sample.qa),
    }


def question_rows(key: str, qa: Sequence[QA]) -> list[dict[str, Any]]:
    """The rows of qa.parquet for the questions of the sample with this key."""
    return [
        {
            **{name: row[name] for name in QA_SCHEMA.names if name in row},
            "key": key,
            "index": index,
            "num_choices": len(row["choices"]),
            "right_choice": _place(row["answer"], row["choices"]),
            "chars": len(row["question"]) + len(row["answer"]),
        }
        for index, row in enumerate(rows_from_questions(qa))
    ]


def count(samples: pa.Table, qa: pa.Table) -> dict[str, Any]:
    """The manifest's counts: scenes, samples, views, qa, qa per task and per format, and what can be guessed of them."""
    scenes = samples.select(["source", "scene_id"]).group_by(["source", "scene_id"]).aggregate([])
    return {
        "scenes": scenes.num_rows,
        "samples": samples.num_rows,
        "views": pc.sum(samples["num_views"], min_count=0).as_py(),
        "qa": qa.num_rows,
        "tasks": _tally(qa["task"]),
        "formats": _tally(qa["format"]),
        "guessing": _guessing(qa),
    }


def _place(answer: str, choices: list[str]) -> int:
    return choices.index(answer) if answer in choices else -1


def _guessing(qa: pa.Table) -> list[dict[str, Any]]:
    """Per task and format: questions, the chance level, the most frequent answer's share, how often each option is right.

    The first and cheapest part of what `gapdata audit` measures, with its definition of chance.
    """
    keys = ["task", "format"]

    def counted(*columns: str) -> list[dict[str, Any]]:
        grouped = qa.group_by([*keys, *columns]).aggregate([([], "count_all")])
        return grouped.sort_by([(name, "ascending") for name in (*keys, *columns)]).to_pylist()

    found = {
        (row["task"], row["format"]): {
            **{key: row[key] for key in keys},
            "questions": row["count_all"],
            "chance": 0.0,
            "majority": 0.0,
            "positions": [],
        }
        for row in counted()
    }
    views = pc.list_value_length(qa["views"])
    lists = pc.match_substring_regex(qa["answer"], f"^{IMAGES}$")
    qa = qa.append_column("num_views", views).append_column("lists_images", lists)
    for row in counted("num_choices", "unit", "num_views", "lists_images"):
        group = found[row["task"], row["format"]]
        num_views = row["num_views"] if row["lists_images"] else 0
        possible = possible_answers(row["num_choices"], num_views)
        level = chance(row["format"], possible, row["unit"])
        group["chance"] += level * row["count_all"] / group["questions"]
        group["positions"] = [0] * max(len(group["positions"]), row["num_choices"])
    for row in counted("answer"):
        group = found[row["task"], row["format"]]
        group["majority"] = max(group["majority"], row["count_all"] / group["questions"])
    for row in counted("right_choice"):
        if row["right_choice"] >= 0:
            group = found[row["task"], row["format"]]
            group["positions"][row["right_choice"]] = row["count_all"]
    return list(found.values())


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    tally = {row["values"]: row["counts"] for row in column.value_counts().to_pylist()}
    return dict(sorted(tally.items()))


def write_index(url: str, samples: pa.Table, qa: pa.Table) -> dict[str, tuple[int, str]]:
    """Writes both index files; returns the bytes and sha256 of each. Raises ConfigError when they cannot be written."""
    written = {}
    for name, table, schema in (
        (SAMPLES_NAME, samples, SAMPLES_SCHEMA),
        (QA_NAME, qa, QA_SCHEMA),
    ):
        sink = io.BytesIO()
        # One chunk a column, so that the bytes do not depend on how the rows were collected.
        pq.write_table(
            table.cast(schema).combine_chunks(), sink, row_group_size=_ROW_GROUP, compression="zstd"
        )
        data = sink.getvalue()
        write_file(url, name, data)
        written[name] = (len(data), hashlib.sha256(data).hexdigest())
    return written


def read_samples(url: str, columns: Sequence[str] | None = None) -> pa.Table:
    """samples.parquet, or some of its columns. Raises DatasetError when it is missing or damaged."""
    return _read(url, SAMPLES_NAME, SAMPLES_SCHEMA, columns)


def read_questions(url: str, columns: Sequence[str] | None = None) -> pa.Table:
    """qa.parquet, or some of its columns. Raises DatasetError when it is missing or damaged."""
    return _read(url, QA_NAME, QA_SCHEMA, columns)


def open_table(
    url: str, name: str, schema: pa.Schema, *, dictionary: Sequence[str] = ()
) -> pq.ParquetFile:
    """An index file, ready to read columns and row groups from; `dictionary` columns come as codes.

    Raises DatasetError when it is missing, damaged or has other columns.
    """
    storage = open_storage(url)
    try:
        if storage.is_local:
            source = pa.memory_map(storage.path(name))
        else:
            source = pa.BufferReader(storage.read(name))
        parquet = pq.ParquetFile(source)
        if not parquet.schema_arrow.equals(schema):
            found = ", ".join(f"{field.name} {field.type}" for field in parquet.schema_arrow)
            raise DatasetError(
                f"{url}: {name}: expected columns {', '.join(schema.names)}, found {found}; build again"
            )
        if dictionary:
            source.seek(0)
            parquet = pq.ParquetFile(source, read_dictionary=list(dictionary))
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{url}: {name}: cannot be read: {error}; build again") from error
    return parquet


def _read(url: str, name: str, schema: pa.Schema, columns: Sequence[str] | None) -> pa.Table:
    parquet = open_table(url, name, schema)
    try:
        return parquet.read(columns=None if columns is None else list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{url}: {name}: cannot be read: {error}; build again") from error
