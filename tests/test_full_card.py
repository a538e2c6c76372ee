"""The full card: the plain one with a picture and the audit's own figures, the same every time."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from gapdata.audit import audit_dataset
from gapdata.card import CARD_NAME, PICTURE_NAME, dataset_card
from gapdata.check import check_dataset
from gapdata.full_card import write_full_card
from tests.fixtures.samples import room_sample, write_dataset


def test_it_adds_a_picture_and_the_audit_to_the_plain_card(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    samples = [room_sample(f"room-{i:04d}", height=48, width=64, seed=i) for i in range(4)]
    manifest = write_dataset(str(tmp_path), samples)
    write_full_card(str(tmp_path))
    text = (tmp_path / CARD_NAME).read_text()
    start, _, rest = text.partition("![")
    _, _, end = rest.rpartition("|\n\n")
    assert start + end == dataset_card(manifest)
    for task in audit_dataset(str(tmp_path)).tasks:
        row = f"| {task.task} | {task.format} | {task.questions} | {task.chance:.0%} |"
        assert sum(line.startswith(row) and line.endswith(f"| {task.gap:+.0f} |") for line in text.splitlines()) == 1  # fmt: skip
    assert f"]({PICTURE_NAME})" in text
    assert cv2.imread(str(tmp_path / PICTURE_NAME)).shape[1] > 400
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    write_full_card(str(tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before
    assert check_dataset(str(tmp_path)).ok
