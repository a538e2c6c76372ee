"""The audit flags what can be answered without looking, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from gapdata.answers import format_answer
from gapdata.audit import TaskAudit, audit_questions
from gapdata.audit.report import interval
from gapdata.audit.words import BlindQuestion, scene_folds
from gapdata.errors import MissingDependencyError
from gapdata.sample import QA

COLORS = ("red", "green", "blue", "black", "white", "brown")
NAMES = ("chair", "table", "lamp", "plant", "vase", "door", "rug", "bottle")
SCENES, PER_SCENE = 12, 25


def asked(scene: int, question: str, answer_format: str, value, unit="", choices=()) -> BlindQuestion:  # fmt: skip
    answer = format_answer(value, answer_format, unit, choices)
    qa = QA(
        id=f"{scene}", task="some_task", format=answer_format, views=(0,), frame="", question=question,
        answer=answer, value=value, unit=unit, choices=tuple(choices),
    )  # fmt: skip
    return BlindQuestion(scene=f"scene{scene:02d}", qa=qa)


def table(make: Callable[[int, np.random.Generator], BlindQuestion], seed=0) -> TaskAudit:
    """The figures of questions made one by one, with the same generator."""
    rng = np.random.default_rng(seed)
    questions = [make(scene, rng) for scene in range(SCENES) for _ in range(PER_SCENE)]
    (audit,) = audit_questions(questions).tasks
    return audit


def drawn(options: Iterable[str], count: int, rng: np.random.Generator) -> list[str]:
    return [str(option) for option in rng.choice(list(options), count, replace=False)]


def fair_choice(scene, rng):
    options = drawn(COLORS, 4, rng)
    return asked(scene, f"What colour is the {rng.choice(NAMES)}?", "choice", str(rng.choice(options)), choices=options)  # fmt: skip


def fair_claim(scene, rng):
    a, b = drawn(NAMES, 2, rng)
    return asked(scene, f"Is the {a} left of the {b}?", "yesno", bool(rng.random() < 0.5))


def fair_number(scene, rng):
    a, b = drawn(NAMES, 2, rng)
    return asked(scene, f"How far is the {a} from the {b}?", "number", float(10 ** (rng.random() - 0.5)), "m")  # fmt: skip


def fair_count(scene, rng):
    return asked(scene, f"How many {rng.choice(NAMES)}s?", "number", float(rng.integers(1, 6)))


@pytest.mark.parametrize("make", [fair_choice, fair_claim, fair_number, fair_count])
@pytest.mark.parametrize("seed", range(4))
def test_fair_questions_are_not_flagged(make, seed):
    audit = table(make, seed)
    assert not audit.exceeds(10.0), audit
    assert audit.gap < 12
    assert audit.best.low <= audit.chance <= audit.best.high


def always_yes(scene, rng):
    a, b = drawn(NAMES, 2, rng)
    return asked(scene, f"Is the {a} left of the {b}?", "yesno", bool(rng.random() < 0.85))


def first_option(scene, rng):
    options = drawn(COLORS, 4, rng)
    place = 0 if rng.random() < 0.5 else int(rng.integers(4))
    return asked(scene, "What colour is it?", "choice", options[place], choices=options)


def longest_option(scene, rng):
    options = drawn(COLORS, 3, rng)
    right = f"{rng.choice(COLORS)} with {rng.choice(COLORS)} and {rng.choice(COLORS)} stripes"
    shuffled = drawn([right, *options], 4, rng)
    return asked(scene, "What colour is it?", "choice", right, choices=shuffled)


def largest_number(scene, rng):
    value = float(1 + 4 * rng.random())
    options = [f"{value * factor:.2f} m" for factor in (0.5, 0.7, 0.85, 1.0)]
    return asked(scene, "How far?", "choice", options[3], "m", drawn(options, 4, rng))


def middle_number(scene, rng):
    value = float(1 + 4 * rng.random())
    options = [f"{value * factor:.2f} m" for factor in (0.7, 1.0, 1.3)]
    return asked(scene, "How far?", "choice", options[1], "m", drawn(options, 3, rng))


def label_tells(scene, rng):
    """Every colour is as frequent as every other one, but a thing always has its own."""
    name = str(rng.choice(NAMES[:6]))
    right = COLORS[NAMES.index(name)]
    options = drawn([right, *drawn(set_without(COLORS, right), 3, rng)], 4, rng)
    return asked(scene, f"What colour is the {name}?", "choice", right, choices=options)


def order_tells(scene, rng):
    """Yes and no are alike frequent, and so are they for every thing; the two things together tell which."""
    a, b = drawn(NAMES, 2, rng)
    return asked(scene, f"Is the {a} larger than the {b}?", "yesno", NAMES.index(a) > NAMES.index(b))  # fmt: skip


def named_in_question(scene, rng):
    options = drawn(NAMES, 4, rng)
    return asked(scene, f"What is near the {options[2]}?", "choice", options[2], choices=drawn(options, 4, rng))  # fmt: skip


def always_two(scene, rng):
    return asked(scene, f"How many {rng.choice(NAMES)}s?", "number", 2.0)


def rooms_alike(scene, rng):
    return asked(scene, "How large is the room?", "number", float(rng.uniform(16.0, 27.0)), "m2")


def size_by_name(scene, rng):
    name = str(rng.choice(NAMES))
    size = 0.1 * 1.4 ** NAMES.index(name) * (1 + 0.1 * rng.random())
    return asked(scene, f"How tall is the {name}?", "number", float(size), "m")


def same_text(scene, rng):
    return asked(scene, "Describe it.", "text", "a red chair" if rng.random() < 0.3 else str(rng.random()))  # fmt: skip


def set_without(options: Iterable[str], one: str) -> list[str]:
    return [option for option in options if option != one]


@pytest.mark.parametrize(
    "make",
    [
        always_yes, first_option, longest_option, largest_number, middle_number, label_tells, order_tells,
        named_in_question, always_two, rooms_alike, size_by_name, same_text,
    ],
)  # fmt: skip
def test_planted_bias_is_flagged(make):
    assert table(make).exceeds(10.0)


def test_the_rule_that_works_is_named():
    for make, rule in ((longest_option, "longest"), (largest_number, "largest"), (middle_number, "number 2 by size"), (first_option, "option A"), (named_in_question, "words of the question")):  # fmt: skip
        rules = table(make).rules
        assert max(rules, key=rules.__getitem__) == rule


def test_positions_distractors_majority_are_measured():
    uneven, even = table(first_option), table(fair_choice)
    assert sum(uneven.positions) == SCENES * PER_SCENE
    assert uneven.position_p < 1e-6 < 1e-3 < even.position_p
    low, high = table(largest_number).distractors
    assert (low, high) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.85, abs=0.01))
    assert table(always_yes).majority == pytest.approx(0.85, abs=0.06)
    assert table(always_two).answers == {"2": SCENES * PER_SCENE}


def test_what_one_scene_says_is_not_read_in_another():
    """Each scene has its own answer to the same words: known scenes tell all, new ones nothing."""
    answers = {}

    def make(scene, rng):
        name = str(rng.choice(NAMES))
        value = answers.setdefault((scene, name), bool(rng.random() < 0.5))
        return asked(scene, f"Is the {name} red?", "yesno", value)

    assert not table(make).exceeds(10.0)


def test_folds_never_share_a_scene():
    rng = np.random.default_rng(0)
    questions = [fair_claim(int(scene), rng) for scene in rng.integers(7, size=60)]
    tested = []
    for known, test in scene_folds(questions, 5):
        assert not {questions[i].scene for i in known} & {questions[i].scene for i in test}
        tested += test.tolist()
    assert sorted(tested) == list(range(60))
    assert scene_folds([q for q in questions if q.scene == "scene01"], 5) == []


def test_one_scene_alone_gives_no_verdict():
    rng = np.random.default_rng(0)
    (audit,) = audit_questions([always_two(0, rng) for _ in range(9)]).tasks
    assert audit.guess is None
    assert audit.learned is None
    assert not audit.exceeds(0.0)


def test_interval_covers_the_truth_and_widens_when_scenes_agree():
    rng = np.random.default_rng(0)
    covered = [
        (found := interval((rng.random(200) < 0.3).astype(float), [str(i % 20) for i in range(200)])).low <= 0.3 <= found.high
        for _ in range(300)
    ]  # fmt: skip
    assert np.mean(covered) > 0.97
    alike = np.repeat((np.arange(20) % 2).astype(float), 10)
    by_scene = interval(alike, [str(i // 10) for i in range(200)])
    alone = interval(alike, [str(i) for i in range(200)])
    assert by_scene.high - by_scene.low > 2.5 * (alone.high - alone.low)


def test_tasks_and_formats_are_told_apart_and_given_in_order():
    rng = np.random.default_rng(0)
    questions = [make(scene, rng) for make in (fair_claim, fair_choice) for scene in range(4)]
    report = audit_questions(questions)
    assert [(t.task, t.format, t.questions) for t in report.tasks] == [
        ("some_task", "choice", 4),
        ("some_task", "yesno", 4),
    ]
    assert report == audit_questions(questions)


def test_without_scikit_learn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'gapdata\[audit\]'"):
        audit_questions([])
