"""One shard of samples copied from a finished dataset, some with fewer questions or another split."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gapdata.attribution import credits_of
from gapdata.shard_job import ShardResult
from gapdata.shards.index import question_rows
from gapdata.shards.reader import Dataset, open_dataset
from gapdata.shards.records import META, QUESTIONS, dump_json, parse_questions
from gapdata.shards.writer import EncodedSample, ShardWriter


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyJob:
    """The samples at `positions` of a dataset, which lie in one shard, as one shard of `split`.

    questions: for each sample the rows of its qa.json to keep; None keeps all.
    """

    name: str  # "<split>-<number>"
    split: str
    out: str
    url: str
    positions: tuple[int, ...]
    questions: tuple[tuple[int, ...], ...] | None

    @property
    def size(self) -> int:
        """How many samples."""
        return len(self.positions)


def run_copy(job: CopyJob, report: Callable[[int], None]) -> ShardResult:
    """The job's result; reports each sample. Raises DatasetError for a shard that is damaged: a copy's hash would hide it."""
    dataset = open_dataset(job.url)
    dataset.require_intact(job.positions[0])
    writer = ShardWriter(job.out, f"shards/{job.name}.tar")
    owed: set[str] = set()
    with writer:
        for number, position in enumerate(job.positions):
            kept = None if job.questions is None else job.questions[number]
            sample = _copied(dataset, position, job, kept)
            owed.update(credits_of(_provenance(sample)))
            writer.write(sample)
            report(1)
    return ShardResult(
        name=job.name, split=job.split, record=writer.record, credits=tuple(sorted(owed))
    )


def _provenance(sample: EncodedSample) -> dict[str, str]:
    pairs = json.loads(sample.members[META])["provenance"]
    return {pair["name"]: pair["value"] for pair in pairs}


def _copied(
    dataset: Dataset, position: int, job: CopyJob, kept: tuple[int, ...] | None
) -> EncodedSample:
    members = dataset.read_members(position)
    row: dict[str, Any] = dataset.samples.slice(position, 1).to_pylist()[0]
    key = row["key"]
    if row["split"] != job.split:
        meta = json.loads(members[META])
        members[META] = dump_json({**meta, "split": job.split}, key)
    if kept is not None:
        rows = json.loads(members[QUESTIONS])
        members[QUESTIONS] = dump_json([rows[i] for i in kept], key)
    questions = question_rows(key, parse_questions(members[QUESTIONS]))
    row |= {"shard": f"shards/{job.name}.tar", "split": job.split, "num_qa": len(questions)}
    return EncodedSample(key=key, members=members, row=row, questions=questions)
