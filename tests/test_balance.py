"""Chance levels and classes of answers, which the build and the audit share."""

from __future__ import annotations

import numpy as np
import pytest

from gapdata.balance import answer_class, chance, relative_accuracy


def test_chance_of_options():
    assert chance("choice", 4) == 0.25
    assert chance("yesno") == 0.5
    assert chance("text") == 0.0


def test_chance_of_a_number_is_what_the_best_constant_earns():
    """Against a search over constants, and answers drawn as the definition says."""
    decade = 10.0 ** np.linspace(0.0, 1.0, 4001)
    found = max(
        relative_accuracy(np.full(len(decade), c), decade).mean() for c in decade[1000:3000:20]
    )
    assert chance("number", unit="m") == pytest.approx(found, abs=0.005)
    counts = np.arange(1.0, 6.0)
    found = max(relative_accuracy(np.full(5, c), counts).mean() for c in np.arange(0.5, 7.0, 0.01))
    assert chance("number") == pytest.approx(found, abs=0.05)


def test_relative_accuracy_counts_tolerances():
    truths = np.array([10.0, 10.0, 10.0, 0.0, 0.0, -10.0])
    guesses = np.array([10.0, 7.2, 4.0, 0.0, 0.1, -9.9])
    np.testing.assert_allclose(relative_accuracy(guesses, truths), [1.0, 0.5, 0.0, 1.0, 0.0, 1.0])


def test_answers_of_a_class_are_alike():
    assert answer_class("yesno", True) != answer_class("yesno", False)
    assert answer_class("number", 3.0) != answer_class("number", 2.0)
    assert answer_class("number", 1.0, "m") != answer_class("number", 1.6, "m")
    assert answer_class("number", 1.01, "m") == answer_class("number", 1.49, "m")
    assert answer_class("choice", "left") == "left"
    assert answer_class("box", {"view": 0}) == answer_class("text", "a") == ""
