"""Chance levels and classes of answers, which the build and the audit share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gapdata.balance import Tally, answer_class, chance, possible_answers, relative_accuracy
from gapdata.shards.index import QA_SCHEMA, SAMPLES_SCHEMA, count


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
    assert answer_class("text", "[1]") != answer_class("text", "[2]")
    assert answer_class("box", {"view": 0}) == answer_class("list", []) == ""


def test_no_answer_gets_ahead_of_the_other():
    """Whatever order candidates come in: of yes and no none is ever given twice more than the other."""
    rng = np.random.default_rng(0)
    starts = []
    for scene in range(200):
        tally, counts = Tally([0, scene]), {"True": 0, "False": 0}
        for answer in np.where(rng.random(30) < 0.9, "True", "False").tolist():
            if not tally.prevails("task", answer, ("True", "False")):
                tally.count("task", answer)
                counts[answer] += 1
            assert abs(counts["True"] - counts["False"]) <= 1
        starts.append(counts["True"] - counts["False"])
    assert 0.3 < np.mean(starts) < 0.8  # of lone answers about half of the scenes give one


def test_an_answer_that_is_never_right_does_not_stop_the_others():
    tally, options = Tally([0, 0]), ("left", "right", "up")
    given = dict.fromkeys(options, 0)
    for answer in ("left", "left", "left", "right", "right"):
        if not tally.prevails("task", answer, options):
            tally.count("task", answer)
            given[answer] += 1
    assert 1 <= given["left"] <= 2
    assert 1 <= given["right"] <= 2


def test_tallies_of_a_seed_are_the_same_and_groups_are_apart():
    assert Tally([1, 2]).given("a", "yes") == Tally([1, 2]).given("a", "yes")
    assert Tally([1, 2]).given("a", "yes") != Tally([1, 3]).given("a", "yes")
    tally = Tally([1, 2])
    tally.count("a", "True")
    tally.count("a", "True")
    assert tally.prevails("a", "True", ("True", "False"))
    assert not tally.prevails("b", "anything", ())


def test_options_often_offered_have_to_be_right_as_often():
    """Whatever is offered and whatever comes first: over many questions no option is right oftener than offered."""
    rng, tally = np.random.default_rng(0), Tally([0, 0])
    right, offered = dict.fromkeys("abcdef", 0), dict.fromkeys("abcdef", 0)
    for _ in range(4000):
        # "a" is nearly always offered and mostly right, "f" is a rare option.
        options = ["a", *rng.choice(list("bcdef"), 3, replace=False, p=[0.3, 0.3, 0.2, 0.15, 0.05])]
        answer = "a" if rng.random() < 0.6 else str(rng.choice(options[1:]))
        if not tally.prevails("task", answer, options):
            tally.count("task", answer, options)
            right[answer] += 1
            for option in options:
                offered[option] += 1
    assert sum(right.values()) > 400
    assert all(abs(right[o] - offered[o] / 4) < 4 for o in right)


def test_lists_of_images_are_one_of_so_many_answers():
    assert possible_answers(0, 4) == 14  # all subsets of four images but none and all
    assert possible_answers(3, 4) == 3
    assert possible_answers(0, 0) == 0
    assert chance("text", 14) == pytest.approx(1 / 14)
    assert chance("text") == 0.0


def test_the_manifest_says_what_can_be_guessed():
    def row(answer_format: str, answer: str, num_choices: int = 0, right: int = -1, unit: str = ""):
        filled = dict.fromkeys(QA_SCHEMA.names)
        given = {"task": "t", "format": answer_format, "answer": answer, "unit": unit}
        return {**filled, **given, "num_choices": num_choices, "right_choice": right}

    rows = [row("choice", "red", 4, 3), row("choice", "blue", 2, 0), row("choice", "red", 4, 3)]
    rows += [row("yesno", "Yes"), row("number", "2"), row("number", "0.50 m", unit="m")]
    rows += [
        {**row("text", "[1, 3]"), "views": [0, 1, 2, 3]},
        {**row("text", "a lamp"), "views": [0, 1]},
    ]
    qa = pa.Table.from_pylist(rows, QA_SCHEMA)
    found = {f["format"]: f for f in count(SAMPLES_SCHEMA.empty_table(), qa)["guessing"]}
    assert found["choice"]["positions"] == [1, 0, 0, 2]
    assert found["choice"]["chance"] == pytest.approx(1 / 3)
    assert found["choice"]["majority"] == pytest.approx(2 / 3)
    assert (found["yesno"]["chance"], found["yesno"]["majority"]) == (0.5, 1.0)
    assert found["text"]["chance"] == pytest.approx(1 / 28)
    between = (chance("number") + chance("number", unit="m")) / 2
    assert found["number"]["chance"] == pytest.approx(between)
