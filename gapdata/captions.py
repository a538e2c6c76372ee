"""A caption of one object and the facts it states: the two convert into each other, so captions can be graded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gapdata.answers import AnswerError

SIDES = ("left", "right")
CAPTION = re.compile(
    r"(?P<name>.+), (?P<height>\d+\.\d\d) m tall and (?P<width>\d+\.\d\d) m wide\."
    r"(?: (?:It is|They are) (?P<distance>\d+\.\d\d) m from (?:the )?(?P<neighbour>.+?)"
    r"(?: and, in this view, to the (?P<side>left|right) of (?:it|them))?\.)?",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caption:
    """What a caption states. `name` is the noun phrase with its article; metres; empty neighbour or side = not stated.

    width: the longer horizontal extent. distance: from surface to surface. side: where the object is in the picture, of
    its neighbour.
    """

    name: str
    height: float
    width: float
    neighbour: str = ""
    distance: float = 0.0
    side: str = ""


def write_caption(caption: Caption, *, many: bool = False, many_neighbours: bool = False) -> str:
    """The caption in words, metres with two decimals; `many` says that the noun is a plural, likewise for the neighbour."""
    text = f"{caption.name[:1].upper()}{caption.name[1:]}, {caption.height:.2f} m tall and {caption.width:.2f} m wide."
    if not caption.neighbour:
        return text
    text += (
        f" {'They are' if many else 'It is'} {caption.distance:.2f} m from the {caption.neighbour}"
    )
    if caption.side:
        text += (
            f" and, in this view, to the {caption.side} of {'them' if many_neighbours else 'it'}"
        )
    return f"{text}."


def read_caption(text: str) -> Caption:
    """What a caption states, numbers as written. Raises AnswerError for a text of another form."""
    match = CAPTION.fullmatch(text.strip())
    if match is None:
        raise AnswerError(
            f"caption: expected 'A ..., 0.00 m tall and 0.00 m wide. ...', found {text[:80]!r}"
        )
    return Caption(
        name=match["name"],
        height=float(match["height"]),
        width=float(match["width"]),
        neighbour=match["neighbour"] or "",
        distance=float(match["distance"] or 0.0),
        side=match["side"] or "",
    )
