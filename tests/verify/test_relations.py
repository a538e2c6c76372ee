"""Answers about relations and directions: true ones stand, planted wrong ones are contradicted."""

from __future__ import annotations

from collections import Counter

import pytest

from gapdata.verify import verify_sample
from tests.verify.test_objects_and_points import asked, sample_of, wrong

CLAIMS = ("against_wall", "between", "hanging", "inside", "next_to", "on_top_of", "under")
TURNS = ("object_direction", "object_direction_clock", "viewer_relation")
MIN_CAUGHT = 0.8  # of wrong claims; what is seen leaves some of them open


@pytest.mark.parametrize("task", [*CLAIMS, *TURNS])
def test_true_answers_are_never_contradicted(task: str) -> None:
    verdicts = list(verify_sample(sample_of(task, asked(task))))
    assert [(qa.question, v.detail) for qa, v in verdicts if v.kind == "contradict"] == []
    kinds = Counter(verdict.kind for _, verdict in verdicts)
    assert kinds["unverifiable"] == 0
    assert kinds["agree"] >= 0.5 * kinds.total() > 0


@pytest.mark.parametrize("task", [*CLAIMS, *TURNS])
def test_wrong_answers_are_contradicted(task: str) -> None:
    rows = [bad for qa in asked(task)[:30] for bad in wrong(qa) if bad.answer != qa.answer]
    kinds = Counter(verdict.kind for _, verdict in verify_sample(sample_of(task, rows)))
    assert kinds["contradict"] >= (1.0 if task in TURNS else MIN_CAUGHT) * kinds.total() > 0
