"""A model that reads the words of a question and its options and never sees a picture, tested on scenes it has not read about."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gapdata.audit.guesses import ranks
from gapdata.audit.words import BlindQuestion, scene_folds, tokens
from gapdata.balance import relative_accuracy
from gapdata.errors import MissingDependencyError

Array = np.ndarray

INSTALL = "pip install 'gapdata[audit]'"
HASHES = 2**16


def need_scikit_learn() -> None:
    """Raises MissingDependencyError with the install command when scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"audit: the text model needs scikit-learn; {INSTALL}"
        ) from error


def learned_scores(
    questions: Sequence[BlindQuestion], folds: int, limit: int
) -> Float[Array, " n"] | None:
    """What the text model earns on each question, having learned from the questions of other scenes.

    None with fewer than two scenes, and for formats without a text that could be learned (boxes, points, free text).
    limit: questions that a model learns from at most.
    """
    answer_format = questions[0].qa.format
    splits = scene_folds(questions, folds)
    if not splits or answer_format not in ("choice", "yesno", "number"):
        return None
    scores = np.zeros(len(questions))
    rows = [_read(question) for question in questions]
    ends = np.cumsum([len(row) for row in rows])
    features, score = _hashed(rows), _score_numbers if answer_format == "number" else _score_options
    for learned, tested in splits:
        kept = learned[np.linspace(0, len(learned) - 1, min(limit, len(learned))).astype(int)]
        known, asked = ([questions[place] for place in places] for places in (kept, tested))
        train, test = (features[_rows_of(places, ends)] for places in (kept, tested))
        scores[tested] = score(known, asked, train, test)
    return scores


def _rows_of(places: Int[Array, " k"], ends: Int[Array, " n"]) -> Int[Array, " r"]:
    """The rows of the options of the questions at these places."""
    starts = np.concatenate([[0], ends[:-1]])
    return np.concatenate([np.arange(starts[place], ends[place]) for place in places.tolist()])


def _read(question: BlindQuestion) -> list[list[str]]:
    """What each option says, and with which word of the question it says it; one row where there are none to choose."""
    words = tokens(question.qa.question)
    if question.qa.format != "choice":
        return [[*words, *(f"{a}>{b}" for a, b in combinations(words, 2))]]
    asked, places = sorted(set(words)), ranks(question)
    rows = []
    for place, option in enumerate(question.options):
        own = tokens(option)
        marks = [f"place={place}", f"rank={places[place]:.2f}", f"all={option}"]
        marks += [f"{at}:{word}" for at, word in enumerate(own)] + own
        if question.quantities is not None:
            size = abs(float(question.quantities[place])) + 1e-3
            marks.append(f"size={round(float(np.log(size)) / 0.15)}")
        rows.append(marks + [f"{word}|{mark}" for word in asked for mark in marks])
    return rows


def _hashed(rows: Sequence[Sequence[list[str]]]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(analyzer=set, n_features=HASHES, alternate_sign=False)
    return vectorizer.transform([words for row in rows for words in row])


def _score_options(
    known: Sequence[BlindQuestion],
    asked: Sequence[BlindQuestion],
    train: Any,
    test: Any,
) -> Float[Array, " n"]:
    """1 where the option is right that the model finds most probable."""
    from sklearn.linear_model import LogisticRegression

    is_claim = asked[0].qa.format == "yesno"
    if is_claim:
        truths = np.array([question.right for question in known])
    else:
        truths = np.concatenate(
            [np.arange(len(question.options)) == question.right for question in known]
        ).astype(int)
    if len(set(truths.tolist())) < 2:
        return np.array([float(question.right == truths[0]) for question in asked])
    # The dual with this tolerance scores like an exact fit and is twenty times as fast.
    model = LogisticRegression(solver="liblinear", dual=True, C=10.0, tol=0.05, random_state=0)
    model.fit(train, truths)
    found = model.decision_function(test)
    if is_claim:
        return np.array([float((f > 0) == q.right) for f, q in zip(found, asked, strict=True)])
    ends = np.cumsum([len(question.options) for question in asked])[:-1]
    return np.array(
        [
            float(int(np.argmax(own)) == question.right)
            for own, question in zip(np.split(found, ends), asked, strict=True)
        ]
    )


def _score_numbers(
    known: Sequence[BlindQuestion],
    asked: Sequence[BlindQuestion],
    train: Any,
    test: Any,
) -> Float[Array, " n"]:
    """Relative accuracy of a regression of the answers' logarithms, or of the answers where some are not positive."""
    from sklearn.linear_model import Ridge

    truths = np.array([question.qa.value for question in [*known, *asked]], np.float64)
    positive = bool((truths > 0).all())
    values = np.log(truths) if positive else truths
    middle = float(np.median(values[: len(known)]))
    model = Ridge(alpha=0.3).fit(train, values[: len(known)] - middle)
    found = model.predict(test) + middle
    return relative_accuracy(np.exp(found) if positive else found, truths[len(known) :])
