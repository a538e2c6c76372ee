"""Whether a text speaks of an object."""

from __future__ import annotations

from gapdata.verify.pixels import PixelFacts

ENDING = 2  # letters that a plural may change: shelf, shelves; box, boxes


def is_named(facts: PixelFacts, number: int, text: str) -> bool:
    """Whether the text has the object's label, in the singular or the plural."""
    label = facts.label(number).casefold()
    return label[: max(1, len(label) - ENDING)] in text.casefold()
