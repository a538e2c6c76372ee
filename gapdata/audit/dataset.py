"""Reads the questions of a finished dataset, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable

from gapdata.audit.learner import need_scikit_learn
from gapdata.audit.report import AuditReport, audit_questions
from gapdata.audit.words import BlindQuestion
from gapdata.shards.reader import open_dataset
from gapdata.shards.records import QUESTIONS, parse_questions


def audit_dataset(url: str, *, progress: Callable[[int, int], None] | None = None) -> AuditReport:
    """What could be answered without looking in a finished dataset; writes nothing.

    `progress` is called with (tasks and formats done, in total). Raises DatasetError for a dataset that is unfinished or
    damaged, MissingDependencyError without scikit-learn.
    """
    need_scikit_learn()
    dataset = open_dataset(url, layers=())
    scenes = dataset.samples["scene_id"].to_pylist()
    questions = [
        BlindQuestion(scene=scene, qa=qa)
        for place, scene in enumerate(scenes)
        for qa in parse_questions(dataset.read_members(place)[QUESTIONS])
    ]
    return audit_questions(questions, progress=progress)
