"""An answer's typed value <-> its text, for all formats. Also reads a model's reply. Never evaluates code.

A QA keeps its value at full precision; the text states it rounded: metres and coordinates to 0.01, box
angles to 0.01 rad, degrees, pixels and counts to integers. So the law that holds for every answer is
`parse_answer(format_answer(v, f, ...), f, ...) == rounded_value(v, f, ...)`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from gapdata.errors import GapdataError
from gapdata.sample import FORMATS


class AnswerError(GapdataError):
    """A value that has no text in its format, or a text that does not answer in the asked format."""


# Decimals shown and the word written after a number, by unit; "" is a count.
DECIMALS = {"": 0, "m": 2, "m2": 1, "deg": 0}
UNIT_WORD = {"": "", "m": " m", "m2": " square metres", "deg": " degrees"}

# What one of a written unit is in the asked unit.
CONVERSIONS: dict[str, dict[str, float]] = {
    "": {},
    "m": {
        **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
        **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 0.01),
        **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 0.001),
    },
    "m2": {
        **dict.fromkeys(("m2", "m²", "sqm", "sq m"), 1.0),
        **dict.fromkeys(("square meter", "square meters", "square metre", "square metres"), 1.0),
    },
    "deg": {
        **dict.fromkeys(("deg", "degs", "degree", "degrees", "°"), 1.0),
        **dict.fromkeys(("rad", "rads", "radian", "radians"), 180.0 / math.pi),
    },
}
NUMBER_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
}  # fmt: skip
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
QUANTITY = re.compile(rf"(?P<number>{NUMBER}|[a-z]+)\s*(?P<unit>(?:square |sq )?[a-z°]*|m2|m²)")
HEDGE = re.compile(
    r"(?:(?:the answer is|answer:|it is|it's|there are|there is|about|around|approximately|roughly|approx\.?|circa|~|≈)\s*)+"
)
CHOICE_HEAD = re.compile(
    r"(?:(?:the )?(?:correct )?(?:answer|option)(?: is)?\s*:?\s*)", re.IGNORECASE
)
LETTER = re.compile(
    r"(?:\((?P<a>[A-Za-z])\)|(?P<b>[A-Za-z])(?P<mark>[.):]|$))\s*(?P<rest>.*)", re.DOTALL
)
THIN_M = 0.0495  # a side that two decimals state by more than a tenth wrong
NUMBERS = re.compile(rf"[\[(]\s*{NUMBER}(?:\s*,\s*{NUMBER})*\s*[\])]")
FENCE = re.compile(r"```[A-Za-z]*[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)


def format_answer(
    value: Any, answer_format: str, unit: str = "", choices: Sequence[str] = ()
) -> str:
    """The answer's text: "2.35 m", "45 degrees", "3", "Yes", an option's own words, "[u, v]", or fenced JSON.

    Boxes and lists are fenced JSON with one object a line. Raises AnswerError for a value of the wrong type.
    """
    shown = rounded_value(value, answer_format, unit, choices)
    if answer_format == "number":
        return f"{shown:.{DECIMALS[unit]}f}{UNIT_WORD[unit]}"
    if answer_format == "yesno":
        return "Yes" if shown else "No"
    if answer_format in ("choice", "text"):
        return str(shown)
    if answer_format == "point":
        return _floats(shown)
    if answer_format == "pixel":
        return f"[{shown[0]:.0f}, {shown[1]:.0f}]"
    if answer_format == "box":
        return (
            f'```json\n{{"view": {shown["view"]}, "bbox_3d": {format_box(shown["bbox_3d"])}}}\n```'
        )
    rows = [
        f'{{"label": {json.dumps(row["label"], ensure_ascii=False)}, "bbox_3d": {format_box(row["bbox_3d"])}}}'
        for row in shown
    ]
    return "```json\n[\n" + ",\n".join(rows) + "\n]\n```" if rows else "```json\n[]\n```"


def rounded_value(
    value: Any, answer_format: str, unit: str = "", choices: Sequence[str] = ()
) -> Any:
    """The value as its text states it; values of one answer are equal when these are equal.

    Raises AnswerError for a value whose type does not belong to the format.
    """
    if answer_format == "number":
        _require(unit in DECIMALS, f"a unit of {sorted(DECIMALS)}", unit)
        return _round(value, DECIMALS[unit])
    if answer_format == "choice":
        _require(value in choices, f"one of {list(choices)}", value)
        return value
    if answer_format == "yesno":
        _require(isinstance(value, bool), "true or false", value)
        return value
    if answer_format == "text":
        _require(isinstance(value, str) and value.strip() != "", "some text", value)
        return value.strip()
    if answer_format == "point":
        return _round_list(value, 3, 2)
    if answer_format == "pixel":
        return _round_list(value, 2, 0)
    if answer_format == "box":
        return _round_box(value)
    if answer_format == "list":
        _require(isinstance(value, list), "a list of objects", value)
        return [_round_row(row) for row in value]
    raise AnswerError(f"answer: expected a format of {', '.join(FORMATS)}, found {answer_format!r}")


def parse_answer(text: str, answer_format: str, unit: str = "", choices: Sequence[str] = ()) -> Any:
    """The typed value that a text states, strict in type and unit, tolerant in wording.

    Understands "(A)", "A.", "A. sofa", "about 3.0 m", "three", "3m", "300 cm", "Yes.", fenced or bare JSON. A number
    without a unit is in `unit`. Raises AnswerError for anything else.
    """
    text = text.strip()
    if answer_format == "number":
        return _parse_number(text, unit)
    if answer_format == "choice":
        return _parse_choice(text, choices)
    if answer_format == "yesno":
        word = re.split(r"[\s,.!;:]", text.lower(), maxsplit=1)[0]
        _require(word in ("yes", "no", "true", "false"), "yes or no", text)
        return word in ("yes", "true")
    if answer_format == "text":
        return rounded_value(text, answer_format)
    if answer_format in ("point", "pixel"):
        bare = _unfenced(text)
        _require(NUMBERS.fullmatch(bare) is not None, "numbers as [a, b, ...]", text)
        numbers = [float(part) for part in re.findall(NUMBER, bare)]
        return rounded_value(numbers, answer_format)
    return rounded_value(_parse_json(text), answer_format)


def read_quantity(text: str) -> tuple[float, str]:
    """The number that a text states, not rounded, and the unit as it is written there in lower case ("" = none).

    Understands "about 3.0 m", "three", "3m", "300 cm". Raises AnswerError for a text that says anything else.
    """
    bare = text.strip().lower()
    bare = HEDGE.sub("", bare, count=1) if HEDGE.match(bare) else bare
    match = QUANTITY.fullmatch(bare.strip().removesuffix(".").rstrip())
    _require(match is not None, "a number, with a unit or without", text)
    assert match is not None
    digits = match["number"]
    if digits in NUMBER_WORDS:
        return float(NUMBER_WORDS[digits]), match["unit"]
    _require(re.fullmatch(NUMBER, digits) is not None, "a number", text)
    return float(digits), match["unit"]


def format_box(box: Sequence[float]) -> str:
    """A bbox_3d's text: two decimals, three of the metres where a side is thinner than THIN_M."""
    pairs = zip(box, _decimals(box), strict=True)
    return "[" + ", ".join(f"{value + 0.0:.{decimals}f}" for value, decimals in pairs) + "]"


