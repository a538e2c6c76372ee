"""A question as the audit sees it: words only, and the scene they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from gapdata.answers import CONVERSIONS, AnswerError, parse_answer
from gapdata.balance import IMAGES, possible_answers
from gapdata.sample import QA

Array = np.ndarray

TOKEN = re.compile(r"[^\W_]+(?:\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class BlindQuestion:
    """One question without its pictures."""

    scene: str
    qa: QA

    @cached_property
    def right(self) -> int:
        """Position of the right option of a choice, or of "no", "yes"."""
        if self.qa.format == "yesno":
            return int(bool(self.qa.value))
        return self.qa.choices.index(self.qa.value)

    @cached_property
    def options(self) -> tuple[str, ...]:
        """What can be answered; empty for free-valued answers."""
        return ("No", "Yes") if self.qa.format == "yesno" else self.qa.choices

    @property
    def possible(self) -> int:
        """How many answers are possible; 0 for open ones."""
        lists_images = re.fullmatch(IMAGES, self.qa.answer) is not None
        return possible_answers(len(self.options), len(self.qa.views) if lists_images else 0)

    @cached_property
    def quantities(self) -> Float[Array, " n"] | None:
        """The options as numbers in the question's unit; None when they are not numbers."""
        unit = self.qa.unit if self.qa.unit in CONVERSIONS else ""
        try:
            return np.array([parse_answer(option, "number", unit) for option in self.options])
        except AnswerError:
            return None


def tokens(text: str) -> list[str]:
    """The words and numbers of a text, in lower case."""
    return TOKEN.findall(text.lower())


def scene_folds(questions: Sequence[BlindQuestion], folds: int) -> list[tuple[Array, Array]]:
    """Positions to learn from and positions to be tested on, `folds` times; no scene is in both.

    Empty when there are fewer than two scenes. The same for the same scenes in any order.
    """
    scenes = sorted({question.scene for question in questions})
    folds = min(folds, len(scenes))
    if folds < 2:
        return []
    number = {scene: place % folds for place, scene in enumerate(scenes)}
    fold = np.array([number[question.scene] for question in questions])
    return [(np.flatnonzero(fold != test), np.flatnonzero(fold == test)) for test in range(folds)]
