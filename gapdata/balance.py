"""What of an answer can be balanced, and what guessing earns: one set of definitions for the build and the audit."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

Array = np.ndarray

# A guess of a number counts as right to within these parts of the truth; their mean is the mean relative accuracy.
TOLERANCES = np.arange(1, 11) / 20.0
NUMBER_STEP = 1.5  # answers within this factor of each other are alike
SLACK = 0.5  # answers by which one of three or more may be ahead of the rarest
IMAGES = r"\[\d+(, \d+)*\]"  # an answer that lists some of the images


def chance(answer_format: str, num_choices: int = 0, unit: str = "") -> float:
    """Share that guessing earns without knowing anything: 1 / options, a half for yes or no, 0 for open answers.

    A text with `num_choices` is one of as many that are possible (`possible_answers`). For numbers, scored by mean relative accuracy: what the best constant earns when counts (no unit) lie evenly
    between 1 and 5, and when the logarithms of measured answers lie evenly within one decade (say 0.3 to 3 m).
    The best constant of the answers themselves, which VSI-Bench states as its chance level (frequency), would not do:
    the more alike the answers are, the higher it is, and a dataset of one room size would pass for unbiased.
    """
    if answer_format in ("choice", "text") and num_choices:
        return 1.0 / num_choices
    if answer_format == "yesno":
        return 0.5
    if answer_format == "number":
        return COUNT_CHANCE if unit == "" else MEASURE_CHANCE
    return 0.0


def possible_answers(num_choices: int, num_images: int) -> int:
    """How many answers there could be: the options, the ways to list some but not all of the images, 0 when it is open.

    num_images: images of a question whose answer lists some of them (`IMAGES`), else 0.
    """
    return 2**num_images - 2 if num_choices == 0 and num_images > 1 else num_choices


def relative_accuracy(
    guesses: Float[Array, " n"], truths: Float[Array, " n"]
) -> Float[Array, " n"]:
    """Share of the tolerances within which each guess is; the mean of VSI-Bench's scores. 1 only for 0 when the truth is 0."""
    errors = np.abs(guesses - truths)
    allowed = np.abs(truths)[:, None] * TOLERANCES
    return np.asarray(np.where(errors[:, None] == 0, True, errors[:, None] < allowed).mean(axis=1))


def answer_class(answer_format: str, value: Any, unit: str = "") -> str:
    """The name of the answers that are alike, of which no one may prevail; "" where all answers differ.

    Yes, no, an option's words, a text, a count; measured numbers are alike within a factor of 1.5.
    """
    if answer_format in ("yesno", "choice", "text"):
        return str(value)
    if answer_format != "number":
        return ""
    if unit == "" or value <= 0:
        return f"{value:g}"
    return f"step {math.floor(math.log(value) / math.log(NUMBER_STEP))}"


@dataclass(slots=True)
class Tally:
    """How much oftener than by chance the answers of one scene were right, so that none gets ahead of the others.

    An option that is right once out of four earns 3/4, each of the others loses 1/4: what is often offered has to be
    right as often as it should, not only as often as the others. Open answers are counted as they are given.
    Each answer starts with a part of one that only `seed` and its name decide. So where the candidates of a scene
    have one answer only, half of the scenes ask one question and half ask none, instead of all the same one.
    """

    seed: Sequence[int]  # of the dataset and the scene
    counts: dict[tuple[str, str], float] = field(default_factory=dict)

    def given(self, group: str, answer: str) -> float:
        """What the answer has earned in the group of questions, and the part it started with."""
        key = (group, answer)
        if key not in self.counts:
            self.counts[key] = zlib.crc32(repr((*self.seed, *key)).encode()) / 2**32
        return self.counts[key]

    def answers(self, group: str) -> tuple[str, ...]:
        """The answers of a group that were heard of so far."""
        return tuple(answer for known, answer in self.counts if known == group)

    def count(self, group: str, answer: str, options: Sequence[str] = ()) -> None:
        """Notes that the answer was given once more; `options` are what could be chosen, itself included."""
        self.counts[group, answer] = self.given(group, answer) + 1.0
        for option in options:
            self.counts[group, option] = self.given(group, option) - 1.0 / len(options)

    def prevails(self, group: str, answer: str, others: Sequence[str]) -> bool:
        """Whether the answer has earned more than the rarest of the other answers of the same question.

        Of three answers or more, some may never be right in a scene; they let the others get a little farther.
        """
        rivals = [self.given(group, other) for other in others if other != answer]
        slack = 0.0 if len(rivals) < 2 else SLACK
        return bool(rivals) and self.given(group, answer) > min(rivals) + slack


# A constant c is right to within t for answers from c / (1 + t) to c / (1 - t); of counts from 1 to 5 it is best to say 4.
MEASURE_CHANCE = float(np.log10((1 + TOLERANCES) / (1 - TOLERANCES)).mean())
COUNT_CHANCE = float(relative_accuracy(np.full(5, 4.0), np.arange(1.0, 6.0)).mean())
