"""A stored question as words alone: its options as lines, its marks as pixel places.

Pictures are never drawn on, so that all questions about the same views share one pass over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt16

from gapdata.answers import format_choices
from gapdata.errors import DatasetError
from gapdata.shards.records import QUESTION_SHAPE, QUESTIONS, load_json, shape_fault
from gapmodel.data.example import Question

Array = np.ndarray

WORDING = 1  # goes up when the words of marks or options change, as stored text lengths then do

BORDER = b'},{"id":'  # between two records of qa.json, whose keys and spaces are fixed

Span = tuple[int, int, int, int]  # left, top, right, bottom in inclusive pixels


def read_rows(data: bytes, count: int | None = None) -> list[Any]:
    """The records of qa.json's bytes. Raises DatasetError when it is damaged or holds not `count` of them."""
    rows = load_json(data, QUESTIONS)
    if not isinstance(rows, list) or count not in (None, len(rows)):
        raise DatasetError(f"{QUESTIONS}: expected a list of {count} questions as in the index")
    return rows


def read_some_rows(data: bytes, numbers: Sequence[int], count: int) -> list[Any]:
    """The records at `numbers` of the `count` in qa.json's bytes. Raises DatasetError, see `read_rows`.

    Parses those alone: a sample has hundreds of questions, and a visit asks a few of them.
    """
    # Inside a JSON string a quote follows a backslash, so only the border of two records looks like this.
    parts = data.removeprefix(b"[").removesuffix(b"]").split(BORDER)
    if len(parts) != count:
        rows = read_rows(data, count)
        return [rows[number] for number in numbers]
    begin, end = BORDER[2:], BORDER[:1]
    return [
        load_json(
            (begin if number else b"") + parts[number] + (end if number < count - 1 else b""),
            QUESTIONS,
        )
        for number in numbers
    ]


def check_row(row: Any, where: str) -> None:
    """Nothing; raises DatasetError when a record of qa.json has other keys or types than it must."""
    shape = QUESTION_SHAPE[0]
    # The general check takes a tenth of a millisecond a row, this one a hundredth.
    if type(row) is dict and row.keys() == shape.keys():
        kinds = (list if isinstance(kind, list) else kind for kind in shape.values())
        if all(type(row[name]) is kind for name, kind in zip(shape, kinds, strict=True)):
            return
    raise DatasetError(shape_fault(row, shape, where))


def marked_masks(row: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(view, instance) of each mask that marks something for a question."""
    if row["markers"] == "[]":
        return []
    markers = load_json(row["markers"], row["id"])
    return [(mark["view"], mark["instance"]) for mark in markers if mark["kind"] == "mask"]


def mask_span(instance: UInt16[Array, "H W"], number: int) -> Span:
    """The rectangle that an instance's visible pixels fill. Raises DatasetError when it has none."""
    shown = instance == number
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        raise DatasetError(f"instance {number} is marked in a view that does not show it")
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def stated(
    row: Mapping[str, Any], size: tuple[int, int], spans: Mapping[tuple[int, int], Span]
) -> str:
    """All that is asked in words: the question, its marks in pixels of the stored pictures, its options.

    size: (height, width) of the stored pictures. spans: by (view, instance), of what masks mark.
    """
    lines = [row["question"]]
    if row["markers"] != "[]":
        lines.append(_marks(row, size, spans))
    if row["choices"]:
        lines.append(format_choices(row["choices"]))
    return "\n".join(lines)


def asked(row: Mapping[str, Any], views: Sequence[int], text: str) -> Question:
    """The question with its views as positions in an example that shows these views of the sample."""
    place = {view: position for position, view in enumerate(views)}
    return Question(
        qa=row["id"],
        task=row["task"],
        format=row["format"],
        views=tuple(place[view] for view in row["views"]),
        text=text,
        answer=row["answer"],
    )


def _marks(
    row: Mapping[str, Any], size: tuple[int, int], spans: Mapping[tuple[int, int], Span]
) -> str:
    by_image: dict[int, list[str]] = {}
    for mark in load_json(row["markers"], row["id"]):
        if mark["view"] not in row["views"]:
            raise DatasetError(
                f"{row['id']}: a mark on view {mark['view']}, which is not asked about"
            )
        kind = mark["kind"]
        if kind == "box":
            place: Sequence[float] = mark["bbox"]
        elif kind == "mask":
            place = spans[mark["view"], mark["instance"]]
        else:
            place = mark["pixel"]
        name = f"{mark['color']} {kind}" + (f" {mark['text']}" if mark["text"] else "")
        numbers = ", ".join(f"{value:.0f}" for value in place)
        by_image.setdefault(row["views"].index(mark["view"]), []).append(f"{name} [{numbers}]")
    height, width = size
    parts = [f"image {image + 1}: {', '.join(marks)}" for image, marks in sorted(by_image.items())]
    return f"Marks in pixels of {width} x {height}: {'; '.join(parts)}."
