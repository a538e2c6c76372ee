"""samples.parquet and qa.parquet: where every sample lies, and every question for SQL."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gapdata.errors import DatasetError
from gapdata.sample import Sample
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


def question_rows(sample: Sample) -> list[dict[str, Any]]:
    """A sample's rows of qa.parquet."""
    return [
        {
            **{name: row[name] for name in QA_SCHEMA.names if name in row},
            "key": sample.key,
            "index": index,
            "chars": len(row["question"]) + len(row["answer"]),
        }
        for index, row in enumerate(rows_from_questions(sample.qa))
    ]


def count(samples: pa.Table, qa: pa.Table) -> dict[str, Any]:
    """The manifest's counts: scenes, samples, views, qa, and qa per task and per format, names sorted."""
    scenes = samples.select(["source", "scene_id"]).group_by(["source", "scene_id"]).aggregate([])
    return {
        "scenes": scenes.num_rows,
        "samples": samples.num_rows,
        "views": pc.sum(samples["num_views"], min_count=0).as_py(),
        "qa": qa.num_rows,
        "tasks": _tally(qa["task"]),
        "formats": _tally(qa["format"]),
    }


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    tally = {row["values"]: row["counts"] for row in column.value_counts().to_pylist()}
    return dict(sorted(tally.items()))


def write_index(url: str, samples: pa.Table, qa: pa.Table) -> None:
    """Writes both index files. Raises ConfigError when they cannot be written."""
    for name, table, schema in (
        (SAMPLES_NAME, samples, SAMPLES_SCHEMA),
        (QA_NAME, qa, QA_SCHEMA),
    ):
        sink = io.BytesIO()
        # One chunk a column, so that the bytes do not depend on how the rows were collected.
        pq.write_table(
            table.cast(schema).combine_chunks(), sink, row_group_size=_ROW_GROUP, compression="zstd"
        )
        write_file(url, name, sink.getvalue())


def read_samples(url: str, columns: Sequence[str] | None = None) -> pa.Table:
    """samples.parquet, or some of its columns. Raises DatasetError when it is missing or damaged."""
    return _read(url, SAMPLES_NAME, SAMPLES_SCHEMA, columns)


def read_questions(url: str) -> pa.Table:
    """qa.parquet. Raises DatasetError when it is missing or damaged."""
    return _read(url, QA_NAME, QA_SCHEMA, None)


def _read(url: str, name: str, schema: pa.Schema, columns: Sequence[str] | None) -> pa.Table:
    filesystem, root = open_storage(url)
    try:
        with filesystem.open(f"{root}/{name}", "rb") as file:
            parquet = pq.ParquetFile(file)
            if not parquet.schema_arrow.equals(schema):
                found = ", ".join(f"{field.name} {field.type}" for field in parquet.schema_arrow)
                raise DatasetError(
                    f"{url}: {name}: expected columns {', '.join(schema.names)}, found {found}; build again"
                )
            return parquet.read(columns=None if columns is None else list(columns))
    except (FileNotFoundError, pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{url}: {name}: cannot be read: {error}; build again") from error
