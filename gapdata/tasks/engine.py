"""Asks all tasks about one sample and turns their questions into worded QA rows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from gapdata.sample import QA
from gapdata.tasks import Task
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.question import Question
from gapdata.tasks.wording import word


def ask_questions(
    facts: Facts,
    tasks: Sequence[Task],
    *,
    seed: int,
    scene_id: str,
    sample_index: int,
    key: str,
    max_per_task: int = 8,
) -> tuple[QA, ...]:
    """The sample's questions, task by task in the given order, at most `max_per_task` of each.

    Each task draws from its own generator, so a task more or less changes no other's questions; the words of a
    question depend on the question alone, so a stricter threshold only removes rows. Ids are `<key>-<task>-<nn>`.
    """
    rows: list[QA] = []
    for task in tasks:
        words = [seed, zlib.crc32(scene_id.encode()), zlib.crc32(task.name.encode()), sample_index]
        rng = np.random.default_rng(words)
        questions = _stable(facts, list(task.ask(facts, rng)))
        if len(questions) > max_per_task:
            facts.drop(task.name, "more than asked for", len(questions) - max_per_task)
            kept = np.random.default_rng([*words, 1]).permutation(len(questions))[:max_per_task]
            questions = [questions[index] for index in sorted(kept.tolist())]
        for number, question in enumerate(questions):
            wording_rng = np.random.default_rng([*words, 2, _fingerprint(question)])
            rows.append(word(question, wording_rng, qa_id=f"{key}-{task.name}-{number:02d}"))
    return tuple(rows)


def _stable(facts: Facts, questions: list[Question]) -> list[Question]:
    """The questions whose answer is the same in every disturbed world."""
    kept = []
    for question in questions:
        if question.holds is None or question.holds(facts.once(Noise)).all():
            kept.append(question)
        else:
            facts.drop(question.task, "answer flips under noise")
    return kept


def _fingerprint(question: Question) -> int:
    """A number from what the words say; not from ids, which carry no meaning."""
    return zlib.crc32(
        repr((question.wording, question.views, sorted(question.slots.items()))).encode()
    )
