"""Whether words and markers mean one object, and the right one, among what the asked views show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gapdata.sample import QA
from gapdata.verify.pixels import PixelFacts

ENDING = 2  # letters that a plural may change: shelf, shelves; box, boxes
PLURALS = {"mouse": "mice", "person": "people", "foot": "feet"}  # change more than the ending
ADJECTIVES = {"wood": "wooden"}
PLACES = ("{end}most {label}", "second {label} from the {end}", "third {label} from the {end}")
MARKED = {
    "point": "at the {color} point",
    "box": "in the {color} box",
    "mask": "under the {color} mask",
}


def is_named(facts: PixelFacts, number: int, text: str) -> bool:
    """Whether the text has the object's label, in the singular or the plural."""
    return speaks_of(text, facts.label(number))


def speaks_of(text: str, label: str) -> bool:
    """Whether a text has a label, in the singular or the plural."""
    words, label = text.casefold(), label.casefold()
    stem, _, last = label.rpartition(" ")
    irregular = f"{stem} {PLURALS[last]}".strip() if last in PLURALS else label
    return label[: max(3, len(label) - ENDING)] in words or irregular in words


def naming_fault(facts: PixelFacts, qa: QA, text: str, *numbers: int) -> str:
    """Why the text does not name each of the objects and no other, "" when it does.

    A text names an object by its label, label and attribute, place in a row, or a marker drawn on it.
    """
    words = text.casefold()
    hidden = sorted(set(numbers) - set(facts.ids(qa.views)))
    if hidden:
        return f"views {qa.views} do not show {hidden}"
    for number in numbers:
        if not any(phrase.casefold() in words for phrase in _phrases(facts, qa, number)):
            return f"{text!r} does not name {number} {facts.label(number)!r} alone"
    return ""


def _phrases(facts: PixelFacts, qa: QA, number: int) -> Iterator[str]:
    """Every phrase that means the object and, among what the asked views show, nothing else."""
    for marker in qa.markers:
        if marker["kind"] in MARKED and _is_marked(facts, marker, number):
            phrase = MARKED[marker["kind"]].format(color=marker["color"])
            yield phrase + _image(qa, marker["view"])
    label = facts.label(number)
    rivals = _fitting(facts, qa.views, label) - {number}
    if not rivals:
        yield label[: max(3, len(label) - ENDING)]
    own = facts.instance(number).attributes
    for name in ("color", "material"):
        value = getattr(own, name)
        if value and not any(
            getattr(facts.instance(rival).attributes, name) in ("", value) for rival in rivals
        ):
            yield f"{ADJECTIVES.get(value, value)} {label}"
    for view in qa.views:
        row = sorted(_fitting(facts, (view,), label), key=lambda other: _column(facts, view, other))
        if number in row and len(row) > 1:
            for end, rank in (("left", row.index(number)), ("right", row[::-1].index(number))):
                if rank < len(PLACES):
                    yield PLACES[rank].format(end=end, label=label) + _image(qa, view)


def _is_marked(facts: PixelFacts, marker: Mapping[str, Any], number: int) -> bool:
    """Whether the marker lies on the object: its mask, a pixel that shows it, or the box around what is shown."""
    if marker["kind"] == "mask":
        return bool(marker["instance"] == number and facts.pixels(marker["view"], number))
    if marker["kind"] == "point":
        return facts.id_at(marker["view"], *marker["pixel"]) == number
    extent = facts.extent(marker["view"], number)
    return extent is not None and [round(edge) for edge in extent] == list(marker["bbox"])


def _image(qa: QA, view: int) -> str:
    return "" if len(qa.views) == 1 else f" in image {qa.views.index(view) + 1}"


def _fitting(facts: PixelFacts, views: tuple[int, ...], label: str) -> set[int]:
    """Shown instances that "the <label>" may mean: their label ends with its words."""
    words = label.casefold().split()
    shown = ((number, facts.label(number).casefold().split()) for number in facts.ids(views))
    return {number for number, other in shown if other[-len(words) :] == words}


def _column(facts: PixelFacts, view: int, number: int) -> float:
    return float(np.median(facts.uv(view, number)[:, 0]))