def format_choices(choices: Sequence[str]) -> str:
    """The options as lines "A. first", "B. second", to be put below a question."""
    return "\n".join(f"{chr(ord('A') + i)}. {choice}" for i, choice in enumerate(choices))


def _require(condition: bool, expected: str, found: object) -> None:
    if not condition:
        raise AnswerError(f"answer: expected {expected}, found {str(found)[:80]!r}")


def _round(value: Any, decimals: int) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _require(is_number and math.isfinite(value), "a finite number", value)
    return float(f"{value:.{decimals}f}") + 0.0  # + 0.0 turns -0.0 into 0.0


def _round_list(values: Any, count: int, decimals: int) -> list[float]:
    _require(
        isinstance(values, list) and len(values) == count, f"a list of {count} numbers", values
    )
    return [_round(value, decimals) for value in values]


def _round_box(value: Any) -> dict[str, Any]:
    _require(
        isinstance(value, dict) and {"view", "bbox_3d"} <= value.keys(), "view and bbox_3d", value
    )
    view = value["view"]
    _require(
        isinstance(view, int) and not isinstance(view, bool) and view >= 0, "a view number", view
    )
    return {"view": view, "bbox_3d": _round_bbox(value["bbox_3d"])}


def _round_row(value: Any) -> dict[str, Any]:
    _require(
        isinstance(value, dict) and {"label", "bbox_3d"} <= value.keys(), "label and bbox_3d", value
    )
    _require(isinstance(value["label"], str), "a label in words", value["label"])
    return {"label": value["label"], "bbox_3d": _round_bbox(value["bbox_3d"])}


def _round_bbox(values: Any) -> list[float]:
    decimals = _decimals(_round_list(values, 9, 3))
    return [_round(value, count) for value, count in zip(values, decimals, strict=True)]


def _decimals(box: Sequence[float]) -> list[int]:
    is_thin = min(abs(side) for side in box[3:6]) < THIN_M
    return [3 if is_thin else 2] * 6 + [2] * 3


def _floats(values: Sequence[float]) -> str:
    return "[" + ", ".join(f"{value:.2f}" for value in values) + "]"


def _parse_number(text: str, unit: str) -> float:
    _require(unit in DECIMALS, f"a unit of {sorted(DECIMALS)}", unit)
    number, written = read_quantity(text)
    factors = CONVERSIONS[unit]
    _require(written == "" or written in factors, f"the unit {unit!r}", text)
    return _round(number * factors.get(written, 1.0), DECIMALS[unit])


def _parse_choice(text: str, choices: Sequence[str]) -> str:
    def plain(words: str) -> str:
        return words.strip().removesuffix(".").casefold()

    by_text = {plain(choice): choice for choice in choices}
    for candidate in (
        text,
        CHOICE_HEAD.sub("", text, count=1) if CHOICE_HEAD.match(text) else text,
    ):
        if candidate in choices:
            return candidate
        if plain(candidate) in by_text:
            return by_text[plain(candidate)]
        match = LETTER.fullmatch(candidate.strip())
        if match is None:
            continue
        index = ord((match["a"] or match["b"]).upper()) - ord("A")
        _require(0 <= index < len(choices), f"one of {len(choices)} options", text)
        rest = plain(match["rest"])
        _require(rest in ("", plain(choices[index])), "a letter that agrees with its words", text)
        return choices[index]
    raise AnswerError(f"answer: expected one of {list(choices)}, found {text[:80]!r}")


def _unfenced(text: str) -> str:
    match = FENCE.search(text)
    return (match[1] if match else text).strip()


def _parse_json(text: str) -> Any:
    def reject(constant: str) -> None:
        raise AnswerError(f"answer: expected finite numbers, found {constant}")

    try:
        return json.loads(_unfenced(text), parse_constant=reject)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"answer: expected JSON, found {text[:80]!r}") from error
