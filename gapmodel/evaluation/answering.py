"""The questions of one sample answered, scored, and measured by the probability of the true answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gapdata.sample import QA, Sample
from gapmodel.data.example import Example, Question
from gapmodel.data.prompt import answer_text, question_text
from gapmodel.evaluation.config import EvalConfig
from gapmodel.generation import Prefixes, Row
from gapmodel.geometry.inputs import GeometryInput
from gapmodel.loading import Trained
from gapmodel.metrics.answers import score_answer

# How long answers of a format tend to be: questions with answers of like length are answered together.
_LENGTHS = {
    "yesno": 0,
    "choice": 1,
    "number": 2,
    "pixel": 3,
    "point": 4,
    "text": 5,
    "box": 6,
    "list": 7,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    question: Question
    qa: QA
    row: Row


def answer_questions(
    trained: Trained,
    config: EvalConfig,
    sample: Sample,
    example: Example,
    geometry: GeometryInput | None,
) -> list[dict[str, Any]]:
    """One record a question of the example, in its order: what was asked, what came, how right it is.

    `loss` is the mean -log probability in nats of the tokens of the true answer, `tokens` their number.
    """
    if not example.questions:
        return []
    prompt = trained.prompt(example.images.shape[1:3])
    by_id = {qa.id: qa for qa in sample.qa}
    shown = tuple(dict.fromkeys(question.views for question in example.questions))
    texts = prompt.tokens([question_text(question.text) for question in example.questions])
    asked = [
        _Asked(
            question=question,
            qa=by_id[question.qa],
            row=Row(prefix=shown.index(question.views), question=text),
        )
        for question, text in zip(example.questions, texts, strict=True)
    ]
    images = torch.from_numpy(example.images).to(trained.device)
    prefixes = Prefixes(trained.model, prompt, images, geometry, shown)
    records: dict[str, dict[str, Any]] = {}
    for part in _batches(asked, config.batch):
        replies = prefixes.answer([one.row for one in part], config.max_new_tokens)
        truths = prompt.tokens([answer_text(one.question.answer) for one in part])
        losses = prefixes.losses([one.row for one in part], truths)
        for one, reply, loss in zip(part, replies, losses, strict=True):
            text = prompt.tokenizer.decode(reply, skip_special_tokens=True)
            score = score_answer(sample, one.qa, text)
            records[one.qa.id] = {
                "key": sample.key,
                "scene": sample.scene_id,
                "id": one.qa.id,
                "task": one.qa.task,
                "format": one.qa.format,
                "question": one.question.text,
                "answer": one.qa.answer,
                "output": text,
                "cut": len(reply) == config.max_new_tokens,
                "parsed": score.parsed,
                "score": score.score,
                "figures": dict(score.figures),
                "choices": len(one.qa.choices),
                "loss": float(loss.mean()),
                "tokens": len(loss),
            }
    if config.options:
        _add_options(prefixes, asked, config.batch, records)
    return [records[question.qa] for question in example.questions]


def _batches(asked: Sequence[_Asked], size: int) -> Iterator[list[_Asked]]:
    ordered = sorted(asked, key=lambda one: (_LENGTHS[one.qa.format], len(one.row.question)))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _add_options(
    prefixes: Prefixes, asked: Sequence[_Asked], size: int, records: dict[str, dict[str, Any]]
) -> None:
    """Add to the records of closed questions the most probable option, and 1 or 0 for whether it is right.

    Of each option the probability of all its tokens, the end of the turn included, is taken.
    """
    rows: list[tuple[str, str, Row]] = []
    for one in asked:
        options = {"choice": one.qa.choices, "yesno": ("Yes", "No")}.get(one.qa.format, ())
        rows += [(one.qa.id, option, one.row) for option in options]
    best: dict[str, tuple[float, str]] = {}
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        tokens = prefixes.prompt.tokens([answer_text(option) for _, option, _ in part])
        losses = prefixes.losses([row for _, _, row in part], tokens)
        for (qa, option, _), loss in zip(part, losses, strict=True):
            total = float(loss.sum())
            if total < best.get(qa, (math.inf, ""))[0]:
                best[qa] = (total, option)
    for qa, (_, option) in best.items():
        record = records[qa]
        record |= {"option": option, "option_score": float(option == record["answer"])}
