"""Verdicts are counted by task, contradictions name their question, and a true answer is never contradicted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gapdata.errors import DatasetError
from gapdata.sample import QA
from gapdata.shards.codec import decode_sample, encode_sample
from gapdata.verify import verify_dataset, verify_sample
from gapdata.verify.verdict import AGREE, bounded, contradict, first_doubt, number_verdict
from tests.fixtures.samples import room_questions, room_sample, write_dataset

TABLE, CABINET = 4, 7


def distance_question(metres: float, **changes: object) -> QA:
    """How far the table is from the cabinet: 1.02 m in truth."""
    row = room_questions("key")[0]
    fields = {
        "task": "object_distance",
        "question": "How far is the table from the cabinet?",
        "value": metres,
        "answer": f"{metres:.2f} m",
        "views": (0, 1, 2),
        "objects": (TABLE, CABINET),
        **changes,
    }
    return replace(row, **fields)  # type: ignore[arg-type]


def verdicts(*rows: QA) -> list[str]:
    sample = decode_sample(encode_sample(room_sample(questions=rows, height=120, width=160)))
    return [verdict.kind for _, verdict in verify_sample(sample)]


def test_a_distance_is_bounded_from_both_sides() -> None:
    assert verdicts(distance_question(1.02)) == ["agree"]
    assert verdicts(*map(distance_question, (0.5, 0.9, 1.3, 2.04))) == ["contradict"] * 4


def test_names_must_mean_the_objects_and_be_shown() -> None:
    by_color = distance_question(1.02, question="How far is the brown table from the cabinet?")
    of_another = distance_question(1.02, question="How far is the lamp from the cabinet?")
    assert verdicts(by_color, of_another) == ["agree", "contradict"]
    mask = {"kind": "mask", "view": 1, "color": "red", "pixel": [], "bbox": [], "text": ""}
    text = "How far is the object under the red mask in image 2 from the cabinet?"
    right = distance_question(1.02, question=text, markers=({**mask, "instance": TABLE},))
    wrong = distance_question(1.02, question=text, markers=({**mask, "instance": CABINET},))
    elsewhere = replace(right, markers=({**mask, "instance": TABLE, "view": 0},))
    assert verdicts(right, wrong, elsewhere) == ["agree", "contradict", "contradict"]


def test_an_answer_that_is_not_its_value_is_contradicted_whatever_the_task() -> None:
    row = distance_question(1.02, answer="2.00 m")
    assert verdicts(row, replace(row, task="never heard of")) == ["contradict", "contradict"]
    unknown = replace(distance_question(1.02), task="never heard of")
    assert verdicts(unknown) == ["unverifiable"]


def test_evidence_that_a_verifier_needs_must_be_there() -> None:
    row = distance_question(1.02, task="closest_object")
    assert verdicts(row) == ["contradict"]


def test_the_worst_of_several_verdicts_counts() -> None:
    doubt, wrong = bounded("half of it"), contradict("no")
    assert first_doubt() == AGREE
    assert first_doubt(AGREE, doubt, AGREE) == doubt
    assert first_doubt(doubt, wrong, contradict("later")) == wrong
    row = distance_question(1.25)
    assert number_verdict(row, 1.2549, 0.0) == AGREE
    assert number_verdict(row, 1.2551, 0.0).kind == "contradict"


def test_a_report_counts_by_task_and_names_what_is_wrong(tmp_path: Path) -> None:
    rows = (
        distance_question(1.02),
        replace(distance_question(3.0), id="wrong"),
        distance_question(1.0, task="x"),
    )
    samples = (room_sample(f"room-{i}", questions=rows, height=120, width=160) for i in range(2))
    write_dataset(str(tmp_path), samples)
    steps: list[tuple[int, int]] = []
    report = verify_dataset(str(tmp_path), progress=lambda done, total: steps.append((done, total)))
    none = {"agree": 0, "bounded": 0, "unverifiable": 0, "contradict": 0}
    assert report.tasks == {
        "object_distance": {**none, "agree": 2, "contradict": 2},
        "x": {**none, "unverifiable": 2},
    }
    assert report.reasons == {"x: no verifier for the task": 2}
    assert [(c.key, c.question, c.task) for c in report.contradictions] == [
        (key, "wrong", "object_distance") for key in ("room-0", "room-1")
    ]
    assert "3.00 m" in str(report.contradictions[0])
    assert (report.samples, report.asked, report.ok) == (2, 6, False)
    assert steps == [(1, 2), (2, 2)]


def test_a_damaged_dataset_is_not_verified(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        verify_dataset(str(tmp_path / "nothing"))
