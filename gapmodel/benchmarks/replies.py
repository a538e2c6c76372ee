"""What the strict modes read from a reply, and the arithmetic that published scorers share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from gapdata.answers import AnswerError, parse_answer, read_quantity
from gapmodel.metrics.numbers import relative_accuracy

# "A", "(a)", "B.", "C) the bed", "The answer is D: ...": a letter that stands alone, whatever follows its mark.
_LETTER = re.compile(
    r"(?:(?:the )?(?:correct )?(?:answer|option)(?: is)?\s*:?\s*)?"
    r"(?:\((?P<a>[a-z])\)|(?P<b>[a-z])(?:[.):]|\s*$))(?:\s.*)?",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(r"\s*\(?([A-Z])[.):]\s*(.*)", re.DOTALL)


def chosen_letter(reply: str, options: Sequence[str] = ()) -> str:
    """The letter that a reply chooses, "" for none. `options` as benchmarks write them, "A. sofa": then words do as well.

    A letter beside the words of another option chooses nothing.
    """
    if options:
        matches = [_OPTION.fullmatch(option) for option in options]
        words = [
            match[2] if match else option for match, option in zip(matches, options, strict=True)
        ]
        try:
            return chr(ord("A") + words.index(parse_answer(reply, "choice", choices=words)))
        except AnswerError:
            return ""
    found = _LETTER.fullmatch(reply.strip())
    return (found["a"] or found["b"]).upper() if found else ""


def quantity_in(reply: str, factors: Mapping[str, float]) -> float:
    """The number that a reply states in the asked unit, NaN for none. factors: written unit ("" = none) -> asked units."""
    try:
        number, unit = read_quantity(reply)
    except AnswerError:
        return float("nan")
    return number * factors[unit] if unit in factors else float("nan")


def strict_accuracy(found: float, true: float) -> float:
    """Mean relative accuracy of one number."""
    return float(relative_accuracy(np.array([found]), np.array([true]))[0])


def published_accuracy(found: float, true: float) -> float:
    """Mean relative accuracy with the rounding of the published scorers, which drops errors of exactly 10 %, say."""
    tolerances = 1 - np.linspace(0.5, 0.95, 10)
    error = abs(found - true) / abs(true) if true != 0.0 else abs(found - true)
    return float((error <= tolerances).mean())


def published_unfenced(reply: str) -> str:
    """A reply without fences as the published box scorers take them off: all of "`", then of the letters of "json", at both ends."""
    return reply.strip("\n").strip("`").strip("jnos").strip()
