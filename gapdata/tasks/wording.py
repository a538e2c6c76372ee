"""A question gets its words: a template drawn from the table, filled with the question's slots."""

from __future__ import annotations

from typing import Any

from gapdata.answers import format_answer
from gapdata.sample import QA
from gapdata.tasks.question import Question
from gapdata.tasks.templates import TEMPLATES


def word(question: Question, draw: int, *, qa_id: str) -> QA:
    """The QA row of a question, in one of its templates as `draw` says; `template` is "<wording>/<number>".

    The text does not contain the options of a choice; they are in `choices`, and the answer is the right one's
    own words. Images are named by their place among the question's views.
    """
    number = draw % len(TEMPLATES[question.wording])
    return QA(
        id=qa_id,
        task=question.task,
        format=question.format,
        views=question.views,
        frame=question.frame,
        question=text(question, number),
        answer=format_answer(question.value, question.format, question.unit, question.choices),
        value=question.value,
        unit=question.unit,
        choices=question.choices,
        objects=question.objects,
        evidence=_evidence(question),
        margin=question.margin,
        template=f"{question.wording}/{number}",
        markers=question.markers
        + tuple(record for named in question.references for record in named.markers),
    )


def _evidence(question: Question) -> dict[str, Any]:
    """The question's evidence, with how each object was named."""
    if not question.references:
        return dict(question.evidence)
    named = [
        {"object": named.instance, "style": named.style, "words": named.words}
        for named in question.references
    ]
    return {**question.evidence, "references": named}


def text(question: Question, number: int) -> str:
    """The question in the words of its template of that number, with a capital at the start."""
    slots = dict(question.slots) | _view_slots(len(question.views))
    filled = TEMPLATES[question.wording][number].format_map(slots)
    return filled[:1].upper() + filled[1:]


def _view_slots(count: int) -> dict[str, str]:
    """How templates speak of the views: `in_views`, `views` as a noun, and verbs that agree with it."""
    if count == 1:
        nouns = {"in_views": "in this image", "views": "this image"}
        return nouns | {"does_views": "does", "show_views": "shows"}
    nouns = {"in_views": f"in these {count} images", "views": f"these {count} images"}
    return nouns | {"does_views": "do", "show_views": "show"}
