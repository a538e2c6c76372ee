"""Asks all tasks about one sample and turns their questions into worded QA rows."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from gapdata.balance import Tally, answer_class
from gapdata.sample import QA
from gapdata.tasks import Task
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.wording import word

CLOSED = ("yesno", "choice")  # formats of which the question says all answers
# How the thresholds begin that keep answers off a decision boundary.
MARGINS = ("min_gap", "min_angle", "min_lead", "min_option_gap", "min_margin")


def ask_questions(
    facts: Facts,
    tasks: Sequence[Task],
    *,
    seed: int,
    scene_id: str,
    sample_index: int,
    key: str,
    max_per_task: int = 8,
    margin: float = 1.0,
    tally: Tally | None = None,
) -> tuple[QA, ...]:
    """The sample's questions, task by task in the given order, at most `max_per_task` of each.

    Each task draws from its own generator, so a task more or less changes no other's questions; the words of a
    question depend on the question alone, so a stricter threshold only removes rows. Ids are `<key>-<task>-<nn>`.
    Of the candidates those are asked whose answers were given least, none that prevails; `tally` counts the answers
    of the scene's other samples, too. Without it all candidates are taken, up to the limit, at random.
    margin: how many times farther from every decision boundary an answer has to be than the tasks demand; removes
    rows of the same call with 1, and nothing else.
    """
    rows: list[QA] = []
    for task in tasks:
        words = [seed, zlib.crc32(scene_id.encode()), zlib.crc32(task.name.encode()), sample_index]
        rng = np.random.default_rng(words)
        questions = _stable(facts, list(task.ask(facts, rng)))
        order = np.random.default_rng([*words, 1]).permutation(len(questions)).tolist()
        if tally is not None:
            order = _balanced(facts, questions, order, tally, max_per_task)
        facts.drop(task.name, "more than asked for", max(0, len(order) - max_per_task))
        questions = [questions[index] for index in sorted(order[:max_per_task])]
        kept_ones = _far_from_boundaries(facts, task, questions, words, margin)
        for number, question in enumerate(questions):
            if number not in kept_ones:
                continue
            draw = _fingerprint(question, words)
            rows.append(word(question, draw, qa_id=f"{key}-{task.name}-{number:02d}"))
    return tuple(rows)


def with_margin(task: Task, factor: float) -> Task:
    """The task with every threshold that keeps answers off a decision boundary `factor` times as far from it.

    A task's `boundaries` say for which of its thresholds the boundary is not at 0, and where it is.
    """
    assert is_dataclass(task)
    boundaries: Mapping[str, float] = getattr(task, "boundaries", {})
    stricter: dict[str, Any] = {}
    for threshold in fields(task):
        name, value = threshold.name, getattr(task, threshold.name)
        if name in boundaries:
            stricter[name] = boundaries[name] + factor * (value - boundaries[name])
        elif name.startswith(MARGINS):
            stricter[name] = math.ceil(factor * value) if isinstance(value, int) else factor * value
    return replace(task, **stricter)


def _far_from_boundaries(
    facts: Facts, task: Task, questions: list[Question], words: list[int], margin: float
) -> set[int]:
    """Numbers of the questions that the task asks with its margins times `margin`, too.

    They are asked for a second time, so that the limit on questions a task picks the same ones whatever the margin.
    """
    if margin == 1.0:
        return set(range(len(questions)))
    drops = facts.drops.copy()
    strict = with_margin(task, margin).ask(facts, np.random.default_rng(words))
    asked = {_identity(question) for question in strict}
    facts.drops = drops
    kept = {n for n, question in enumerate(questions) if _identity(question) in asked}
    facts.drop(task.name, "within the margin", len(questions) - len(kept))
    return kept


def _balanced(
    facts: Facts, questions: list[Question], order: list[int], tally: Tally, limit: int
) -> list[int]:
    """Positions in the order of asking: those whose answers were given least first, none that prevails by then."""
    chosen: list[int] = []
    rest = list(order)
    while rest and len(chosen) < limit:
        given = [tally.given(*_group_and_answer(questions[index])) for index in rest]
        index = rest.pop(int(np.argmin(np.floor(given))))
        question = questions[index]
        group, answer = _group_and_answer(question)
        groups = (group, group + _claim(question)) if question.format == "yesno" else (group,)
        others = _alternatives(question, tally)
        if any(tally.prevails(each, answer, others) for each in groups):
            facts.drop(question.task, "its answer prevails")
            continue
        for each in groups:
            if answer:
                tally.count(each, answer, others if question.format in CLOSED else ())
        chosen.append(index)
    return chosen + rest


def _claim(question: Question) -> str:
    """What a yes-or-no question claims: its slots but those that name an object or the colour of its marker."""
    names = {reference.words for reference in question.references}
    colors = {marker["color"] for marker in question.markers}
    slots = question.slots
    named = {slot for key in slots if slots[key] in names for slot in name_slots(**{key: ""})}
    said = {key: slots[key] for key in slots if key not in named and slots[key] not in colors}
    return f" {sorted(said.items())}" if said else " any"


def _group_and_answer(question: Question) -> tuple[str, str]:
    """The questions among which an answer must not prevail, and the class of the answer."""
    group = f"{question.task} {question.wording} {question.format}"
    return group, answer_class(question.format, question.value, question.unit)


def _alternatives(question: Question, tally: Tally) -> tuple[str, ...]:
    """The classes of answers that the question could have had; of numbers those that the scene has had."""
    if question.format == "yesno":
        return ("True", "False")
    return question.choices or tally.answers(_group_and_answer(question)[0])


def _stable(facts: Facts, questions: list[Question]) -> list[Question]:
    """The questions whose answer is the same in every disturbed world."""
    kept = []
    for question in questions:
        if question.holds is None or question.holds(facts.once(Noise)).all():
            kept.append(question)
        else:
            facts.drop(question.task, "answer flips under noise")
    return kept


def _identity(question: Question) -> str:
    """Everything that tells a question from the others of its task; not its thresholds."""
    asked = (question.wording, question.views, question.objects, sorted(question.slots.items()))
    return repr((asked, question.value, question.choices, question.markers))


def _fingerprint(question: Question, words: Sequence[int]) -> int:
    """A number from what the words say and what the draw depends on; not from ids, which carry no meaning."""
    said = (question.wording, question.views, sorted(question.slots.items()))
    return zlib.crc32(repr((words, said)).encode())
