"""Guessing by a rule that anybody can state: always the first option, the longest, the one most often right, ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from gapdata.audit.words import BlindQuestion, scene_folds, tokens
from gapdata.balance import relative_accuracy

Array = np.ndarray

MOST_FREQUENT = "the most frequent answer"


def rule_scores(
    questions: Sequence[BlindQuestion], folds: int
) -> tuple[dict[str, Float[Array, " n"]], Float[Array, " n"] | None]:
    """What each rule earns on each question, and what the best rule of the other scenes earns there.

    A rule that has to learn (which answer is frequent) learns from the other scenes only. The second is None with
    fewer than two scenes, for then nothing can be said of a scene that was not looked at.
    """
    splits = scene_folds(questions, folds)
    scores = {name: picks_right(questions, pick) for name, pick in option_rules(questions).items()}
    frequent = np.zeros(len(questions))
    chosen = np.zeros(len(questions))
    for learned, tested in splits:
        known = [questions[place] for place in learned]
        asked = [questions[place] for place in tested]
        frequent[tested] = _frequent_scores(known, asked)
        best = max(scores, key=lambda name: scores[name][learned].mean(), default="")
        if best and scores[best][learned].mean() > _frequent_scores(known, known).mean():
            chosen[tested] = scores[best][tested]
        else:
            chosen[tested] = frequent[tested]
    if not splits:
        return {**scores, MOST_FREQUENT: _frequent_scores(questions, questions)}, None
    return {**scores, MOST_FREQUENT: frequent}, chosen


def picks_right(
    questions: Sequence[BlindQuestion], pick: Callable[[BlindQuestion], int]
) -> Float[Array, " n"]:
    """1 where the rule picks the right option, else 0."""
    return np.array([float(pick(question) == question.right) for question in questions])


def option_rules(
    questions: Sequence[BlindQuestion],
) -> Mapping[str, Callable[[BlindQuestion], int]]:
    """The rules that pick one of a question's options by how it is written. None for free-valued answers."""
    if questions[0].qa.format != "choice":
        return {}
    most = max(len(question.options) for question in questions)
    rules: dict[str, Callable[[BlindQuestion], int]] = {
        f"option {chr(ord('A') + place)}": _at(place) for place in range(most)
    }
    rules["longest"] = lambda q: int(np.argmax([len(option) for option in q.options]))
    rules["shortest"] = lambda q: int(np.argmin([len(option) for option in q.options]))
    rules["words of the question"] = lambda q: int(np.argmax(_shared_with_question(q)))
    rules["no words of the question"] = lambda q: int(np.argmin(_shared_with_question(q)))
    rules["most like the others"] = lambda q: int(np.argmax(_shared_with_others(q)))
    rules["least like the others"] = lambda q: int(np.argmin(_shared_with_others(q)))
    if all(question.quantities is not None for question in questions):
        rules["largest"] = lambda q: int(np.argmax(_quantities(q)))
        rules["smallest"] = lambda q: int(np.argmin(_quantities(q)))
        for place in range(1, most - 1):
            rules[f"number {place + 1} by size"] = _ranked(place)
    return rules


def ranks(question: BlindQuestion) -> Float[Array, " n"]:
    """Each option's place by size, from 0 for the smallest to 1 for the largest; all 0.5 when they are no numbers."""
    quantities = question.quantities
    if quantities is None or len(quantities) < 2:
        return np.full(len(question.options), 0.5)
    return np.asarray(np.argsort(np.argsort(quantities)) / (len(quantities) - 1))


def _at(place: int) -> Callable[[BlindQuestion], int]:
    return lambda question: place if place < len(question.options) else -1


def _ranked(place: int) -> Callable[[BlindQuestion], int]:
    return lambda q: int(np.argsort(_quantities(q))[min(place, len(q.options) - 1)])


def _quantities(question: BlindQuestion) -> Float[Array, " n"]:
    assert question.quantities is not None
    return question.quantities


def _shared_with_question(question: BlindQuestion) -> list[int]:
    words = set(tokens(question.qa.question))
    return [len(words & set(tokens(option))) for option in question.options]


def _shared_with_others(question: BlindQuestion) -> list[int]:
    """How many words each option has in common with the other options, in the same place of the text."""
    words = [set(enumerate(tokens(option))) for option in question.options]
    return [
        sum(len(own & other) for at, other in enumerate(words) if at != place)
        for place, own in enumerate(words)
    ]


def _frequent_scores(
    known: Sequence[BlindQuestion], asked: Sequence[BlindQuestion]
) -> Float[Array, " n"]:
    """What the answers most often right in `known` earn in `asked`; for numbers the best constant."""
    if asked[0].qa.format == "number":
        learned, truths = _numbers(known), _numbers(asked)
        # Of the answers themselves, spread over their order: enough to come near the best constant.
        constants = np.unique(np.quantile(learned, np.linspace(0, 1, 51), method="nearest"))
        earned = [relative_accuracy(np.full(len(learned), c), learned).mean() for c in constants]
        return relative_accuracy(np.full(len(asked), constants[np.argmax(earned)]), truths)
    answers = Counter(question.qa.answer for question in known)
    if not asked[0].options:
        most = max(answers, key=lambda answer: (answers[answer], answer))
        return np.array([float(question.qa.answer == most) for question in asked])
    offered = Counter(option for question in known for option in question.options)

    def pick(question: BlindQuestion) -> int:
        # How often right of how often offered, drawn to an even chance while little is known.
        even = 1.0 / len(question.options)
        rates = [(answers[o] + even) / (offered[o] + 1.0) for o in question.options]
        return int(np.argmax(rates))

    return picks_right(asked, pick)


def _numbers(questions: Sequence[BlindQuestion]) -> Float[Array, " n"]:
    return np.array([question.qa.value for question in questions], np.float64)
