"""Questions whether a relation holds, or for which of several objects it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool

from gapdata.tasks.candidates import OPTIONS, drawn
from gapdata.tasks.facts import Facts
from gapdata.tasks.noise import Noise
from gapdata.tasks.nouns import name_slots
from gapdata.tasks.question import Question
from gapdata.tasks.references import ANY, Reference, refer

Array = np.ndarray


LEAST_OTHERS = 2  # objects for which a relation does not hold; fewer make no choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """Whether a relation holds for an object. `holds` and `margin` do not depend on a task's fields, `is_clear` does."""

    holds: bool
    margin: float  # distance of what was measured to where the answer flips
    is_clear: bool
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A relation to none, one or two anchor objects, and what is known of it for some others."""

    anchors: tuple[int, ...]
    judged: Mapping[
        int, Judgement | None
    ]  # None: neither the relation nor its opposite can be said


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """How a task asks about its relation.

    styles: how objects are named; by markers only where a name would tell (pictures hang, and lamps stand on tables).
    stands: whether the relation holds for the column in each disturbed world, where the place of objects decides it.
    """

    task: str
    frame: str = ""
    unit: str = ""
    styles: tuple[str, ...] = ANY
    stands: Callable[[Noise, tuple[int, ...], int], Bool[Array, " K"]] | None = None


def claims(
    facts: Facts,
    relation: Relation,
    views: tuple[int, ...],
    cases: Sequence[Case],
    limit: int,
    rng: np.random.Generator,
) -> Iterator[Question]:
    """One question a case, of at most `limit`, that holds for some objects and not for others: yes or no, or which.

    Whom to ask about is drawn before it matters whether the answer is clear, so stricter thresholds only remove
    questions; yes and no are equally likely, and so is every place of the right option.
    """
    seen: set[tuple[bool, tuple[int, ...], tuple[int, ...]]] = set()
    for case, own in drawn(cases, limit, rng):
        judged = {column: one for column, one in case.judged.items() if one is not None}
        columns = [list(judged)[index] for index in own.permutation(len(judged)).tolist()]
        holding = [column for column in columns if judged[column].holds]
        others = [column for column in columns if not judged[column].holds]
        is_claim, is_true = own.random(2) < 0.5
        seat = own.random()
        if not holding or len(others) < LEAST_OTHERS:
            facts.drop(relation.task, "holds for all or for none")
            continue
        if is_claim:
            asked = [holding[0] if is_true else others[0]]
        else:
            asked = others[: OPTIONS - 1]
            asked.insert(int(seat * (len(asked) + 1)), holding[0])
        key = bool(is_claim), case.anchors, tuple(sorted(asked))
        if key in seen:
            continue
        seen.add(key)
        if not all(judged[column].is_clear for column in asked):
            facts.drop(relation.task, "not clear")
            continue
        of_asked = {column: judged[column] for column in asked}
        stands = relation.stands and partial(_same, relation, case.anchors, of_asked)
        named = refer(facts, views, (*case.anchors, *asked), own, relation.styles)
        question = _question(relation, views, named, of_asked, is_claim=bool(is_claim))
        yield replace(question, holds=stands)


def _question(
    relation: Relation,
    views: tuple[int, ...],
    named: tuple[Reference, ...],
    of_asked: Mapping[int, Judgement],
    *,
    is_claim: bool,
) -> Question:
    judged = list(of_asked.values())
    anchors, options = named[: -len(judged)], named[-len(judged) :]
    names = dict(zip("bc", (one.words for one in anchors), strict=False))
    if is_claim:
        names["a"] = options[0].words
    holding = [one.holds for one in judged]
    evidence = {key: [one.evidence[key] for one in judged] for key in judged[0].evidence}
    return Question(
        task=relation.task,
        wording=f"{relation.task}_{'yesno' if is_claim else 'choice'}",
        format="yesno" if is_claim else "choice",
        views=views,
        value=judged[0].holds if is_claim else options[holding.index(True)].words,
        frame=relation.frame,
        unit=relation.unit,
        choices=() if is_claim else tuple(one.words for one in options),
        objects=tuple(one.instance for one in named),
        evidence=evidence,
        margin=min(one.margin for one in judged),
        references=named,
        slots=name_slots(**names),
    )


def _same(
    relation: Relation, anchors: tuple[int, ...], of_asked: Mapping[int, Judgement], noise: Noise
) -> Bool[Array, " K"]:
    """Whether the relation holds for the same of the objects in each disturbed world."""
    assert relation.stands is not None
    worlds = [
        relation.stands(noise, anchors, column) == one.holds for column, one in of_asked.items()
    ]
    return np.asarray(np.all(worlds, axis=0))
